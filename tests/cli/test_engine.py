"""What is said of a stack that is not there, or not up."""

from pathlib import Path

import pytest

from cli import object_store
from cli.engine import Engine, EngineError


def test_an_unknown_stack_is_named_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/Pulumi.local.yaml").touch()
    with pytest.raises(EngineError, match=r"stack lokal: no file stacks/Pulumi\.lokal\.yaml; there are local"):
        Engine("lokal", tmp_path)


def engine_that_says(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/Pulumi.prod-gke.yaml").touch()
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(f'#!/bin/sh\necho "$@" >>"{tmp_path}/told"\necho "error: {text}" >&2\nexit 255\n')
    pulumi.chmod(0o755)
    monkeypatch.setattr("cli.engine.binary", lambda name: pulumi)
    return Engine("prod-gke", tmp_path)


def test_asking_about_a_stack_that_was_never_up_does_not_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_that_says("no stack named 'prod-gke' found", tmp_path, monkeypatch)
    with pytest.raises(EngineError, match="stack prod-gke is not up"):
        object_store.memory(engine)
    assert (tmp_path / "told").read_text().splitlines() == ["stack export --stack prod-gke --non-interactive"]


def test_a_backend_that_does_not_answer_is_no_stack_that_was_never_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_that_says("could not list bucket", tmp_path, monkeypatch)
    with pytest.raises(EngineError, match="could not list bucket"):
        engine.resources()
