"""Keys, requests and certificates, as the official tls provider names and makes them."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from providers.stand_in import Kind, Properties

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

CURVES: Final[dict[str, ec.EllipticCurve]] = {"P256": ec.SECP256R1(), "P384": ec.SECP384R1(), "P521": ec.SECP521R1()}

KEY_USES: Final = {
    "digital_signature": "digital_signature",
    "content_commitment": "content_commitment",
    "key_encipherment": "key_encipherment",
    "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement",
    "cert_signing": "key_cert_sign",
    "crl_signing": "crl_sign",
    "encipher_only": "encipher_only",
    "decipher_only": "decipher_only",
}

EXTENDED_USES: Final = {
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
}

SUBJECT: Final = {
    "commonName": NameOID.COMMON_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
}


def pem(key: Key, form: serialization.PrivateFormat) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def loaded(text: str) -> Key:
    key = serialization.load_pem_private_key(text.encode(), None)
    if not isinstance(key, Key):
        raise ValueError(f"{type(key).__name__} is not covered; accepted: ECDSA, RSA")
    return key


def make_private_key(inputs: Properties) -> Properties:
    key: Key
    match inputs["algorithm"]:
        case "ECDSA":
            curve = str(inputs.get("ecdsaCurve", "P224"))
            if curve not in CURVES:
                raise ValueError(f"ecdsaCurve: got {curve!r}; accepted: {', '.join(CURVES)}")
            key = ec.generate_private_key(CURVES[curve])
        case "RSA":
            key = rsa.generate_private_key(65537, int(inputs.get("rsaBits", 2048)))
        case other:
            raise ValueError(f"algorithm: got {other!r}; accepted: ECDSA, RSA")
    public = key.public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    openssh = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    info = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {
        "id": sha256(der).hexdigest(),
        "privateKeyPem": pem(key, serialization.PrivateFormat.TraditionalOpenSSL),
        "privateKeyPemPkcs8": pem(key, serialization.PrivateFormat.PKCS8),
        "privateKeyOpenssh": pem(key, serialization.PrivateFormat.OpenSSH),
        "publicKeyPem": info.decode(),
        "publicKeyOpenssh": openssh + "\n",
        "publicKeyFingerprintSha256": "SHA256:" + sha256(der).hexdigest(),
    }


def subject(inputs: Properties) -> x509.Name:
    given = inputs.get("subject") or {}
    unknown = set(given) - set(SUBJECT)
    if unknown:
        raise ValueError(f"subject: {', '.join(sorted(unknown))} not covered; accepted: {', '.join(SUBJECT)}")
    return x509.Name([x509.NameAttribute(SUBJECT[name], value) for name, value in given.items()])


def alternative_names(inputs: Properties) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in inputs.get("dnsNames") or []]
    return names + [x509.IPAddress(ip_address(address)) for address in inputs.get("ipAddresses") or []]


def make_request(inputs: Properties) -> Properties:
    key = loaded(inputs["privateKeyPem"])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject(inputs))
    names = alternative_names(inputs)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    text = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    return {"id": sha256(text.encode()).hexdigest(), "certRequestPem": text, "keyAlgorithm": algorithm(key)}


def algorithm(key: Key) -> str:
    return "RSA" if isinstance(key, rsa.RSAPrivateKey) else "ECDSA"


def builder_for(inputs: Properties, name: x509.Name, public: Any, issuer: x509.Name) -> x509.CertificateBuilder:
    uses = set(inputs.get("allowedUses") or [])
    unknown = uses - set(KEY_USES) - set(EXTENDED_USES)
    if unknown:
        accepted = ", ".join([*KEY_USES, *EXTENDED_USES])
        raise ValueError(f"allowedUses: {', '.join(sorted(unknown))} not covered; accepted: {accepted}")
    is_authority = bool(inputs.get("isCaCertificate"))
    start = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder(issuer, name, public, x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(hours=float(inputs["validityPeriodHours"])))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{argument: use in uses for use, argument in KEY_USES.items()}), critical=True)
    )
    extended: list[ObjectIdentifier] = [oid for use, oid in EXTENDED_USES.items() if use in uses]
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    if is_authority or inputs.get("setSubjectKeyId"):
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    return builder


def certificate_outputs(certificate: x509.Certificate) -> dict[str, Any]:
    return {
        "id": str(certificate.serial_number),
        "certPem": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "readyForRenewal": False,
        "validityStartTime": certificate.not_valid_before_utc.isoformat(),
        "validityEndTime": certificate.not_valid_after_utc.isoformat(),
    }


def make_self_signed(inputs: Properties) -> Properties:
    key = loaded(inputs["privateKeyPem"])
    name = subject(inputs)
    builder = builder_for(inputs, name, key.public_key(), name)
    names = alternative_names(inputs)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return {**certificate_outputs(builder.sign(key, hashes.SHA256())), "keyAlgorithm": algorithm(key)}


def make_locally_signed(inputs: Properties) -> Properties:
    authority = x509.load_pem_x509_certificate(inputs["caCertPem"].encode())
    key = loaded(inputs["caPrivateKeyPem"])
    request = x509.load_pem_x509_csr(inputs["certRequestPem"].encode())
    builder = builder_for(inputs, request.subject, request.public_key(), authority.subject)
    for extension in request.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier.value), critical=False
    )
    return {**certificate_outputs(builder.sign(key, hashes.SHA256())), "caKeyAlgorithm": algorithm(key)}


def due(state: Properties) -> bool:
    """Whether a certificate is in its early renewal period, or past its end."""
    end = datetime.fromisoformat(state["validityEndTime"])
    return datetime.now(UTC) >= end - timedelta(hours=float(state.get("earlyRenewalHours") or 0))


IDENTITY: Final = frozenset({"subject", "dnsNames", "ipAddresses", "privateKeyPem"})
VALIDITY: Final = frozenset(
    {"allowedUses", "earlyRenewalHours", "isCaCertificate", "setSubjectKeyId", "validityPeriodHours"}
)

KINDS: Final = {
    "tls:index/privateKey:PrivateKey": Kind(frozenset({"algorithm", "ecdsaCurve", "rsaBits"}), make_private_key),
    "tls:index/certRequest:CertRequest": Kind(IDENTITY, make_request),
    "tls:index/selfSignedCert:SelfSignedCert": Kind(IDENTITY | VALIDITY, make_self_signed, due),
    "tls:index/locallySignedCert:LocallySignedCert": Kind(
        VALIDITY | {"caCertPem", "caPrivateKeyPem", "certRequestPem"}, make_locally_signed, due
    ),
}
