"""A member that loses power at any step of a restore goes on with it, and so does the cluster when all of them do."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from components.node.agent.cluster import EtcdCluster
from components.node.agent.folders import Folders
from components.node.agent.joining import Joining
from components.node.agent.restore import MemberRestore
from tests.restore.case import restoring
from tests.restore.machines import Restorable

pytestmark = pytest.mark.timeout(240)

STEPS = {
    "fetched": (EtcdCluster, "_restore_file"),
    "restored beside": (Folders, "keep_restored"),
    "said so": (MemberRestore, "_consent"),
    "record renewed": (Joining, "_renew_record"),
    "stopped": (EtcdCluster, "abandon"),
    "mark left": (Joining, "_leave_mark"),
    "restored adopted": (Folders, "adopt_restored"),
    "old set aside": (Folders, "set_aside"),
    "started": (EtcdCluster, "start"),
    "mark spent": (Folders, "spend"),
}
"""What a restore does on a member, in order: (class, method)."""


class PowerCutError(Exception):
    """The machine is off."""


def cut_power(machines: Restorable, names: set[str], step: str, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Cut the power of `names` right before the step, once each; set when all of them are off."""
    owner, method = STEPS[step]
    original: Callable[..., Any] = getattr(owner, method)
    left, off = set(names), threading.Event()

    def wrapped(*arguments: Any, **named: Any) -> Any:
        here = next((name for name in left if machines.agents[name].thread is threading.current_thread()), None)
        if here is None:
            return original(*arguments, **named)
        left.discard(here)
        machines.agents[here].dead = True
        machines.machines[here].cloud.down = True  # type: ignore[attr-defined]
        machines.kill(here)
        if not left:
            off.set()
        raise PowerCutError(here)

    monkeypatch.setattr(owner, method, wrapped)
    return off


def survives(machines: Restorable, names: set[str], step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machines.put("k", "before")
    who = "all lose" if len(names) > 1 else "one loses"
    with restoring(machines, "three voters", f"restore; {who} power before: {step}", "done with them") as snapshot:
        machines.put("k", "after")
        off = cut_power(machines, names, step, monkeypatch)
        order = machines.order(snapshot)
        assert off.wait(60), f"nobody came to: {step}"
        for name in names:
            machines.agents[name].thread.join(30)
            machines.boot(name)
        machines.await_finished(order)
        machines.heal()
    assert {machines.value("k", by=name) for name in machines.names} == {"before"}
    assert machines.record().generation == order.generation


def test_a_member_that_crashes_between_its_old_data_and_its_new_goes_on(
    machines: Restorable, monkeypatch: pytest.MonkeyPatch
) -> None:
    survives(machines, {"member-2"}, "old set aside", monkeypatch)


@pytest.mark.campaign
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("names", [{"member-2"}, {"member-1", "member-2", "member-3"}], ids=["one", "all"])
def test_members_that_crash_at_any_step_go_on(
    machines: Restorable, names: set[str], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    survives(machines, names, step, monkeypatch)
