"""A master during a restore: it stops when it must, not before, and comes back by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.node import kubelet
from components.node.agent import restore as module
from components.node.agent.cloud import Instance
from components.node.agent.log import Log
from components.node.agent.restore import ASIDE, Restore, withdraw
from components.node.agent.static_pods import MANIFESTS
from components.node.agent.step import Context, NotYetError, Paths
from components.node.machine import Peer, Role
from components.node.record import Keys, RestoreOrder
from components.node.restore import Finished, Preparation, RestoreKeys
from tests.agent.conftest import document
from tests.agent.memory_cloud import MemoryCloud

MEMBERS = tuple(Peer(name=f"master-{i}", zone="z", address=f"10.0.{i}.21") for i in (1, 2, 3))
KEYS = RestoreKeys("u1", 2)
ORDER = RestoreOrder(
    generation=2,
    token="t",  # noqa: S106
    members={member.name: "https://x:2380" for member in MEMBERS},
    snapshot="s",
    sha256="0",
    masters=("master-1",),
)


class Kubelet:
    """`Services` that only count."""

    restarts = 0

    def active(self, unit: str) -> bool:
        return unit == kubelet.UNIT

    def restart(self, unit: str, *, wait: bool = True) -> None:
        self.restarts += 1


@pytest.fixture
def master(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """A stacked master whose API server runs while its manifest is there."""
    instance = Instance("i", "g", "master-1", "z", "10.0.1.21", "t", "t")
    made = Context(
        machine=document("master-1", MEMBERS, role=Role.MASTER), cloud=MemoryCloud(instance, {}, {}), instance=instance,
        log=Log(console=None), services=Kubelet(), paths=Paths(tmp_path),  # type: ignore[arg-type]
    )  # fmt: skip
    manifest = tmp_path / MANIFESTS / "kube-apiserver.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}")
    monkeypatch.setattr(module, "processes", lambda component: [1] if manifest.exists() else [])
    monkeypatch.setattr(module, "terminate", lambda component: None)
    monkeypatch.setattr(module, "ORDER_SECONDS", 0)
    monkeypatch.setattr(module, "QUIET_SECONDS", 0)
    yield made


def order(master: Context, prepared: int) -> None:
    master.cloud.put(Keys("u1").restore, ORDER.encode())
    for member in MEMBERS[:prepared]:
        master.cloud.put(KEYS.prepared(member.name), Preparation().encode())


def running(master: Context) -> bool:
    return (master.paths.root / MANIFESTS / "kube-apiserver.yaml").exists()


def test_it_serves_until_a_majority_has_the_snapshot(master: Context) -> None:
    step = Restore()
    order(master, prepared=1)
    assert step.tick(master) is None
    assert running(master)
    order(master, prepared=2)
    assert "stopping" in str(step.tick(master)) or "left" in str(step.tick(master))
    assert not running(master)
    assert master.cloud.get(KEYS.stopped("master-1"))


def test_it_starts_again_with_its_kubelet_when_the_new_generation_serves(master: Context) -> None:
    step = Restore()
    order(master, prepared=2)
    step.tick(master)
    master.cloud.put(KEYS.finished, Finished(member="master-2").encode())
    assert step.tick(master) is None
    assert running(master)
    assert not (master.paths.root / ASIDE).exists()
    assert master.services.restarts == 1  # type: ignore[attr-defined]
    step.tick(master)
    assert master.services.restarts == 1  # type: ignore[attr-defined]


def test_one_that_was_cut_off_meanwhile_restarts_too(master: Context) -> None:
    order(master, prepared=2)
    master.cloud.put(KEYS.finished, Finished(member="master-2").encode())
    Restore().tick(master)
    assert running(master)
    assert master.services.restarts == 1  # type: ignore[attr-defined]


def test_one_whose_disk_is_full_restarts_once_and_says_so(master: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Restore()
    order(master, prepared=2)
    step.tick(master)
    master.cloud.put(KEYS.finished, Finished(member="master-2").encode())

    def full(path: Path, content: bytes) -> bool:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "write", full)
        for _ in range(3):
            with pytest.raises(OSError, match="No space left"):
                step.tick(master)
    assert running(master)
    assert master.services.restarts == 1  # type: ignore[attr-defined]
    assert step.tick(master) is None
    Restore().tick(master)
    assert master.services.restarts == 1, "the mark is there by now"  # type: ignore[attr-defined]


def test_it_stays_stopped_while_the_store_is_silent(master: Context) -> None:
    step = Restore()
    order(master, prepared=2)
    step.tick(master)
    master.cloud.down = True  # type: ignore[attr-defined]
    assert "stopped for a restore" in str(step.tick(master))
    assert not running(master)


def test_a_silent_store_stops_nobody(master: Context) -> None:
    master.cloud.down = True  # type: ignore[attr-defined]
    assert Restore().tick(master) is None
    assert running(master)


def test_a_withdrawn_order_stops_nobody(master: Context) -> None:
    order(master, prepared=1)
    withdraw(master.cloud, "u1", ORDER, "damaged")
    assert Restore().tick(master) is None
    assert running(master)


def test_a_newer_order_is_not_withdrawn_with_an_older_one(master: Context) -> None:
    newer = ORDER.model_copy(update={"generation": 3})
    master.cloud.put(Keys("u1").restore, newer.encode())
    withdraw(master.cloud, "u1", ORDER, "damaged")
    assert RestoreOrder.model_validate_json(master.cloud.get(Keys("u1").restore)[0]) == newer


def test_a_master_without_etcd_that_boots_meanwhile_waits(master: Context) -> None:
    master.machine = document("master-9", MEMBERS, role=Role.MASTER)
    order(master, prepared=2)
    with pytest.raises(NotYetError, match="generation 2"):
        Restore().run(master)


def test_a_machine_without_an_order_touches_nothing(master: Context) -> None:
    assert Restore().tick(master) is None
    assert running(master)
    assert master.services.restarts == 0  # type: ignore[attr-defined]
