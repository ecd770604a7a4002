"""Two runs at once do not collide, whoever dies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from toolchain import store

HOLD = """
import sys, time
from toolchain import store
with store.lock(lambda who: print("waiting for", who, flush=True)):
    print("held", flush=True)
    time.sleep(float(sys.argv[1]))
"""
REPOSITORY = Path(__file__).parents[2]


def holder(seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(seconds)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_run_waits_and_says_for_whom() -> None:
    with holder(0.5) as first:
        assert line(first) == "held"
        with holder(0) as second:
            assert line(second) == f"waiting for process {first.pid}"
            assert first.poll() is None
            assert line(second) == "held"


def test_a_killed_run_holds_nobody_up() -> None:
    with holder(60) as first:
        assert line(first) == "held"
        os.kill(first.pid, signal.SIGKILL)
    started = time.monotonic()
    with store.lock(lambda who: None):
        assert time.monotonic() - started < 5


def test_a_link_is_replaced_in_one_step_and_left_alone_when_right(tmp_path: Path) -> None:
    link = tmp_path / "link"
    store.replace_link(link, tmp_path / "a")
    before = link.lstat().st_ino
    store.replace_link(link, tmp_path / "a")
    assert link.lstat().st_ino == before
    store.replace_link(link, tmp_path / "b")
    assert link.readlink() == tmp_path / "b"
    assert sorted(tmp_path.iterdir()) == [link]
