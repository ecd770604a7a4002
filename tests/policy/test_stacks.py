"""Every stack of the repository passes every rule, as its own program registers it."""

from collections.abc import Iterator
from typing import Any

import pytest

from components import outputs
from policy.properties import Properties
from policy.resource import CONTROL_PLANE, Resource, Stack
from policy.rules.spread import machine_zones
from tests.aws import stacks as aws
from tests.policy.test_broken_programs import findings
from tests.program.artifacts import pretend
from tests.program.recorder import Registration, build
from tests.program.test_settings import STACKS

NAMES = [path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in STACKS]


def program(stack: str) -> list[Registration]:
    """What a stack of the repository registers."""
    settings = aws.settings_of(stack)
    if settings.cloud == "aws":
        return aws.built(stack)
    from components.local.self_managed import ControlPlane

    def local() -> Any:
        plane = ControlPlane(stack, outputs.ControlPlaneArgs(settings=settings, topology=settings.topology))
        return [getattr(plane, name) for name in outputs.OUTPUTS]

    return build(local, stack)


def as_stack(registered: list[Registration]) -> Stack:
    """Registrations as the pack would see them: with URNs as the engine makes them, of the types of all parents.

    All that a resource waits for counts as a source of each of its properties.
    """
    real: dict[str, str] = {}
    project = next(found.parent for found in registered if found.parent).split("::")[:2]
    for found in registered:
        # The mocks' URNs name the type of the nearest parent alone.
        above = found.parent.split("::")[2].split("$")[-1] + "$" if found.parent else ""
        chain = real[found.parent].split("::")[2] + "$" if found.parent in real else ""
        real["::".join([*project, above + found.type, found.name])] = "::".join(
            [*project, chain.removeprefix("pulumi:pulumi:Stack$") + found.type, found.name]
        )
    return Stack(
        [
            Resource(
                type=found.type,
                name=found.name,
                urn=urn,
                properties=Properties(found.inputs),
                protect=found.protect,
                parent=real.get(found.parent, ""),
                dependencies={name: [real[mocked] for mocked in found.dependencies] for name in found.inputs},
            )
            for found, urn in zip(registered, real.values(), strict=True)
        ]
    )


@pytest.fixture(autouse=True, scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pretend(tmp_path_factory.mktemp("cache")):
        yield


@pytest.mark.parametrize("stack", NAMES)
def test_a_stack_of_the_repository_passes(stack: str) -> None:
    seen = as_stack(program(stack))
    scenario = aws.settings_of(stack).topology.scenario
    assert findings(seen, scenario) == {}


@pytest.mark.parametrize("stack", NAMES)
def test_the_pack_sees_what_it_judges(stack: str) -> None:
    """A stack passes also where nothing in it is recognised; so that it is, is a test of its own."""
    seen = as_stack(program(stack))
    topology = aws.settings_of(stack).topology
    (plane,) = seen.of(CONTROL_PLANE)
    volumes = [volume for volume in seen.of("aws:ebs/volume:Volume", "local:index:Volume") if volume.in_control_plane]
    assert len(volumes) == len(topology.members)
    zones = {zone for found in machine_zones(plane, seen) for zone in found}
    assert zones == set(topology.zones)
