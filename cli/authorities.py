"""Which generations of the certificate authorities a stack has and is to have: how far an `up` may go."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cli.engine import Engine, EngineError
from cli.refused import RefusedError
from components.authority_settings import AuthoritySettings
from components.clouds import Management
from components.settings import NAMESPACE, Settings, SettingsError, load

KEY: Final = f"{NAMESPACE}:authorities"


def check(engine: Engine) -> None:
    """That an `up` goes no further than one step of a rotation.

    Raises:
        RefusedError: it would; what is up and what is to be would not trust each other.
    """
    plane, settings = deployed(engine.resources()), settings_of(engine)
    if plane is None or settings.control_plane is Management.MANAGED:
        return
    now = authorities_of(plane)
    if not settings.authorities.reachable_from(now):
        raise RefusedError(
            f"{KEY}: got {said(settings.authorities)}, and what is up has {said(now)}: they would not trust each other;"
            f" accepted: {said(now)}, and next {said(now.following)} (make rotate-authorities does a step)"
        )


def deployed(resources: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The self-managed control plane in a stack's state; None where there is none."""
    kinds = (resource for resource in resources if resource["type"].startswith("kube-ha:"))
    return next((one for one in kinds if one["type"].endswith(":ControlPlane") and is_own(one["inputs"])), None)


def is_own(declared: Mapping[str, Any]) -> bool:
    """Whether a declaration is that of a self-managed control plane."""
    return bool(declared.get("controlPlane") == Management.SELF_MANAGED)


def authorities_of(plane: Mapping[str, Any]) -> AuthoritySettings:
    """Those that a control plane was last brought up with."""
    return AuthoritySettings.model_validate(plane["inputs"].get("authorities", {}))


def settings_of(engine: Engine) -> Settings:
    """What the stack's configuration says.

    Raises:
        EngineError: it cannot be.
    """
    found = json.loads(engine.read("config", "--json", "--stack", engine.stack))
    try:
        return load({key: entry["value"] for key, entry in found.items() if "value" in entry})
    except SettingsError as error:
        raise EngineError(f"stack {engine.stack}:\n{error}") from None


def said(authorities: AuthoritySettings) -> str:
    """In words, as the settings name it."""
    return f"signing {authorities.signing}, trusted {list(authorities.trusted)}"
