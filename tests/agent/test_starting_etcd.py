"""A member's start waits for etcd's log, and not for one that cannot come."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from components.node.agent import cluster as module
from components.node.agent.cluster import EtcdCluster
from components.node.agent.folders import Folders
from components.node.agent.member import cluster
from components.node.agent.step import NotYetError
from components.node.membership import Data
from components.node.record import Static, peer_url
from tests.agent.conftest import ME, OTHER, THIRD, idle_member

STATIC = Static(
    generation=1,
    token="t",  # noqa: S106
    members={one.name: peer_url(one.address) for one in (ME, OTHER, THIRD)},
)
DATA = Data("u1", 1, 7)


class Unit:
    """`Services` of one unit, which does something when it is started."""

    def __init__(self, begin: Callable[[], object]) -> None:
        self._begin = begin

    def install(self, unit: str, content: str) -> bool:
        return True

    def active(self, unit: str) -> bool:
        return False

    def start(self, unit: str, *, wait: bool = True) -> None:
        self._begin()


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    volume = tmp_path / "var/lib/etcd"
    volume.mkdir(parents=True)
    return Folders(volume)


def member(folder: Path, begin: Callable[[], object]) -> EtcdCluster:
    context = idle_member(folder)
    context.services = Unit(begin)  # type: ignore[assignment]
    return cluster(context)


def write_log(folders: Folders) -> None:
    log = folders.path(DATA) / "member/wal/0.wal"
    log.parent.mkdir(parents=True)
    log.touch()


def test_a_log_that_is_there_ends_the_wait(tmp_path: Path, folders: Folders) -> None:
    folders.prepare(DATA)
    member(tmp_path, lambda: write_log(folders)).start(DATA, STATIC, "", existing=False)


def test_a_disk_that_is_emptied_meanwhile_is_not_waited_for(tmp_path: Path, folders: Folders) -> None:
    folders.prepare(DATA)
    begun = time.monotonic()
    with pytest.raises(NotYetError, match="emptied"):
        member(tmp_path, lambda: folders.spend(DATA)).start(DATA, STATIC, "", existing=False)
    assert time.monotonic() - begun < module.LOG_SECONDS / 10


def test_a_prepared_folder_without_a_log_is_waited_for_and_no_longer_than_said(
    tmp_path: Path, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOG_SECONDS", 0.1)
    folders.prepare(DATA)
    with pytest.raises(NotYetError, match="no write-ahead log"):
        member(tmp_path, lambda: None).start(DATA, STATIC, "", existing=False)


@pytest.mark.parametrize("with_log", [True, False])
def test_a_member_with_data_starts_in_its_turn_and_a_new_one_at_once(
    tmp_path: Path, folders: Folders, monkeypatch: pytest.MonkeyPatch, with_log: bool
) -> None:
    done: list[str] = []
    monkeypatch.setattr(EtcdCluster, "_await_turn", lambda self: done.append("waited"))

    def begin() -> None:
        done.append("started")
        if not with_log:
            write_log(folders)

    if with_log:
        write_log(folders)
    else:
        folders.prepare(DATA)
    member(tmp_path, begin).start(DATA, STATIC, "", existing=True)
    assert done == (["waited", "started"] if with_log else ["started"])
