"""The AWS that the stand-in talks to: an emulator, never an account."""

import os
import threading
from functools import cached_property
from typing import Any, Final

import boto3
from botocore.config import Config

from providers.aws import service_model

ENDPOINT_VARIABLE: Final = "KUBE_HA_AWS_ENDPOINT"
"""URL of the emulator. Without it the stand-in has one of its own, which ends with it: enough for a preview."""

PATIENCE_SECONDS: Final = 600
"""With an emulator on a machine that is busy with other things."""

LOOPBACK: Final = "http://127.0.0.1:"


class NoEmulatorError(Exception):
    """The endpoint is not an emulator on this machine."""


class Aws:
    """Clients of an emulator. Requests go one at a time: emulators give out addresses and names without a lock."""

    def __init__(self, endpoint: str, region: str) -> None:
        if not endpoint.startswith(LOOPBACK):
            raise NoEmulatorError(f"{ENDPOINT_VARIABLE}: got {endpoint!r}; accepted: {LOOPBACK}<port>")
        self.region = region
        self._endpoint = endpoint
        self._lock = threading.RLock()
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str, operation: str, **parameters: Any) -> Any:
        """Carry out a request that AWS's own model finds well-formed; what is None is left out.

        Raises:
            ParamValidationError: AWS would not even read it.
            ClientError: the emulator refuses.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        with self._lock:
            client = self.client(service)
            service_model.check(client, operation, given)
            return getattr(client, operation)(**given)

    def check(self, service: str, operation: str, **parameters: Any) -> None:
        """Only hold a request against AWS's own model: for what the emulator cannot do."""
        given = {name: value for name, value in parameters.items() if value is not None}
        with self._lock:
            service_model.check(self.client(service), operation, given)

    @cached_property
    def account(self) -> str:
        """Number of the account."""
        return str(self("sts", "get_caller_identity")["Account"])

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """Zones of the region."""
        return tuple(zone["ZoneName"] for zone in self("ec2", "describe_availability_zones")["AvailabilityZones"])

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                region_name=self.region,
                endpoint_url=self._endpoint,
                aws_access_key_id="emulated",
                aws_secret_access_key="emulated",  # noqa: S106 - an emulator takes any
                config=Config(
                    retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=PATIENCE_SECONDS
                ),
            )
        return self._clients[service]


def endpoint() -> str:
    """Where the emulator is; started in this process if nobody names one."""
    named = os.environ.get(ENDPOINT_VARIABLE)
    if named:
        return named
    from providers.aws import emulator  # noqa: PLC0415 - a second, which a rehearsal's own emulator saves

    return emulator.start()
