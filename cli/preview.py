"""`make preview`: what an `up` would change, and which policies it would break."""

from cli.engine import Engine


def preview(engine: Engine) -> int:
    """Show it; the exit status.

    Raises:
        EngineError: the program fails, or a mandatory policy is broken; what was wrong is shown.
    """
    engine.select()
    engine.run("preview", "--diff", "--policy-pack", "policy", "--stack", engine.stack)
    return 0
