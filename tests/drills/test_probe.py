"""The probe tells what became of each request, and never waits for one before it sends the next."""

import json
import time
from collections import Counter
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
    streams = probe.streams(address, {"master-1": address})
    return probe.Plan(str(api.kubeconfig), str(tmp_path / "records.jsonl"), streams)


def probed(plan: probe.Plan, api: FakeApi, mode: str, seconds: float = 0.8) -> list[record.Record]:
    """Records of what was to be sent while the API was in a mode; before that it served."""
    with child("drills.probe", probe.encode(plan)):
        until = time.monotonic() + 5
        while not (Path(plan.records).exists() and Path(plan.records).stat().st_size) and time.monotonic() < until:
            time.sleep(0.02)
        api.outage(mode)
        changed = time.monotonic()
        time.sleep(seconds)
    return [one for one in record.read(Path(plan.records)) if one.intended > changed]


def outcomes(records: list[record.Record], connection: Connection) -> Counter[Outcome]:
    return Counter(one.outcome for one in records if one.connection is connection)


def test_a_plan_survives_the_way_to_the_probe(plan: probe.Plan) -> None:
    assert probe.decode(probe.encode(plan)) == plan


def test_what_the_api_answers_is_acknowledged_and_every_stream_is_there(plan: probe.Plan, api: FakeApi) -> None:
    records = probed(plan, api, "serve")
    assert {one.stream for one in records} == {
        f"{stream.via}/{stream.connection}/{stream.operation}" for stream in plan.streams
    }
    late = [one for one in records if one.end - one.intended > 0.5]
    assert all(one.acknowledged for one in records if one.detail != "open when the drill ended"), late


def test_a_written_value_is_read_and_an_entry_of_the_journal_is_an_object(plan: probe.Plan, api: FakeApi) -> None:
    records = probed(plan, api, "serve")
    assert any(one.value for one in records if one.operation is Operation.READ)
    created = {one.key for one in records if one.operation is Operation.CREATE and one.acknowledged}
    assert created
    assert created <= {path.rsplit("/", 1)[1] for path in api.objects}


def test_requests_go_on_while_none_is_answered(plan: probe.Plan, api: FakeApi) -> None:
    records = probed(plan, api, "hang", 1.6)
    new = [one for one in records if one.stream == "endpoint/new/create"]
    assert len(new) > 0.8 * 1.6 / 0.05
    assert outcomes(records, Connection.NEW)[Outcome.TIMED_OUT] > 10
    assert all(0.95 < one.end - (one.sent or 0) < 1.5 for one in new if one.outcome is Outcome.TIMED_OUT)
    assert outcomes(records, Connection.PATIENT).keys() == {Outcome.UNKNOWN}


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
        time.sleep(0.8)
        api.outage("refuse")
        time.sleep(0.3)
        api.outage("serve")
        healed = time.monotonic()
        time.sleep(0.6)
    after = [one for one in record.read(Path(plan.records)) if one.intended > healed + 0.1]
    assert outcomes(after, Connection.KEPT)[Outcome.ACKNOWLEDGED] > 5
    assert not outcomes(after, Connection.KEPT)[Outcome.REFUSED]


def test_the_probe_says_what_cpu_it_took_and_how_late_it_was(plan: probe.Plan) -> None:
    with child("drills.probe", probe.encode(plan)) as running:
        time.sleep(0.5)
    said = json.loads(running.said)
    assert 0 < said["cpu"] < 1
    assert said["late_seconds"] > 0


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    one = record.Record("e", Connection.NEW, Operation.READ, "k", 1, 0.0, 0.1, 0.2, Outcome.ACKNOWLEDGED, "200")
    path = tmp_path / "records"
    path.write_text(one.line() + one.line()[:20])
    assert list(record.read(path)) == [one]
