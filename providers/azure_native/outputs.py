"""What Azure adds to what it is given, in the form in which pulumi-azure-native shows it."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from providers.stand_in import Properties

TENANT: Final = "72f988bf-0000-4000-8000-000000000001"
SYSTEM_ASSIGNED: Final = "SystemAssigned"


def common(identity: str, given: Properties) -> dict[str, Any]:
    """What every resource has: its name and type, and who it is where it has an identity."""
    added: dict[str, Any] = {"name": identity.rsplit("/", 1)[1], "type": type_of(identity)}
    if "identity" in given:
        added["identity"] = identities(identity, given["identity"])
    return added


def type_of(identity: str) -> str:
    """`/…/providers/Microsoft.Network/virtualNetworks/a/subnets/b` → `Microsoft.Network/virtualNetworks/subnets`."""
    _, found, provided = identity.rpartition("/providers/")
    if not found:
        return "Microsoft.Resources/resourceGroups"
    namespace, *rest = provided.split("/")
    return "/".join([namespace, *rest[::2]])


def unique(*parts: str) -> str:
    """An ID as Azure's directory gives one, the same for the same resource."""
    return str(uuid5(NAMESPACE_URL, "|".join(parts).lower()))


def identities(identity: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's identities with what the directory knows them by."""
    added: dict[str, Any] = {"type": given.get("type")}
    if SYSTEM_ASSIGNED in str(given.get("type")):
        added |= {"principalId": unique(identity, "principal"), "tenantId": TENANT}
    listed = given.get("userAssignedIdentities")
    if listed:
        added["userAssignedIdentities"] = {one: user_assigned(one) for one in listed}
    return added


def user_assigned(identity: str) -> dict[str, Any]:
    return {"principalId": unique(identity, "principal"), "clientId": unique(identity, "client")}


def cluster(identity: str, given: Properties) -> dict[str, Any]:
    """Addresses of the API; a private cluster has no public one."""
    host = f"{given['dnsPrefix']}-{sha256(identity.encode()).hexdigest()[:8]}"
    region = given["location"]
    private = given.get("apiServerAccessProfile", {}).get("enablePrivateCluster")
    address = (
        {"privateFQDN": f"{host}.{unique(identity)}.privatelink.{region}.azmk8s.io"}
        if private
        else {"fqdn": f"{host}.hcp.{region}.azmk8s.io"}
    )
    return {
        **address,
        "currentKubernetesVersion": f"{given.get('kubernetesVersion', '1.34')}.0",
        "oidcIssuerProfile": {
            **given.get("oidcIssuerProfile", {}),
            "issuerURL": f"https://{region}.oic.prod-aks.azure.com/{TENANT}/{unique(identity, 'issuer')}/",
        },
        "powerState": {"code": "Running"},
        "provisioningState": "Succeeded",
    }


def key(identity: str, given: Properties) -> dict[str, Any]:
    address = f"https://{given['vaultName']}.vault.azure.net/keys/{given['keyName']}"
    version = sha256(identity.encode()).hexdigest()[:32]
    return {"keyUri": address, "keyUriWithVersion": f"{address}/{version}"}


def extension(identity: str, given: Properties) -> dict[str, Any]:
    assigned = {"principalId": unique(identity, "principal"), "tenantId": TENANT, "type": "UserAssigned"}
    return {"aksAssignedIdentity": assigned, "provisioningState": "Succeeded"}


Outputs = Callable[[str, Properties], Mapping[str, Any]]

OWN: Final[Mapping[str, Outputs]] = {
    "containerservice:ManagedCluster": cluster,
    "keyvault:Key": key,
    "kubernetesconfiguration:Extension": extension,
    "managedidentity:UserAssignedIdentity": lambda identity, given: {
        **user_assigned(identity),
        "tenantId": TENANT,
    },
}
"""Type → what it has beside what all have."""
