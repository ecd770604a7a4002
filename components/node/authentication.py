"""Who may call the API server: anonymous callers for exact paths only, users by OIDC where a stack says so."""

from typing import Any, Final

from components.node.machine import Oidc

ANONYMOUS_PATHS: Final = (
    # Load balancers and kubelet probes carry no credentials.
    "/livez",
    "/readyz",
    "/healthz",
    # `kubeadm join` reads whom to trust before it has any credential.
    "/api/v1/namespaces/kube-public/configmaps/cluster-info",
)


def render(oidc: Oidc | None) -> dict[str, Any]:
    """The API server's AuthenticationConfiguration."""
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {"enabled": True, "conditions": [{"path": path} for path in ANONYMOUS_PATHS]},
        **({"jwt": [_jwt(oidc)]} if oidc is not None else {}),
    }


def _jwt(oidc: Oidc) -> dict[str, Any]:
    # The prefix keeps a user of the identity provider from being named like one of the cluster's own, as
    # `system:admin` or a group `system:masters`.
    claims: dict[str, Any] = {"username": {"claim": oidc.username_claim, "prefix": "oidc:"}}
    if oidc.groups_claim is not None:
        claims["groups"] = {"claim": oidc.groups_claim, "prefix": "oidc:"}
    return {
        "issuer": {"url": oidc.issuer_url, "audiences": [oidc.client_id]},
        "claimMappings": claims,
    }
