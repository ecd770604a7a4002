"""The stand-ins really make what the official providers make."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from providers.tls import certificates

ROOT = Path(__file__).resolve().parents[2]
RANDOM = run_path(str(ROOT / "providers/random/__main__.py"))["KINDS"]


def made(kinds: dict[str, Any], token: str, **inputs: Any) -> dict[str, Any]:
    kind = next(kind for name, kind in kinds.items() if name.endswith(f":{token}"))
    assert set(inputs) <= kind.inputs
    return dict(kind.make(inputs))


def tls(token: str, **inputs: Any) -> dict[str, Any]:
    return made(certificates.KINDS, token, **inputs)


@pytest.fixture(scope="module")
def authority() -> dict[str, Any]:
    key = tls("PrivateKey", algorithm="ECDSA", ecdsaCurve="P256")
    certificate = tls(
        "SelfSignedCert",
        privateKeyPem=key["privateKeyPem"],
        subject={"commonName": "ca"},
        isCaCertificate=True,
        validityPeriodHours=10.0,
        allowedUses=["cert_signing", "digital_signature"],
    )
    return {**key, **certificate}


def test_a_keys_two_halves_belong_together() -> None:
    key = tls("PrivateKey", algorithm="ECDSA", ecdsaCurve="P256")
    private = load_pem_private_key(key["privateKeyPem"].encode(), None)
    assert private.public_key() == load_pem_public_key(key["publicKeyPem"].encode())


def test_an_authority_may_sign(authority: dict[str, Any]) -> None:
    certificate = x509.load_pem_x509_certificate(authority["certPem"].encode())
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    certificate.verify_directly_issued_by(certificate)


def test_a_signed_certificate_is_of_its_authority_and_for_its_use(authority: dict[str, Any]) -> None:
    key = tls("PrivateKey", algorithm="RSA")
    request = tls("CertRequest", privateKeyPem=key["privateKeyPem"], subject={"commonName": "me", "organization": "us"})
    signed = tls(
        "LocallySignedCert",
        certRequestPem=request["certRequestPem"],
        caCertPem=authority["certPem"],
        caPrivateKeyPem=authority["privateKeyPem"],
        validityPeriodHours=1.0,
        allowedUses=["client_auth"],
    )
    certificate = x509.load_pem_x509_certificate(signed["certPem"].encode())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority["certPem"].encode()))
    assert certificate.subject.rfc4514_string() == "O=us,CN=me"
    uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_certificate_is_due_in_its_early_renewal_period() -> None:
    end = datetime.now(UTC) + timedelta(hours=5)
    assert not certificates.due({"validityEndTime": end.isoformat(), "earlyRenewalHours": 4})
    assert certificates.due({"validityEndTime": end.isoformat(), "earlyRenewalHours": 6})


@pytest.mark.parametrize(
    ("token", "inputs", "says"),
    [
        ("PrivateKey", {"algorithm": "ED25519"}, "accepted: ECDSA, RSA"),
        ("PrivateKey", {"algorithm": "ECDSA", "ecdsaCurve": "P1"}, "accepted: P256, P384, P521"),
    ],
)
def test_what_a_stand_in_does_not_cover_is_refused(token: str, inputs: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        tls(token, **inputs)


def test_random_bytes_have_their_length_and_are_not_the_id() -> None:
    made_bytes = made(RANDOM, "RandomBytes", length=32.0)
    assert len(b64decode(made_bytes["base64"])) == 32
    assert made_bytes["id"] not in made_bytes["hex"]


def test_a_password_keeps_to_its_alphabet() -> None:
    password = made(RANDOM, "RandomPassword", length=200.0, upper=False, special=False)["result"]
    assert len(password) == 200
    assert password.isalnum()
    assert password.islower()


def test_an_identity_is_hexadecimal() -> None:
    assert len(bytes.fromhex(made(RANDOM, "RandomId", byteLength=8.0)["hex"])) == 8
