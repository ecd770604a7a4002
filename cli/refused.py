"""What a command says when it does not do what it was asked."""


class RefusedError(Exception):
    """It was not done; the message says why."""
