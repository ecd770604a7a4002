"""The keys of a control plane: every authority apart from the others, made by Pulumi, kept as secrets of its state.

Leaf certificates are not made here but on the machines, so that their keys never leave them; the one exception is the
administrator's, who has no machine.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pulumi
import pulumi_random as random
import pulumi_tls as tls

from components import kubeconfig, recovery
from components.authority_settings import FIRST, AuthoritySettings

CA_HOURS: Final = 10 * 365 * 24
"""Ten years, kubeadm's own lifetime of an authority (CertificateValidityPeriod in its v1beta4 configuration)."""

ADMIN_HOURS: Final = 365 * 24
ADMIN_RENEWAL_HOURS: Final = 60 * 24
"""An `up` in the last 60 days of the administrator's certificate makes a new one."""

AUTHORITIES: Final = {
    "kubernetes-ca": "kubernetes",
    "front-proxy-ca": "front-proxy-ca",
    "etcd-client-ca": "etcd-client-ca",
    "etcd-peer-ca": "etcd-peer-ca",
}
"""Name in the secret store → common name."""


@dataclass(frozen=True)
class Authority:
    """A certificate authority; `key` is secret."""

    certificate: pulumi.Output[str]
    """Of the generation that signs, PEM."""
    key: pulumi.Output[str]
    trusted: pulumi.Output[str]
    """Certificates of all generations that are trusted, PEM, the signing one first."""


@dataclass(frozen=True, kw_only=True)
class PkiArgs:
    """What the keys are made from."""

    authorities: AuthoritySettings = field(default_factory=AuthoritySettings)


class Pki(pulumi.ComponentResource):
    """Authorities, service-account key, encryption key, bootstrap token, and the cluster's identity."""

    uid: pulumi.Output[str]
    """16 hexadecimal digits that no other cluster has: the name of this one in the object store."""
    secrets: dict[str, pulumi.Output[str]]
    """Name → JSON text, as the secret stores keep it and the agent reads it."""

    def __init__(self, name: str, args: PkiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:index:Pki", name, None, opts)
        self.name = name
        self.generations = args.authorities
        self.recovered = recovered()
        self.uid = random.RandomId(f"{name}-uid", byte_length=8, opts=self.child).hex
        self.authorities = {secret: self.authority(secret, common) for secret, common in AUTHORITIES.items()}
        self.secrets = {
            **{secret: self.pair(authority) for secret, authority in self.authorities.items()},
            "service-account": self.service_account(),
            "encryption-at-rest": self.encryption_key(),
            "bootstrap-token": self.bootstrap_token(),
        }
        self.admin_key = self.private_key("admin")
        self.admin = self.administrator()
        self.register_outputs({"uid": self.uid})

    @property
    def child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def private_key(self, name: str) -> tls.PrivateKey:
        return tls.PrivateKey(f"{self.name}-{name}", algorithm="ECDSA", ecdsa_curve="P256", opts=self.child)

    def authority(self, name: str, common_name: str) -> Authority:
        """All generations of it that are trusted, as one."""
        made = {number: self.generation(name, common_name, number) for number in self.generations.trusted}
        certificate, key = made.pop(self.generations.signing)
        others = [other for other, _ in made.values()]
        return Authority(certificate, key, pulumi.Output.concat(certificate, *others))

    def generation(self, name: str, common_name: str, number: int) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Certificate and key of one generation. The first is the recovered one where there is one."""
        if number == FIRST and (kept := self.recovered.get(name)) is not None:
            return pulumi.Output.from_input(kept["certificate"]), pulumi.Output.secret(kept["key"])
        if number > FIRST:
            name = f"{name}-{number}"
        key = self.private_key(name)
        certificate = tls.SelfSignedCert(
            f"{self.name}-{name}",
            private_key_pem=key.private_key_pem,
            subject={"common_name": common_name},
            is_ca_certificate=True,
            set_subject_key_id=True,
            validity_period_hours=CA_HOURS,
            allowed_uses=["cert_signing", "crl_signing", "digital_signature", "key_encipherment"],
            opts=self.child,
        )
        return certificate.cert_pem, pulumi.Output.secret(key.private_key_pem)

    def pair(self, authority: Authority) -> pulumi.Output[str]:
        return pulumi.Output.secret(pulumi.Output.json_dumps({"certificate": authority.trusted, "key": authority.key}))

    def service_account(self) -> pulumi.Output[str]:
        if (kept := self.recovered.get("service-account")) is not None:
            return pulumi.Output.secret(json.dumps(kept))
        key = self.private_key("service-account")
        return pulumi.Output.secret(
            pulumi.Output.json_dumps({"public": key.public_key_pem, "key": key.private_key_pem})
        )

    def encryption_key(self) -> pulumi.Output[str]:
        if (kept := self.recovered.get("encryption-at-rest")) is not None:
            return pulumi.Output.secret(json.dumps(kept))
        key = random.RandomBytes(f"{self.name}-encryption-at-rest", length=32, opts=self.child)
        return pulumi.Output.secret(pulumi.Output.json_dumps({"key": key.base64}))

    def bootstrap_token(self) -> pulumi.Output[str]:
        def part(name: str, length: int) -> pulumi.Output[str]:
            return random.RandomPassword(
                f"{self.name}-bootstrap-token-{name}", length=length, upper=False, special=False, opts=self.child
            ).result

        token = pulumi.Output.concat(part("id", 6), ".", part("secret", 16))
        return pulumi.Output.secret(pulumi.Output.json_dumps({"token": token}))

    def administrator(self) -> tls.LocallySignedCert:
        authority = self.authorities["kubernetes-ca"]
        request = tls.CertRequest(
            f"{self.name}-admin",
            private_key_pem=self.admin_key.private_key_pem,
            subject={"common_name": "kube-ha-admin", "organization": "kubeadm:cluster-admins"},
            opts=self.child,
        )
        return tls.LocallySignedCert(
            f"{self.name}-admin",
            cert_request_pem=request.cert_request_pem,
            ca_cert_pem=authority.certificate,
            ca_private_key_pem=authority.key,
            validity_period_hours=ADMIN_HOURS,
            early_renewal_hours=ADMIN_RENEWAL_HOURS,
            allowed_uses=["client_auth", "digital_signature"],
            opts=self.child,
        )

    def kubeconfig(self, cluster: str, endpoint: pulumi.Input[str]) -> pulumi.Output[str]:
        """A kubeconfig of the administrator, valid for a year; secret.

        Args:
            cluster: the name of cluster, user and context in it.
            endpoint: `host:port` that clients use.
        """
        authority = self.authorities["kubernetes-ca"].trusted
        parts = pulumi.Output.all(endpoint, authority, self.admin.cert_pem, self.admin_key.private_key_pem)
        return pulumi.Output.secret(parts.apply(lambda args: with_certificate(cluster, *args)))


def recovered() -> Mapping[str, Mapping[str, str]]:
    """The keys of the cluster that this one goes on from, if it does."""
    try:
        return recovery.parse(pulumi.Config(recovery.NAMESPACE).get(recovery.NAME))
    except recovery.RecoveryKeysError as error:
        raise pulumi.RunError(str(error)) from None


def with_certificate(cluster: str, endpoint: str, authority: str, certificate: str, key: str) -> str:
    """The text of a kubeconfig whose user is a certificate."""

    def encoded(text: str) -> str:
        return b64encode(text.encode()).decode()

    user = {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
    return kubeconfig.render(cluster, f"https://{endpoint}", encoded(authority), user)
