"""A plugin lives as long as its engine.

Whoever started it may be gone before: an interrupt ends a language host first, while the engine still asks its plugins;
and a host that ends while it starts a plugin leaves one that never knew it.
"""

import socket
import threading
from typing import Final

LOOK_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 1.0


def follow(engine: str, stopping: threading.Event) -> None:
    """Return once `stopping` is set, or nobody listens at the engine's address (host:port)."""
    while not stopping.wait(LOOK_SECONDS) and listens(engine):
        pass


def listens(engine: str) -> bool:
    """Whether the engine is there; one that is too busy to say so is."""
    host, _, port = engine.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return True
