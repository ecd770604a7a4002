"""Refuses to make the keys of a cluster in a cloud under the passphrase of the local stacks, which everybody knows."""

import yaml

from cli.engine import Engine
from cli.refused import RefusedError
from components.clouds import Cloud, Management
from components.settings import NAMESPACE
from toolchain.environment import LOCAL_PASSPHRASE


def check(engine: Engine) -> None:
    """That the authorities of a self-managed control plane in a cloud are encrypted under something secret.

    Raises:
        RefusedError: they would not be.
    """
    said = yaml.safe_load((engine.repository / "stacks" / f"Pulumi.{engine.stack}.yaml").read_text()) or {}
    # The engine takes a key without its namespace, too.
    config = {key.removeprefix(f"{NAMESPACE}:"): value for key, value in (said.get("config") or {}).items()}
    if config.get("cloud", Cloud.LOCAL) == Cloud.LOCAL or config.get("controlPlane") == Management.MANAGED:
        return
    by_passphrase = said.get("secretsprovider", "passphrase") == "passphrase"
    if by_passphrase and engine.env.get("PULUMI_CONFIG_PASSPHRASE") == LOCAL_PASSPHRASE:
        raise RefusedError(
            f"stack {engine.stack}: its keys would be in the state under a passphrase that everybody knows; first"
            f" `pulumi stack init {engine.stack} --secrets-provider <your KMS key>` (where the stack is there already,"
            " `pulumi stack change-secrets-provider`), or set PULUMI_CONFIG_PASSPHRASE"
        )
