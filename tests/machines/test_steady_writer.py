"""What writes through a rotation sees a write that failed, one that was lost, and a silence; without machines."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drills.api import ApiError
from tests.agent.processes import eventually
from tests.machines import steady_writer
from tests.machines.steady_writer import Writer

PAUSE = 0.001
SOME = 20
GAP_SECONDS = 0.2
FAILED_MAX = 0.1


class Cluster:
    """`Api` of a cluster that turns clients away when it is told to."""

    def __init__(self) -> None:
        self.objects: set[str] = set()
        self.asked = 0
        self.turns_away = self.forgets = False
        self._more = threading.Condition()

    def call(self, method: str, path: str, body: Any) -> None:
        with self._more:
            self.asked += 1
            self._more.notify_all()
            if self.turns_away:
                raise ApiError(f"{method} {path}: 401 Unauthorized", 401)
            if not self.forgets:
                self.objects.add(body["metadata"]["name"])

    def after(self, count: int) -> None:
        """Wait for so many writes more."""
        with self._more:
            wanted = self.asked + count
            assert self._more.wait_for(lambda: self.asked >= wanted, 10)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setattr(steady_writer, "api", lambda access: made)
    return made


@contextmanager
def writing(cluster: Cluster) -> Iterator[Writer]:
    """Some writes that go well, and then what the test does."""
    with Writer(Path("kubeconfig"), PAUSE) as writer:
        cluster.after(SOME)
        yield writer


def check(writer: Writer, cluster: Cluster, gap_max: float = 60) -> None:
    writer.check(cluster.objects, gap_max=gap_max, failed_max=FAILED_MAX)


def test_a_cluster_that_takes_every_write_passes(cluster: Cluster) -> None:
    with writing(cluster) as writer:
        cluster.after(SOME)
    check(writer, cluster)
    assert len(writer.acknowledged) >= 2 * SOME
    assert writer.failed == []


def test_a_client_that_is_turned_away_is_seen(cluster: Cluster) -> None:
    with writing(cluster) as writer:
        cluster.turns_away = True
        cluster.after(SOME)
    with pytest.raises(AssertionError, match=r"failed last: .*401"):
        check(writer, cluster)


def test_a_write_that_was_acknowledged_and_is_lost_is_seen(cluster: Cluster) -> None:
    with writing(cluster) as writer:
        cluster.forgets = True
        cluster.after(2)
        cluster.forgets = False
        cluster.after(SOME)
    with pytest.raises(AssertionError, match="acknowledged, and not there"):
        check(writer, cluster)


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_silence_is_seen_also_one_that_lasts_to_the_end(cluster: Cluster, comes_back: bool) -> None:
    with writing(cluster) as writer:
        cluster.turns_away = True
        eventually(lambda: writer.longest_gap > GAP_SECONDS, 10, "a silence")
        if comes_back:
            cluster.turns_away = False
            cluster.after(SOME)
    with pytest.raises(AssertionError, match="without an acknowledged write"):
        check(writer, cluster, gap_max=GAP_SECONDS)


def test_a_writer_that_dies_is_a_silence(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda arguments: None)
    with writing(cluster) as writer:
        monkeypatch.setattr(cluster, "call", None)
        eventually(lambda: writer.longest_gap > GAP_SECONDS, 10, "a silence")
    with pytest.raises(AssertionError, match="without an acknowledged write"):
        check(writer, cluster, gap_max=GAP_SECONDS)


def test_it_goes_on_with_the_kubeconfig_that_it_is_given(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with writing(cluster) as writer:
        another = Cluster()
        monkeypatch.setattr(steady_writer, "api", lambda access: another)
        writer.take(Path("another"))
        another.after(SOME)
    assert another.objects
