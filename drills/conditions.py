"""Under which conditions a run was made: only runs of the same ones are counted together. Pure."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

import yaml

from components.node.machine import MACHINE_FILE
from drills.fault import Fault
from drills.load import Declaration
from drills.probe import Stream

DIGITS: Final = 12
"""Of SHA-256 in hex: enough that two programs of one project never share them."""


@dataclass(frozen=True)
class Conditions:
    """What must be equal for two runs of a fault to be repeats of each other."""

    stack: str
    program: str
    """Hash of what the machines boot from, the agent's among it."""
    fault: str
    """Hash of the fault's steps, without what is expected of them."""
    load: str
    """Hash of the probe's streams and of the load beside it."""


def conditions(
    stack: str, program: str, fault: Fault, streams: Iterable[Stream], load: Declaration | None
) -> Conditions:
    """The conditions of a run."""
    steps = [step.model_dump(mode="json", exclude={"expect"}) for step in fault.steps]
    # Addresses change with the stack's network; how often is asked for what does not.
    asked = [{**asdict(stream), "host": "", "port": 0} for stream in streams]
    return Conditions(stack, program, _hash(steps), _hash([asked, load.model_dump(mode="json") if load else None]))


def program(user_data: Iterable[str]) -> str:
    """Hash of what machines boot from, whatever the cluster's random identity, which every `make up` chooses anew."""
    return _hash(sorted(_without_identity(text) for text in user_data))


def _without_identity(user_data: str) -> str:
    config = yaml.safe_load(user_data)
    documents = [file["content"] for file in config.get("write_files", ()) if file["path"] == str(MACHINE_FILE)]
    for document in documents:
        user_data = user_data.replace(str(json.loads(document)["uid"]), "")
    return user_data


def _hash(what: Any) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:DIGITS]
