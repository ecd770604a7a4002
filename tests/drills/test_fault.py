"""Faults are declared, aimed at what the cluster is at that moment, and refused where they make no sense."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills import fault
from drills.fault import Aim, Fault, FaultError, Machine, View
from drills.judge import targets
from drills.thresholds import TARGETS
from drills.verdict import MarkKind

ZONES = ("zone-a", "zone-b", "zone-c")
MASTERS = [Machine(f"master-{n}", "master", f"zone-{z}", f"10.0.{n}.21", member=True) for n, z in enumerate("abc", 1)]
BALANCERS = [
    Machine(f"balancer-{n}", "balancer", f"zone-{z}", f"10.0.0.1{n}", member=False) for n, z in ((1, "a"), (2, "b"))
]
VIEW = View([*MASTERS, *BALANCERS], "master-2", "balancer-1")


def test_every_declaration_of_the_repository_is_valid_and_named_like_its_file() -> None:
    declared = fault.load()
    files = sorted(fault.DECLARATIONS.glob("*.yaml"))
    assert [path.stem.split("-", 1)[1] for path in files] == list(declared)


@pytest.mark.parametrize("one", fault.load().values(), ids=lambda one: one.name)
def test_every_declared_cut_stop_and_fill_is_healed(one: Fault) -> None:
    kinds = [step.do for step in one.steps]
    needs_heal = any(
        step.do in {"cut", "isolate", "fill", "drain", "slow"} or (step.do == "signal" and step.signal == "STOP")
        for step in one.steps
    )
    assert needs_heal == ("heal" in kinds)


@given(st.sampled_from(Aim), st.integers())
def test_every_aim_finds_what_it_says(target: Aim, seed: int) -> None:
    names = fault.aim(target, VIEW, random.Random(seed))  # noqa: S311
    if target in {Aim.ZONE_OF_LEADER, Aim.ZONE_OF_BALANCER}:
        assert names == ({Aim.ZONE_OF_LEADER: "zone-b", Aim.ZONE_OF_BALANCER: "zone-a"}[target],)
        return
    found = [VIEW.named(name) for name in names]
    expected = {
        Aim.MASTER: lambda: found[0] in MASTERS,
        Aim.FIRST_MASTER: lambda: names == ("master-1",),
        Aim.ETCD_LEADER: lambda: names == ("master-2",),
        Aim.ETCD_FOLLOWER: lambda: found[0] in MASTERS and names != ("master-2",),
        Aim.TWO_MEMBERS: lambda: names[0] == "master-2" and found[0].zone != found[1].zone,
        Aim.ACTIVE_BALANCER: lambda: names == ("balancer-1",),
        Aim.STANDBY_BALANCER: lambda: names == ("balancer-2",),
        Aim.BALANCER_AND_MASTER: lambda: names[0] == "balancer-1" and found[1] in MASTERS,
        Aim.MACHINES_IN_ZONE_OF_LEADER: lambda: names == ("master-2", "balancer-2"),
        Aim.EVERYTHING: lambda: found == VIEW.machines,
    }
    assert expected[target]()


def test_an_aim_that_the_cluster_does_not_have_now_is_refused() -> None:
    with pytest.raises(FaultError, match="etcd-leader"):
        fault.aim(Aim.ETCD_LEADER, View(MASTERS, None, None), random.Random(0))  # noqa: S311


def test_a_fault_says_what_the_cluster_lacks_for_it() -> None:
    one = fault.load()["two-members-kill"]
    assert fault.lacking(one, VIEW) == "needs 5 members, the cluster has 3"
    assert fault.lacking(fault.load()["balancer-kill"], VIEW) is None


def test_an_unknown_fault_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(FaultError, match=r"'zone'.*zone-cut"):
        fault.chosen(["zone"], fault.load())


def test_a_wrong_declaration_names_its_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "1-x.yaml").write_text("name: x\ntitle: X\nsteps: [{do: cut, target: master, how: gently}]")
    with pytest.raises(FaultError, match=r"1-x.yaml: steps.0.cut.how: got 'gently'; Input should be 'link'") as raised:
        fault.load(tmp_path)
    assert "\n" not in str(raised.value)
    (tmp_path / "1-x.yaml").write_text("name: x\ntitel: X\nsteps: []")
    with pytest.raises(FaultError, match=r"^1-x.yaml: title: missing; titel: no such key$"):
        fault.load(tmp_path)
    (tmp_path / "1-x.yaml").write_text("name: [")
    with pytest.raises(FaultError, match=r"^1-x.yaml: while parsing .*$"):
        fault.load(tmp_path)


def test_a_step_has_its_own_target_or_the_default_of_its_kind() -> None:
    first, heal, second, heal_again = targets(fault.load()["second-fault"], 4)
    assert first == TARGETS[MarkKind.FAULT]
    assert heal == heal_again == TARGETS[MarkKind.HEAL]
    assert second.last_failure_max == 2.0
