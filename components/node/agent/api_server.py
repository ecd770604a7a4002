"""Whether this master's own API server is ready, asked as a load balancer asks."""

import http.client
import ssl
from pathlib import Path

from components.node.health import API_PORT


def not_ready(address: str, authority: Path) -> str | None:
    """Why it is not ready, in words; None when it is. `authority`: certificate of the Kubernetes CA."""
    if not authority.is_file():
        return "no certificate authority yet"
    connection = http.client.HTTPSConnection(
        address, API_PORT, timeout=3, context=ssl.create_default_context(cafile=str(authority))
    )
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        body = response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    if response.status == http.client.OK:
        return None
    failed = [line for line in body.splitlines() if line.startswith("[-]")]
    return "; ".join(failed) or f"HTTP {response.status}"
