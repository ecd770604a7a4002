"""What the API server's audit log tells: who changed what and who read secrets, without the control plane's chatter."""

from typing import Any, Final

LOG: Final = "/var/log/kubernetes/audit/audit.log"
MAX_AGE_DAYS: Final = 30
MAX_FILES: Final = 10
MAX_SIZE_MB: Final = 100
"""With `MAX_FILES`: at most 1.1 GB a master."""

CONTROL_PLANE: Final = (
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:serviceaccount:kube-system:endpoint-controller",
)


def render() -> dict[str, Any]:
    """The audit Policy; the first rule that matches decides."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        # A request that was received and answered is one event, not two.
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "nonResourceURLs": ["/livez*", "/readyz*", "/healthz*", "/version", "/openapi/*"]},
            # Heartbeats: several a second, and each the same.
            {"level": "None", "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
            {"level": "None", "resources": [{"group": "", "resources": ["events"]}]},
            {"level": "None", "resources": [{"group": "events.k8s.io", "resources": ["events"]}]},
            # Metadata only: bodies would put the secrets into the log.
            {
                "level": "Metadata",
                "resources": [
                    {"group": "", "resources": ["secrets", "configmaps", "serviceaccounts/token"]},
                    {"group": "authentication.k8s.io", "resources": ["tokenreviews"]},
                ],
            },
            {"level": "None", "users": list(CONTROL_PLANE), "verbs": ["get", "list", "watch"]},
            {"level": "None", "userGroups": ["system:nodes"], "verbs": ["get", "list", "watch"]},
            {"level": "Metadata"},
        ],
    }


def flags(policy_file: str) -> dict[str, str]:
    """The API server's flags for this log."""
    return {
        "audit-policy-file": policy_file,
        "audit-log-path": LOG,
        "audit-log-maxage": str(MAX_AGE_DAYS),
        "audit-log-maxbackup": str(MAX_FILES),
        "audit-log-maxsize": str(MAX_SIZE_MB),
    }
