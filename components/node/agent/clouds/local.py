"""The local cloud: its machine API, plain HTTP at the metadata address (docs/architecture.md)."""

import http.client
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

from components.node.agent.cloud import (
    AccessDeniedError,
    Cloud,
    CloudError,
    ConflictError,
    Instance,
    NotFoundError,
    StoredObject,
)

HOST: Final = "169.254.169.254"

TIMEOUT: Final = 5.0
"""Seconds for an answer that fits in memory."""

TRANSFER_TIMEOUT: Final = 60.0
"""Seconds without a byte of a file."""

_ERRORS: Final[Mapping[int, type[CloudError]]] = {
    403: AccessDeniedError,
    404: NotFoundError,
    412: ConflictError,
}


def connect(bucket: str) -> Cloud:
    """The cloud as this machine reaches it."""
    return Local(bucket)


class Local:
    """`Cloud` by the machine API. `host` is another one only in tests."""

    def __init__(self, bucket: str, host: str = HOST, port: int = 80) -> None:
        self._bucket = bucket
        self._host = host
        self._port = port

    def instance(self) -> Instance:
        answer = json.loads(self._call("GET", "/v1/instance")[0])
        # What has a default is other clouds' alone.
        always = [field.name for field in fields(Instance) if field.default is MISSING]
        try:
            return Instance(**{name: str(answer[name]) for name in always})
        except (KeyError, TypeError) as error:
            raise CloudError(f"GET /v1/instance: the answer lacks {error}") from None

    def take_address(self, address: str) -> None:
        # The supervisor gives a machine its address before it boots; there is nothing to take.
        if (has := self.instance().address) != address:
            raise CloudError(f"this machine's address is {has}, its document says {address}")

    def attach_volume(self) -> str:
        return str(json.loads(self._call("POST", "/v1/instance/volume", timeout=30)[0])["device"])

    def secret(self, name: str) -> bytes:
        return self._call("GET", f"/v1/secrets/{quote(name, safe='')}")[0]

    def get(self, key: str) -> tuple[bytes, str]:
        return self._call("GET", self._object(key))

    def put(
        self, key: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None,
        retain_until: float | None = None,
    ) -> str:  # fmt: skip
        headers = _retention(retain_until)
        if if_absent:
            headers["If-None-Match"] = "*"
        if if_match is not None:
            headers["If-Match"] = if_match
        return self._call("PUT", self._object(key), content, headers)[1]

    def delete(self, key: str) -> None:
        self._call("DELETE", self._object(key))

    def list(self, prefix: str) -> list[StoredObject]:
        content, _ = self._call("GET", f"/v1/buckets/{self._bucket}/objects?prefix={quote(prefix, safe='')}")
        return [
            StoredObject(entry["key"], int(entry["size"]), str(entry["etag"]), _unix(entry["modified"]))
            for entry in json.loads(content)
        ]

    def download(self, key: str, path: str) -> None:
        with self._request("GET", self._object(key), None, {}, TRANSFER_TIMEOUT) as answer, Path(path).open("wb") as to:
            shutil.copyfileobj(answer, to, 1024 * 1024)

    def upload(self, key: str, path: str, *, retain_until: float | None = None) -> None:
        headers = {**_retention(retain_until), "Content-Length": str(Path(path).stat().st_size)}
        with (
            Path(path).open("rb") as file,
            self._request("PUT", self._object(key), file, headers, TRANSFER_TIMEOUT) as answer,
        ):
            answer.read()

    def wrap(self, content: bytes) -> bytes:
        return self._call("POST", "/v1/wrap", content)[0]

    def report(self, *, ready: bool, phase: str, message: str, certificate_days: float | None, concerns: int) -> None:
        self._json("PUT", "/v1/instance/status", {"ready": ready, "phase": phase, "message": message})

    def route(self, cidr: str, via: str | None = None) -> None:
        self._json("PUT", "/v1/routes", {"cidr": cidr} if via is None else {"cidr": cidr, "via": via})

    def routes(self) -> dict[str, str]:
        return {str(entry["cidr"]): str(entry["via"]) for entry in json.loads(self._call("GET", "/v1/routes")[0])}

    def unroute(self, cidr: str, via: str) -> None:
        self._call("DELETE", f"/v1/routes?cidr={quote(cidr, safe='')}&via={quote(via, safe='')}")

    def replace_me(self, reason: str) -> None:
        self._json("POST", "/v1/instance/replace", {"reason": reason})

    def ending(self) -> bool:
        # The supervisor ends a machine by its power button, and systemd stops its units: there is nothing to wait for.
        return False

    def let_go(self) -> None:
        """Nobody waits."""

    def _object(self, key: str) -> str:
        return f"/v1/buckets/{quote(self._bucket, safe='')}/objects/{quote(key)}"

    def _json(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        self._call(method, path, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
    ) -> tuple[bytes, str]:  # fmt: skip
        with self._request(method, path, body, headers or {}, timeout) as answer:
            return answer.read(), answer.headers.get("ETag", "")

    @contextmanager
    def _request(
        self, method: str, path: str, body: bytes | IO[bytes] | None, headers: Mapping[str, str], timeout: float
    ) -> Iterator[http.client.HTTPResponse]:
        """One request on a connection of its own: kept ones outlive a cut and would fail the first request after it."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            if answer.status >= 300:
                raise _ERRORS.get(answer.status, CloudError)(f"{method} {path}: {answer.status} {_message(answer)}")
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise CloudError(f"{method} {path}: {type(error).__name__}: {error}") from None
        finally:
            connection.close()


def _message(answer: http.client.HTTPResponse) -> str:
    content = answer.read(2000).decode(errors="replace")
    try:
        return str(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError):
        return content


def _retention(until: float | None) -> dict[str, str]:
    return {} if until is None else {"X-Retain-Until": datetime.fromtimestamp(until, UTC).isoformat()}


def _unix(modified: str | float) -> float:
    return datetime.fromisoformat(modified).timestamp() if isinstance(modified, str) else float(modified)
