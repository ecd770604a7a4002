"""`make kubeconfig`: the administrator's kubeconfig of a stack that is up."""

import sys

from cli.engine import Engine, EngineError


def show(engine: Engine) -> int:
    """Print it; the exit status."""
    sys.stdout.write(of(engine))
    return 0


def of(engine: Engine) -> str:
    """The text; who has it administers the cluster.

    Raises:
        EngineError: the stack is not up.
    """
    outputs = engine.outputs() if engine.resources() else {}
    if "kubeconfig" not in outputs:
        raise EngineError(f"stack {engine.stack} is not up: make up STACK={engine.stack}")
    return str(outputs["kubeconfig"])
