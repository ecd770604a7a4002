"""The loop, what it tells, and how machines replace themselves one at a time."""

import dataclasses
import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.node.agent import rolling as rolling_module
from components.node.agent import status as status_module
from components.node.agent.cloud import Instance
from components.node.agent.log import Log
from components.node.agent.loop import Loop
from components.node.agent.rolling import LOCK_SECONDS, PURPOSE, Rolling
from components.node.agent.status import Reporter, serve
from components.node.agent.step import Context, NotYetError, Paths, Step
from components.node.lock import ClusterLock
from components.node.machine import Peer, Role
from components.node.record import Keys
from tests.agent.conftest import document
from tests.agent.memory_cloud import MemoryCloud
from tests.agent.processes import Processes

MEMBERS = tuple(Peer(name=f"master-{i}", zone=f"zone-{i}", address=f"10.0.{i}.21") for i in (1, 2, 3))


class Recorded(Step):
    """A step that does what the test says."""

    def __init__(self, name: str, calls: list[str]) -> None:
        # A step's name is its class's; here each instance is a step of its own.
        self.name = name  # type: ignore[misc]
        self.calls = calls
        self.error: Exception | None = None
        self.message: str | None = None

    def run(self, context: Context) -> None:
        self.calls.append(f"run {self.name}")
        if self.error is not None:
            raise self.error

    def tick(self, context: Context) -> str | None:
        self.calls.append(f"tick {self.name}")
        return self.message

    def leave(self, context: Context) -> None:
        self.calls.append(f"leave {self.name}")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    instance = Instance("i-1", "masters", "master-1", "zone-1", "10.0.1.21", "old", "old")
    return Context(
        machine=document("master-1", MEMBERS, role=Role.MASTER), cloud=MemoryCloud(instance, {}, {}), instance=instance,
        log=Log(console=None), services=Processes(tmp_path / "log"), paths=Paths(tmp_path),
    )  # fmt: skip


def fetch(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    return connection.getresponse().read()


def cloud_of(context: Context) -> MemoryCloud:
    assert isinstance(context.cloud, MemoryCloud)
    return context.cloud


def test_a_step_that_fails_is_tried_again_and_those_after_it_wait(context: Context) -> None:
    calls: list[str] = []
    first, second, third = (Recorded(name, calls) for name in ("a", "b", "c"))
    second.error = NotYetError("no quorum")
    loop = Loop(context, (first, second, third), Reporter(context))
    assert not loop.once()
    assert not loop.once()
    assert calls == ["run a", "run b", "tick a", "run b"]
    assert cloud_of(context).reports[-1] == (False, "b", "no quorum")
    second.error = None
    assert loop.once()
    assert cloud_of(context).reports[-1] == (True, "ready", "all is well")


def test_an_error_nobody_foresaw_does_not_end_the_agent(context: Context) -> None:
    step = Recorded("a", [])
    step.error = ZeroDivisionError("oops")
    assert not Loop(context, (step,), Reporter(context)).once()
    assert 'kube_ha_step_failures_total{step="a"} 1' in context.metrics.render()


def test_what_is_unwell_makes_the_machine_unready_and_is_named(context: Context) -> None:
    step = Recorded("a", [])
    loop = Loop(context, (step,), Reporter(context))
    assert loop.once()
    step.message = "etcd does not answer"
    assert not loop.once()
    assert cloud_of(context).reports[-1] == (False, "a", "etcd does not answer")
    assert json.loads((context.paths.run / "status.json").read_text())["ready"] is False


def test_a_concern_is_told_to_the_cloud_and_leaves_the_machine_ready(context: Context) -> None:
    loop = Loop(context, (Recorded("a", []),), Reporter(context))
    context.concerns["proof"] = "the newest snapshot that was drilled is not good"
    assert loop.once()
    assert cloud_of(context).reports[-1] == (True, "ready", "the newest snapshot that was drilled is not good")
    assert cloud_of(context).concerns == 1


def test_an_unchanged_status_is_told_once(context: Context) -> None:
    loop = Loop(context, (Recorded("a", []),), Reporter(context))
    for _ in range(5):
        loop.once()
    assert [ready for ready, _, _ in cloud_of(context).reports] == [False, True]


def test_a_full_disk_does_not_end_the_agent(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes, *, mode: int) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(status_module, "write", full)
    assert Loop(context, (), Reporter(context)).once()
    assert cloud_of(context).reports[-1] == (True, "ready", "all is well")


def test_the_endpoint_serves_status_and_metrics(context: Context) -> None:
    reporter = Reporter(context)
    reporter.say(ready=True, phase="ready", message="all is well")
    server = serve(context, reporter, port=0)
    try:
        assert json.loads(fetch(server.server_port, "/status"))["machine"] == "master-1"
        assert b"kube_ha_ready 1" in fetch(server.server_port, "/metrics")
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def others(context: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Names of machines that do not answer; all are known to be there."""
    unwell: set[str] = set()
    for member in MEMBERS:
        presence = {"machine": member.name, "role": "master", "address": member.address}
        context.cloud.put(Keys("u1").presence(member.name), json.dumps(presence).encode())
    names = {member.address: member.name for member in MEMBERS}
    monkeypatch.setattr(rolling_module, "_ready", lambda entry: entry["machine"] not in unwell)
    monkeypatch.setattr(
        rolling_module, "answers", lambda url, timeout: names[url.split("/")[2].split(":")[0]] not in unwell
    )
    monkeypatch.setattr(rolling_module, "END_SECONDS", 0)
    yield unwell


def change_template(context: Context) -> None:
    cloud_of(context).here = dataclasses.replace(cloud_of(context).here, desired_template="new")


def test_a_changed_template_replaces_the_machine_after_its_steps_have_left(context: Context, others: set[str]) -> None:
    calls: list[str] = []
    loop = Loop(context, (Recorded("a", calls), Recorded("b", calls)), Reporter(context))
    loop.once()
    change_template(context)
    with pytest.raises(SystemExit, match="did not end this machine"):
        Rolling(context, loop.leave).tick(whole=True)
    assert calls[-2:] == ["leave b", "leave a"]
    assert cloud_of(context).reports[-1][:2] == (False, "leaving")
    assert cloud_of(context).replacements == ["its group's template changed"]


def test_an_unchanged_template_replaces_nothing(context: Context, others: set[str]) -> None:
    Rolling(context, lambda: None).tick(whole=True)
    assert cloud_of(context).replacements == []


def test_a_machine_that_cannot_be_mended_is_replaced_in_the_same_order(context: Context, others: set[str]) -> None:
    context.replacement = "kubelet is unwell after 3 restarts within an hour"
    others.add("master-3")
    Rolling(context, lambda: None).tick(whole=False)
    assert cloud_of(context).replacements == []
    others.clear()
    with pytest.raises(SystemExit, match="did not end this machine"):
        Rolling(context, lambda: None).tick(whole=False)
    assert cloud_of(context).replacements == ["kubelet is unwell after 3 restarts within an hour"]


def test_no_machine_is_replaced_while_another_is_not_ready(context: Context, others: set[str]) -> None:
    change_template(context)
    others.add("master-3")
    Rolling(context, lambda: None).tick(whole=True)
    assert cloud_of(context).replacements == []


def test_no_machine_is_replaced_before_all_masters_are_known(context: Context, others: set[str]) -> None:
    change_template(context)
    context.cloud.delete(Keys("u1").presence("master-2"))
    Rolling(context, lambda: None).tick(whole=True)
    assert cloud_of(context).replacements == []


def test_no_two_machines_are_replaced_at_once(context: Context, others: set[str]) -> None:
    change_template(context)
    ClusterLock(context.cloud, Keys("u1").lock, "master-2").acquire(PURPOSE, LOCK_SECONDS)
    Rolling(context, lambda: None).tick(whole=True)
    assert cloud_of(context).replacements == []


def test_the_next_incarnation_frees_the_lock_only_when_it_is_whole(context: Context, others: set[str]) -> None:
    ClusterLock(context.cloud, Keys("u1").lock, "master-1").acquire(PURPOSE, LOCK_SECONDS)
    rolling = Rolling(context, lambda: None)
    rolling.tick(whole=False)
    held, _ = context.lock.read()
    assert held is not None
    assert held.holder == "master-1"
    rolling.tick(whole=True)
    held, _ = context.lock.read()
    assert held is not None
    assert held.holder == ""


def test_metrics_keep_their_digits_and_escape_their_labels(context: Context) -> None:
    context.metrics.set("renewal_timestamp_seconds", 1816400001, {"leaf": 'a"b'})
    context.metrics.count("failures_total")
    context.metrics.count("failures_total")
    assert context.metrics.render().splitlines() == [
        "# TYPE kube_ha_failures_total counter",
        "kube_ha_failures_total 2",
        "# TYPE kube_ha_renewal_timestamp_seconds gauge",
        'kube_ha_renewal_timestamp_seconds{leaf="a\\"b"} 1816400001',
    ]
