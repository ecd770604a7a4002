"""What every rehearsal on an emulated AWS does alike."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from components.settings import Settings
from providers.aws.connection import Aws
from rehearsal import coverage
from rehearsal.scene import Ways


class EmulatedAws:
    """The part of `rehearsal.scene.Scene` that does not depend on who runs the control plane."""

    def __init__(self, aws: Aws, environment: Mapping[str, str], settings: Settings, log: Path) -> None:
        self.aws, self.environment = aws, environment
        self.settings, self.errors = settings, log

    def take_away(self) -> str:
        alarms = self.aws("cloudwatch", "describe_alarms")["MetricAlarms"]
        taken = str(next(alarm["AlarmName"] for alarm in alarms if alarm["AlarmName"]))
        self.aws("cloudwatch", "delete_alarms", AlarmNames=[taken])
        return taken

    def checked(self, resources: Sequence[Mapping[str, object]]) -> Ways:
        return coverage.checked(resources)

    def log(self) -> str:
        """How a request ended that the emulator stumbled over."""
        _, stumbled, trace = self.errors.read_text().rpartition("Traceback (most recent call last)")
        return f"\nthe emulator itself:\n{stumbled}{trace}"[:3000] if stumbled else ""
