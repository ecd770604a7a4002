"""Everything that the stand-in for the official gcp provider covers."""

import re
from typing import Any, Final

from providers.gcp import accounts, clusters, networks, watching
from providers.published import Config, Kind, Package
from providers.stand_in import Properties, auto_name

KINDS: Final[dict[str, Kind]] = {**networks.KINDS, **clusters.KINDS, **accounts.KINDS, **watching.KINDS}

REFERENCE: Final = re.compile(r"(?:https://www\.googleapis\.com/[a-z]+/v1/)?(projects/[^/\s]+/[^/\s]+/[^\s]+)")

NUMBER: Final = "415104041262"


def package(version: str) -> Package:
    """The package.

    Args:
        version: of the SDK.
    """
    return Package(
        name="gcp",
        version=version,
        kinds=KINDS,
        lookups={"gcp:organizations/getProject:getProject": get_project},
        auto_name=auto_name,
        refers_to=refers_to,
    )


def refers_to(text: str) -> str | None:
    """A name all over Google Cloud, or a resource's address, as an identity."""
    found = REFERENCE.fullmatch(text)
    return found[1] if found else None


def get_project(arguments: Properties, config: Config) -> dict[str, Any]:
    project = arguments.get("projectId") or config["project"]
    return {"id": f"projects/{project}", "projectId": project, "name": project, "number": NUMBER}
