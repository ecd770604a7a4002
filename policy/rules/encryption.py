"""What is encrypted, and with whose keys."""

from collections.abc import Iterator
from typing import Final

from policy.clusters import AKS, EKS, MANAGED
from policy.properties import Properties
from policy.resource import Resource
from policy.rule import Config, Framework, Identifier, Severity, checkov, resource_rule

SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type
PARAMETER: Final = "aws:ssm/parameter:Parameter"
AWS_KEY: Final = "aws:kms/key:Key"
GCP_KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
EBS: Final = "aws:ebs/volume:Volume"
LAUNCH_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
INSTANCE: Final = "aws:ec2/instance:Instance"

SYMMETRIC: Final = ("", "SYMMETRIC_DEFAULT")
ROTATION_DAYS: Final = {
    "days": {"type": "integer", "minimum": 1, "default": 365, "description": "GCP: oldest a key gets."}
}


@resource_rule(
    types=(EBS, LAUNCH_TEMPLATE, INSTANCE),
    severity=Severity.HIGH,
    satisfy="Set encrypted on the volume, and on every disk of a launch template or an instance.",
    identifiers=checkov("CKV_AWS_3"),
)
def volumes_are_encrypted(resource: Resource, config: Config) -> Iterator[str]:
    """Every secret of the cluster is on etcd's disk, and disks are snapshotted, copied and thrown away."""
    given = resource.properties
    if resource.is_a(EBS):
        disks = [given]
    elif resource.is_a(LAUNCH_TEMPLATE):
        disks = [mapping.group("ebs") for mapping in given.groups("blockDeviceMappings") if mapping.has("ebs")]
    else:
        disks = [given.group("rootBlockDevice"), *given.groups("ebsBlockDevices")]
    for disk in disks:
        if disk.flag("encrypted") is not True:
            yield f"{disk.named('encrypted')} is not set; set it to true."


@resource_rule(
    types=MANAGED,
    severity=Severity.HIGH,
    satisfy=(
        "EKS: encryptionConfig with resources [secrets]. AKS: securityProfile.azureKeyVaultKms. "
        "GKE: databaseEncryption.state ENCRYPTED."
    ),
    identifiers=(
        *checkov("CKV_AWS_58"),
        Identifier(Framework.CIS_EKS, "5.3.1"),
        Identifier(Framework.CIS_GKE, "5.3.1"),
        Identifier(Framework.CIS_AKS, "5.3.1"),
    ),
)
def cluster_secrets_have_their_own_key(cluster: Resource, config: Config) -> Iterator[str]:
    """A copy of the cluster's database is worth nothing without a key that only you can use, and revoke."""
    given = cluster.properties
    if cluster.is_a(EKS):
        if "secrets" not in given.texts("encryptionConfig.resources"):
            yield "encryptionConfig does not name secrets; add it with a KMS key."
    elif cluster.is_a(AKS):
        if given.flag("securityProfile.azureKeyVaultKms.enabled") is not True:
            yield "securityProfile.azureKeyVaultKms is not enabled; enable it with a key."
    elif given.text("databaseEncryption.state") != "ENCRYPTED":
        yield "databaseEncryption.state is not ENCRYPTED; set it with a keyName."


@resource_rule(
    types=(SECRET, PARAMETER),
    severity=Severity.HIGH,
    satisfy="Set kmsKeyId of a secret, and type SecureString with keyId of a parameter that is one.",
    identifiers=checkov("CKV_AWS_149", "CKV_AWS_337"),
)
def stored_secrets_have_their_own_key(secret: Resource, config: Config) -> Iterator[str]:
    """Under the account's default key, who may read any secret may read the cluster's authorities."""
    given = secret.properties
    if secret.is_a(SECRET):
        if not given.has("kmsKeyId"):
            yield "kmsKeyId is not set; set a key of the stack's own."
    elif given.text("type") == "SecureString" and not given.has("keyId"):
        yield "keyId is not set; set a key of the stack's own."


@resource_rule(
    types=(AWS_KEY, GCP_KEY),
    severity=Severity.MEDIUM,
    satisfy="AWS: enableKeyRotation. GCP: rotationPeriod.",
    schema=ROTATION_DAYS,
    identifiers=checkov("CKV_AWS_7", "CKV_GCP_43"),
)
def keys_rotate(key: Resource, config: Config) -> Iterator[str]:
    """A key that never changes protects everything that it ever protected with one secret."""
    if key.is_a(AWS_KEY):
        symmetric = key.properties.text("customerMasterKeySpec") in SYMMETRIC
        if symmetric and key.properties.flag("enableKeyRotation") is not True:
            yield "enableKeyRotation is not set; set it to true."
    elif key.properties.text("purpose") in ("", "ENCRYPT_DECRYPT"):
        days = seconds(key.properties) / 86400
        if not 0 < days <= config["days"]:
            got = f"{days:g} days" if days else "not set"
            yield f"rotationPeriod is {got}; set {config['days']} days or less."


def seconds(key: Properties) -> float:
    """GCP's way to write a duration: `7776000s`; 0 where there is none."""
    text = key.text("rotationPeriod").removesuffix("s")
    return float(text) if text.isdigit() else 0.0
