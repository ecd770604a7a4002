"""The real engine on the stand-in: a typo in the program stops it before anything is made."""

from pathlib import Path

import pytest

from rehearsal import environment
from rehearsal.gke import PROJECT
from tests.rehearsal import previewing


@pytest.mark.engine
@pytest.mark.timeout(300)
def test_a_typo_in_one_enum_of_the_program_is_refused_in_its_preview(tmp_path: Path) -> None:
    project = previewing.project(tmp_path, "dev-gke")
    levers = project.program / "components/gcp/levers.py"
    levers.write_text(levers.read_text().replace('release_channel="REGULAR"', 'release_channel="REGULER"'))
    given = environment.whole(project.home, project.state, {"GOOGLE_PROJECT": PROJECT})
    shown = previewing.preview(project, given)
    said = " ".join((shown.stdout + shown.stderr).split())
    assert shown.returncode != 0
    assert "got 'REGULER'; accepted: UNSPECIFIED, RAPID, REGULAR, STABLE, EXTENDED" in said
