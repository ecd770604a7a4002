"""Members that start at once compare their data in turn: those that wait for each other's answers wait 6 s for each."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from components.node.agent import cluster as etcd_cluster
from components.node.agent.cluster import LIVING, SERVING, EtcdCluster
from components.node.agent.member import cluster
from components.node.etcd import metrics_url
from components.node.machine import Peer
from tests.agent.conftest import ME, OTHER, THIRD, document, idle_member

MEMBERS = FIRST, SECOND, LAST = ME, OTHER, THIRD
TURN_SECONDS = 1.0


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etcd_cluster, "TURN_SECONDS", TURN_SECONDS)


def seconds_waited(folder: Path, member: Peer, answers: Callable[[str], bool]) -> float:
    """How long a member waits for its turn."""
    context = idle_member(folder)
    context.machine = document(member.name, (ME, OTHER, THIRD))
    made: EtcdCluster = replace(cluster(context), fetch_health=answers)
    begun = time.monotonic()
    made._await_turn()
    return time.monotonic() - begun


def nobody(url: str) -> bool:
    return False


def test_the_first_waits_for_nobody_and_each_other_for_a_turn_of_all_before_it(tmp_path: Path) -> None:
    waited = [seconds_waited(tmp_path, member, nobody) for member in MEMBERS]
    assert waited[0] < TURN_SECONDS
    assert waited[1] >= TURN_SECONDS
    assert waited[2] >= 2 * TURN_SECONDS


@pytest.mark.parametrize(("member", "before"), [(SECOND, FIRST), (LAST, SECOND)])
def test_a_turn_ends_when_the_one_before_has_compared_its_data(tmp_path: Path, member: Peer, before: Peer) -> None:
    assert seconds_waited(tmp_path, member, lambda url: url == metrics_url(before.address, LIVING)) < TURN_SECONDS


def test_the_last_does_not_take_the_first_for_the_one_before(tmp_path: Path) -> None:
    waited = seconds_waited(tmp_path, LAST, lambda url: url == metrics_url(FIRST.address, LIVING))
    assert waited >= 2 * TURN_SECONDS


def test_nobody_waits_where_a_quorum_serves_though_the_one_before_is_away(tmp_path: Path) -> None:
    assert seconds_waited(tmp_path, LAST, lambda url: url == metrics_url(FIRST.address, SERVING)) < TURN_SECONDS


def test_a_member_that_hangs_does_not_keep_others_from_being_heard(tmp_path: Path) -> None:
    def answers(url: str) -> bool:
        if url == metrics_url(FIRST.address, SERVING):
            time.sleep(2 * TURN_SECONDS)
        return url == metrics_url(SECOND.address, LIVING)

    assert seconds_waited(tmp_path, LAST, answers) < 2 * TURN_SECONDS
