"""The local cloud's machine API, as docs/architecture.md has it, against a small server."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from components.node.agent.cloud import AccessDeniedError, CloudError, ConflictError, Instance, NotFoundError
from components.node.agent.clouds import UnknownCloudError, connect
from components.node.agent.clouds.local import Local

INSTANCE = {
    "id": "i-1", "group": "masters", "machine": "master-1", "zone": "zone-a", "address": "10.0.1.21",
    "template": "t", "desired_template": "t2",
}  # fmt: skip
OBJECTS = "/v1/buckets/b/objects"


class Api(BaseHTTPRequestHandler):
    """What the supervisor serves, for one machine."""

    objects: dict[str, bytes]
    bodies: dict[str, object]
    headers_seen: dict[str, str]

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        match path:
            case "/v1/instance":
                self.answer(200, json.dumps(INSTANCE).encode())
            case "/v1/routes":
                self.answer(200, b'[{"cidr": "10.244.2.0/24", "via": "10.0.1.41"}]')
            case "/v1/secrets/mine":
                self.answer(200, b"secret")
            case "/v1/secrets/theirs":
                self.answer(403, b'{"error": "not yours"}')
            case "/v1/broken":
                self.answer(500, b"oops")
            case _ if path == OBJECTS:
                keys = sorted(key for key in self.objects if key.startswith(unquote(query.removeprefix("prefix="))))
                listing = [{"key": k, "size": len(self.objects[k]), "etag": "e", "modified": 1.5} for k in keys]
                self.answer(200, json.dumps(listing).encode())
            case _ if (key := path.removeprefix(f"{OBJECTS}/")) in self.objects:
                self.answer(200, self.objects[key], self.etag(key))
            case _:
                self.answer(404, b'{"error": "no such object"}')

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self.path.removeprefix(f"{OBJECTS}/")
        if key == self.path:
            self.bodies[self.path] = json.loads(body)
            return self.answer(200)
        wrong = self.headers["If-None-Match"] == "*" and key in self.objects
        wrong |= self.headers["If-Match"] not in (None, self.etag(key))
        if wrong:
            return self.answer(412, b'{"error": "changed"}')
        self.headers_seen.update(self.headers.items())
        self.objects[key] = body
        return self.answer(200, b"{}", self.etag(key))

    def do_POST(self) -> None:
        self.bodies[self.path] = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.answer(200 if "volume" in self.path else 202, b'{"device": "/dev/loop7"}')

    def do_DELETE(self) -> None:
        self.bodies["DELETE"] = self.path
        self.objects.pop(self.path.removeprefix(f"{OBJECTS}/"), None)
        self.answer(200)

    def etag(self, key: str) -> str:
        return f'"{hashlib.sha256(self.objects.get(key, b"absent")).hexdigest()}"'

    def answer(self, status: int, body: bytes = b"", etag: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
        """Quiet."""


@pytest.fixture
def cloud() -> Iterator[Local]:
    Api.objects, Api.bodies, Api.headers_seen = {}, {}, {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield Local("b", "127.0.0.1", server.server_address[1])
    server.shutdown()
    server.server_close()


def test_a_machine_learns_who_it_is(cloud: Local) -> None:
    assert cloud.instance() == Instance("i-1", "masters", "master-1", "zone-a", "10.0.1.21", "t", "t2")


def test_an_address_that_is_not_the_machines_is_refused(cloud: Local) -> None:
    cloud.take_address("10.0.1.21")
    with pytest.raises(CloudError, match=r"address is 10\.0\.1\.21, its document says 10\.0\.1\.99"):
        cloud.take_address("10.0.1.99")


def test_objects_are_written_conditionally(cloud: Local) -> None:
    etag = cloud.put("clusters/u/record.json", b"1", if_absent=True)
    with pytest.raises(ConflictError):
        cloud.put("clusters/u/record.json", b"2", if_absent=True)
    assert cloud.get("clusters/u/record.json") == (b"1", etag)
    cloud.put("clusters/u/record.json", b"2", if_match=etag)
    with pytest.raises(ConflictError):
        cloud.put("clusters/u/record.json", b"3", if_match=etag)
    assert [entry.key for entry in cloud.list("clusters/")] == ["clusters/u/record.json"]
    cloud.delete("clusters/u/record.json")
    assert cloud.list("") == []


def test_absence_denial_and_silence_are_three_different_errors(cloud: Local) -> None:
    with pytest.raises(NotFoundError, match="no such object"):
        cloud.get("absent")
    with pytest.raises(AccessDeniedError, match="not yours"):
        cloud.secret("theirs")
    with pytest.raises(CloudError) as silent:
        Local("b", "127.0.0.1", 1).get("absent")
    assert type(silent.value) is CloudError


def test_files_are_moved_without_their_content_in_memory(cloud: Local, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"x" * 3_000_000)
    cloud.upload("big", str(source), retain_until=0)
    cloud.download("big", str(target))
    assert target.read_bytes() == source.read_bytes()
    assert Api.headers_seen["X-Retain-Until"] == "1970-01-01T00:00:00+00:00"


def test_what_a_machine_asks_for_reaches_the_cloud(cloud: Local) -> None:
    assert cloud.secret("mine") == b"secret"
    assert cloud.attach_volume() == "/dev/loop7"
    cloud.report(ready=True, phase="ready", message="all is well", certificate_days=100.0, concerns=0)
    cloud.route("10.244.1.0/24")
    cloud.replace_me("template")
    assert Api.bodies["/v1/instance/status"] == {"ready": True, "phase": "ready", "message": "all is well"}
    assert Api.bodies["/v1/routes"] == {"cidr": "10.244.1.0/24"}
    cloud.route("10.244.2.0/24", "10.0.1.41")
    assert Api.bodies["/v1/routes"] == {"cidr": "10.244.2.0/24", "via": "10.0.1.41"}
    assert cloud.routes() == {"10.244.2.0/24": "10.0.1.41"}
    cloud.unroute("10.244.2.0/24", "10.0.1.41")
    assert Api.bodies["DELETE"] == "/v1/routes?cidr=10.244.2.0%2F24&via=10.0.1.41"
    assert Api.bodies["/v1/instance/replace"] == b'{"reason": "template"}'


def test_an_unknown_cloud_is_named_with_those_that_are_known() -> None:
    with pytest.raises(UnknownCloudError, match=r"'moon' is not known to this agent; it knows .*local"):
        connect("moon", "b")
