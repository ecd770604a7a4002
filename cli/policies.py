"""Has the policy pack judge a stack before anything of it is made."""

from cli.engine import Engine, EngineError
from toolchain.progress import console, step


def judge(engine: Engine) -> None:
    """Preview the stack with the pack: rules over a whole stack are asked at its end, which in an `up` is too late.

    Raises:
        EngineError: a mandatory rule is broken, or the program itself fails; what was wrong is shown.
    """
    with step("policies"):
        told = engine.told("preview", "--policy-pack", "policy", "--suppress-outputs", "--stack", engine.stack)
    if told.returncode != 0:
        console.print(told.stdout + told.stderr, soft_wrap=True)
        raise EngineError(f"stack {engine.stack} does not go up: the policies that it breaks, or its errors, are above")
