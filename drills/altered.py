"""Making a running cluster other than ours for a while, one machine after another, and ours again."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Final

from components.node.agent.static_pods import API_SERVER, MANIFESTS
from components.node.machine import MACHINE_FILE, Machine
from components.node.passthrough import ENDPOINT
from drills import alteration, usual
from drills.alteration import OVERRIDES, Alteration, Balancer, Override
from drills.cluster import Cluster, UnhealthyError
from drills.injector import InjectionError, Injector

MANIFEST: Final = f"/{MANIFESTS}/{API_SERVER}.yaml"
SERVERS: Final = re.compile(r"--etcd-servers=(\S+)")
PATIENCE: Final = 120.0
"""Seconds for a cluster to be whole after one machine was altered: an API server that ends serves on for some."""
POLL_SECONDS: Final = 0.5
SETTLE_SECONDS: Final = 1.0
"""What restarts now may still look whole."""


class Alterer:
    """Alters the machines of a cluster. Every call may raise:

    InjectionError: a machine does not do what it is told.
    UnhealthyError: the cluster is not whole after a machine was changed; the others are as they were.
    """

    def __init__(self, cluster: Cluster, injector: Injector, tell: Callable[[str], None]) -> None:
        self._cluster, self._injector, self._tell = cluster, injector, tell

    def apply(self, wanted: Alteration) -> None:
        """Make every machine other that is not so yet: ours at first, and those that a fault replaced."""
        for name in self._names():
            machine = self._document(name)
            if self._override(machine, wanted) | self._name_members(machine, wanted):
                self._tell(f"{machine.name} is altered")
                self._wait()
        for member in (machine.name for machine in self._cluster.machines if machine.member):
            # So that what a power failure loses is what is acknowledged from now on, whatever was there before.
            self._injector.run(member, "sync")

    def undo(self) -> None:
        """Make every machine ours again, whatever was other about it."""
        for name in self._names():
            try:
                found = self._injector.run(name, "sh", "-c", f"ls {OVERRIDES} 2>/dev/null || true").split()
            except InjectionError:
                # It does not run now, and what was other about it is gone with it.
                continue
            units = [PurePosixPath(path).parent.name.removesuffix(".d") for path in found]
            for path, unit in zip(found, units, strict=True):
                self._injector.run(name, "rm", path)
                self._restart(name, unit)
            if bool(units) | self._name_servers(name, ENDPOINT):
                self._tell(f"{name} is ours again")
                self._wait()

    def _names(self) -> list[str]:
        return [machine.name for machine in self._cluster.machines]

    def _document(self, name: str) -> Machine:
        """What a machine is. A group shares one document; which of its machines it is each learns from the cloud."""
        shared = Machine.model_validate_json(self._read(name, str(MACHINE_FILE)))
        found = next(machine for machine in self._cluster.machines if machine.name == name)
        return shared.model_copy(update={"name": name, "zone": found.zone, "address": found.address})

    def _override(self, machine: Machine, wanted: Alteration) -> bool:
        name, changed = machine.name, False
        if machine.balancing and wanted.balancer is Balancer.USUAL:
            self._write(name, usual.CHECK_FILE, usual.CHECK)
        overrides: list[Override] = list(alteration.overrides(wanted, machine, lambda path: self._read(name, path)))
        for one in overrides:
            if self._succeeds(name, "test", "-e", one.drop_in):
                continue
            unit = self._injector.run(name, "systemctl", "cat", one.unit)
            self._write(name, one.path, one.content)
            self._write(name, one.drop_in, alteration.drop_in(unit, one))
            self._restart(name, one.unit)
            changed = True
        return changed

    def _name_members(self, machine: Machine, wanted: Alteration) -> bool:
        return wanted.every_member and self._name_servers(machine.name, alteration.members(machine))

    def _name_servers(self, name: str, servers: str) -> bool:
        """Have the API server started with these --etcd-servers, if it is not, and wait until that one runs."""
        if not self._succeeds(name, "test", "-e", MANIFEST):
            return False
        manifest = self._read(name, MANIFEST)
        fresh = SERVERS.sub(f"--etcd-servers={servers}", manifest)
        if fresh == manifest:
            return False
        # Moved into its place from another folder: the kubelet must never see half of it, nor a second manifest.
        aside = f"{PurePosixPath(MANIFEST).parent.parent}/kube-ha-drill.yaml"
        self._write(name, aside, fresh)
        self._injector.run(name, "mv", aside, MANIFEST)
        until = time.monotonic() + PATIENCE
        while not self._succeeds(name, "pgrep", "--full", f"^{API_SERVER} .*--etcd-servers={servers}( |$)"):
            if time.monotonic() > until:
                raise UnhealthyError(f"{name}: no API server with --etcd-servers={servers} after {PATIENCE:g} s")
            time.sleep(POLL_SECONDS)
        return True

    def _restart(self, name: str, unit: str) -> None:
        self._injector.run(name, "systemctl", "daemon-reload")
        self._injector.run(name, "systemctl", "restart", unit, timeout=60)

    def _succeeds(self, name: str, *command: str) -> bool:
        with suppress(InjectionError):
            self._injector.run(name, *command)
            return True
        return False

    def _read(self, name: str, path: str) -> str:
        return self._injector.run(name, "cat", path)

    def _write(self, name: str, path: str, content: str) -> None:
        script = 'mkdir -p "$(dirname "$1")" && printf %s "$2" > "$1"'
        self._injector.run(name, "sh", "-c", script, "sh", path, content)

    def _wait(self) -> None:
        time.sleep(SETTLE_SECONDS)
        until = time.monotonic() + PATIENCE
        while missing := self._cluster.missing():
            if time.monotonic() > until:
                raise UnhealthyError("not whole after a change: " + "; ".join(missing))
            time.sleep(POLL_SECONDS)
