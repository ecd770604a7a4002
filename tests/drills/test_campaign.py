"""A campaign goes on where it stopped, keeps what is complete, and leaves every run a cluster that is whole."""

import signal
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from drills import __main__ as main
from drills import store
from drills.campaign import Campaign, _ended
from drills.cluster import UnhealthyError, UnreadyError
from drills.conditions import Conditions
from drills.drill import Drilled, Trace
from drills.fault import Fault, Inject, Machine, View
from drills.injector import InjectionError
from tests.drills.test_judge import run

MASTER = Machine("master-1", "master", "zone-a", "127.0.0.1", member=True)
NOW = Conditions("local", "p", "f", "l")
VOID = replace(run(), probe_late=9.0)
NEEDS = {"masters": 1, "members": 1}


def fault(name: str, do: str = "kill") -> Fault:
    step = {"do": do, "target": "master"}
    return Fault.model_validate({"name": name, "title": name, "needs": NEEDS, "steps": [step]})


class Stub:
    """Cluster, injector, drill and alterer in one: what each drill comes to is said beforehand."""

    def __init__(self, *outcomes: object) -> None:
        self.outcomes = list(outcomes)
        self.program = "p"
        self.drilled: list[str] = []
        self.worn_now: list[str] = []
        self.replaced: list[str] = []
        self.missing: list[str] = []
        self.clock = 0.0
        self.injector = self
        self.machines = (MASTER,)

    def conditions(self, one: Fault) -> Conditions:
        return replace(NOW, program=self.program, fault=one.name)

    def run(self, one: Fault, folder: Path) -> Drilled:
        self.drilled.append(one.name)
        outcome = self.outcomes.pop(0) if self.outcomes else run()
        if isinstance(outcome, BaseException):
            raise outcome
        self.clock += 1
        return Drilled(outcome, Trace(), folder / "records.jsonl", self.conditions(one), self.clock)  # type: ignore[arg-type]

    def view(self) -> View:
        return View([MASTER], "master-1", None)

    def unable(self, step: Inject) -> str | None:
        return "needs a hand" if step.do == "wipe" else None  # type: ignore[attr-defined]

    def heal(self) -> None:
        pass

    def apply(self, _: object) -> None:
        pass

    def undo(self) -> None:
        pass

    def worn(self) -> list[str]:
        worn, self.worn_now = self.worn_now, []
        return worn

    def replace(self, machine: str) -> None:
        if self.missing:
            raise UnhealthyError("; ".join(self.missing))
        self.replaced.append(machine)


def campaign(stub: Stub) -> Campaign:
    return Campaign(stub, stub, stub, lambda _: None)  # type: ignore[arg-type]


A, B = fault("a"), fault("b")


def test_a_campaign_that_was_ended_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first = Stub(run(), run(), KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        campaign(first).repeat([A, B], 2, tmp_path)
    assert {name: len(runs) for name, runs in store.load(tmp_path).items()} == {"a": 1, "b": 1}
    second = Stub()
    campaign(second).repeat([A, B], 2, tmp_path)
    assert second.drilled == ["a", "b"]
    third = Stub()
    campaign(third).repeat([A, B], 2, tmp_path)
    assert third.drilled == []


def test_runs_of_another_program_do_not_count(tmp_path: Path) -> None:
    campaign(Stub()).repeat([A], 2, tmp_path)
    other = Stub()
    other.program = "q"
    campaign(other).repeat([A], 2, tmp_path)
    assert other.drilled == ["a", "a"]


def test_a_void_run_and_one_that_breaks_off_are_done_again(tmp_path: Path) -> None:
    stub = Stub(VOID, InjectionError("no"))
    campaign(stub).repeat([A], 3, tmp_path)
    assert len(stub.drilled) == 5


def test_a_fault_that_never_says_anything_is_given_up(tmp_path: Path) -> None:
    stub = Stub(*[InjectionError("no")] * 9)
    assert campaign(stub).repeat([A], 2, tmp_path) == ["a"]
    assert stub.drilled == ["a", "a"]


def test_a_cluster_that_cannot_be_drilled_is_not_tried_fault_after_fault(tmp_path: Path) -> None:
    stub = Stub(UnreadyError("pod x is in crash back-off"))
    with pytest.raises(UnreadyError, match="crash back-off"):
        campaign(stub).repeat([A, B], 5, tmp_path)
    assert stub.drilled == ["a"]


def test_a_fault_that_the_place_cannot_do_is_left_out(tmp_path: Path) -> None:
    stub = Stub()
    campaign(stub).repeat([fault("wiped", "wipe"), A], 1, tmp_path)
    assert stub.drilled == ["a"]


def test_a_machine_that_many_drills_wore_out_is_replaced_before_the_next(tmp_path: Path) -> None:
    stub = Stub()
    stub.worn_now = ["master-1"]
    campaign(stub).repeat([A], 2, tmp_path)
    assert stub.replaced == ["master-1"]


def test_a_cluster_that_does_not_become_whole_ends_the_campaign(tmp_path: Path) -> None:
    stub = Stub()
    stub.worn_now, stub.missing = ["master-1"], ["node master-1 is not Ready"]
    with pytest.raises(UnhealthyError, match="master-1 is not Ready"):
        campaign(stub).repeat([A], 1, tmp_path)
    assert stub.drilled == []


def test_ctrl_c_keeps_and_judges_what_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stub = Stub(run(), KeyboardInterrupt())
    monkeypatch.setattr("drills.__main__.campaign", lambda *_: nullcontext(campaign(stub)))
    monkeypatch.setattr("drills.pages._figure", lambda *_: ("", ""))
    with pytest.raises(SystemExit) as ended:
        main.run(kubeconfig=tmp_path, fault=("master-kill",), repeat=2, output=tmp_path)
    assert ended.value.code == main.REFUSED
    assert "what was finished is kept" in capsys.readouterr().out
    assert (tmp_path / "report.html").exists()
    assert len(store.load(tmp_path)["master-kill"]) == 1


def test_a_comparison_that_was_ended_prints_what_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stub = Stub(run(((10.0, 10.5),)), run(((10.0, 19.0),)), KeyboardInterrupt())
    monkeypatch.setattr("drills.__main__.campaign", lambda *_: nullcontext(campaign(stub)))
    with pytest.raises(SystemExit) as ended:
        main.reference(kubeconfig=tmp_path, fault=("master-kill",), repeat=2, output=tmp_path)
    assert ended.value.code == main.REFUSED
    assert "19.9" in capsys.readouterr().out


def test_whoever_is_impatient_does_not_interrupt_the_undoing(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, raised in ((signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)):
        handlers: dict[int, object] = {}
        monkeypatch.setattr("drills.campaign.signal.signal", handlers.__setitem__)
        with pytest.raises(raised):
            _ended(number, None)
        assert handlers == {signal.SIGTERM: signal.SIG_IGN, signal.SIGINT: signal.SIG_IGN}


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("two-members-kill", "two-members-kill: cannot be drilled here, it needs 3 masters, the cluster has 1"),
        ("no-such", "fault: 'no-such' is unknown; one of master-kill, "),
    ],
)
def test_a_named_fault_that_cannot_be_drilled_is_refused_and_nothing_is_done(
    fault: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stub = Stub()
    monkeypatch.setattr("drills.__main__.campaign", lambda *_: nullcontext(campaign(stub)))
    with pytest.raises(SystemExit) as ended:
        main.run(kubeconfig=tmp_path, fault=("master-kill", fault), output=tmp_path / "out")
    assert ended.value.code == main.REFUSED
    assert says in capsys.readouterr().out
    assert stub.drilled == []
    assert list(tmp_path.iterdir()) == []


def test_a_fault_that_was_given_up_is_named_and_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stub = Stub(run(), InjectionError("no"))
    monkeypatch.setattr("drills.__main__.campaign", lambda *_: nullcontext(campaign(stub)))
    monkeypatch.setattr("drills.pages._figure", lambda *_: ("", ""))
    with pytest.raises(SystemExit) as ended:
        main.run(kubeconfig=tmp_path, fault=("master-kill", "apiserver-killed"), output=tmp_path / "out")
    assert ended.value.code == main.REFUSED
    assert "fewer than 1 runs that say something: apiserver-killed" in capsys.readouterr().out


def test_of_nothing_drilled_no_report_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("drills.__main__.campaign", lambda *_: nullcontext(campaign(Stub(InjectionError("no")))))
    with pytest.raises(SystemExit) as ended:
        main.run(kubeconfig=tmp_path, fault=("master-kill",), output=tmp_path / "out")
    assert ended.value.code == main.REFUSED
    assert "nothing was drilled" in capsys.readouterr().out
    assert not list(tmp_path.rglob("report*"))


@pytest.mark.parametrize("option", ["--repeat", "--times"])
def test_less_than_once_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.app(["run", "--kubeconfig", "k", option, "0"])
    assert ended.value.code == main.REFUSED
    assert "Must be >= 1" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (main.report_again, "no finished drill is there"),
        (lambda here: main.kube_burner(here / "load.yaml", here / "made"), "load.yaml: "),
    ],
)
def test_a_folder_or_a_load_that_is_not_there_is_refused_in_a_line(
    ask: Callable[[Path], None], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        ask(tmp_path)
    assert ended.value.code == main.REFUSED
    assert says in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
