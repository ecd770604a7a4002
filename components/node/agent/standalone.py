"""Commands that a unit runs without the agent: they need its source and nothing but the standard library."""

import sys


def command(module: str, *arguments: object) -> str:
    """A line for a unit that runs `components.node.agent.<module>` with `arguments`."""
    source = next(path for path in sys.path if path and _is_source(path))
    program = f"/usr/bin/env PYTHONPATH={source} {sys.executable} -m components.node.agent.{module}"
    return " ".join([program, *(str(argument) for argument in arguments)])


def _is_source(path: str) -> bool:
    return __file__.startswith(f"{path.rstrip('/')}/components/")
