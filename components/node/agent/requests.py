"""What a person asks of the machines, through the object store, and what a machine answers."""

from collections.abc import Callable

from components.node.agent.cloud import NotFoundError
from components.node.agent.step import Context
from components.node.snapshots import Request, RequestKind, Response, SnapshotKeys


def pending(context: Context, kind: RequestKind) -> Request | None:
    """What is asked for now."""
    key = SnapshotKeys(context.machine.uid).request(kind)
    try:
        return Request.model_validate_json(context.cloud.get(key)[0])
    except NotFoundError:
        return None


def serve(context: Context, kind: RequestKind, request: Request, work: Callable[[], str]) -> None:
    """Do it and answer with the name of the snapshot that `work` returns, or with what it raised; then it is done.

    Whatever it raised is answered and raised again: who asked has to know, and so does the machine's status.
    """
    keys = SnapshotKeys(context.machine.uid)
    try:
        response = Response(id=request.id, snapshot=work())
    except Exception as error:
        response = Response(id=request.id, snapshot=request.snapshot, error=str(error) or type(error).__name__)
        raise
    finally:
        context.cloud.put(keys.response(kind), response.encode())
        context.cloud.delete(keys.request(kind))
