"""A service of AWS that does not answer costs a round of the agent one wait: etcd is looked after all the same."""

import time
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

SILENT_SECONDS: Final = 5.0
"""So long nobody asks a service again that did not answer: a round of the agent asks the store several times."""

UNANSWERED: Final = (ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError)


class SilentServiceError(BotoCoreError):  # type: ignore[misc]
    """The service did not answer a moment ago and was not asked again."""

    fmt = "{service} did not answer {ago:.1f} s ago, and is asked again after {pause:.0f} s"


class Silence:
    """Of one client of boto3."""

    def __init__(self) -> None:
        self._since: float | None = None

    def watch(self, client: Any) -> None:
        """Have the client's calls fail at once while its service is silent.

        The SDK itself would ask twice, and wait as long for the second answer.
        """
        service = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register_first(f"before-call.{service}", self._refuse)
        client.meta.events.register_first(f"needs-retry.{service}", self._notice)

    def _refuse(self, model: Any, **_: Any) -> None:
        ago = float("inf") if self._since is None else time.monotonic() - self._since
        if ago < SILENT_SECONDS:
            raise SilentServiceError(service=model.service_model.service_id, ago=ago, pause=SILENT_SECONDS)

    def _notice(self, caught_exception: Exception | None, **_: Any) -> None:
        if isinstance(caught_exception, UNANSWERED):
            self._since = time.monotonic()
            raise caught_exception
