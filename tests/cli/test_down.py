"""What `make down` adds to `pulumi destroy`."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import cast

import pytest

from cli import deletion, down
from cli.engine import Engine
from cli.refused import RefusedError
from tests.cli.engines import LOCAL, Up, resource


def test_down_names_everything_that_holds_data_or_is_protected() -> None:
    assert deletion.data(LOCAL) == [
        "PrivateKey etcd-peer-ca (protected)",
        "Volume master-1 (protected)",
        "Bucket snapshots",
    ]


def test_a_stack_with_one_resource_in_a_cloud_is_not_local() -> None:
    assert deletion.is_local(LOCAL)
    assert not deletion.is_local([*LOCAL, resource("aws:ec2/vpc:Vpc", "network")])


@pytest.mark.parametrize(
    ("terminal", "answer", "refused"),
    [
        (True, "prod-aws", ""),
        (True, "prod-azure", "that was not prod-aws; nothing was changed"),
        (False, "", "nothing was changed: there is no terminal to ask on; run `make down` on a terminal"),
    ],
)
def test_down_of_a_cloud_stack_begins_when_its_name_was_typed(
    terminal: bool, answer: str, refused: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    monkeypatch.setattr(down, "kubeconfig_path", lambda stack: tmp_path / stack)
    engine = Up(resource("aws:ec2/vpc:Vpc", "network"))
    with pytest.raises(RefusedError, match=refused) if refused else nullcontext():
        down.down(cast(Engine, engine))
    assert engine.told == ([] if refused else ["state unprotect", "destroy"])
