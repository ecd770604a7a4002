"""Serving JSON over HTTP: the little that the control API and the machine API share."""

import json
import re
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import IO, Any
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import ValidationError

CHUNK = 1024**2
IDLE_TIMEOUT = 60.0
"""Seconds after which a connection on which nothing comes is closed."""


class RefusalError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Request:
    """What a client asks."""

    client: str
    """Its address; empty on a unix socket."""
    headers: Mapping[str, str]
    """By name in lower case."""
    query: Mapping[str, str]
    length: int
    body: BufferedIOBase

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            RefusalError: it is none.
        """
        try:
            return json.loads(self.body.read(self.length) or b"null")
        except ValueError as error:
            raise RefusalError(400, f"the body is no JSON: {error}") from error

    def chunks(self) -> Iterator[bytes]:
        """The body, piece by piece."""
        left = self.length
        while left:
            piece = self.body.read(min(left, CHUNK))
            if not piece:
                raise RefusalError(400, f"the body ended {left} bytes early")
            left -= len(piece)
            yield piece


@dataclass(frozen=True)
class Response:
    """What it gets: JSON, or bytes as they are."""

    content: Any = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Download:
    """A file as an answer, sent without holding it in memory."""

    file: IO[bytes]
    size: int
    headers: Mapping[str, str]


Answer = Response | Download
Handler = Callable[..., Answer]
"""Called with the request and the parts of the path that its route captures."""


@dataclass(frozen=True)
class Route:
    """A method and a path, whose `{name}` parts are captured; `{name+}` captures slashes too."""

    method: str
    path: str
    handler: Handler

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        """The captured parts, or None when it is not this route."""
        pattern = re.sub(r"\\\{\w+\\\}", "([^/]+)", re.sub(r"\\\{\w+\\\+\\\}", "(.+)", re.escape(self.path)))
        found = re.fullmatch(pattern, path) if method == self.method else None
        return tuple(map(unquote, found.groups())) if found else None


class Server(ThreadingHTTPServer):
    """Serves routes on a socket that is listening already."""

    daemon_threads = True

    def __init__(self, listening: socket.socket, routes: list[Route], statuses: Mapping[type[Exception], int]) -> None:
        super().__init__(("", 0), _RequestHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.routes = routes
        self.statuses = statuses
        """HTTP status of each exception that a handler may raise."""


class _RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT
    # Head and body in one segment: as two, the second waits for the client's delayed acknowledgement.
    wbufsize = 64 * 1024
    server: Server

    def do_GET(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Requests are not logged: there are several a second."""

    def _serve(self) -> None:
        try:
            answer = self._answer()
        except RefusalError as error:
            answer = Response({"error": str(error)}, error.status)
        except ValidationError as error:
            answer = Response({"error": str(error)}, 400)
        except Exception as error:
            answer = Response({"error": str(error) or repr(error)}, self._status(error))
        try:
            self._send(answer)
            self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True

    def _status(self, error: Exception) -> int:
        known = [status for kind, status in self.server.statuses.items() if isinstance(error, kind)]
        if not known:
            print(f"{self.command} {self.path}: {error!r}", flush=True)
        return known[0] if known else 500

    def _answer(self) -> Answer:
        url = urlsplit(self.path)
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            self.close_connection = True
            raise RefusalError(411, "send a Content-Length: chunked bodies are not taken")
        request = Request(
            client=self.client_address[0] if self.client_address else "",
            headers={name.lower(): value for name, value in self.headers.items()},
            query={name: values[-1] for name, values in parse_qs(url.query).items()},
            length=int(self.headers.get("Content-Length", 0)),
            body=self.rfile,
        )
        for route in self.server.routes:
            captured = route.match(self.command, url.path)
            if captured is not None:
                return route.handler(request, *captured)
        raise RefusalError(404, f"{self.command} {url.path}: no such request")

    def _send(self, answer: Answer) -> None:
        if isinstance(answer, Download):
            with answer.file:
                self._head(200, answer.size, "application/octet-stream", answer.headers)
                shutil.copyfileobj(answer.file, self.wfile, CHUNK)
            return
        raw = answer.content if isinstance(answer.content, bytes) else json.dumps(answer.content).encode()
        kind = "application/octet-stream" if isinstance(answer.content, bytes) else "application/json"
        self._head(answer.status, len(raw), kind, answer.headers)
        self.wfile.write(raw)

    def _head(self, status: int, length: int, kind: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        # A body that a refused request did not read would be taken for the next request.
        if status >= 400:
            self.close_connection = True
            self.send_header("Connection", "close")
        for name, value in {"Content-Type": kind, "Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
