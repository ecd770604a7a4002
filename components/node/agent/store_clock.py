"""What time it is by the object store: the one clock that all machines of a cluster share."""

from components.node.agent.step import Context
from components.node.agent.take_snapshot import store


def store_time(context: Context) -> float:
    """Unix time, from an object that this machine writes to learn it. Raises `CloudError`."""
    known = store(context)
    written = known.keys.clock(context.machine.name)
    context.cloud.put(written, b"{}")
    return known.clock(written)
