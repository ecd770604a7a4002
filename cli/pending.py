"""Forgets what an interrupted run began to create, where nothing of it can be left."""

from cli import deletion
from cli.engine import Engine
from toolchain.progress import console


def forget(engine: Engine) -> None:
    """Clear pending creates if all of them are on this machine.

    The local cloud removes by itself what a provider did not live to confirm. Of a real cloud only its owner can say
    whether something was made, so there the engine's own warning stands.
    """
    begun = [operation["resource"] for operation in engine.pending() if operation["type"] == "creating"]
    if begun and deletion.is_local(begun):
        console.print(f"forgetting what an interrupted run on stack {engine.stack} began to create")
        engine.read("refresh", "--clear-pending-creates", "--yes", "--skip-preview", "--stack", engine.stack)
