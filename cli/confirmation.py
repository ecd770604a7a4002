"""Asks for the stack's name before something that cannot be taken back."""

import sys

from cli.refused import RefusedError


def confirm(stack: str, what: str, without_terminal: str = "YES=1 answers") -> None:
    """Ask for the stack's name, to do `what`.

    Args:
        without_terminal: what to do where nobody can be asked.

    Raises:
        RefusedError: another answer, or nobody to ask.
    """
    if not sys.stdin.isatty():
        raise RefusedError(f"nothing was changed: there is no terminal to ask on; {without_terminal}")
    if input(f"Type the stack's name to {what}: ") != stack:
        raise RefusedError(f"that was not {stack}; nothing was changed")
