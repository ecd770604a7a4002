"""The probe tells what became of each request, and never waits for one before it sends the next."""

import json
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from drills import probe, record
from drills.child import child
from drills.record import Connection, Operation, Outcome
from tests.drills.fake_api import FakeApi

COLLECTION = f"/api/v1/namespaces/{probe.NAMESPACE}/configmaps"


@pytest.fixture
def plan(api: FakeApi, tmp_path: Path) -> probe.Plan:
    for number in range(probe.REGISTERS):
        api.objects[f"{COLLECTION}/{probe.register(number)}"] = {"metadata": {"name": probe.register(number)}}
    address = ("127.0.0.1", api.port)
    # Two fifths of the rates: a busy machine serves the fake late, and what is late fails.
    streams = tuple(replace(one, interval=one.interval * 2.5) for one in probe.streams(address, {"master-1": address}))
    return probe.Plan(str(api.kubeconfig), str(tmp_path / "records.jsonl"), streams)


def probed(plan: probe.Plan, api: FakeApi, mode: str, count: int = 30) -> list[record.Record]:
    """Records of what was to be sent while the API was in a mode, at least `count`; before that it served."""
    with child("drills.probe", probe.encode(plan)):
        await_records(plan, 8, 0.0)
        api.outage(mode)
        changed = time.monotonic()
        await_records(plan, count, changed)
    return [one for one in record.read(Path(plan.records)) if one.intended > changed]


def await_records(plan: probe.Plan, count: int, since: float) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        path = Path(plan.records)
        if path.exists() and sum(one.intended > since for one in record.read(path)) >= count:
            return
        time.sleep(0.05)


def outcomes(records: list[record.Record], connection: Connection) -> Counter[Outcome]:
    return Counter(one.outcome for one in records if one.connection is connection)


def test_a_plan_survives_the_way_to_the_probe(plan: probe.Plan) -> None:
    assert probe.decode(probe.encode(plan)) == plan


def test_what_the_api_answers_is_acknowledged_and_every_stream_is_there(plan: probe.Plan, api: FakeApi) -> None:
    records = probed(plan, api, "serve", 90)
    assert {one.stream for one in records} == {
        f"{stream.via}/{stream.connection}/{stream.operation}" for stream in plan.streams
    }
    assert all(
        one.acknowledged
        for one in records
        if one.outcome is not Outcome.TIMED_OUT and one.detail != "open when the drill ended"
    )


def test_a_written_value_is_read_and_an_entry_of_the_journal_is_an_object(plan: probe.Plan, api: FakeApi) -> None:
    records = probed(plan, api, "serve")
    assert any(one.value for one in records if one.operation is Operation.READ)
    created = {one.key for one in records if one.operation is Operation.CREATE and one.acknowledged}
    assert created
    assert created <= {path.rsplit("/", 1)[1] for path in api.objects}


def test_requests_go_on_at_their_times_while_none_is_answered(plan: probe.Plan, api: FakeApi) -> None:
    records = probed(plan, api, "hang", 60)
    new = sorted(one.intended for one in records if one.stream == "endpoint/new/create")
    assert new[-1] - new[0] > probe.TIMEOUTS[Connection.NEW]
    assert all(abs(later - earlier - 0.25) < 1e-6 for earlier, later in pairwise(new))
    assert outcomes(records, Connection.NEW)[Outcome.TIMED_OUT] > 5
    assert all(one.end - one.intended > 0.9 for one in records if one.outcome is Outcome.TIMED_OUT)
    assert Outcome.TIMED_OUT not in outcomes(records, Connection.PATIENT)


def test_a_refused_connection_was_never_sent(plan: probe.Plan, api: FakeApi) -> None:
    records = probed(plan, api, "refuse")
    new = [one for one in records if one.connection is Connection.NEW and one.detail != "open when the drill ended"]
    assert new
    assert {one.outcome for one in new} == {Outcome.REFUSED}
    assert {one.sent for one in new} == {None}


@pytest.mark.parametrize("mode", ["close", "unavailable"])
def test_a_write_without_a_good_answer_is_unknown(plan: probe.Plan, api: FakeApi, mode: str) -> None:
    records = probed(plan, api, mode)
    writes = [one for one in records if one.operation is Operation.WRITE]
    assert writes
    assert {one.outcome for one in writes} == {Outcome.UNKNOWN}
    assert all(one.sent for one in writes if one.detail != "open when the drill ended")


def test_kept_connections_come_back_after_an_outage(plan: probe.Plan, api: FakeApi) -> None:
    with child("drills.probe", probe.encode(plan)):
        await_records(plan, 16, 0.0)
        api.outage("refuse")
        await_records(plan, 10, time.monotonic())
        api.outage("serve")
        healed = time.monotonic()
        await_records(plan, 40, healed)
    after = [one for one in record.read(Path(plan.records)) if one.intended > healed + 0.1]
    assert outcomes(after, Connection.KEPT)[Outcome.ACKNOWLEDGED] > 5
    assert not outcomes(after, Connection.KEPT)[Outcome.REFUSED]


def test_the_probe_says_what_cpu_it_took_and_how_late_it_was(plan: probe.Plan) -> None:
    with child("drills.probe", probe.encode(plan)) as running:
        await_records(plan, 10, 0.0)
    said = json.loads(running.said)
    assert 0 < said["cpu"] < 1
    assert said["late_seconds"] > 0


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    one = record.Record("e", Connection.NEW, Operation.READ, "k", 1, 0.0, 0.1, 0.2, Outcome.ACKNOWLEDGED, "200")
    path = tmp_path / "records"
    path.write_text(one.line() + one.line()[:20])
    assert list(record.read(path)) == [one]
