"""What EC2 tells a machine about itself: the instance metadata service, by its second version."""

import os
import urllib.error
import urllib.request
from typing import Final

from components.node.agent.cloud import CloudError, NotFoundError

SERVICE: Final = "http://169.254.169.254"
SERVICE_VARIABLE: Final = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
"""The SDK's own variable for another address of the service."""

TIMEOUT: Final = 2.0
TOKEN_SECONDS: Final = 60


class Metadata:
    """Answers of the metadata service. Nothing is kept: tags and the lifecycle change while the machine lives."""

    def __init__(self) -> None:
        self._service = os.environ.get(SERVICE_VARIABLE, SERVICE).rstrip("/")

    def __call__(self, path: str) -> str:
        """`/latest/meta-data/<path>`.

        Raises:
            NotFoundError: the service has no such entry.
            CloudError: it does not answer.
        """
        token = self._request("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_SECONDS)})
        return self._request("GET", f"/latest/meta-data/{path}", {"X-aws-ec2-metadata-token": token})

    def tag(self, key: str) -> str | None:
        """A tag of this instance, if it has it."""
        try:
            return self(f"tags/instance/{key}")
        except NotFoundError:
            return None

    def interface(self, entry: str) -> str:
        """Something about the first network interface: `interface-id`, `subnet-ipv4-cidr-block`."""
        return self(f"network/interfaces/macs/{self('mac')}/{entry}")

    def _request(self, method: str, path: str, headers: dict[str, str]) -> str:
        request = urllib.request.Request(self._service + path, method=method, headers=headers)  # noqa: S310 - http
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - as above
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            kind = NotFoundError if error.code == 404 else CloudError
            raise kind(f"instance metadata {path}: {error.code} {error.reason}") from None
        except OSError as error:
            raise CloudError(f"instance metadata {path}: {error}") from None
