"""systemd as the agent uses it: units written only when they change, started, stopped."""

import subprocess
from pathlib import Path
from typing import Final, Protocol

from components.node.agent.files import write

OUTPUT_LINES: Final = 60
"""A panic's goroutines included, and not much of the run before."""


class ServiceError(Exception):
    """systemd refused, or did not come to an end in time."""


class Services(Protocol):
    """The seam between the agent and the machine's service manager."""

    def install(self, unit: str, content: str) -> bool:
        """Write a unit and have the manager read it; whether it was another one before."""

    def start(self, unit: str, *, wait: bool = True) -> None:
        """Start and enable; `wait=False` returns before the service says that it is ready."""

    def restart(self, unit: str, *, wait: bool = True) -> None: ...

    def reload(self, unit: str) -> None: ...

    def stop(self, unit: str) -> None: ...

    def kill(self, unit: str) -> None:
        """End it at once, as a power failure would; it stays ended."""

    def active(self, unit: str) -> bool:
        """Whether it runs or is starting."""

    def output_end(self, unit: str, since: float) -> str:
        """The last lines that it wrote after a Unix time, of several runs if there were."""


class Systemd:
    """`Services` by systemctl. Raises `ServiceError` with what systemctl said."""

    def __init__(self, units: Path = Path("/etc/systemd/system")) -> None:
        self._units = units

    def install(self, unit: str, content: str) -> bool:
        changed = write(self._units / unit, content.encode(), mode=0o644)
        if changed:
            self._systemctl("daemon-reload")
        return changed

    def start(self, unit: str, *, wait: bool = True) -> None:
        # Enabled, so that a rebooted machine has its services before the agent has asked the cloud anything.
        self._systemctl("enable", "--quiet", unit)
        self._systemctl("start", *_no_block(wait), unit)

    def restart(self, unit: str, *, wait: bool = True) -> None:
        self._systemctl("restart", *_no_block(wait), unit)

    def reload(self, unit: str) -> None:
        self._systemctl("reload", unit)

    def stop(self, unit: str) -> None:
        self._systemctl("stop", unit)

    def kill(self, unit: str) -> None:
        self._systemctl("kill", "--kill-whom=main", "--signal=SIGKILL", unit)
        # Else the manager starts it again.
        self._systemctl("stop", unit)

    def active(self, unit: str) -> bool:
        answer = subprocess.run(
            ["systemctl", "show", "--property=ActiveState", "--value", unit],
            capture_output=True, text=True, check=False, timeout=10,
        )  # fmt: skip
        return answer.stdout.strip() in {"active", "activating", "reloading"}

    def output_end(self, unit: str, since: float) -> str:
        return subprocess.run(
            [
                "journalctl", f"--unit={unit}", f"--since=@{since:.0f}", f"--lines={OUTPUT_LINES}", "--output=cat",
                "--no-pager",
            ],
            capture_output=True, text=True, check=False, timeout=10, errors="replace",
        ).stdout  # fmt: skip

    def _systemctl(self, *arguments: str) -> None:
        try:
            answer = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False, timeout=120)
        except subprocess.TimeoutExpired as error:
            raise ServiceError(f"systemctl {' '.join(arguments)}: no end within {error.timeout:.0f} s") from None
        if answer.returncode != 0:
            raise ServiceError(f"systemctl {' '.join(arguments)}: {answer.stderr.strip() or answer.returncode}")


def _no_block(wait: bool) -> tuple[str, ...]:
    return () if wait else ("--no-block",)
