"""A bucket of a stack, as whoever owns this host reaches it: through the supervisor's control API."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from providers.local.client import Client

CHUNK = 1024**2


class BucketClient:
    """One bucket. Every method raises the client's `CloudRefusalError` and `UnreachableError`."""

    def __init__(self, client: Client, stack: str, bucket: str) -> None:
        self._client = client
        self._path = f"/v1/stacks/{quote(stack, safe='')}/buckets/{quote(bucket, safe='')}/objects"

    def list(self, prefix: str) -> list[dict[str, Any]]:
        """`key`, `size`, `etag` and `modified` of the objects whose key starts with `prefix`, sorted by key."""
        return list(json.loads(self._call("GET", f"{self._path}?prefix={quote(prefix, safe='')}")[0]))

    def get(self, key: str) -> tuple[bytes, str]:
        """Content and etag."""
        return self._call("GET", f"{self._path}/{quote(key)}")

    def put(self, key: str, content: bytes, headers: Mapping[str, str]) -> str:
        """Write an object, under the conditions that the machine API's headers say; its etag."""
        return self._call("PUT", f"{self._path}/{quote(key)}", content, headers)[1]

    def delete(self, key: str) -> None:
        """Delete an object; one that is gone is fine."""
        self._call("DELETE", f"{self._path}/{quote(key)}")

    def download(self, key: str, path: Path) -> None:
        """Write an object to a file without holding it in memory."""
        with self._client.exchange("GET", f"{self._path}/{quote(key)}") as answer, path.open("wb") as file:
            shutil.copyfileobj(answer, file, CHUNK)

    def unwrap(self, wrapped: bytes) -> bytes:
        """What a machine of this host had wrapped."""
        return self._call("POST", "/v1/unwrap", wrapped)[0]

    def _call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[bytes, str]:
        with self._client.exchange(method, path, body, headers) as answer:
            return answer.read(), answer.headers.get("ETag", "")
