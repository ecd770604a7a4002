"""What says where a cluster of a cloud is: a YAML file of three lines."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drills.declaration_errors import words


class InventoryError(Exception):
    """The inventory cannot be used, or not without being named; the message says what is missing."""


class Inventory(BaseModel):
    """A cluster in an account that the credentials of the environment are for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cloud: Literal["aws"]
    region: str = Field(min_length=1)
    cluster: str = Field(min_length=1)
    """The stack: value of the tag `kube-ha:cluster` of all that is its own."""


def load(path: Path) -> Inventory:
    """The inventory in a file.

    Raises:
        InventoryError: not one; names the file and the key.
    """
    try:
        return Inventory.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise InventoryError(f"{path}: an inventory says cloud (aws), region and cluster: {words(error)}") from error
