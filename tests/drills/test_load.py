"""One load declaration, for our generator and for kube-burner; what was achieved is told."""

import json
import time
from itertools import islice
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from drills import generator, load
from drills.child import child
from drills.load import Declaration, LoadError
from tests.drills.fake_api import FakeApi

LOADS = Path(load.__file__).parent / "loads"
COLLECTION = "/api/v1/namespaces/kube-ha-load/configmaps"
DOCUMENT = {
    "name": "configmaps",
    "namespace": "kube-ha-load",
    "iterations": 3,
    "qps": 50,
    "burst": 10,
    "objects": [
        {
            "collection": COLLECTION,
            "replicas": 2,
            "template": {"metadata": {"name": "c-${iteration}-${replica}"}, "data": {"x": "${iteration}"}},
        }
    ],
}
DECLARATION = Declaration.model_validate(DOCUMENT)


def test_all_iterations_are_made_and_then_churned() -> None:
    first = list(islice(load.requests(DECLARATION), 10))
    assert [one.method for one in first] == ["POST"] * 6 + ["DELETE", "POST"] * 2
    assert len({one.body["metadata"]["name"] for one in first[:6] if one.body}) == 6
    assert first[6].path == f"{COLLECTION}/c-0-0"
    assert first[7].body == first[0].body


def test_an_object_never_exists_twice_and_never_is_deleted_before_it_was_made() -> None:
    there: set[str] = set()
    for one in islice(load.requests(DECLARATION), 200):
        name = one.body["metadata"]["name"] if one.body else one.path.rsplit("/", 1)[1]
        assert (name in there) == (one.method == "DELETE")
        there ^= {name}


def test_the_same_load_is_given_to_kube_burner() -> None:
    files = load.kube_burner(DECLARATION, 60)
    (job,) = yaml.safe_load(files["configmaps.yml"])["jobs"]
    assert (job["jobIterations"], job["qps"], job["burst"]) == (3, 50, 10)
    assert job["churnConfig"]["duration"] == "60s"
    (kind,) = job["objects"]
    assert kind["replicas"] == 2
    template = yaml.safe_load(files[kind["objectTemplate"]])
    assert template["metadata"]["name"] == "c-{{.Iteration}}-{{.Replica}}"


@pytest.mark.parametrize("path", sorted(LOADS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_declaration_of_the_repository_is_valid(path: Path) -> None:
    assert load.load(path).name == path.stem


def test_a_wrong_declaration_names_its_file_and_key(tmp_path: Path) -> None:
    path = tmp_path / "load.yaml"
    path.write_text(yaml.safe_dump(DOCUMENT | {"qps": 0}))
    with pytest.raises(LoadError, match=r"(?s)load.yaml.*qps"):
        load.load(path)


@given(st.floats(0, 1000), st.integers(0, 10_000), st.integers(1, 500), st.integers(1, 100))
def test_never_more_than_a_burst_at_once_and_every_request_is_accounted_for(
    elapsed: float, sent: int, qps: int, burst: int
) -> None:
    now, late = generator.due(elapsed, sent, qps, burst)
    assert now <= burst
    assert late >= 0
    if int(elapsed * qps) >= sent:
        assert now + late == int(elapsed * qps) - sent


def test_the_achieved_share_counts_what_was_given_up_and_only_what_was_before() -> None:
    lines = [json.dumps(line) for line in ([1.0, 1, 1], [2.0, 1, 0], [3.0, 2, 0], [9.0, 100, 0])]
    assert generator.achieved(lines, 5.0) == 0.25
    assert generator.achieved(lines, 0.5) is None


def test_the_generator_keeps_its_rate(api: FakeApi, tmp_path: Path) -> None:
    output = tmp_path / "load.jsonl"
    plan = {"kubeconfig": str(api.kubeconfig), "output": str(output), "declaration": DOCUMENT}
    with child("drills.generator", json.dumps(plan) + "\n"):
        until = time.monotonic() + 60
        while time.monotonic() < until and not (output.exists() and len(output.read_text().splitlines()) > 60):
            time.sleep(0.05)
    times = [json.loads(line)[0] for line in output.read_text().splitlines()]
    assert 40 < (len(times) - 1) / (times[-1] - times[0]) < 60
    assert generator.achieved(output.read_text().splitlines(), time.monotonic()) == 1.0


def test_a_multiple_of_a_load_is_as_many_times_as_fast_and_the_same_otherwise() -> None:
    quick = load.times(DECLARATION, 4)
    assert (quick.qps, quick.burst, quick.iterations) == (200, 40, 3)
    with pytest.raises(LoadError, match="--times 0"):
        load.times(DECLARATION, 0)
