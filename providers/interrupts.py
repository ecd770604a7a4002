"""A plugin that is told to end ends, and says nothing: the engine prints what an unhandled signal says."""

import os
import signal


def end_at_once() -> None:
    """Call it before anything slow is imported: an interrupt may come at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
