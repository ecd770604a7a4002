"""A Kubernetes API for ConfigMaps on loopback, with TLS, client certificates and outages that can be switched."""

import asyncio
import contextlib
import datetime
import ipaddress
import json
import ssl
import threading
import urllib.parse
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey


class FakeApi:
    """Runs in a thread of its own; `mode` is what it does with requests and connections from now on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mode = "serve"
        """serve, hang (never answers), refuse (nobody listens), unavailable (503), or close (after a request)."""
        self.objects: dict[str, Any] = {"/api/v1/nodes": {"items": []}}
        self.requests: list[tuple[str, str]] = []
        self.answers: dict[str, list[int]] = {}
        """Statuses that requests to a path get, one after another."""
        self.drop_acknowledged = False
        """Answers a create without keeping the object: the bad cluster that a drill must find out."""
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.kubeconfig = folder / "kubeconfig"
        self._tls = self._credentials()

    @contextmanager
    def running(self) -> Iterator["FakeApi"]:
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        self._do(self._listen())
        self._write_kubeconfig()
        try:
            yield self
        finally:
            self._do(self._stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def outage(self, mode: str) -> None:
        """Change the mode; `refuse` also ends what is connected."""
        self.mode = mode
        self._do(self._stop() if mode == "refuse" else self._listen())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError, EOFError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, path, _ = head.split("\r\n")[0].split(" ")
                fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head.split("\r\n")[1:])}
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                if self.mode == "hang":
                    await reader.read()
                if self.mode == "close":
                    break
                status, answer = self._answer(method, path, json.loads(body) if body else {})
                if self.mode == "unavailable":
                    status, answer = 503, {}
                content = json.dumps(answer).encode()
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
                await writer.drain()
        self._writers.discard(writer)
        writer.transport.abort()

    def _answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        path, _, query = path.partition("?")
        self.requests.append((method, path))
        if path in self.answers:
            return self.answers[path].pop(0), {}
        if method == "POST":
            name = body["metadata"]["name"]
            if f"{path}/{name}" in self.objects:
                return 409, {}
            if not (self.drop_acknowledged and name.startswith("entry-")):
                self.objects[f"{path}/{name}"] = body
            return 201, body
        if method == "PATCH" and path in self.objects:
            _merge(self.objects[path], body)
        if method == "DELETE":
            wanted = dict(urllib.parse.parse_qsl(query)).get("labelSelector", "")
            for key in [key for key in self.objects if key.startswith(path) and _labelled(self.objects[key], wanted)]:
                del self.objects[key]
            return 200, {}
        return (200, self.objects[path]) if path in self.objects else (404, {})

    def _credentials(self) -> ssl.SSLContext:
        ca_key = ec.generate_private_key(ec.SECP256R1())
        ca = _certificate("ca", ca_key, "ca", ca_key, ca=True)
        (self.folder / "ca.crt").write_bytes(ca)
        for name in ("server", "client"):
            key = ec.generate_private_key(ec.SECP256R1())
            (self.folder / f"{name}.crt").write_bytes(_certificate(name, key, "ca", ca_key))
            (self.folder / f"{name}.key").write_bytes(_pem(key))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.folder / "ca.crt"))
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")
        return context

    def _write_kubeconfig(self) -> None:
        cluster = {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": "ca.crt"}
        user = {"client-certificate": "client.crt", "client-key": "client.key"}
        document = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": cluster}],
            "users": [{"name": "u", "user": user}],
        }
        self.kubeconfig.write_text(yaml.safe_dump(document))


def _labelled(found: dict[str, Any], selector: str) -> bool:
    name, _, value = selector.partition("=")
    return not selector or found["metadata"].get("labels", {}).get(name) == value


def _merge(target: dict[str, Any], patch: dict[str, Any]) -> None:
    """A JSON merge patch (RFC 7396), in place."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            _merge(target.setdefault(key, {}), value)
        else:
            target[key] = value


def _pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate(name: str, key: Key, issuer: str, issuer_key: Key, *, ca: bool = False) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
