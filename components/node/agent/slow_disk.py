"""The step `slow-disk`: nobody waits for a member whose disk is slow while another's is quick.

etcd keeps a leader whose disk takes 0.1 s for each sync: it is alive, and every write and every linearizable read
waits for it. A disk that hangs for longer than an election needs nobody, since its leader sends no heartbeat. So
the member gives leadership to one whose disk is quick, and masters beside it ask another member until it is well.
"""

import gzip
import time
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException
from typing import Final

from components.node import passthrough
from components.node.agent.background import Background
from components.node.agent.slow_member import Cause, SlowMember
from components.node.agent.step import Context, Step
from components.node.etcd import metrics_url
from components.node.machine import Machine, Peer, Role
from components.node.sync_times import BEARABLE, QUICK, Look, parse, quicker

ROUND_SECONDS: Final = 0.5
OTHERS_ROUNDS: Final = 2
"""A look at 200 kB of metrics takes etcd 7 ms of a core (measured): only a leader is looked at in every round."""

CONFIRM_SECONDS: Final = 1.5
"""The second window, in which the others' disks are looked at, too. In one of 0.5 s a disk was taken for slow that
others kept busy for a second, and leadership moved for nothing: a machine that booted beside it (measured: in the drill
`balancer-and-master-kill`, clients felt it 17 s after the fault)."""

ANSWER_SECONDS: Final = 0.5

CAUSE: Final = Cause(
    name="slow-disk",
    concern="disk-speed",
    gauge="etcd_disk_slow",
    words=f"'s disk is slow: half of etcd's syncs take over {BEARABLE} s, others' under {QUICK} s",
    spares=True,
)


class SlowDisk(Step):
    """In the background: a slow disk holds up what else the agent does."""

    name = CAUSE.name

    def __init__(self) -> None:
        self._background: Background | None = None

    def applies(self, machine: Machine) -> bool:
        return machine.role is not Role.BALANCER and len(machine.etcd.members) > 1

    def run(self, context: Context) -> None:
        self._background = self._background or Background(context, self.name, Watch(context).once, ROUND_SECONDS)
        self._background.start()


class Watch:
    """Over the member on this machine; on a master without one, over the member that it asks first."""

    def __init__(self, context: Context) -> None:
        machine = context.machine
        self._member = passthrough.order(machine)[0]
        self._others = [peer for peer in machine.etcd.members if peer != self._member]
        self._slow = SlowMember(context, self._member, CAUSE)
        self._elsewhere = self._member.name != machine.name
        self._before: Look | None = None
        self._rounds = 0

    def once(self) -> None:
        """One round."""
        rounds, self._rounds = self._rounds, self._rounds + 1
        if rounds % OTHERS_ROUNDS and not (self._before and self._before.leads):
            return
        before, self._before = self._before, self._look()
        if before is None or self._before is None:
            return
        better = self._better() if self._before.syncs.since(before.syncs).any_slow else {}
        now = time.monotonic()
        try:
            self._slow.found(now, slow=bool(better))
        finally:
            if better and self._before.leads and self._slow.may_hand_over(now):
                self._slow.hand_over(now, {name: look.member_id for name, look in better.items()})

    def _better(self) -> dict[str, Look]:
        """The other voters, if this one's disk is slow and one of theirs is quick; those come first."""
        own, others = self._before, look_at_each(self._others)
        time.sleep(CONFIRM_SECONDS)
        self._before = self._look()
        if own is None or self._before is None or not self._before.syncs.since(own.syncs).are_slow:
            return {}
        now = look_at_each(self._others)
        quick = quicker(others, now)
        return {**quick, **{name: look for name, look in now.items() if look.votes}} if quick else {}

    def _look(self) -> Look | None:
        return look_at(self._member, packed=self._elsewhere)


def look_at(member: Peer, *, packed: bool = False) -> Look | None:
    """What a member's metrics say now; None where it does not answer. `packed` they are 15 kB instead of 200, which is
    felt on a slow link, and cost etcd a third more."""
    url = metrics_url(member.address, "/metrics")
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"} if packed else {})  # noqa: S310 the URL is built from the document
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 as above
            content = answer.read()
            was_packed = answer.headers["Content-Encoding"] == "gzip"
            return parse((gzip.decompress(content) if was_packed else content).decode())
    except (OSError, HTTPException):
        return None


def look_at_each(members: Iterable[Peer]) -> dict[str, Look]:
    """Those that answer, by name."""
    looks = {member.name: look_at(member, packed=True) for member in members}
    return {name: look for name, look in looks.items() if look is not None}
