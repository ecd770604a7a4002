"""A cloud in memory: an object store with conditional writes, secrets, and switches to make it fail."""

import itertools
from pathlib import Path

from components.node.agent.cloud import (
    AccessDeniedError,
    CloudError,
    ConflictError,
    Instance,
    NotFoundError,
    StoredObject,
)


class MemoryCloud:
    """`Cloud` for tests. Several machines may share `objects`."""

    def __init__(self, instance: Instance, objects: dict[str, tuple[bytes, str]], secrets: dict[str, bytes]) -> None:
        self.here = instance
        self.objects = objects
        self.secrets = secrets
        self.down = False
        self.reports: list[tuple[bool, str, str]] = []
        self.concerns = 0
        """As reported last."""
        self.replacements: list[str] = []
        self.device = ""
        self.network: dict[str, str] = {}
        """Routes: CIDR → address."""
        self.is_ending = False
        self.clock = 0.0
        """By which it dates what is written."""
        self._written: dict[str, float] = {}
        self._etags = itertools.count()

    def instance(self) -> Instance:
        self._answer()
        return self.here

    def take_address(self, address: str) -> None:
        self._answer()

    def attach_volume(self) -> str:
        self._answer()
        return self.device

    def secret(self, name: str) -> bytes:
        self._answer()
        if name not in self.secrets:
            raise AccessDeniedError(name)
        return self.secrets[name]

    def get(self, key: str) -> tuple[bytes, str]:
        self._answer()
        if key not in self.objects:
            raise NotFoundError(key)
        return self.objects[key]

    def put(
        self, key: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None,
        retain_until: float | None = None,
    ) -> str:  # fmt: skip
        self._answer()
        present = self.objects.get(key)
        if (if_absent and present is not None) or (
            if_match is not None and (present is None or present[1] != if_match)
        ):
            raise ConflictError(key)
        etag = f"{id(self)}-{next(self._etags)}"
        self.objects[key] = (content, etag)
        self._written[key] = self.clock
        return etag

    def delete(self, key: str) -> None:
        self._answer()
        self.objects.pop(key, None)

    def list(self, prefix: str) -> list[StoredObject]:
        self._answer()
        return [
            StoredObject(key, len(content), etag, self._written.get(key, 0.0))
            for key, (content, etag) in sorted(self.objects.items())
            if key.startswith(prefix)
        ]

    def download(self, key: str, path: str) -> None:
        Path(path).write_bytes(self.get(key)[0])

    def upload(self, key: str, path: str, *, retain_until: float | None = None) -> None:
        self.put(key, Path(path).read_bytes(), retain_until=retain_until)

    def wrap(self, content: bytes) -> bytes:
        self._answer()
        return b"wrapped " + bytes(byte ^ 0xFF for byte in content)

    def report(self, *, ready: bool, phase: str, message: str, certificate_days: float | None, concerns: int) -> None:
        self._answer()
        self.reports.append((ready, phase, message))
        self.concerns = concerns

    def route(self, cidr: str, via: str | None = None) -> None:
        self._answer()
        self.network[cidr] = via or self.here.address

    def routes(self) -> dict[str, str]:
        self._answer()
        return dict(self.network)

    def unroute(self, cidr: str, via: str) -> None:
        self._answer()
        if self.network.get(cidr) == via:
            del self.network[cidr]

    def replace_me(self, reason: str) -> None:
        self._answer()
        self.replacements.append(reason)

    def ending(self) -> bool:
        self._answer()
        return self.is_ending

    def let_go(self) -> None:
        self._answer()
        self.is_ending = False

    def _answer(self) -> None:
        if self.down:
            raise CloudError("the cloud does not answer")
