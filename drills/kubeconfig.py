"""Who to ask and with which credentials: what a drill takes from a kubeconfig."""

import base64
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml


class KubeconfigError(Exception):
    """The kubeconfig cannot be used; the message names the file and what is missing."""


@dataclass(frozen=True)
class Access:
    """An API endpoint and a client's credentials for it."""

    host: str
    port: int
    ca: str
    """PEM."""
    certificate: str | None
    """PEM; with `key`, or neither."""
    key: str | None
    token: str | None

    def tls(self, *protocols: str) -> ssl.SSLContext:
        """A client context that trusts only the cluster's CA; it offers these protocols (ALPN), if any."""
        context = ssl.create_default_context(cadata=self.ca)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if self.certificate and self.key:
            # OpenSSL's interface takes a file only; this one is readable by its owner and gone at once.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as chain:
                chain.write(self.certificate + "\n" + self.key)
                chain.flush()
                context.load_cert_chain(chain.name)
        return context

    def headers(self) -> dict[str, str]:
        """Headers that every request carries."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def load(path: Path) -> Access:
    """Endpoint and credentials of the current context of a kubeconfig.

    Raises:
        KubeconfigError: not readable, or without what a drill needs.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        context = _named(document["contexts"], document["current-context"])["context"]
        cluster = _named(document["clusters"], context["cluster"])["cluster"]
        user = _named(document["users"], context["user"])["user"]
        server = urlsplit(cluster["server"])
    except OSError as error:
        raise KubeconfigError(f"{path}: cannot be read ({error.strerror}). Give --kubeconfig FILE.") from error
    except (yaml.YAMLError, KeyError, TypeError, LookupError) as error:
        raise KubeconfigError(f"{path}: not a kubeconfig with a current context ({error!r}).") from error
    if server.scheme != "https" or not server.hostname:
        raise KubeconfigError(f"{path}: server is {cluster['server']!r}; a drill speaks https://host:port only.")
    try:
        ca = _pem(path, cluster, "certificate-authority")
        certificate, key = _pem(path, user, "client-certificate"), _pem(path, user, "client-key")
    except (OSError, ValueError) as error:
        raise KubeconfigError(f"{path}: a certificate or key cannot be read: {error}.") from error
    token = user.get("token")
    if ca is None:
        raise KubeconfigError(f"{path}: the cluster has no certificate-authority; a drill trusts nothing else.")
    if token is None and (certificate is None or key is None):
        raise KubeconfigError(f"{path}: the user has neither a client certificate with its key nor a token.")
    access = Access(server.hostname, server.port or 443, ca, certificate, key, token)
    try:
        access.tls()
    except ssl.SSLError as error:
        raise KubeconfigError(f"{path}: its certificates and key cannot be used: {error.reason or error}.") from error
    return access


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for entry in entries:
        if entry["name"] == name:
            return entry
    raise LookupError(f"no entry named {name!r}")


def _pem(path: Path, section: dict[str, Any], field: str) -> str | None:
    if content := section.get(f"{field}-data"):
        return base64.b64decode("".join(content.split()), validate=True).decode()
    file: str | None = section.get(field)
    return (path.parent / file).read_text(encoding="utf-8") if file else None
