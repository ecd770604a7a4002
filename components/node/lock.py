"""The cluster's lock, on conditional writes to the object store: one membership change or replacement at a time.

No clock is compared with another machine's. Whoever wants the lock watches the holder's last write; when it has not
changed for the lock's own time, by the watcher's clock, it is taken over with a conditional write. The holder confirms
with a conditional write before each thing that it does, so that one that was overtaken stops.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from components.node.agent.cloud import ConflictError, NotFoundError
from components.node.record import Lock


class LockedError(Exception):
    """Somebody else holds the lock."""


class LockLostError(Exception):
    """The lock was taken over while this machine held it."""


class Store(Protocol):
    """The part of a cloud that the lock needs."""

    def get(self, key: str) -> tuple[bytes, str]: ...

    def put(
        self, key: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None,
        retain_until: float | None = None,
    ) -> str: ...  # fmt: skip


class ClusterLock:
    """The lock as one machine sees it. `holder` is the machine's name: its next incarnation holds what it held."""

    def __init__(self, store: Store, key: str, holder: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._key = key
        self._holder = holder
        self._clock = clock
        self._etag: str | None = None
        self._held: Lock | None = None
        self._watched: tuple[str, float] | None = None
        self._left_behind: str | None = None

    @property
    def left_behind(self) -> bool:
        """Whether the store did not answer when the lock was to be freed: `forget` frees it."""
        return self._left_behind is not None

    @contextmanager
    def hold(self, purpose: str, seconds: float) -> Iterator[None]:
        """Hold the lock for a while; within a longer purpose of this machine's own it is left to that one.

        Raises:
            LockedError: somebody else holds it; says who and what for.
            CloudError: the store did not answer.
        """
        before = self.acquire(purpose, seconds)
        try:
            yield
        finally:
            if before is None or before.purpose == purpose:
                self.release()

    def acquire(self, purpose: str, seconds: float) -> Lock | None:
        """Take the lock, or raise as `hold` does. What this machine held already; that goes on under its purpose."""
        current, etag = self.read()
        own = current is not None and current.holder == self._holder
        # What this machine meant to free is nothing longer that goes on.
        mine = current if own and current is not None and current.nonce != self._left_behind else None
        if current is not None and current.holder and not own and not self._abandoned(current, etag):
            raise LockedError(f"{current.holder} holds the cluster's lock: {current.purpose}")
        wanted = Lock(
            holder=self._holder,
            purpose=mine.purpose if mine else purpose,
            nonce=secrets.token_hex(8),
            seconds=max(seconds, mine.seconds) if mine else seconds,
        )
        try:
            self._etag = self._put(wanted, etag)
        except ConflictError:
            raise LockedError("another machine took the cluster's lock first") from None
        self._held = wanted
        return mine

    def confirm(self) -> None:
        """Renew the lock before doing something that needs it.

        Raises:
            LockLostError: it was taken over, or never held.
        """
        if self._held is None or self._etag is None:
            raise LockLostError("the cluster's lock is not held")
        renewed = self._held.model_copy(update={"nonce": secrets.token_hex(8)})
        try:
            self._etag = self._put(renewed, self._etag)
        except ConflictError:
            self._held = self._etag = None
            raise LockLostError("the cluster's lock was taken over") from None
        self._held = renewed

    def release(self) -> None:
        """Free the lock if this machine holds it."""
        if self._held is None or self._etag is None:
            return
        held, self._held = self._held, None
        self._left_behind = held.nonce
        try:
            self._put(_free(held), self._etag)
        except ConflictError:
            self._etag = None
        self._left_behind = None

    def forget(self, spared: str) -> None:
        """Free what this machine left behind, and what an earlier incarnation of it held when it ended, unless that was
        for `spared`: nobody goes on with it, and the others would wait until its time is over. Raises `CloudError`.
        """
        current, etag = self.read()
        if self._held is not None or current is None or current.holder != self._holder:
            return
        if current.nonce == self._left_behind or current.purpose != spared:
            # Where this fails, somebody has overtaken it.
            with suppress(ConflictError):
                self._put(_free(current), etag)
        self._left_behind = None

    def read(self) -> tuple[Lock | None, str | None]:
        """What the store says, with its etag; None where the lock was never held."""
        try:
            content, etag = self._store.get(self._key)
        except NotFoundError:
            return None, None
        return Lock.model_validate_json(content), etag

    def _abandoned(self, current: Lock, etag: str | None) -> bool:
        now = self._clock()
        if etag is None or self._watched is None or self._watched[0] != etag:
            self._watched = (etag or "", now)
            return False
        return now - self._watched[1] > current.seconds

    def _put(self, lock: Lock, etag: str | None) -> str:
        return self._store.put(self._key, lock.encode(), if_absent=etag is None, if_match=etag)


def _free(held: Lock) -> Lock:
    return Lock(holder="", purpose="", nonce=secrets.token_hex(8), seconds=held.seconds)
