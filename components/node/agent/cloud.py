"""What the agent asks of a cloud: the one seam between the agent and where it runs."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


class CloudError(Exception):
    """The cloud did not answer, or refused. Nothing may be concluded from it: "unreadable" is not "absent"."""


class AccessDeniedError(CloudError):
    """The cloud answered that this machine's role may not do that."""


class NotFoundError(CloudError):
    """The cloud answered, and what was asked for does not exist. The only error that means absence."""


class ConflictError(CloudError):
    """A conditional write did not hold: somebody else wrote first."""


@dataclass(frozen=True)
class Instance:
    """This incarnation of the machine, as the cloud sees it."""

    id: str
    """Unique to this incarnation: a replaced machine has another."""
    group: str
    machine: str
    """Name of the slot it fills: stable over incarnations."""
    zone: str
    address: str
    template: str
    """Fingerprint of the template that it booted from."""
    desired_template: str
    """Fingerprint of its group's template now; differs while a change rolls."""
    provider_id: str = ""
    """Of the Node of this incarnation, where the cloud has a controller manager."""


@dataclass(frozen=True)
class StoredObject:
    """An entry of a listing."""

    key: str
    size: int
    etag: str
    modified: float
    """Unix time."""


class Cloud(Protocol):
    """Every call raises `CloudError` or one of its subclasses; every call has its own short timeout."""

    def instance(self) -> Instance: ...

    def take_address(self, address: str) -> None:
        """Make `address` this machine's, away from whoever had it."""

    def attach_volume(self) -> str:
        """Attach this machine's volume and wait for it; the block device's path."""

    def secret(self, name: str) -> bytes: ...

    def get(self, key: str) -> tuple[bytes, str]:
        """Content and etag of an object in the stack's bucket."""

    def put(
        self,
        key: str,
        content: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        retain_until: float | None = None,
    ) -> str:
        """Write an object, conditionally if asked, locked until a Unix time if asked; its new etag."""

    def delete(self, key: str) -> None: ...

    def list(self, prefix: str) -> list[StoredObject]:
        """Objects whose key starts with `prefix`, sorted by key."""

    def download(self, key: str, path: str) -> None:
        """Write an object to a file without holding it in memory."""

    def upload(self, key: str, path: str, *, retain_until: float | None = None) -> None:
        """Write a file to an object without holding it in memory."""

    def wrap(self, content: bytes) -> bytes:
        """Encrypt with the cloud's key service; what comes back no machine has to be able to read."""

    def report(self, *, ready: bool, phase: str, message: str, certificate_days: float | None, concerns: int) -> None:
        """Tell people (and whoever waits for this machine) how it is.

        `certificate_days`: until the first of its certificates ends; None before it has any. `concerns`: how many
        things people should know of though it is ready, such as a snapshot that could not be restored.
        """

    def route(self, cidr: str, via: str | None = None) -> None:
        """Send `cidr` (a node's pods) to this machine, or to the one that has the address `via`."""

    def routes(self) -> dict[str, str]:
        """What the network sends to machines: CIDR → address of the machine."""

    def unroute(self, cidr: str, via: str) -> None:
        """Send `cidr` nowhere, if it still goes to the machine that has, or had, the address `via`."""

    def replace_me(self, reason: str) -> None:
        """Ask for a new machine in this one's place, which has left already."""

    def ending(self) -> bool:
        """Whether the cloud is about to end this machine and waits until it has left."""

    def let_go(self) -> None:
        """Tell the cloud that this machine has left and may be ended at once."""


@runtime_checkable
class SecretKeeper(Protocol):
    """A cloud in whose secret store masters keep what others than they read: a worker's bootstrap token."""

    def secret(self, name: str) -> bytes: ...

    def keep_secret(self, name: str, content: bytes) -> None:
        """Put `content` in the place of what the secret held; the program made the secret."""
