"""A stand-in for the instance metadata service of one machine, in its second version: without a token, nothing."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

TOKEN = "token"  # noqa: S105 - of a stand-in
TTL = "X-aws-ec2-metadata-token-ttl-seconds"


@contextmanager
def metadata_service(entries: dict[str, str], credentials: Mapping[str, Any]) -> Iterator[str]:
    """The service's URL. `entries` are what is below /latest/meta-data/; they may be changed while it serves."""
    role = {
        "iam/security-credentials/": "machine",
        "iam/security-credentials/machine": json.dumps({"Code": "Success", **credentials}),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.answer(TOKEN if self.path == "/latest/api/token" else None, {TTL: self.headers.get(TTL, "60")})

        def do_GET(self) -> None:
            if self.headers.get("X-aws-ec2-metadata-token") != TOKEN:
                self.send_error(401)
                return
            path = self.path.removeprefix("/latest/meta-data/")
            self.answer({**entries, **role}.get(path))

        def answer(self, content: str | None, headers: Mapping[str, str] = MappingProxyType({})) -> None:
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content.encode())))
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
