"""Reading a resource's properties: missing and odd ones never crash a rule, unknown ones stop it by name. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import isfinite
from typing import Any, Final


class Unknown(Enum):
    """What stands in a preview where a value is not known yet."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


class UndecidedError(Exception):
    """A rule needs a value that a preview does not know; the message is the value's path."""


@dataclass(frozen=True)
class Properties:
    """Properties of a resource, or a group of them within it.

    Paths have dots: `vpcConfig.subnetIds`. Every reader answers what is there in the type that was asked for, or
    nothing where the property is missing or of another type, as cloud providers do not always keep to their schemas.

    Raises:
        UndecidedError: by every reader but `has`, where the value or a group on the way to it is not known yet.
    """

    values: Mapping[str, Any]
    path: str = ""

    def named(self, path: str) -> str:
        """The whole path of a property, for messages."""
        return f"{self.path}.{path}" if self.path else path

    def has(self, path: str) -> bool:
        """Whether something will be there, known or not."""
        try:
            return self.any(path) not in (None, "", [], {})
        except UndecidedError:
            return True

    def any(self, path: str) -> Any:
        """Whatever is there, else None."""
        current: Any = self.values
        for part in path.split("."):
            if not isinstance(current, Mapping):
                return None
            current = current.get(part)
            if current is UNKNOWN:
                raise UndecidedError(self.named(path))
        return current

    def text(self, path: str) -> str:
        """A string, else an empty one."""
        value = self.any(path)
        return value if isinstance(value, str) else ""

    def flag(self, path: str) -> bool | None:
        """A truth value (some providers hand it over as a string), else None."""
        value = self.any(path)
        if isinstance(value, str):
            return {"true": True, "false": False}.get(value.lower())
        return value if isinstance(value, bool) else None

    def number(self, path: str) -> float | None:
        """A number (some providers hand it over as a string), else None."""
        value = self.any(path)
        if isinstance(value, bool):
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            return None
        return number if isfinite(number) else None

    def group(self, path: str) -> "Properties":
        """A group of properties, else an empty one."""
        value = self.any(path)
        return Properties(value if isinstance(value, Mapping) else {}, self.named(path))

    def items(self, path: str) -> Sequence[Any]:
        """A list with every element known, else an empty one."""
        value = self.any(path)
        if isinstance(value, str) or not isinstance(value, Sequence):
            return ()
        if UNKNOWN in value:
            raise UndecidedError(self.named(path))
        return value

    def texts(self, path: str) -> Sequence[str]:
        """The strings of a list."""
        return [item for item in self.items(path) if isinstance(item, str)]

    def groups(self, path: str) -> Iterator["Properties"]:
        """The groups of a list."""
        for index, item in enumerate(self.items(path)):
            if isinstance(item, Mapping):
                yield Properties(item, self.named(f"{path}[{index}]"))
