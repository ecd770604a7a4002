"""What is wrong with a declaration, in words and on one line."""

from typing import Any

from pydantic import ValidationError


def words(error: Exception) -> str:
    """Each problem that pydantic found, with its key and what it got; of another error, what it says."""
    if isinstance(error, ValidationError):
        return "; ".join(_problem(one) for one in error.errors())
    return " ".join(str(error).split())


def _problem(one: Any) -> str:
    key, message = ".".join(map(str, one["loc"])), one["msg"]
    match one["type"]:
        case "missing":
            return f"{key}: missing"
        case "extra_forbidden":
            return f"{key}: no such key"
        case _ if isinstance(one["input"], dict | list):
            return f"{key}: {message}" if key else message
    return f"{key}: got {one['input']!r}; {message}" if key else f"got {one['input']!r}; {message}"
