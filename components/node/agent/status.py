"""How this machine is: one file, one endpoint, and what the cloud is told."""

import json
import threading
import time
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from components.node.agent.cloud import CloudError
from components.node.agent.expiry import days_left
from components.node.agent.files import write
from components.node.agent.step import Context

PORT: Final = 9900
"""`/status` as JSON and `/metrics` for Prometheus, plain HTTP, on all addresses: neither holds a secret."""

REPORT_SECONDS: Final = 30.0
"""How often the cloud is told again what has not changed."""


@dataclass(frozen=True)
class Status:
    """How a machine is."""

    machine: str
    ready: bool
    phase: str
    """The step that is being done or looked after and is not well; `ready` when all are."""
    message: str
    template: str
    incarnation: str


class Reporter:
    """Tells everybody when something changes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._said: Status | None = None
        self._reported = 0.0

    @property
    def said(self) -> Status | None:
        """What was said last."""
        return self._said

    def say(self, *, ready: bool, phase: str, message: str) -> None:
        """Write the file; tell the cloud when it changed, or a while ago."""
        context, now = self._context, time.monotonic()
        instance = context.instance
        status = Status(context.machine.name, ready, phase, message, instance.template, instance.id)
        changed = status != self._said
        if changed:
            # A machine whose disk is full is still looked after, and still tells the cloud.
            try:
                write(context.paths.run / "status.json", json.dumps(asdict(status)).encode(), mode=0o644)
            except OSError as error:
                context.log.changed("status file", str(error))
            context.metrics.set("ready", ready)
            context.log.changed("status", f"{'ready' if ready else 'not ready'}, {phase}: {message}")
        if changed or now - self._reported > REPORT_SECONDS:
            try:
                days = days_left(context.paths.root, context.metrics)
                context.cloud.report(
                    ready=ready, phase=phase, message=message, certificate_days=days, concerns=len(context.concerns)
                )
                self._reported = now
            except CloudError as error:
                context.log.changed("cloud", str(error))
        self._said = status


def serve(context: Context, reporter: Reporter, port: int = PORT) -> ThreadingHTTPServer:
    """Start the endpoint in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer("text/plain; version=0.0.4", context.metrics.render())
            elif self.path == "/status" and reporter.said is not None:
                self._answer("application/json", json.dumps(asdict(reporter.said)))
            else:
                self.send_error(404)

        def _answer(self, kind: str, content: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content.encode())))
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
            """Scrapes are no events."""

    Handler.timeout = 5
    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 5}, daemon=True).start()
    return server
