"""The description of what was built says what is there, or which command makes it."""

import json
from pathlib import Path

import pytest

from toolchain import artifacts
from toolchain.artifacts import Artifact, Artifacts, MissingArtifactsError


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Artifacts:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    image = artifacts.file().parent / "image"
    for folder in ("root", "containerd"):
        (image / folder).mkdir(parents=True)
    (tmp_path / "etcd").touch()
    etcd = Artifact(
        name="etcd",
        version="3.7.3",
        source=tmp_path / "etcd",
        sha256="00",
        path="/opt/kube-ha/bin/etcd",
        executable=True,
        roles=("master", "member"),
    )
    return Artifacts(image=image, artifacts=(etcd,))


def test_what_is_saved_is_what_is_loaded(built: Artifacts) -> None:
    artifacts.save(built)
    assert artifacts.load() == built


def test_nothing_built_names_the_command(built: Artifacts) -> None:
    with pytest.raises(MissingArtifactsError, match="run `make tools`"):
        artifacts.load()


def test_a_file_of_another_format_is_not_read(built: Artifacts) -> None:
    artifacts.save(built)
    artifacts.file().write_text(json.dumps({**json.loads(artifacts.file().read_text()), "format": 0}))
    with pytest.raises(MissingArtifactsError, match="has format 0"):
        artifacts.load()


def test_a_file_that_is_gone_is_named(built: Artifacts) -> None:
    artifacts.save(built)
    built.named("etcd").source.unlink()
    with pytest.raises(MissingArtifactsError, match="/etcd: gone"):
        artifacts.load()


def test_a_role_gets_what_it_needs(built: Artifacts) -> None:
    assert [artifact.name for artifact in built.of_role("member")] == ["etcd"]
    assert built.of_role("balancer") == ()


def test_an_unknown_artifact_is_told_what_there_is(built: Artifacts) -> None:
    with pytest.raises(KeyError, match="there are etcd"):
        built.named("etcdctl")
