"""What a resource type of Google Cloud is to the stand-in: the request that it becomes, its identity, its outputs."""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from providers.gcp.request import Form
from providers.published import Config, Kind
from providers.stand_in import Properties

Outputs = Callable[[str, Properties], Properties]
"""From identity and inputs to what the provider adds."""


def kind(
    form: Form,
    identity: str,
    *,
    outputs: Outputs = lambda identity, inputs: {},
    fixed: str = "",
    named: str | None = "name",
    labelled: bool = False,
    needs: str = "",
    guarded: Callable[[Properties], str] = lambda state: "",
) -> Kind:
    """A type.

    Args:
        form: how its properties become a request.
        identity: a template of properties, where `{number}` is one that Google gives.
        fixed: names of the properties that Google cannot change, in words.
        labelled: whether the provider's default labels reach it.
        needs: a template of the identity of what it is a part of.
    """

    def identify(inputs: Properties, config: Config) -> str:
        return identity.format_map(known(inputs, config))

    def state(made: str, inputs: Properties, config: Config) -> Properties:
        labels = {**json.loads(config.get("defaultLabels", "{}")), **inputs.get("labels", {})}
        extra = {"effectiveLabels": labels, "pulumiLabels": labels} if labelled else {}
        place = {name: config[name] for name in ("project",) if name in config}
        return {**place, **inputs, **extra, **outputs(made, inputs)}

    return Kind(
        checked_against=str(form),
        check=lambda inputs: form.problems(inputs, {"project": "checked-elsewhere"}),
        identify=identify,
        outputs=state,
        named=named,
        fixed=frozenset(fixed.split()),
        needs=lambda inputs, config: [needs.format_map(known(inputs, config))] if needs else [],
        guarded=guarded,
    )


def known(inputs: Properties, config: Config) -> Mapping[str, str]:
    """What a template may use."""
    given = {**config, **{name: str(value) for name, value in inputs.items()}}
    return {**given, "number": number(json.dumps(inputs, sort_keys=True))}


def number(text: str) -> str:
    """A number as Google gives one, the same for the same text."""
    return str(int(sha256(text.encode()).hexdigest()[:15], 16))


def self_link(service: str) -> Callable[[str, Properties], dict[str, Any]]:
    """The output that is a resource's address."""
    return lambda identity, inputs: {"selfLink": f"https://www.googleapis.com/{service}/{identity}"}
