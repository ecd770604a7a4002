"""etcdctl, typed. Started only when something changes: each start costs tens of milliseconds of CPU."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

SNAPSHOT_SECONDS: Final = 1800.0
"""8 GiB, the largest quota, at 5 MB/s."""

MOVE_SECONDS: Final = 1.0
"""Raft gives a move up after an election timeout (etcd's `raft.go`, `abortLeaderTransfer`), takes no proposals until
then, and etcd goes on waiting all the same."""


class EtcdctlError(Exception):
    """etcdctl failed; says what it was asked and what it answered."""


@dataclass(frozen=True)
class ListedMember:
    """An entry of the member list."""

    id: int
    name: str
    """Empty for one that has never started."""
    peer_urls: tuple[str, ...]
    learner: bool


@dataclass(frozen=True)
class MemberList:
    """A list that a quorum agreed on (a linearizable read)."""

    cluster_id: int
    members: tuple[ListedMember, ...]


@dataclass(frozen=True)
class EndpointStatus:
    """What one member says about itself."""

    member_id: int
    leader_id: int
    learner: bool
    database_bytes: int
    used_bytes: int
    revision: int


class AlarmKind(IntEnum):
    """As etcd numbers them."""

    NOSPACE = 1
    CORRUPT = 2


@dataclass(frozen=True)
class Alarm:
    """An alarm that a member raised for itself, or that the leader raised for it."""

    member_id: int
    """0: the leader cannot tell for whom."""
    kind: AlarmKind


@dataclass(frozen=True)
class Etcdctl:
    """Calls with one set of certificates against the endpoints given. Every method raises `EtcdctlError`."""

    binary: Path
    certificate_authority: Path
    certificate: Path
    key: Path

    def member_list(self, endpoints: Sequence[str], timeout: float = 3) -> MemberList:
        """The list, by consent of a quorum. `timeout` in seconds."""
        answer = self._json(endpoints, "member", "list", timeout=timeout)
        return MemberList(answer["header"]["cluster_id"], tuple(_member(entry) for entry in answer["members"]))

    def known_members(self, endpoint: str) -> tuple[ListedMember, ...]:
        """The members that one member knows of, without asking others: its list may be old."""
        answer = self._json((endpoint,), "member", "list", "--consistency=s", timeout=1)
        return tuple(_member(entry) for entry in answer["members"])

    def add_learner(self, endpoints: Sequence[str], name: str, peer_url: str) -> tuple[int, MemberList]:
        """Add a learner; its ID, and the list with it."""
        answer = self._json(endpoints, "member", "add", name, "--learner", f"--peer-urls={peer_url}")
        members = tuple(_member(entry) for entry in answer["members"])
        return answer["member"]["ID"], MemberList(answer["header"]["cluster_id"], members)

    def promote(self, endpoints: Sequence[str], member_id: int) -> None:
        """Make a learner a voter; etcd refuses until it is in sync."""
        self._json(endpoints, "member", "promote", f"{member_id:x}")

    def remove(self, endpoints: Sequence[str], member_id: int) -> None:
        """Remove a member for good."""
        self._json(endpoints, "member", "remove", f"{member_id:x}")

    def status(self, endpoint: str) -> EndpointStatus:
        """What the member at one endpoint says about itself; does not need a quorum."""
        answer = self._json((endpoint,), "endpoint", "status", timeout=2)[0]["Status"]
        return EndpointStatus(
            member_id=answer["header"]["member_id"],
            leader_id=answer.get("leader", 0),
            learner=answer.get("isLearner", False),
            database_bytes=answer.get("dbSize", 0),
            used_bytes=answer.get("dbSizeInUse", 0),
            revision=answer["header"].get("revision", 0),
        )

    def move_leader(self, endpoint: str, to: int, timeout: float = MOVE_SECONDS) -> None:
        """Make the member `to` leader; `endpoint` is the leader's. `timeout` in seconds."""
        self._run((endpoint,), "move-leader", f"{to:x}", timeout=timeout)

    def defragment(self, endpoint: str) -> None:
        """Give free pages back to the file system; the member serves nothing meanwhile (about 1 s per 100 MiB)."""
        self._run((endpoint,), "defrag", timeout=120)

    def save_snapshot(self, endpoint: str, path: Path) -> None:
        """Stream a snapshot of one member to a file; from the moment it begins, at this member's revision."""
        self._run((endpoint,), "snapshot", "save", str(path), timeout=SNAPSHOT_SECONDS)

    def delete_prefix(self, endpoints: Sequence[str], prefix: str) -> None:
        """Delete all keys that start with `prefix`."""
        self._run(endpoints, "del", "--prefix", prefix, timeout=5)

    def compact(self, endpoint: str, revision: int) -> None:
        """Forget the history before `revision`, and wait until its space is free; done already is fine."""
        try:
            self._run((endpoint,), "compact", "--physical", str(revision), timeout=120)
        except EtcdctlError as error:
            if "has been compacted" not in str(error):
                raise

    def alarms(self, endpoints: Sequence[str]) -> tuple[Alarm, ...]:
        """The alarms that are raised."""
        answer = self._json(endpoints, "alarm", "list")
        return tuple(Alarm(entry.get("memberID", 0), AlarmKind(entry["alarm"])) for entry in answer.get("alarms", ()))

    def disarm(self, endpoints: Sequence[str]) -> None:
        """Clear the alarms."""
        self._run(endpoints, "alarm", "disarm", timeout=5)

    def _json(self, endpoints: Sequence[str], *arguments: str, timeout: float = 5) -> Any:
        return json.loads(self._run(endpoints, *arguments, "--write-out=json", timeout=timeout))

    def _run(self, endpoints: Sequence[str], *arguments: str, timeout: float) -> str:
        command = [
            str(self.binary),
            f"--endpoints={','.join(endpoints)}",
            f"--cacert={self.certificate_authority}",
            f"--cert={self.certificate}",
            f"--key={self.key}",
            f"--dial-timeout={min(timeout, 2):g}s",
            f"--command-timeout={timeout:g}s",
            *arguments,
        ]
        what = f"etcdctl {' '.join(arguments)} at {', '.join(endpoints)}"
        try:
            answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout + 3)
        except subprocess.TimeoutExpired:
            raise EtcdctlError(f"{what}: no answer within {timeout + 3:g} s") from None
        except OSError as error:
            raise EtcdctlError(f"{what}: {error.strerror}: {self.binary}") from None
        if answer.returncode != 0:
            raise EtcdctlError(f"{what}: {answer.stderr.strip().splitlines()[-1:] or answer.returncode}")
        return answer.stdout


def _member(entry: dict[str, Any]) -> ListedMember:
    return ListedMember(
        id=entry["ID"],
        name=entry.get("name", ""),
        peer_urls=tuple(entry.get("peerURLs", ())),
        learner=entry.get("isLearner", False),
    )
