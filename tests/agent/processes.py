"""Services as plain processes: what systemd does with the agent's etcd unit, without systemd."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from components.node.agent.systemd import ServiceError


class Processes:
    """`Services` for one machine's etcd. All machines of a test share the loopback device."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._begun = 0
        self._units: dict[str, str] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def install(self, unit: str, content: str) -> bool:
        changed = self._units.get(unit) != content
        self._units[unit] = content
        return changed

    def start(self, unit: str, *, wait: bool = True) -> None:
        if self.active(unit):
            return
        content = self._units[unit]
        condition = re.search(r"^ExecCondition=/bin/sh -c '(.*)'$", content, re.M)
        assert condition is not None
        if subprocess.run(["sh", "-c", condition[1]], check=False).returncode != 0:
            return
        command = re.search(r"^ExecStart=(.*)$", content, re.M)
        assert command is not None
        binary, option = command[1].split()
        configuration = Path(option.removeprefix("--config-file="))
        with self._log.open("ab") as log:
            self._begun = log.tell()
            self._running[unit] = subprocess.Popen(
                [binary, f"--config-file={_on_loopback(configuration)}"], stdout=log, stderr=log
            )

    def restart(self, unit: str, *, wait: bool = True) -> None:
        self.stop(unit)
        self.start(unit, wait=wait)

    def reload(self, unit: str) -> None:
        raise NotImplementedError

    def stop(self, unit: str) -> None:
        if unit not in self._units:
            raise ServiceError(f"systemctl stop {unit}: Unit {unit} not loaded.")
        if unit in self._running:
            self._running[unit].terminate()
            self._running.pop(unit).wait(10)

    def kill(self, unit: str) -> None:
        """What a machine's death does, too."""
        if unit in self._running:
            self._running[unit].kill()
            self._running.pop(unit).wait(10)

    def pause(self, unit: str, seconds: float) -> None:
        self._running[unit].send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._running[unit].send_signal(signal.SIGCONT)

    def output_end(self, unit: str, since: float) -> str:
        """Of the last run."""
        return self._log.read_bytes()[self._begun :].decode(errors="replace")

    def active(self, unit: str) -> bool:
        return unit in self._running and self._running[unit].poll() is None


def _on_loopback(configuration: Path) -> Path:
    """All share 127.0.0.1: it can be only one machine's metrics address, and is every connection's source."""
    options = json.loads(configuration.read_text())
    options["listen-metrics-urls"] = options["listen-metrics-urls"].split(",")[0]
    options["peer-transport-security"]["skip-client-san-verification"] = True
    # Where machines have other addresses than loopback's, each dials from its own and can be cut off.
    options["feature-gates"] += ",SetMemberLocalAddr=true"
    adapted = configuration.with_name("loopback.json")
    adapted.write_text(json.dumps(options))
    return adapted


def eventually(promise: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until `promise()` is true."""
    deadline = time.monotonic() + seconds
    while not promise():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
