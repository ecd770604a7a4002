"""What is done about a member that holds up who waits for it: another one leads, and masters ask another one."""

from dataclasses import dataclass
from typing import Final

from components.node.agent.etcdctl import EtcdctlError
from components.node.agent.member import cluster
from components.node.agent.passthrough import spare
from components.node.agent.step import Context
from components.node.etcd import UNIT, client_url
from components.node.machine import Peer, Role
from components.node.slowness import Judgement

ON_THE_WAY_SECONDS: Final = 0.5
"""How much of what a leader has sent may still be on its way. Who hears nothing after it elects another within two
election timeouts. A move needs the last entries to be there and acknowledged within one: where five members share
1 Mbit/s, none of four came to anything in 10 s (measured)."""


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
            context.log(cause.name, words if slow else f"over: {words}")
        if slow:
            context.concerns[cause.concern] = words
        else:
            context.concerns.pop(cause.concern, None)
        context.metrics.set(cause.gauge, slow)
        self._said = slow

    def may_hand_over(self, now: float) -> bool:
        """Whether this machine has the member, and gave no leadership away of late."""
        return self._member.name == self._context.machine.name and self._judgement.may_move(now)

    def hand_over(self, now: float, name: str, member_id: int) -> None:
        """Make the member `name` leader instead of this one, which leads; if that fails, whoever the others elect.

        Raises:
            ServiceError: etcd could not be paused.
        """
        context = self._context
        try:
            cluster(context).etcdctl.move_leader(client_url(self._member.address), member_id)
            context.log(self._cause.name, f"{name} leads now")
        except EtcdctlError as error:
            context.log(self._cause.name, f"etcd is paused, so that others elect a leader: {error}")
            context.services.pause(UNIT, 2 * context.machine.etcd.election_ms / 1000 + ON_THE_WAY_SECONDS)
        self._judgement.moved_at = now
        context.metrics.count("leadership_moves_total")
