"""What `make bench` computes from what it measures."""

from argparse import ArgumentTypeError
from collections import Counter
from pathlib import Path

import pytest

from bench import memory, replacement, spread
from bench.__main__ import count
from providers.local.view import MachineView


def view(machine: str, incarnation: int, *, ready: bool) -> MachineView:
    return MachineView(
        network="n",
        group="g",
        machine=machine,
        role="master",
        zone="zone-a",
        address="10.0.0.1",
        incarnation=incarnation,
        instance="i",
        init_pid=1,
        up_since=0,
        started=True,
        ready=ready,
        phase="phase",
        message="waits for etcd",
        template="",
        desired_template="",
        cuts=(),
    )


def test_a_row_has_min_median_and_max_in_one_unit() -> None:
    assert spread.row("time", [3, 1, 2, 100], "s") == ("time", "1.0 s", "2.5 s", "100.0 s", "4")


def test_memory_is_the_proportional_one_summed_by_name(tmp_path: Path) -> None:
    for pid, (name, size) in enumerate([("etcd", 100), ("etcd", 50), ("kubelet", 70)], start=1):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "comm").write_text(f"{name}\n")
        (tmp_path / str(pid) / "smaps_rollup").write_text(f"Rss:   9999 kB\nPss:    {size} kB\nPss_Anon:  1 kB\n")
    gone = 99
    assert memory.by_name([1, 2, 3, gone], tmp_path) == {"etcd": 150, "kubelet": 70}
    assert memory.proportional("") == 0


def test_the_largest_are_shown_and_nothing_is_lost() -> None:
    samples = [Counter(a=4096, b=2048, c=1024), Counter(a=1024, b=2048)]
    assert memory.merged(samples, shown=1) == {"a": [4, 1], "all others": [3, 2], "whole": [7, 3]}


def test_a_master_counts_as_replaced_only_when_its_successor_is_ready() -> None:
    old = view("master-1", 1, ready=True)
    assert not replacement.replaced([old], old)
    assert not replacement.replaced([view("master-1", 2, ready=False)], old)
    assert not replacement.replaced([view("master-2", 2, ready=True)], old)
    assert replacement.replaced([view("master-1", 2, ready=True)], old)


def test_a_stack_without_machines_is_not_whole() -> None:
    assert not replacement.whole([])
    assert not replacement.whole([view("master-1", 1, ready=True), view("master-2", 1, ready=False)])


def test_what_never_becomes_ready_is_named_with_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replacement, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(replacement.NotReadyError, match="master-1: phase waits for etcd"):
        replacement.wait(lambda: [view("master-1", 1, ready=False)], replacement.whole)


@pytest.mark.parametrize("text", ["0", "-1", "three"])
def test_a_number_of_runs_that_measures_nothing_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"got '{text}'; a number from 1 on"):
        count(text)
