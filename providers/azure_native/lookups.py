"""Functions of pulumi-azure-native that the stand-in answers."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from providers.azure_native.outputs import TENANT, unique
from providers.ledger import Ledger
from providers.published import Config
from providers.stand_in import Properties

SUBSCRIPTION: Final = "00000000-0000-4000-8000-000000000002"
CLUSTER: Final = "azure-native:containerservice:ManagedCluster"


def client(given: Properties, config: Config) -> dict[str, Any]:
    return {
        "clientId": unique("client"),
        "objectId": unique("object"),
        "subscriptionId": SUBSCRIPTION,
        "tenantId": TENANT,
    }


def credentials(given: Properties, config: Config) -> dict[str, Any]:
    """A kubeconfig as AKS gives it to a user of a cluster with Entra ID: with whom to ask, and no secret.

    Raises:
        ValueError: there is no such cluster.
    """
    name = given["resourceName"]
    found = [one.state for one in Ledger.here().entries(CLUSTER) if one.identity.endswith(f"/{name}")]
    if not found:
        raise ValueError(f"managed cluster {name} does not exist")
    host = found[0].get("privateFQDN") or found[0]["fqdn"]
    user = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin", "args": ["get-token"]}
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"https://{host}:443"}}],
        "users": [{"name": f"clusterUser_{name}", "user": {"exec": user}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": f"clusterUser_{name}"}}],
        "current-context": name,
    }
    return {"kubeconfigs": [{"name": "clusterUser", "value": b64encode(json.dumps(kubeconfig).encode()).decode()}]}


LOOKUPS: Final[Mapping[str, Callable[[Properties, Config], Properties]]] = {
    "azure-native:authorization:getClientConfig": client,
    "azure-native:containerservice:listManagedClusterUserCredentials": credentials,
}
