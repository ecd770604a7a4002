"""The real engine, program and policies on the stand-ins."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from components.topology import TopologyError
from rehearsal import environment
from rehearsal.project import NoSuchStackError, Project
from tests.rehearsal.previewing import preview
from toolchain import artifacts, cloud_controller, cloud_libraries, debian_packages
from toolchain.cache import MissingToolError, binary

REPOSITORY = Path(__file__).parents[2]
STACKS = ("dev-aws", "small-aws", "prod-aws")


@pytest.fixture(scope="module")
def made() -> None:
    """What machines fetch is there."""
    try:
        binary("pulumi")
        artifacts.load()
        cloud_libraries.build("aws")
        cloud_controller.build("aws")
        debian_packages.build()
    except (MissingToolError, artifacts.MissingArtifactsError) as error:
        pytest.skip(str(error))


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("made")
def test_the_flagship_is_previewed_without_an_account_and_passes_the_policies(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", "prod-aws")
    # No emulator of the test's own: the stand-in brings one.
    given = environment.variables(project.home, project.state)
    shown = preview(project, given, "--json", "--policy-pack", str(project.program / "policy"))
    assert shown.returncode == 0, shown.stdout[-3000:] + shown.stderr[-3000:]
    steps = json.loads(shown.stdout)["steps"]
    assert {step["op"] for step in steps} == {"create"}
    assert len(steps) > 200


@pytest.mark.campaign
@pytest.mark.engine
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_lives_its_whole_life_on_the_emulator(stack: str, tmp_path: Path) -> None:
    played = subprocess.run(
        [sys.executable, "-m", "rehearsal", "run", "--stack", stack, "--report", str(tmp_path / "page.html")],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert played.returncode == 0, played.stdout + played.stderr
    assert "as promised" in played.stdout


def test_a_stack_that_nothing_stands_in_for_is_refused_with_those_that_can_be_rehearsed(tmp_path: Path) -> None:
    with pytest.raises(NoSuchStackError, match=r"prod-oracle: nothing to rehearse it on; accepted: .*prod-aws"):
        Project(tmp_path / "project", "prod-oracle")


def test_what_the_program_would_refuse_is_refused_before_a_cloud_is_pretended(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", "prod-aws")
    project.configure({"zones": ["eu-west-1a"]})
    with pytest.raises(TopologyError, match="kube-ha:zones: 1"):
        project.check()
