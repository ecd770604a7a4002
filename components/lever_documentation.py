"""docs/levers.md, made from the tables: `python -m components.lever_documentation > docs/levers.md`. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any, Final

from components.aws import levers as aws
from components.azure import levers as azure
from components.clouds import Cloud
from components.gcp import levers as gcp
from components.managed import PLANES, Lever
from components.scenarios import Scenario

NAMES: Final = {Cloud.AWS: "EKS", Cloud.AZURE: "AKS", Cloud.GCP: "GKE"}

HEAD: Final = """\
<!-- Made by `python -m components.lever_documentation`; change the tables in the code, not this page. -->

# Levers of managed control planes

What each scenario takes of what a cloud offers for availability, what it is worth, and what it costs in the cloud's own
terms: prices change, and differ by region.
"""

TIERS: Final = """\
EKS' tier-xl has its capacity before the load comes, where the standard tier grows under load, and a better agreement;
it has a price per hour of its own, many times the standard one. AKS' Free tier is made for trying out; Premium, which
no scenario takes, adds support for old versions and no uptime. GKE's zonal cluster is one replica of the control plane:
it is gone with its zone, and for minutes at each upgrade.
"""


def page() -> str:
    """The whole page."""
    clouds = (
        (Cloud.AWS, aws.LEVERS, aws.WORTH, aws.ALWAYS),
        (Cloud.AZURE, azure.LEVERS, azure.WORTH, azure.ALWAYS),
        (Cloud.GCP, gcp.LEVERS, gcp.WORTH, gcp.ALWAYS),
    )
    return "\n".join([HEAD, *scenarios(), *(line for cloud in clouds for line in chapter(*cloud))])


def scenarios() -> Iterator[str]:
    """The managed half of the scenario matrix."""
    yield "| | scenario | tier | agreed uptime a month | zones of nodes | the API survives |"
    yield "|---|---|---|---|---|---|"
    for cloud, planes in PLANES.items():
        for scenario, plane in planes.items():
            agreed = f"[{plane.agreement.figure}]({plane.agreement.source})"
            survives = ", ".join(plane.survives) or "no zone's loss"
            yield f"| {NAMES[cloud]} | {scenario} | {plane.tier} | {agreed} | {plane.zones} | {survives} |"
    yield ""
    yield TIERS


def chapter(
    cloud: Cloud, levers: Mapping[Scenario, Any], worth: Mapping[str, Lever], always: Mapping[str, Lever]
) -> Iterator[str]:
    """The levers of a cloud."""
    yield f"## {NAMES[cloud]}"
    yield ""
    yield f"| lever | {' | '.join(Scenario)} | worth | cost |"
    yield "|---|---|---|---|---|---|"
    for name, lever in worth.items():
        set_to = " | ".join(words(getattr(levers[scenario], name)) for scenario in Scenario)
        yield f"| {name.replace('_', ' ')} | {set_to} | {lever.worth} | {lever.cost} |"
    yield ""
    yield "In every scenario:"
    yield ""
    yield "| lever | worth | cost |"
    yield "|---|---|---|"
    for name, lever in always.items():
        yield f"| {name} | {lever.worth} | {lever.cost} |"
    yield ""


def words(value: Any) -> str:
    """A setting as people read it."""
    match value:
        case bool():
            return "yes" if value else "no"
        case None | () | 0:
            return "none"
        case timedelta():
            return f"{value.days} d" if value.days else f"{value.seconds // 3600} h"
        case _ if is_dataclass(value) and not isinstance(value, type):
            parts = [(field.name.replace("_", " "), getattr(value, field.name)) for field in fields(value)]
            return ", ".join(f"{name} {words(part)}" if part is not True else name for name, part in parts if part)
        case Sequence() if not isinstance(value, str):
            separator = "; " if is_dataclass(value[0]) else ", "
            return separator.join(words(item) for item in value)
        case _:
            return str(value)


if __name__ == "__main__":
    print(page(), end="")
