"""A drill from end to end against a fake API: what the fault did is felt, undone, and read back."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from drills import drill as drill_module
from drills import kubeconfig, store
from drills.__main__ import _conclude
from drills.api import Api
from drills.cluster import UnhealthyError, UnreadyError
from drills.drill import Drill, Drilled
from drills.fault import Fault, Inject, Machine, View
from drills.judge import Verdict, judge, worst
from drills.probe import NAMESPACE
from drills.server_latency import Counts
from drills.thresholds import floor
from tests.drills.fake_api import FakeApi

MASTER = Machine("master-1", "master", "zone-a", "127.0.0.1", member=True)
STEPS = [
    {"do": "cut", "target": "etcd-leader", "how": "link"},
    {"do": "wait", "seconds": 1},
    {"do": "heal"},
]
FAULT = Fault.model_validate({"name": "leader-cut", "title": "A cut", "needs": {"masters": 1}, "steps": STEPS})


class FakeCluster:
    """One machine that is the API."""

    def __init__(self, api: FakeApi) -> None:
        self.access = kubeconfig.load(api.kubeconfig)
        self.api = Api(self.access)
        self.machines = (MASTER,)
        self.problems: list[str] = []
        self._api = api

    def of(self, role: str) -> list[Machine]:
        return [machine for machine in self.machines if machine.role == role]

    def leader(self) -> str | None:
        return "master-1" if self._api.mode == "serve" else None

    def view(self) -> View:
        return View(self.machines, "master-1", None)

    def counted(self) -> dict[str, Counts]:
        return {}

    def missing(self) -> list[str]:
        return self.problems if self._api.mode == "serve" else ["the endpoint does not answer"]


class FakeInjector:
    """A cut makes the API refuse; members answer with what the API holds."""

    inside = True
    recovery_seconds = 1.0

    def __init__(self, api: FakeApi) -> None:
        self._api = api
        self.on_cut: Callable[[], None] = lambda: None

    def program(self) -> str:
        return "p"

    def unable(self, step: Inject) -> str | None:
        return None

    def cut(self, target: str, how: str) -> None:
        self.on_cut()
        self._api.outage("refuse")

    def heal(self) -> None:
        self._api.outage("serve")

    def run(self, machine: str, *command: str, timeout: float = 20) -> str:
        if "get" in command:
            names = [path.rsplit("/", 1)[1] for path in self._api.objects]
            return "\n\n".join(f"/registry/configmaps/{NAMESPACE}/{name}" for name in names if "entry" in name)
        if "hashkv" in command:
            return json.dumps([{"HashKV": {"hash": 7, "compact_revision": 1}}])
        return json.dumps([{"Status": {"header": {"revision": 5}}}])


@pytest.fixture
def drill(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    monkeypatch.setattr(drill_module, "BASELINE_SECONDS", 1.0)
    monkeypatch.setattr("drills.judge.MIN_BASELINE_SECONDS", 0.5)
    monkeypatch.setattr(drill_module, "NOTICE_SECONDS", 0.1)
    monkeypatch.setattr(drill_module, "TAIL_SECONDS", 0.5)
    # The fake listens on a port of its own, which stands for every master's.
    monkeypatch.setattr(drill_module, "API_PORT", api.port)
    monkeypatch.setattr("drills.registers.API_PORT", api.port)
    fakes = (FakeCluster(api), FakeInjector(api))
    yield Drill("local", *fakes, api.kubeconfig, None, random.Random(0), lambda _: None)  # type: ignore[arg-type]  # noqa: S311


def findings(drilled: Sequence[Drilled]) -> set[Verdict]:
    return {finding.verdict for finding in judge(FAULT, [one.run for one in drilled], floor("production"))}


def test_a_cut_of_a_second_is_felt_as_one_and_nothing_is_lost(
    drill: Drill, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drilled = drill.run(FAULT, store.folder(tmp_path / "out", "leader-cut"))
    cut, heal = drilled.run.windows("endpoint", "new", "create")
    assert 0.8 < cut.last_failure < 1.1
    assert 1.0 < cut.longest_gap < 1.6
    assert cut.share_failed > 0.8
    assert heal.failed == 0
    assert drilled.run.durability.acknowledged > 20
    assert worst(judge(FAULT, [drilled.run], floor("production"))) is Verdict.MISSED
    assert None in [leader for _, leader in drilled.trace.leaders] or len(drilled.trace.leaders) == 1

    assert drilled.scenario == "development"
    store.save(replace(drilled, scenario="production"))
    assert store.load(tmp_path / "out") == {"leader-cut": [replace(drilled, scenario="production")]}
    assert _conclude(tmp_path / "out") == 0
    assert "missed a target" in capsys.readouterr().out
    page = (tmp_path / "out" / "report.html").read_text()
    assert "cut (link) master-1" in page
    assert page.count("<svg") == 1
    assert "http://" not in page
    assert "https://" not in page


def test_a_fault_that_does_not_say_how_it_ends_is_undone_and_leaves_no_object_behind(
    drill: Drill, api: FakeApi, tmp_path: Path
) -> None:
    drilled = drill.run(FAULT.model_copy(update={"steps": FAULT.steps[:2]}), tmp_path)
    assert api.mode == "serve"
    assert drilled.run.redundancy_seconds is None
    assert drilled.run.durability.acknowledged > 5
    assert not [path for path in api.objects if "configmaps" in path]


def test_what_leaves_once_more_after_it_had_come_back_is_waited_for_and_counts(
    drill: Drill, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(drill_module, "POLL_SECONDS", 0.1)
    said: list[str] = []
    object.__setattr__(drill, "tell", said.append)
    gone = iter([["pod x is not ready"], ["pod x is not ready"], []])
    whole = drill.cluster.missing
    over = "reading back what was acknowledged"
    monkeypatch.setattr(drill.cluster, "missing", lambda: next(gone, []) if over in said else whole())
    drilled = drill.run(FAULT, tmp_path)
    assert "no longer whole: pod x is not ready" in said
    assert drilled.run.missing == ()
    assert drilled.run.redundancy_seconds
    assert drilled.run.redundancy_seconds > drilled.trace.end - drilled.run.marks[-1].at


def test_a_cluster_that_loses_an_acknowledged_write_fails(drill: Drill, api: FakeApi, tmp_path: Path) -> None:
    api.drop_acknowledged = True
    assert Verdict.FAILED in findings([drill.run(FAULT, tmp_path)])


def test_a_cluster_that_is_not_whole_is_not_touched(drill: Drill, api: FakeApi, tmp_path: Path) -> None:
    drill.cluster.problems = ["pod x is in crash back-off"]  # type: ignore[attr-defined]
    with pytest.raises(UnreadyError, match="crash back-off"):
        drill.run(FAULT, tmp_path)
    assert not [path for path in api.objects if NAMESPACE in path]


@pytest.mark.parametrize(("status", "kind"), [(403, UnreadyError), (500, UnhealthyError)])
def test_credentials_that_may_not_write_are_told_from_an_api_that_fails_now(
    status: int, kind: type[Exception], drill: Drill, api: FakeApi, tmp_path: Path
) -> None:
    api.answers["/api/v1/namespaces"] = [status]
    with pytest.raises(UnhealthyError, match=f"needs to write ConfigMaps.*{status}") as raised:
        drill.run(FAULT, tmp_path)
    assert type(raised.value) is kind
    assert api.mode == "serve"


def test_the_last_undoing_is_done_again_when_it_is_interrupted(
    drill: Drill, api: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heal, interrupted = drill.injector.heal, iter([True])

    def interrupt() -> None:
        if next(interrupted, False):
            raise KeyboardInterrupt
        heal()

    monkeypatch.setattr(drill.injector, "heal", interrupt)
    with pytest.raises(KeyboardInterrupt):
        drill.run(FAULT.model_copy(update={"steps": FAULT.steps[:2]}), tmp_path)
    assert api.mode == "serve"


def test_a_fault_is_undone_when_the_drill_is_interrupted(drill: Drill, api: FakeApi, tmp_path: Path) -> None:
    def interrupt() -> None:
        api.outage("refuse")
        raise KeyboardInterrupt

    drill.injector.on_cut = interrupt  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        drill.run(FAULT, tmp_path)
    assert api.mode == "serve"


def test_each_machine_of_a_roll_has_a_mark_of_its_own(
    drill: Drill, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drill.cluster.machines = (MASTER, replace(MASTER, name="master-2"))
    replaced: list[str] = []
    monkeypatch.setattr(Drill, "replace", lambda _, machine: replaced.append(machine))
    steps = [{"do": "roll", "target": "everything"}]
    roll = Fault.model_validate({"name": "roll", "title": "A roll", "needs": {"masters": 1}, "steps": steps})
    drilled = drill.run(roll, tmp_path)
    assert drilled.run.targets == ("master-1", "master-2") == tuple(replaced)
    assert [mark.label for mark in drilled.run.marks] == ["power off master-1", "power off master-2"]


def test_a_machine_that_is_shut_down_is_waited_for_until_another_is_in_its_place(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drill_module, "POLL_SECONDS", 0.0)
    lives = iter(["first", "first", "", "second"])
    monkeypatch.setattr(drill.injector, "incarnation", lambda _: next(lives), raising=False)
    monkeypatch.setattr(drill.injector, "power_off", lambda _: None, raising=False)
    drill.replace("master-1")
    assert next(lives, None) is None


def test_a_machine_that_does_not_come_back_is_said(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill_module, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(drill.injector, "recovery_seconds", 0.05)
    monkeypatch.setattr(drill.injector, "incarnation", lambda _: "first", raising=False)
    monkeypatch.setattr(drill.injector, "power_off", lambda _: None, raising=False)
    with pytest.raises(UnhealthyError, match="master-1 was shut down and is not replaced"):
        drill.replace("master-1")
