"""The pack under the real engine: what the table says of programs written down holds for programs that run."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from policy import drift
from policy.catalogue import RULES
from policy.declared import UNDECLARED
from policy.rule import Level
from tests.policy.broken import TABLE, Broken
from tests.policy.careless import ADVISED_BY, REFUSED_BY
from tests.policy.echo import Echo, serving
from tests.policy.engine import Engine
from tests.policy.good import GOOD
from tests.policy.programs import Program, Ref, changed

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason='pulumi is not on PATH: eval "$(make -s env)"'),
]

REPRESENTATIVE = (
    "masters-span-zones",  # reads a declaration
    "machines-stand-where-declared",  # looks at a whole stack
    "snapshot-buckets-outlive-the-stack",  # reads a resource option
)
"""One of each kind; all of them run on programs written down (test_broken_programs.py)."""


@pytest.fixture(scope="module")
def provider() -> Iterator[tuple[Echo, str]]:
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, provider: tuple[Echo, str]) -> Engine:
    return Engine(tmp_path_factory.mktemp("engine"), provider[1])


def test_good_programs_pass_in_preview_and_in_up(tmp_path: Path, provider: tuple[Echo, str]) -> None:
    engine = Engine(tmp_path, provider[1])
    program = {**GOOD["local"](), **GOOD["aks"](), **GOOD["workloads"]()}
    for ran in (engine.preview(program, CI="true"), engine.up(program, CI="true")):
        assert ran.status == 0, ran.output
        assert ran.violations == [], ran.output


@pytest.mark.parametrize("rule", REPRESENTATIVE)
def test_a_broken_program_does_not_go_up(engine: Engine, rule: str) -> None:
    broken = next(broken for broken in TABLE if broken.rule == rule and broken.good == "local")
    ran = engine.preview(broken.program)
    assert (ran.rules(), ran.rules("advisory")) == ({rule}, set()), ran.output
    assert ran.status != 0


@pytest.mark.campaign
@pytest.mark.parametrize("broken", {broken.rule: broken for broken in TABLE}.values(), ids=str)
def test_every_rule_fails_its_broken_program_and_no_other_does(engine: Engine, broken: Broken) -> None:
    ran = engine.preview(broken.program)
    # What critical alone insists on is advised to a program that declares no scenario.
    if RULES[broken.rule].levels[UNDECLARED] is Level.ADVISORY:
        assert (ran.rules(), ran.status) == (set(), 0), ran.output
        assert f"{broken.rule}: " in ran.output
    else:
        assert (ran.rules(), ran.rules("advisory")) == ({broken.rule}, set()), ran.output
        assert ran.status != 0


def test_managed_clusters_that_are_none_of_ours_are_refused_with_the_right_list(engine: Engine) -> None:
    clusters = {key: resource for build in REFUSED_BY for key, resource in distinct(build()).items()}
    ran = engine.preview(clusters)
    for build, refused in REFUSED_BY.items():
        (kind,) = (resource.type for resource in build().values() if resource.name == "cluster")
        assert ran.rules(kind=kind) == refused, ran.output
        assert all(f"{rule}: " in ran.output for rule in ADVISED_BY[build]), ran.output
    assert ran.status != 0


def distinct(program: Program) -> Program:
    """Two of the clouds call their resource Cluster: keys that are apart, for one program of all three."""
    return {resource.type if resource.name == "cluster" else key: resource for key, resource in program.items()}


def test_development_is_advised_where_cost_is_the_point(engine: Engine) -> None:
    program = changed(GOOD["aws"](), "ControlPlane/plane", "scenario", "development")
    frugal = changed(program, "LoadBalancer/plane", "enableCrossZoneLoadBalancing", False)
    ran = engine.preview(frugal)
    assert ran.status == 0, ran.output
    assert "balancers-span-zones: enableCrossZoneLoadBalancing is not set" in ran.output


def test_what_cannot_be_decided_is_named_and_fails_in_ci(engine: Engine) -> None:
    program = changed(GOOD["aws"](), "RolePolicy/masters", "policy", Ref("Bucket/plane"))
    ordered = {key: program[key] for key in sorted(program, key=lambda key: key == "RolePolicy/masters")}
    told, failed = engine.preview(ordered), engine.preview(ordered, CI="true")
    assert "no-policy-allows-everything: cannot be decided yet: policy" in told.output
    assert (told.status, told.rules()) == (0, set()), told.output
    assert failed.rules() == {"no-policy-allows-everything"}, failed.output
    assert failed.status != 0


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        (
            {"members-are-odd": {"most": "many"}},
            "members-are-odd: most: Invalid type. Expected: integer, given: string",
        ),
        ({"members-are-odd": {"maximum": 9}}, "policy members-are-odd has no setting maximum; accepted: most"),
    ],
)
def test_a_wrong_configuration_is_refused_with_what_is_accepted(
    engine: Engine, configuration: dict[str, object], says: str
) -> None:
    path = engine.folder / "configuration.json"
    path.write_text(json.dumps(configuration))
    ran = engine.preview(GOOD["local"](), "--policy-pack-config", str(path))
    assert says in ran.output
    assert ran.status != 0


def test_drift_is_told_and_judged_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving() as (echo, providers):
        engine = Engine(tmp_path, providers)
        assert engine.up(GOOD["gke"]()).status == 0
        for name, value in engine.environment.items():
            monkeypatch.setenv(name, value)
        echo.touched = {"cluster-id": {"location": "europe-west1-b"}, "api-errors-id": None}
        assert drift.main("test", tmp_path) == 1
        said = capfd.readouterr().out
        echo.touched = {}
        assert drift.main("test", tmp_path) == 0
    assert 'Cluster cluster: location was "europe-west1", is "europe-west1-b"' in said
    assert "AlertPolicy api-errors: is gone" in said
    assert "[mandatory] [severity: critical]  clusters-span-zones" in said
    assert "no changes behind the program's back" in capfd.readouterr().out


def test_drift_says_why_it_cannot_tell(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in engine.environment.items():
        monkeypatch.setenv(name, value)
    assert drift.main("nobody", engine.folder) == 2
    assert "stack nobody: cannot tell what is there:" in capfd.readouterr().err
