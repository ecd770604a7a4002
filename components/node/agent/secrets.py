"""etcd's certificates on this machine: issued from the secrets of its two authorities, renewed long before they end."""

import time
from pathlib import Path
from typing import Final

from components.node.agent.cloud import AccessDeniedError, CloudError
from components.node.agent.files import write
from components.node.agent.step import Context, Step
from components.node.certificates import KeyPair, Request, authority, good, issue, renewal_time
from components.node.etcd import Files, requests
from components.node.machine import Machine, Peer

AUTHORITIES: Final = {"server": "etcd-client-ca", "client": "etcd-client-ca", "peer": "etcd-peer-ca"}
"""Which secret signs which leaf. Clients and servers trust one authority, peers another."""

CHECK_SECONDS: Final = 600.0


def me(machine: Machine) -> Peer:
    """This machine's member, at the address that the machine has."""
    return Peer(name=machine.name, zone=machine.zone, address=machine.address)


class Secrets(Step):
    """Keeps the leaf certificates good."""

    name = "secrets"

    def __init__(self) -> None:
        self._checked = 0.0

    def applies(self, machine: Machine) -> bool:
        return machine.carries_member

    def run(self, context: Context) -> None:
        for leaf, request in requests(me(context.machine)).items():
            self._keep(context, leaf, request)
        self._checked = time.monotonic()

    def tick(self, context: Context) -> str | None:
        if time.monotonic() - self._checked > CHECK_SECONDS:
            self.run(context)
        return None

    def _keep(self, context: Context, leaf: str, request: Request) -> None:
        files = Files(context.paths.etcd_configuration)
        issuer_file, present = files.authority(leaf), _read(files, leaf)
        try:
            issuer = authority(context.cloud.secret(AUTHORITIES[leaf]), AUTHORITIES[leaf])
        except AccessDeniedError:
            raise
        except CloudError:
            # What is here serves until it ends: a member does not stay down because the cloud's API is.
            if present is None or not issuer_file.is_file():
                raise
            return
        if not may_follow(issuer, issuer_file):
            event = f"{AUTHORITIES[leaf]} is another now: this machine keeps its own until it is replaced"
            context.log.changed(f"{self.name} {leaf}", event)
            return
        write(issuer_file, issuer.certificate, mode=0o644)
        if present is None or not good(present, issuer.certificate, request):
            present = issue(issuer, request)
            # The key first: between the two writes a handshake fails, and is tried again by both ends.
            write(files.key(leaf), present.key)
            write(files.certificate(leaf), present.certificate, mode=0o644)
            context.log(self.name, f"etcd {leaf} certificate issued, renewal {renewal_time(present.certificate):%F}")
        context.metrics.set(
            "certificate_renewal_timestamp_seconds", renewal_time(present.certificate).timestamp(), {"leaf": leaf}
        )


def may_follow(issuer: KeyPair, trusted: Path) -> bool:
    """Whether this machine may take `issuer`: only if the file `trusted` says the same, or is not there yet.

    Machines that run since before a rotation's step would not believe what another generation signs. The step reaches
    a machine by its replacement.
    """
    return not trusted.is_file() or trusted.read_bytes() == issuer.certificate


def _read(files: Files, leaf: str) -> KeyPair | None:
    certificate, key = files.certificate(leaf), files.key(leaf)
    if not certificate.is_file() or not key.is_file():
        return None
    return KeyPair(certificate.read_bytes(), key.read_bytes())
