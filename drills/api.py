"""A small synchronous client of the Kubernetes API, for what a drill does before and after it measures."""

import http.client
import json
from typing import Any, Final

from drills.kubeconfig import Access

TIMEOUT: Final = 15.0
"""Seconds; etcd's own limit for a request, during an election, is 7."""


class ApiError(Exception):
    """The API did not answer, or answered other than asked; the message names the request."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        """HTTP status; None when there was no answer."""


class Api:
    """Requests to one API server, or to the endpoint."""

    def __init__(
        self, access: Access, *, host: str | None = None, port: int | None = None, timeout: float = TIMEOUT
    ) -> None:
        self._host, self._port, self._timeout = host or access.host, port or access.port, timeout
        self._headers = access.headers()
        self._tls = access.tls()

    def call(self, method: str, path: str, body: Any = None, *, timeout: float | None = None) -> Any:
        """The answer's JSON (text where it is none) on a connection of its own.

        Raises:
            ApiError: no answer within the timeout, or a status outside 2xx.
        """
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/merge-patch+json" if method == "PATCH" else "application/json"
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=timeout or self._timeout, context=self._tls
        )
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            content = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(f"{method} https://{self._host}:{self._port}{path}: {error!r}") from error
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise ApiError(f"{method} {path}: {response.status} {content[:300]}", response.status)
        return json.loads(content) if content.startswith(("{", "[")) else content

    def ensure(self, path: str, body: Any) -> None:
        """Create an object unless it is there.

        Raises:
            ApiError: neither created nor there.
        """
        try:
            self.call("POST", path, body)
        except ApiError as error:
            if error.status != http.client.CONFLICT:
                raise
