"""Load in the manner of kube-burner: objects from templates, iterations, a rate with a burst, churn.

One declaration serves both: our own small generator (`drills.generator`) and the configuration of the real one.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from string import Template
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drills.declaration_errors import words


class LoadError(Exception):
    """A load declaration is wrong; names the file and the key."""


class ObjectTemplate(BaseModel):
    """Objects that each iteration makes. `${iteration}` and `${replica}` are filled in, and make the names unique."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    collection: str
    """Path of the collection in the API, e.g. /api/v1/namespaces/kube-ha-load/configmaps."""
    template: dict[str, Any]
    replicas: int = Field(default=1, ge=1)

    def fill(self, iteration: object, replica: object) -> dict[str, Any]:
        """The object of one iteration and replica."""
        text = Template(json.dumps(self.template)).substitute(iteration=iteration, replica=replica)
        filled: dict[str, Any] = json.loads(text)
        return filled


class Declaration(BaseModel):
    """What is made, how fast, and how much of it is made anew."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    namespace: str
    iterations: int = Field(ge=1)
    """How many sets of objects exist at a time."""
    qps: int = Field(gt=0)
    """Requests a second."""
    burst: int = Field(ge=1)
    """How many requests may be caught up with at once after a delay."""
    objects: tuple[ObjectTemplate, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Request:
    """One request of the load."""

    method: str
    path: str
    body: dict[str, Any] | None


def load(path: Path) -> Declaration:
    """The declaration in a YAML file.

    Raises:
        LoadError: not one.
    """
    try:
        return Declaration.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise LoadError(f"{path}: {words(error)}") from error


def times(declaration: Declaration, factor: int) -> Declaration:
    """The same load, `factor` times as fast.

    Raises:
        LoadError: not once or more.
    """
    if factor < 1:
        raise LoadError(f"--times {factor}: a load runs once as fast as it is declared, or more.")
    return declaration.model_copy(update={"qps": declaration.qps * factor, "burst": declaration.burst * factor})


def requests(declaration: Declaration) -> Iterator[Request]:
    """The requests of the load, without end: all iterations are made, then churned, the oldest first."""
    for turn in count():
        iteration = turn % declaration.iterations
        for kind in declaration.objects:
            for replica in range(kind.replicas):
                body = kind.fill(iteration, replica)
                if turn >= declaration.iterations:
                    yield Request("DELETE", f"{kind.collection}/{body['metadata']['name']}", None)
                yield Request("POST", kind.collection, body)


def kube_burner(declaration: Declaration, seconds: float) -> dict[str, str]:
    """The same load as files of kube-burner: file name → content; it churns for `seconds`."""
    templates = {
        f"{declaration.name}-{number}.yml": yaml.safe_dump(kind.fill("{{.Iteration}}", "{{.Replica}}"))
        for number, kind in enumerate(declaration.objects)
    }
    job = {
        "name": declaration.name,
        "namespace": declaration.namespace,
        "namespacedIterations": False,
        "jobIterations": declaration.iterations,
        "qps": declaration.qps,
        "burst": declaration.burst,
        "waitWhenFinished": False,
        "churnConfig": {
            "mode": "objects",
            "duration": f"{seconds:g}s",
            "percent": max(1, round(100 / declaration.iterations)),
            "delay": "0s",
        },
        "objects": [
            {"objectTemplate": name, "replicas": kind.replicas}
            for name, kind in zip(templates, declaration.objects, strict=True)
        ],
    }
    return {f"{declaration.name}.yml": yaml.safe_dump({"jobs": [job]}, sort_keys=False)} | templates
