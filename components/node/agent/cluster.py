"""etcd as membership sees it: this machine's process, and whatever the other members agree on."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from components.node import machine
from components.node.agent.cloud import Cloud, NotFoundError
from components.node.agent.etcdctl import Etcdctl, EtcdctlError, ListedMember, MemberList
from components.node.agent.files import sha256_of, write
from components.node.agent.folders import Folders
from components.node.agent.step import NotYetError
from components.node.agent.systemd import Services
from components.node.etcd import UNIT, Files, Start, client_url, configuration, metrics_url, unit
from components.node.membership import Data, Quorum, Voter
from components.node.record import RestoreOrder, Static

Answer = TypeVar("Answer")

LOG_SECONDS: Final = 30.0
"""How long etcd may take until it has a write-ahead log: a join reads the member list from the others first."""

LIST_SECONDS: Final = 2.0
"""How long one member is waited for when a quorum is looked for: etcdctl waits all of it for a dead one, too."""

SERVING: Final = "/health?exclude=NOSPACE&exclude=CORRUPT"
"""Whether a member is part of a quorum. Alarms are raised for all members at once, and take none out of it."""

LIVING: Final = "/livez"
"""Whether a member has compared its data with the others' and is there, with a quorum or without."""

TURN_SECONDS: Final = 3.0
"""How long the one before is waited for. A start takes a second; one that is there is not waited for at all."""

HEALTH_SECONDS: Final = 1.5
"""Longer than an election at 100/1000."""

UNSAFE: Final = (
    "unhealthy cluster", "not enough started members", "in sync with leader", "too many learner members",
    # Also the answer to an addition right after a removal that the answering member has not applied.
    "member not found",
)  # fmt: skip
"""What etcd says when it refuses a change for now (server/etcdserver/errors of etcd)."""


class SnapshotError(Exception):
    """This member cannot restore the ordered snapshot; trying again would not help."""

    def __init__(self, order: RestoreOrder, message: str) -> None:
        super().__init__(message)
        self.order = order


@dataclass
class EtcdCluster:
    """`joining.Cluster` with real processes."""

    me: machine.Peer
    etcd: machine.Etcd
    files: Files
    folders: Folders
    volume: Path
    binaries: Path
    services: Services
    cloud: Cloud
    hand_over: str
    fetch_health: Callable[[str], bool] = field(default=lambda url: answers(url, HEALTH_SECONDS))
    _endpoints: tuple[str, ...] = ()

    @property
    def etcdctl(self) -> Etcdctl:
        """With this machine's own client certificate."""
        return Etcdctl(
            self.binaries / "etcdctl",
            self.files.authority("client"),
            self.files.certificate("client"),
            self.files.key("client"),
        )

    def quorum(self, static: Static) -> Quorum | None:
        """Asks every other member, and takes only an answer that bears this generation's cluster ID."""
        addresses = {urlsplit(url).hostname or "" for url in static.members.values()}
        addresses |= {member.address for member in self.etcd.members}
        endpoints = sorted(client_url(address) for address in addresses - {self.me.address})
        members = self._first_list(endpoints, static.cluster_id)
        if members is None:
            return None
        urls = [metrics_url(urlsplit(member.peer_urls[0]).hostname or "", SERVING) for member in members]
        healthy = _at_once(self.fetch_health, urls)
        return Quorum(
            tuple(
                Voter(member.id, member.peer_urls[0], member.learner, is_healthy)
                for member, is_healthy in zip(members, healthy, strict=True)
            )
        )

    def start(self, data: Data, static: Static, initial_cluster: str, *, existing: bool) -> None:
        """Write configuration and unit, start, and wait for the log (`joining.Cluster.start`)."""
        path = self.folders.path(data)
        with_log = self.folders.has_log(data)
        if not with_log:
            self.folders.clear(data)
        first = Start(path, initial_cluster, static.token, existing)
        # A log that is not of an existing cluster was restored just now, from the same snapshot on all.
        compares = with_log and existing
        changed = self._configure(Start.with_log(path, compares=compares) if with_log else first)
        changed |= self.services.install(
            UNIT, unit(self.binaries / "etcd", self.files, self.volume, path, self.hand_over)
        )
        # Options of a member that runs change with its machine, not under its feet, unless it is to become another.
        if changed and not with_log and self.services.active(UNIT):
            self.services.stop(UNIT)
        if compares and not self.services.active(UNIT):
            self._await_turn()
        self.services.start(UNIT, wait=False)
        self._await_log(data)
        self._configure(Start.with_log(path))

    def _configure(self, start: Start) -> bool:
        """Write the configuration file; whether it was another one before."""
        return write(self.files.configuration, configuration(self.me, self.etcd, self.files, start).encode())

    def stop(self) -> None:
        # A machine that has not started etcd yet has no such unit.
        if self.services.active(UNIT):
            self.services.stop(UNIT)

    def abandon(self) -> None:
        if self.services.active(UNIT):
            self.services.kill(UNIT)

    def remove(self, member_id: int) -> None:
        with _unsafe_is_not_yet():
            self.etcdctl.remove(self._endpoints, member_id)

    def add_learner(self, name: str, peer_url: str) -> tuple[int, str]:
        with _unsafe_is_not_yet():
            member_id, members = self.etcdctl.add_learner(self._endpoints, name, peer_url)
        return member_id, initial_cluster(members, member_id, name)

    def disarm(self) -> None:
        self.etcdctl.disarm(self._endpoints)

    def promote(self, member_id: int) -> None:
        with _unsafe_is_not_yet():
            self.etcdctl.promote(self._endpoints, member_id)

    def restore(self, order: RestoreOrder, data: Data, member: str) -> None:
        if self.folders.restored(data).exists():
            return
        self.folders.discard_restores()
        snapshot = self.volume / "snapshot.restoring"
        try:
            self.cloud.download(order.snapshot, str(snapshot))
            if (digest := sha256_of(snapshot)) != order.sha256:
                raise SnapshotError(order, f"{order.snapshot}: sha256 is {digest}, the order says {order.sha256}")
            self._restore_file(order, snapshot, self.folders.restoring(data), member)
        except NotFoundError:
            raise SnapshotError(order, f"{order.snapshot} is not in the object store") from None
        except OSError as error:
            raise SnapshotError(order, f"{self.volume}: {error.strerror or error}") from None
        finally:
            snapshot.unlink(missing_ok=True)
        self.folders.keep_restored(data)

    def _restore_file(self, order: RestoreOrder, snapshot: Path, target: Path, member: str) -> None:
        command = [
            str(self.binaries / "etcdutl"), "snapshot", "restore", str(snapshot),
            "--name", member,
            "--data-dir", str(target),
            "--initial-cluster", order.initial_cluster,
            "--initial-cluster-token", order.token,
            "--initial-advertise-peer-urls", order.members[member],
            "--bump-revision", str(order.bump),
            "--mark-compacted",
        ]  # fmt: skip
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            said = answer.stderr.strip().splitlines() or [str(answer.returncode)]
            raise SnapshotError(order, f"etcdutl snapshot restore {order.snapshot}: {said[-1][-300:]}")

    def _first_list(self, endpoints: Sequence[str], cluster_id: int) -> tuple[ListedMember, ...] | None:
        """The first answer will do, since a quorum agreed on it; members that are cut off are not waited for."""
        if not endpoints:
            return None
        pool = ThreadPoolExecutor(len(endpoints))
        try:
            asked = {pool.submit(self._list, endpoint): endpoint for endpoint in endpoints}
            for done in as_completed(asked):
                answer = done.result()
                if answer is not None and answer.cluster_id == cluster_id:
                    self._endpoints = (asked[done],)
                    return answer.members
            return None
        finally:
            pool.shutdown(wait=False)

    def _list(self, endpoint: str) -> MemberList | None:
        try:
            return self.etcdctl.member_list((endpoint,), timeout=LIST_SECONDS)
        except EtcdctlError:
            return None

    def _await_turn(self) -> None:
        """Where no quorum serves, let the members before this one start first, so that they answer when it compares."""
        others = sorted((one for one in self.etcd.members if one.name != self.me.name), key=lambda one: one.name)
        before = [one for one in others if one.name < self.me.name]
        ready = [metrics_url(one.address, LIVING) for one in before[-1:]]
        ready += [metrics_url(one.address, SERVING) for one in others]
        deadline = time.monotonic() + TURN_SECONDS * len(before)
        while time.monotonic() < deadline and not _any_at_once(self.fetch_health, ready):
            time.sleep(0.1)

    def _await_log(self, data: Data) -> None:
        deadline = time.monotonic() + LOG_SECONDS
        while not self.folders.has_log(data):
            # The unit's own condition: it starts without a log only what is prepared.
            if self.folders.nonce(data) is None:
                raise NotYetError(f"{self.folders.path(data)} was emptied while etcd was started on it")
            if time.monotonic() > deadline:
                raise NotYetError(f"etcd has no write-ahead log after {LOG_SECONDS:.0f} s: journalctl -u {UNIT}")
            time.sleep(0.05)


def initial_cluster(members: MemberList, own_id: int, own_name: str) -> str:
    """What a joining member starts with: all others by name, itself by the name that the list lacks yet."""
    names = {member.id: own_name if member.id == own_id else member.name for member in members.members}
    # A member that never started has no name; etcd compares peer URLs only.
    return ",".join(
        f"{names[member.id] or f'{member.id:x}'}={url}" for member in members.members for url in member.peer_urls
    )


@contextmanager
def _unsafe_is_not_yet() -> Iterator[None]:
    """etcd refuses a change that its members' connections do not look safe for; they have to be up for 5 s."""
    try:
        yield
    except EtcdctlError as error:
        if any(reason in str(error) for reason in UNSAFE):
            raise NotYetError(str(error)) from None
        raise


def answers(url: str, timeout: float) -> bool:
    """Whether an HTTP GET is answered with 200 in time."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:  # noqa: S310 the URL is built from the document
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _any_at_once(function: Callable[[str], bool], arguments: Sequence[str]) -> bool:
    """Whether it is true of one; the others are not waited for."""
    pool = ThreadPoolExecutor(len(arguments))
    try:
        return any(done.result() for done in as_completed([pool.submit(function, one) for one in arguments]))
    finally:
        pool.shutdown(wait=False)


def _at_once(function: Callable[[str], Answer], arguments: Sequence[str]) -> list[Answer]:
    if not arguments:
        return []
    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(function, arguments))
