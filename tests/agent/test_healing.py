"""What a master does about its own parts, and what it says of itself on its Node."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from components.node.agent import healing, node_conditions
from components.node.agent.cloud import Instance
from components.node.agent.healing import Healing
from components.node.agent.kubectl import KubectlError
from components.node.agent.log import Log
from components.node.agent.node_conditions import CONDITIONS, HEARTBEAT, changed, event
from components.node.agent.step import Context, Paths
from components.node.machine import Peer, Role
from components.node.record import Keys
from components.node.remedies import OWN_REPLACEMENT_SECONDS, PATIENCE_SECONDS, Part
from tests.agent.conftest import document
from tests.agent.memory_cloud import MemoryCloud
from tests.agent.processes import Processes

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MASTER = document("master-1", (Peer(name="master-1", zone="z", address="10.0.1.21"),), role=Role.MASTER)


class Api:
    """kubectl against an API server that has this machine's Node."""

    def __init__(self) -> None:
        self.conditions: list[dict[str, Any]] = [{"type": "Ready", "status": "True"}]
        self.events: list[dict[str, Any]] = []
        self.calls = 0
        self.down = False

    def get(self, *_: str) -> dict[str, Any]:
        self.answer()
        return {"status": {"conditions": self.conditions}}

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        self.answer()
        if arguments[0] == "create":
            self.events.append(json.loads(stdin or ""))
            return ""
        patched = json.loads(arguments[-1].removeprefix("--patch="))["status"]["conditions"]
        kinds = {condition["type"] for condition in patched}
        self.conditions = [one for one in self.conditions if one["type"] not in kinds] + patched
        return ""

    def answer(self) -> None:
        self.calls += 1
        if self.down:
            raise KubectlError("connection refused")

    def problems(self) -> set[str]:
        return {one["type"] for one in self.conditions if one["type"] in CONDITIONS and one["status"] == "True"}


class Machine:
    """A master whose parts are as a test says, with a clock of its own."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.step = Healing()
        self.found: dict[Part, str | None] = dict.fromkeys(Part)
        self.api = Api()
        self.restarted: list[Part] = []
        self.etcd_serves = True
        self.now = 1000.0

    def live(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += healing.ROUND_SECONDS
            self.step.round(self.context)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    instance = Instance("i-1", "masters", "master-1", "z", "10.0.1.21", "t", "t")
    context = Context(
        machine=MASTER, cloud=MemoryCloud(instance, {}, {}), instance=instance,
        log=Log(console=None), services=Processes(tmp_path / "log"), paths=Paths(tmp_path),
    )  # fmt: skip
    made = Machine(context)
    monkeypatch.setattr(healing, "examine", lambda _: made.found)
    monkeypatch.setattr(healing, "restart", lambda _, part: made.restarted.append(part))
    monkeypatch.setattr(healing, "serves", lambda _: made.etcd_serves)
    monkeypatch.setattr(node_conditions, "local", lambda _: made.api)
    monkeypatch.setattr(node_conditions, "others", lambda _: made.api)
    monkeypatch.setattr(time, "monotonic", lambda: made.now)
    return made


def test_a_part_that_hangs_is_restarted_and_the_node_says_so_until_it_is_well(machine: Machine) -> None:
    machine.live(60)
    assert machine.api.problems() == set()
    machine.found[Part.SCHEDULER] = "/healthz: timed out"
    machine.live(60)
    assert machine.api.problems() == {"ControlPlaneProblem"}
    assert machine.restarted == []
    machine.live(PATIENCE_SECONDS[Part.SCHEDULER])
    assert machine.restarted == [Part.SCHEDULER]
    assert [one["reason"] for one in machine.api.events] == ["Restarted"]
    assert "kube-scheduler: /healthz: timed out" in machine.api.events[0]["message"]
    machine.found[Part.SCHEDULER] = None
    machine.live(30)
    assert machine.api.problems() == set()
    assert machine.context.concerns == {}


def test_what_restarts_do_not_mend_asks_for_another_machine_once(machine: Machine) -> None:
    machine.found[Part.KUBELET] = "/healthz: refused"
    machine.live(3600)
    assert machine.restarted == [Part.KUBELET] * 3
    assert machine.context.replacement == "kubelet is unwell after 3 restarts within an hour"
    assert [one["reason"] for one in machine.api.events] == ["Restarted"] * 3 + ["Replaced"]
    assert machine.context.cloud.list(Keys("u1").healed("").removesuffix(".json"))


def test_a_machine_that_is_well_before_the_others_can_spare_it_stays(machine: Machine) -> None:
    machine.found[Part.KUBELET] = "/healthz: refused"
    machine.live(3600)
    machine.found[Part.KUBELET] = None
    machine.live(30)
    assert machine.context.replacement is None
    assert machine.context.cloud.list(Keys("u1").healed("").removesuffix(".json")) == []


@pytest.mark.parametrize(("name", "words"), [("master-1", "needs a person"), ("master-2", "two in an hour")])
def test_a_machine_that_was_just_replaced_or_a_second_one_waits_for_a_person(
    machine: Machine, name: str, words: str
) -> None:
    machine.context.cloud.put(Keys("u1").healed(name), healing.mark("the same"))
    machine.found[Part.KUBELET] = "/healthz: refused"
    machine.live(3000)
    assert machine.context.replacement is None
    assert words in machine.context.concerns["replacement"]
    assert machine.api.problems() == {"ControlPlaneProblem"}


@pytest.mark.parametrize("set_by", [-7 * 86400.0, 7 * 86400.0])
def test_a_machines_own_clock_does_not_say_when_it_was_replaced_last(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, set_by: float
) -> None:
    machine.context.cloud.put(Keys("u1").healed("master-1"), healing.mark("the same"))
    wrong = time.time() + set_by
    monkeypatch.setattr(time, "time", lambda: wrong)
    machine.found[Part.KUBELET] = "/healthz: refused"
    machine.context.cloud.clock = 60.0  # type: ignore[attr-defined]
    machine.live(3000)
    assert "another machine in its place 1 minutes ago" in machine.context.concerns["replacement"]
    machine.context.cloud.clock = OWN_REPLACEMENT_SECONDS + 60.0  # type: ignore[attr-defined]
    machine.live(60)
    assert machine.context.replacement is not None


def test_an_outage_of_etcd_restarts_no_api_server(machine: Machine) -> None:
    machine.etcd_serves = False
    machine.found[Part.API_SERVER] = "refused"
    machine.live(7200)
    assert machine.restarted == []
    assert machine.context.replacement is None


def test_parts_that_are_not_to_run_are_no_concern(machine: Machine) -> None:
    machine.found[Part.API_SERVER] = "refused"
    machine.live(60)
    machine.found = {}
    machine.live(60)
    assert machine.context.concerns == {}


def test_an_event_waits_for_an_api_server_and_is_told_once(machine: Machine) -> None:
    machine.api.down = True
    machine.found[Part.KUBELET] = "/healthz: refused"
    machine.live(120)
    assert machine.restarted == [Part.KUBELET]
    machine.api.down, machine.found[Part.KUBELET] = False, None
    machine.live(120)
    assert [one["reason"] for one in machine.api.events] == ["Restarted"]


def test_an_api_server_is_not_asked_while_there_is_nothing_to_say(machine: Machine) -> None:
    machine.live(30)
    calls = machine.api.calls
    machine.live(HEARTBEAT.total_seconds() - 30)
    assert machine.api.calls == calls
    machine.live(60)
    assert machine.api.calls > calls


def test_a_condition_keeps_when_it_began_and_is_said_again_after_a_while() -> None:
    concerns = {"clock": "90 s off", Part.KUBELET: "kubelet: hangs"}
    first = changed([], concerns, NOW)
    assert {one["type"]: one["status"] for one in first} == {
        "ControlPlaneProblem": "True", "BackupProblem": "False", "CertificateProblem": "False", "ClockProblem": "True",
        "DiskProblem": "False",
    }  # fmt: skip
    assert changed(first, concerns, NOW + HEARTBEAT / 2) == []
    later = changed(first, concerns, NOW + HEARTBEAT)
    assert {one["lastTransitionTime"] for one in later} == {first[0]["lastTransitionTime"]}
    assert {one["lastHeartbeatTime"] for one in later} == {"2026-11-23T12:05:00Z"}
    over = changed(first, {Part.KUBELET: "kubelet: hangs"}, NOW + timedelta(seconds=60))
    assert [(one["type"], one["status"], one["lastTransitionTime"]) for one in over] == [
        ("ClockProblem", "False", "2026-11-23T12:01:00Z")
    ]


@pytest.mark.parametrize(
    ("subject", "condition"),
    [
        ("proof", "BackupProblem"),
        ("clock", "ClockProblem"),
        (Part.SCHEDULER, "ControlPlaneProblem"),
        ("replacement", "ControlPlaneProblem"),
        ("what nobody thought of yet", "ControlPlaneProblem"),
    ],
)
def test_every_concern_of_the_agent_is_in_one_condition(subject: str, condition: str) -> None:
    told = changed([], {subject: "so it is"}, NOW)
    assert [(one["type"], one["message"]) for one in told if one["status"] == "True"] == [(condition, "so it is")]


def test_an_event_fits_what_an_api_server_takes() -> None:
    assert len(event("n", "Restarted", "x" * 5000, NOW)["message"]) == 1024


def test_a_full_disk_is_a_concern_and_nothing_is_deleted(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"total": 100 * 1024**3, "free": 9 * 1024**3})
    monkeypatch.setattr(healing.shutil, "disk_usage", lambda _: usage)  # type: ignore[attr-defined]
    healing.look_at_disks(machine.context)
    assert "9.0 of 100.0 GiB free" in machine.context.concerns["disk"]
