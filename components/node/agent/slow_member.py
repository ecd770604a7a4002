"""What is done about a member that holds up who waits for it: another one leads, and masters ask another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.node.agent.etcdctl import EtcdctlError
from components.node.agent.member import cluster
from components.node.agent.passthrough import spare
from components.node.agent.peers import drop_unsent
from components.node.agent.step import Context
from components.node.etcd import UNIT, client_url
from components.node.machine import Peer, Role
from components.node.slowness import Judgement

ON_THE_WAY_SECONDS: Final = 0.5
"""How much of what a leader has sent may still be on its way. Who hears nothing after it elects another within two
election timeouts."""

START_SECONDS: Final = 0.3
"""Of etcdctl. Raft gives a move up after an election timeout (etcd's `raft.go`, `abortLeaderTransfer`)."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What makes a member slow."""

    name: str
    """Of the step that looks for it."""
    concern: str
    """Its subject among the machine's concerns."""
    gauge: str
    """1 while it lasts."""
    words: str
    """What on-call reads, right after the member's name."""
    spares: bool
    """Whether a master asks another member meanwhile."""


class SlowMember:
    """One member, and one cause."""

    def __init__(self, context: Context, member: Peer, cause: Cause) -> None:
        self._context = context
        self._member = member
        self._cause = cause
        self._judgement = Judgement()
        self._said: bool | None = None

    def found(self, now: float, *, slow: bool) -> None:
        """Take note of a window; `now` is monotonic.

        Raises:
            OSError: the passthrough is not running.
            SpareError: it refused.
        """
        context, cause = self._context, self._cause
        words = f"{self._member.name}{cause.words}"
        slow = self._judgement.found(now, slow=slow)
        # Again and again while it lasts: an HAProxy that was started anew does not know.
        if cause.spares and context.machine.role is Role.MASTER and (slow or slow != self._said):
            spare(self._member.name, spared=slow)
        if slow != self._said and (slow or self._said):
            self._log(words if slow else f"over: {words}")
        if slow:
            context.concerns[cause.concern] = words
        else:
            context.concerns.pop(cause.concern, None)
        context.metrics.set(cause.gauge, slow)
        self._said = slow

    def may_hand_over(self, now: float) -> bool:
        """Whether this machine has the member, and gave no leadership away of late."""
        return self._member.name == self._context.machine.name and self._judgement.may_move(now)

    def hand_over(self, now: float, others: Mapping[str, int], *, movable: bool = True) -> None:
        """Have another member lead instead of this one, which does: the first of `others`, the IDs of voters that are
        there, or, where etcd does not move leadership or is said not to (`movable`), whom they elect.

        Raises:
            ServiceError: etcd could not be paused.
        """
        etcd = self._context.machine.etcd
        electable = len(others) > len(etcd.members) // 2
        moved = (movable or not electable) and self._move(*next(iter(others.items())))
        if not moved and electable:
            self._log("etcd is paused, so that others elect a leader")
            drop_unsent(self._context, self._member.address)
            self._context.services.pause(UNIT, 2 * etcd.election_ms / 1000 + ON_THE_WAY_SECONDS)
            moved = True
        if moved:
            self._context.metrics.count("leadership_moves_total")
        self._judgement.moved_at = now

    def _move(self, name: str, member_id: int) -> bool:
        context = self._context
        seconds = context.machine.etcd.election_ms / 1000 + START_SECONDS
        try:
            cluster(context).etcdctl.move_leader(client_url(self._member.address), member_id, seconds)
        except EtcdctlError as error:
            self._log(f"leadership does not go to {name}: {error}")
            return False
        self._log(f"{name} leads now")
        return True

    def _log(self, words: str) -> None:
        self._context.log(self._cause.name, words)
