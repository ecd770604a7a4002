"""A rehearsal stops at the first step that does not end as it must, and says what was wrong."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.scenarios import Scenario
from rehearsal.engine import Operation, Outcome
from rehearsal.life import Life, RehearsalError
from rehearsal.self_managed_aws import SelfManagedAws

GROUP = "aws:autoscaling/group:Group"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"

CREATE = (Operation("create", GROUP, "masters"), Operation("create", TEMPLATE, "masters"))
CHANGE = (Operation("update", TEMPLATE, "masters", ("userData",)),)
REFRESH = (Operation("delete", ALARM, "agents"),)
DESTROY = (Operation("delete", GROUP, "masters"),)


class Engine:
    """Ends each command as it was told to; a destroy is refused until what is protected is not any more."""

    def __init__(self, **ends: Iterable[Iterable[Operation]]) -> None:
        self.ends: dict[str, Iterator[Iterable[Operation]]]
        self.ends = {"up": iter([CREATE, (), CHANGE]), "refresh": iter([REFRESH]), "destroy": iter([DESTROY])}
        self.ends.update({command: iter(operations) for command, operations in ends.items()})
        self.project = SimpleNamespace(program=Path("program"), configure=lambda changes: None)
        self.unprotected, self.made = False, [{"type": GROUP, "urn": "urn::masters"}]

    def run(self, command: str, *arguments: str) -> Outcome:
        if command == "destroy" and not self.unprotected:
            return Outcome(command, False, 1.0, (), "error: masters is protected")
        if command == "destroy":
            self.made = []
        return Outcome(command, True, 1.0, tuple(next(self.ends[command])), "")

    def read(self, *arguments: str) -> str:
        self.unprotected = self.unprotected or arguments[:2] == ("state", "unprotect")
        return ""

    def resources(self) -> list[dict[str, str]]:
        return self.made


class Cloud:
    """Holds a group whose machines may change at an `up`."""

    def __init__(self, *machines: set[str]) -> None:
        self.machines = iter([*machines, *[machines[-1]] * 9])

    def __call__(self, service: str, operation: str, **parameters: Any) -> Any:
        answers: dict[str, Any] = {
            "describe_alarms": {"MetricAlarms": [{"AlarmName": "agents"}]},
            "describe_load_balancers": {"LoadBalancers": []},
            "list_buckets": {"Buckets": []},
        }
        if operation == "describe_auto_scaling_groups":
            return {"AutoScalingGroups": [{"Instances": [{"InstanceId": one} for one in next(self.machines)]}]}
        return answers.get(operation, {})


class Stage(SelfManagedAws):
    """Finds everything in order after `up`."""

    def inspect(self) -> list[str]:
        return ["as promised"]


def play(cloud: Cloud | None = None, **ends: Iterable[Iterable[Operation]]) -> list[str]:
    """What each step says."""
    engine: Any = Engine(**ends)
    aws: Any = cloud or Cloud({"i-1", "i-2", "i-3"})
    settings: Any = SimpleNamespace(scenario=Scenario.PRODUCTION)
    stage = Stage(aws, {}, settings, Path("emulator.log"))
    return [f"{step.title}: {step.says}" for step in Life(engine, stage).steps()]


def test_a_stack_that_keeps_its_promises_lives_to_its_end() -> None:
    titles = [line.partition(":")[0] for line in play()]
    assert titles == ["create", "up again", "change", "refresh", "destroy, protected", "destroy"]


def test_a_change_says_which_machines_are_to_be_replaced_and_how() -> None:
    (change,) = (line for line in play() if line.startswith("change"))
    assert change.endswith("one machine at a time under the cluster's lock: masters")


def test_something_to_do_right_after_it_was_done_is_named() -> None:
    with pytest.raises(RehearsalError, match=r"found something to do.*\nupdate .*LaunchTemplate masters: userData"):
        play(up=[CREATE, CHANGE])


@pytest.mark.parametrize("kind", ["replace", "delete", "delete-replaced", "create-replacement"])
def test_a_change_that_would_replace_a_group_is_refused(kind: str) -> None:
    with pytest.raises(RehearsalError, match="would replace masters"):
        play(up=[CREATE, (), [Operation(kind, GROUP, "masters")]])


def test_a_change_that_ends_machines_by_itself_is_refused() -> None:
    with pytest.raises(RehearsalError, match="ended machines by itself: i-2, i-3"):
        play(Cloud({"i-1", "i-2", "i-3"}, {"i-1", "i-4"}))


def test_a_refresh_that_misses_nothing_is_refused() -> None:
    with pytest.raises(RehearsalError, match="refresh did not miss agents"):
        play(refresh=[()])
