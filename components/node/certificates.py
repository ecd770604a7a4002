"""Leaf certificates, issued on the machine that uses them from an authority's key pair.

etcd and the API server's etcd client read their certificate files anew at each TLS handshake (`GetCertificate` and
`GetClientCertificate` of etcd's transport.TLSInfo), so renewal is writing a file.
"""

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE: Final = timedelta(days=365)
"""As kubeadm's own leaf certificates."""

BACKDATED: Final = timedelta(minutes=5)
"""Clocks of machines differ: a certificate is already valid on one that is behind."""

RENEW_AFTER: Final = 2 / 3
"""Part of its life after which a certificate is renewed: a third of a year is left to repair what hinders it."""


class CertificateError(ValueError):
    """A secret does not hold the key pair that it should."""


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key, PEM."""

    certificate: bytes
    """Of an authority: its own first, then those of its other generations that are trusted."""
    key: bytes


@dataclass(frozen=True)
class Request:
    """What a leaf certificate is for."""

    common_name: str
    organization: str | None = None
    names: tuple[str, ...] = ()
    """DNS names."""
    addresses: tuple[str, ...] = ()
    server: bool = False
    client: bool = False


def authority(secret: bytes, name: str) -> KeyPair:
    """The key pair in a secret `{"certificate": pem, "key": pem}`.

    Raises:
        CertificateError: the secret called `name` is something else.
    """
    try:
        document = json.loads(secret)
        return KeyPair(certificate=document["certificate"].encode(), key=document["key"].encode())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CertificateError(
            f'secret {name}: expected {{"certificate": PEM, "key": PEM}}, got something else ({type(error).__name__})'
        ) from None


def signing(certificates: bytes) -> bytes:
    """Of an authority's certificates the one that signs, PEM."""
    return x509.load_pem_x509_certificate(certificates).public_bytes(serialization.Encoding.PEM)


def issue(issuer: KeyPair, request: Request, now: datetime | None = None) -> KeyPair:
    """A new ECDSA P-256 key and its certificate, signed by `issuer`."""
    now = now or datetime.now(UTC)
    issuer_certificate = x509.load_pem_x509_certificate(issuer.certificate)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(request))
        .issuer_name(issuer_certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(min(now + LIFE, issuer_certificate.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_extended_usages(request)), critical=False)
        .add_extension(_authority_identifier(issuer_certificate), critical=False)
    )
    if alternatives := _alternative_names(request):
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return KeyPair(
        certificate=builder.sign(_private_key(issuer), hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def good(leaf: KeyPair, issuer: bytes, request: Request, now: datetime | None = None) -> bool:
    """Whether `leaf` is signed by the certificate `issuer`, says what `request` says, and is not due for renewal."""
    now = now or datetime.now(UTC)
    try:
        certificate = x509.load_pem_x509_certificate(leaf.certificate)
        key = serialization.load_pem_private_key(leaf.key, password=None)
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(issuer))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return (
        key.public_key() == certificate.public_key()
        and certificate.subject == _subject(request)
        and _alternatives_of(certificate) == set(_alternative_names(request))
        and now < renewal_time(leaf.certificate)
    )


def renewal_time(certificate: bytes) -> datetime:
    """When a PEM certificate is due to be renewed."""
    parsed = x509.load_pem_x509_certificate(certificate)
    life = parsed.not_valid_after_utc - parsed.not_valid_before_utc
    return parsed.not_valid_before_utc + life * RENEW_AFTER


def _subject(request: Request) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, request.common_name)]
    if request.organization is not None:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, request.organization))
    return x509.Name(parts)


def _alternative_names(request: Request) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in request.names]
    return names + [x509.IPAddress(ipaddress.ip_address(address)) for address in request.addresses]


def _alternatives_of(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return set()


def _extended_usages(request: Request) -> Sequence[x509.ObjectIdentifier]:
    wanted = ((request.server, ExtendedKeyUsageOID.SERVER_AUTH), (request.client, ExtendedKeyUsageOID.CLIENT_AUTH))
    return [usage for is_wanted, usage in wanted if is_wanted]


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_encipherment=False, content_commitment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _authority_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(_certified_key(issuer))
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _certified_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise CertificateError(f"an authority's key is ECDSA or RSA, got {type(key).__name__}")
    return key


def _private_key(pair: KeyPair) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pair.key, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise CertificateError(f"an authority's key is ECDSA or RSA, got {type(key).__name__}")
    return key
