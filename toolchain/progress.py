"""Tells the user what takes long: a spinner on a terminal, plain lines elsewhere (a CI log, a pipe)."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

HEARTBEAT_SECONDS = 30.0
"""How often a log without a terminal is told that something still runs: CI ends what is silent for long."""

# Messages hold what others wrote: lists, URNs and paths in brackets are no markup.
console = Console(stderr=True, highlight=False, markup=False)


def complain(message: object, head: str = "error:") -> None:
    """Say what went wrong."""
    console.print(Text.assemble((head, "red"), f" {message}"), soft_wrap=True)


@contextmanager
def step(what: str, out: Console = console) -> Iterator[None]:
    """Shows `what` while the block runs, and how long it took when it ends well."""
    started = time.monotonic()
    if out.is_terminal:
        with out.status(f"{what} …"):
            yield
    else:
        out.print(f"{what} …", soft_wrap=True)
        with heartbeat(what, started, out):
            yield
    out.print(f"{what}: {time.monotonic() - started:.0f} s", soft_wrap=True)


@contextmanager
def heartbeat(what: str, started: float, out: Console) -> Iterator[None]:
    """A line every now and then while the block runs."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT_SECONDS):
            out.print(f"{what} … {time.monotonic() - started:.0f} s so far", soft_wrap=True)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
