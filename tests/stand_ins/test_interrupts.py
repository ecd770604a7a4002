"""An interrupt that comes while a plugin starts ends it in silence: the engine prints what it says."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent.processes import eventually

ROOT = Path(__file__).resolve().parents[2]
SLOW = """import pathlib, time
pathlib.Path({started!r}).touch()
time.sleep(60)
"""


@pytest.mark.parametrize("name", ["aws", "azure_native", "gcp", "local", "random", "tls"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_plugin_that_is_interrupted_while_it_starts_says_nothing(
    tmp_path: Path, name: str, number: signal.Signals
) -> None:
    started = tmp_path / "started"
    (tmp_path / "grpc.py").write_text(SLOW.format(started=str(started)))
    with subprocess.Popen(
        [sys.executable, str(ROOT / "providers" / name), "127.0.0.1:1"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as plugin:  # fmt: skip
        try:
            eventually(started.exists, 20, "it imports what takes long")
            plugin.send_signal(number)
            said, _ = plugin.communicate(timeout=20)
        finally:
            plugin.kill()
    assert (said, plugin.returncode) == ("", 0)
