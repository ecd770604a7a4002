"""Machines whose etcd is restored: by `make restore` on one side, by their agents on the other."""

import json
import secrets
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cli import restore as command
from cli import restore_plan as plan
from cli.object_store import Memory
from cli.restore import Wanted, progress_of
from components.node.agent.cloud import Instance
from components.node.agent.member import cluster
from components.node.agent.snapshot_store import SnapshotStore
from components.node.agent.take_snapshot import PURPOSE, lock_of, take
from components.node.etcd import client_url
from components.node.record import Keys, Record, RestoreOrder
from components.node.restore import Progress
from components.node.snapshots import Reason, Snapshot, SnapshotKeys
from providers.local.objects import Bucket
from tests.agent.processes import eventually
from tests.healing.machines import SLOW, Machines
from tests.snapshots.bucket_cloud import BucketCloud

UID = "u1"
ENGINE: Any = SimpleNamespace(stack="test")


class Restorable(Machines):
    """Machines with a bucket, which is also their owner's to read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.bucket = Bucket(folder / "bucket")
        self.store = self.cloud(Instance("owner", "", "", "", "", "", ""))

    def cloud(self, instance: Instance) -> BucketCloud:
        return BucketCloud(instance, self.bucket, self.secrets)

    @property
    def memory(self) -> Memory:
        return Memory(UID, self.store)  # type: ignore[arg-type]

    def present(self, **roles: str) -> None:
        """Machines say that they are there, as their step `rolling` does."""
        for member in self.members:
            said = {"machine": member.name, "role": roles.get(member.name, "member"), "address": member.address}
            self.store.put(Keys(UID).presence(member.name), json.dumps(said).encode())

    def etcdctl(self, name: str, *words: str) -> str:
        """What etcdctl prints, asked of one member."""
        context = self.machines[name]
        endpoint = (client_url(context.machine.address),)
        return cluster(context).etcdctl._run(endpoint, *words, timeout=20).strip()

    def put(self, key: str, value: str = "x", by: str = "member-1") -> None:
        self.etcdctl(by, "put", key, value)

    def value(self, key: str, by: str = "member-1") -> str:
        return self.etcdctl(by, "get", key, "--print-value-only")

    def snapshot(self) -> Snapshot:
        """Take one as a member does."""
        context = self.machines["member-1"]
        held = lock_of(context)
        with held.hold(PURPOSE, 60):
            return take(context, held, context.machine.address, Reason.REQUEST)

    def damage(self, snapshot: Snapshot, content: bytes | None) -> None:
        """Put something else where the snapshot's content was; None: nothing."""
        key = SnapshotKeys(UID).database(snapshot.name)
        self.store.delete(key)
        if content is not None:
            self.store.put(key, content)

    def record(self) -> Record:
        return Record.model_validate_json(self.store.get(Keys(UID).record)[0])

    def order(self, snapshot: Snapshot) -> RestoreOrder:
        """Order a restore and leave: the machines do it by themselves."""
        previous, _ = command.order_of(self.memory)
        generation = plan.next_generation(self.record(), previous)
        metadata = SnapshotStore(self.store, UID).metadata(snapshot.name)
        bump = plan.bump(metadata.revision, previous)
        made = RestoreOrder(
            generation=generation, token=secrets.token_hex(8), members=self.record().members,
            snapshot=SnapshotKeys(UID).database(snapshot.name), sha256=metadata.sha256,
            begins_at=metadata.revision + bump, bump=bump,
        )  # fmt: skip
        self.store.put(Keys(UID).restore, made.encode())
        return made

    def progress(self, order: RestoreOrder) -> Progress:
        return progress_of(self.memory, order)

    def await_finished(self, order: RestoreOrder) -> None:
        eventually(lambda: self.progress(order).finished, SLOW, f"generation {order.generation} serves")

    def restore(self, **wanted: Any) -> int:
        """`make restore`; its exit status."""
        return command.restore(ENGINE, Wanted(**wanted))
