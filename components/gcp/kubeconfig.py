"""How kubectl reaches a GKE cluster: by whoever runs it, as Google's IAM knows them. Pure."""

from typing import Any

from components import kubeconfig

PLUGIN = "gke-gcloud-auth-plugin"


def render(name: str, endpoint: str, authority: str) -> str:
    """A kubeconfig without a credential in it: Google's plugin for kubectl gets one each time.

    Args:
        name: of the cluster in the kubeconfig.
        endpoint: URL of the API.
        authority: its certificate in base64.
    """
    user: dict[str, Any] = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": PLUGIN,
        "installHint": f"install {PLUGIN}: gcloud components install {PLUGIN}",
        "provideClusterInfo": True,
        "interactiveMode": "IfAvailable",
    }
    return kubeconfig.render(name, endpoint, authority, {"exec": user})
