"""Whose passphrase the keys of a cluster are made under."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from cli import known_passphrase
from cli.engine import Engine
from cli.refused import RefusedError

CLOUD = "config:\n  kube-ha:cloud: aws\n"
KNOWN = {"PULUMI_CONFIG_PASSPHRASE": "local"}


@pytest.mark.parametrize(
    ("said", "env", "refused"),
    [
        (CLOUD, KNOWN, True),
        (f"{CLOUD}encryptionsalt: v1:x\n", KNOWN, True),
        ("config:\n  cloud: aws\n", KNOWN, True),
        (f"secretsprovider: awskms://alias/key\n{CLOUD}", KNOWN, False),
        (CLOUD, {"PULUMI_CONFIG_PASSPHRASE": "mine"}, False),
        (CLOUD, {"PULUMI_CONFIG_PASSPHRASE_FILE": "/mine"}, False),
        (f"{CLOUD}  kube-ha:controlPlane: managed\n", KNOWN, False),
        ("config:\n  kube-ha:cloud: local\n", KNOWN, False),
        ("config:\n", KNOWN, False),
    ],
)
def test_keys_of_a_cluster_in_a_cloud_are_not_made_under_a_passphrase_that_everybody_knows(
    said: str, env: dict[str, str], refused: bool, tmp_path: Path
) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/Pulumi.s.yaml").write_text(said)
    engine = cast(Engine, SimpleNamespace(stack="s", repository=tmp_path, env=env))
    with pytest.raises(RefusedError, match="pulumi stack init s --secrets-provider") if refused else nullcontext():
        known_passphrase.check(engine)
