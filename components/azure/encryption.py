"""The keys under which a managed cluster on Azure is encrypted."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_azure_native import compute, keyvault

from components.azure.place import Place
from components.azure.roles import Role, assign, principal_of

SOFT_DELETE_DAYS: Final = 90
"""How long a deleted key can be brought back: the most that Azure takes, since with it everything is lost."""
KEY_SIZE: Final = 4096
DISK_KEY_LIFETIME: Final = "P1Y"
"""After which Key Vault makes its next version, and the disks follow."""


@dataclass(frozen=True, kw_only=True)
class EncryptionArgs:
    """What keys are made from."""

    place: Place
    tenant: pulumi.Input[str]
    cluster_principal: pulumi.Input[str]
    disks: bool
    """Whether disks have a key too."""


class Encryption(pulumi.ComponentResource):
    """A key vault that nothing but Azure's own services and the cluster's network reaches, with a key for Secrets in
    etcd and, where disks are encrypted, one for them.

    All of it outlives the stack: with the keys go etcd, disks, and the snapshots of disks.
    """

    vault_id: pulumi.Output[str]
    etcd_key: pulumi.Output[str]
    """With its version: the next one is taken over by `pulumi up --refresh`."""
    disk_encryption_set: pulumi.Output[str] | None

    def __init__(self, name: str, args: EncryptionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:azure:Encryption", name, None, opts)
        self.name, self.args = name, args
        self.kept = pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True)
        self.child = pulumi.ResourceOptions(parent=self)
        self.vault = self.key_vault()
        self.vault_id = self.vault.id
        etcd = self.key(f"{name}-etcd", "etcd", None)
        self.etcd_key = etcd.key_uri_with_version
        # The second role lets AKS connect its private endpoint to the vault.
        for role, what in ((Role.KEY_VAULT_CRYPTO_USER, "decrypts"), (Role.KEY_VAULT_CONTRIBUTOR, "connects")):
            assign(f"{name}-{what}", role, to=args.cluster_principal, on=self.vault_id, opts=self.child)
        self.disk_encryption_set = self.disk_encryption() if args.disks else None
        self.register_outputs({"vaultId": self.vault_id, "etcdKey": self.etcd_key})

    def key_vault(self) -> keyvault.Vault:
        return keyvault.Vault(
            # Key Vault's names have 24 characters at most, eight of which Pulumi adds.
            self.name[:16].rstrip("-"),
            resource_group_name=self.args.place.resource_group,
            location=self.args.place.location,
            tags=self.args.place.tags,
            properties=keyvault.VaultPropertiesArgs(
                tenant_id=self.args.tenant,
                sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName.STANDARD),
                enable_rbac_authorization=True,
                enable_purge_protection=True,
                enable_soft_delete=True,
                soft_delete_retention_in_days=SOFT_DELETE_DAYS,
                public_network_access="Disabled",
                network_acls=keyvault.NetworkRuleSetArgs(bypass="AzureServices", default_action="Deny"),
            ),
            opts=self.kept,
        )

    def key(self, name: str, key_name: str, rotation: keyvault.RotationPolicyArgs | None) -> keyvault.Key:
        return keyvault.Key(
            name,
            key_name=key_name,
            resource_group_name=self.args.place.resource_group,
            vault_name=self.vault.name,
            properties=keyvault.KeyPropertiesArgs(kty="RSA", key_size=KEY_SIZE, rotation_policy=rotation),
            tags=self.args.place.tags,
            opts=pulumi.ResourceOptions.merge(self.kept, pulumi.ResourceOptions(parent=self.vault)),
        )

    def disk_encryption(self) -> pulumi.Output[str]:
        key = self.key(f"{self.name}-disks", "disks", yearly())
        encryption = compute.DiskEncryptionSet(
            self.name,
            resource_group_name=self.args.place.resource_group,
            location=self.args.place.location,
            tags=self.args.place.tags,
            encryption_type="EncryptionAtRestWithPlatformAndCustomerKeys",
            identity=compute.EncryptionSetIdentityArgs(type="SystemAssigned"),
            active_key=compute.KeyForDiskEncryptionSetArgs(key_url=key.key_uri_with_version),
            rotation_to_latest_key_version_enabled=True,
            opts=self.kept,
        )
        encrypts = assign(
            f"{self.name}-encrypts-disks",
            Role.KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER,
            to=principal_of(encryption, encryption.identity),
            on=self.vault_id,
            opts=self.child,
        )
        uses = assign(
            f"{self.name}-uses-disk-encryption",
            Role.READER,
            to=self.args.cluster_principal,
            on=encryption.id,
            opts=self.child,
        )
        # A disk that is made before the set may use its key is refused.
        return pulumi.Output.all(encryption.id, encrypts.id, uses.id).apply(lambda known: str(known[0]))


def yearly() -> keyvault.RotationPolicyArgs:
    """A new version of a key each year."""
    return keyvault.RotationPolicyArgs(
        lifetime_actions=[
            keyvault.LifetimeActionArgs(
                action=keyvault.ActionArgs(type=keyvault.KeyRotationPolicyActionType.ROTATE),
                trigger=keyvault.TriggerArgs(time_after_create=DISK_KEY_LIFETIME),
            )
        ]
    )
