"""The keys of a master, from the cloud's secrets to where kubeadm and the API server look for them."""

import json
from pathlib import Path
from typing import Any, Final

from components.node import encryption
from components.node.agent.files import write
from components.node.agent.secrets import may_follow
from components.node.agent.step import Context
from components.node.certificates import KeyPair, Request, authority, good, issue, signing
from components.node.kubeadm import SIGNING_AUTHORITY

PKI: Final = "etc/kubernetes/pki"
ETCD_CLIENT: Final = Request(common_name="kube-apiserver-etcd-client", client=True)


class SecretError(ValueError):
    """A secret does not hold what it should. The message does not hold the secret."""


def secret(context: Context, name: str, *fields: str) -> dict[str, str]:
    """The fields of a JSON secret.

    Raises:
        SecretError: it is not an object with these fields.
    """
    try:
        document: Any = json.loads(context.cloud.secret(name))
        return {field: str(document[field]) for field in fields}
    except (ValueError, KeyError, TypeError) as error:
        raise SecretError(
            f"secret {name}: expected a JSON object with {', '.join(fields)} ({type(error).__name__})"
        ) from None


def write_authorities(context: Context) -> None:
    """Certificate authorities and service-account keys, as kubeadm names them; what is there is not made anew.

    kubeadm and the agent sign with the first certificate in `ca.crt` and let all be trusted.
    """
    pki = context.paths.root / PKI
    for name, base in (("kubernetes-ca", "ca"), ("front-proxy-ca", "front-proxy-ca")):
        pair = authority(context.cloud.secret(name), name)
        if may_follow(pair, pki / f"{base}.crt"):
            _write_pair(pki, base, pair)
    # The controller manager takes no more than one certificate to sign with.
    write(pki / Path(SIGNING_AUTHORITY).name, signing((pki / "ca.crt").read_bytes()), mode=0o644)
    accounts = secret(context, "service-account", "public", "key")
    write(pki / "sa.pub", accounts["public"].encode(), mode=0o644)
    write(pki / "sa.key", accounts["key"].encode())


def encryption_configuration(context: Context) -> dict[str, Any]:
    """The API server's EncryptionConfiguration."""
    return encryption.render(secret(context, "encryption-at-rest", "key")["key"])


def keep_etcd_client(context: Context) -> bool:
    """Make the API server's etcd client certificate good; whether it was issued anew.

    kubeadm issues none with external etcd. The API server reads it at each TLS handshake: no restart.
    """
    issuer = authority(context.cloud.secret("etcd-client-ca"), "etcd-client-ca")
    pki = context.paths.root / PKI
    if not may_follow(issuer, pki / "etcd/ca.crt"):
        return False
    write(pki / "etcd/ca.crt", issuer.certificate, mode=0o644)
    certificate, key = pki / "apiserver-etcd-client.crt", pki / "apiserver-etcd-client.key"
    if certificate.is_file() and key.is_file():
        present = KeyPair(certificate.read_bytes(), key.read_bytes())
        if good(present, issuer.certificate, ETCD_CLIENT):
            return False
    _write_pair(pki, "apiserver-etcd-client", issue(issuer, ETCD_CLIENT))
    return True


def _write_pair(folder: Path, base: str, pair: KeyPair) -> None:
    write(folder / f"{base}.key", pair.key)
    write(folder / f"{base}.crt", pair.certificate, mode=0o644)
