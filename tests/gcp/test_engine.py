"""The real engine on the stand-in: a typo in the program stops it before anything is made."""

import os
import subprocess
from pathlib import Path

import pytest

from rehearsal import environment
from rehearsal.gke import PROJECT
from rehearsal.project import Project
from toolchain.cache import MissingToolError, binary


def preview(project: Project) -> subprocess.CompletedProcess[str]:
    """What the engine says of a stack without an account."""
    env = {**os.environ, **environment.whole(project.home, project.state, {"GOOGLE_PROJECT": PROJECT})}
    pulumi = [str(binary("pulumi")), "--non-interactive", "--cwd", str(project.folder)]
    stack = ["--stack", project.stack]
    subprocess.run([*pulumi, "stack", "init", project.stack], env=env, check=True, capture_output=True)
    return subprocess.run([*pulumi, "preview", *stack], env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    try:
        binary("pulumi")
    except MissingToolError as error:
        pytest.skip(str(error))
    return Project(tmp_path / "project", "dev-gke")


@pytest.mark.engine
@pytest.mark.timeout(300)
def test_a_typo_in_one_enum_of_the_program_is_refused_in_its_preview(project: Project) -> None:
    levers = project.program / "components/gcp/levers.py"
    levers.write_text(levers.read_text().replace('release_channel="REGULAR"', 'release_channel="REGULER"'))
    shown = preview(project)
    said = " ".join((shown.stdout + shown.stderr).split())
    assert shown.returncode != 0
    assert "got 'REGULER'; accepted: UNSPECIFIED, RAPID, REGULAR, STABLE, EXTENDED" in said
