"""systemd as the agent uses it: units written only when they change, started, stopped."""

import json
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

    def pause(self, unit: str, seconds: float) -> None:
        """Have it do nothing for so long, its connections kept; it goes on whatever becomes of the caller."""

    def active(self, unit: str) -> bool:
        """Whether it runs or is starting."""

    def output_end(self, unit: str, since: float) -> str:
        """The last lines that it wrote since the machine booted, of several runs if there were.

        `since`: not those before, by the monotonic clock. By the wall clock new ones would seem old, set back.
        """


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

    def pause(self, unit: str, seconds: float) -> None:
        # A unit of its own, for the agent may be restarted meanwhile; what it ends with is done however it ends.
        signal = f"systemctl kill --kill-whom=main --signal={{}} {unit}"
        command = (
            "systemd-run", "--quiet", "--wait", "--collect", f"--unit=pause-{unit}", "--property=Type=oneshot",
            f"--property=ExecStopPost={signal.format('SIGCONT')}",
            "sh", "-c", f"{signal.format('SIGSTOP')} && sleep {seconds:g}",
        )  # fmt: skip
        _call(*command)

    def active(self, unit: str) -> bool:
        answer = subprocess.run(
            ["systemctl", "show", "--property=ActiveState", "--value", unit],
            capture_output=True, text=True, check=False, timeout=10,
        )  # fmt: skip
        return answer.stdout.strip() in {"active", "activating", "reloading"}

    def output_end(self, unit: str, since: float) -> str:
        entries = subprocess.run(
            [
                "journalctl", f"--unit={unit}", "--boot", f"--lines={OUTPUT_LINES}", "--output=json", "--all",
                "--output-fields=MESSAGE", "--no-pager",
            ],
            capture_output=True, text=True, check=False, timeout=10,
        ).stdout  # fmt: skip
        return written_after(entries, since)

    def _systemctl(self, *arguments: str) -> None:
        _call("systemctl", *arguments)


def _call(*command: str) -> None:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    except subprocess.TimeoutExpired as error:
        raise ServiceError(f"{' '.join(command)}: no end within {error.timeout:.0f} s") from None
    if answer.returncode != 0:
        raise ServiceError(f"{' '.join(command)}: {answer.stderr.strip() or answer.returncode}")


def written_after(entries: str, since: float) -> str:
    """The messages of a journal's entries, one a line of JSON each, that came after a moment of the monotonic clock."""
    messages = []
    for entry in map(json.loads, entries.splitlines()):
        if int(entry["__MONOTONIC_TIMESTAMP"]) > since * 1e6:
            message = entry.get("MESSAGE") or ""
            # What is no text comes as its bytes.
            messages.append(message if isinstance(message, str) else bytes(message).decode(errors="replace"))
    return "\n".join(messages)


def _no_block(wait: bool) -> tuple[str, ...]:
    return () if wait else ("--no-block",)
