"""AWS's refusals as the agent's errors: what is absent, what is forbidden, what somebody else wrote first."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from components.node.agent.cloud import AccessDeniedError, CloudError, ConflictError, NotFoundError

ABSENT: Final = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound", "ResourceNotFoundException"})
FORBIDDEN: Final = frozenset({"403", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
WRITTEN_FIRST: Final = frozenset({"409", "412", "ConditionalRequestConflict", "PreconditionFailed"})

KINDS: Final[Mapping[frozenset[str], type[CloudError]]] = {
    ABSENT: NotFoundError,
    FORBIDDEN: AccessDeniedError,
    WRITTEN_FIRST: ConflictError,
}


@contextmanager
def translated(subject: str) -> Iterator[None]:
    """Within this, the SDK's errors are the agent's; `subject` says what was asked for."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        kind = next((kind for codes, kind in KINDS.items() if code in codes), CloudError)
        raise kind(f"{subject}: {error}") from None
    except BotoCoreError as error:
        raise CloudError(f"{subject}: {error}") from None
