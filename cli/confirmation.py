"""Asks for the stack's name before something that cannot be taken back."""

import sys

from cli.refused import RefusedError


def confirm(stack: str, what: str) -> None:
    """Ask for the stack's name, to do `what`.

    Raises:
        RefusedError: another answer, or nobody to ask.
    """
    if not sys.stdin.isatty():
        raise RefusedError("nothing was changed: there is no terminal to ask on; YES=1 answers")
    if input(f"Type the stack's name to {what}: ") != stack:
        raise RefusedError(f"that was not {stack}; nothing was changed")
