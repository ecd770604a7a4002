"""A kubeconfig of one cluster: how kubectl reaches it, whoever its user is. Pure."""

import json
from collections.abc import Mapping
from typing import Any


def render(name: str, server: str, authority: str, user: Mapping[str, Any]) -> str:
    """The text; JSON, which is YAML.

    Args:
        name: of cluster, user and context in it.
        server: URL of the API.
        authority: certificates that the API's is checked by, in base64.
        user: credentials, or the command that gets them.
    """
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(document, indent=2) + "\n"
