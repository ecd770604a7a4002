"""Every stack of the repository passes every rule, as its own program registers it."""

import pytest

from policy.clusters import MANAGED as CLUSTERS
from policy.properties import Properties
from policy.resource import CONTROL_PLANE, Resource, Stack
from policy.rules.spread import machine_zones
from tests.planes import MANAGED, built
from tests.policy.test_broken_programs import findings
from tests.program.recorder import Registration
from tests.program.stacks import NAMES, settings_of


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


@pytest.mark.parametrize("stack", NAMES)
def test_a_stack_of_the_repository_passes(stack: str) -> None:
    seen = as_stack(built(stack))
    scenario = settings_of(stack).topology.scenario
    assert findings(seen, scenario) == {}


@pytest.mark.parametrize("stack", NAMES)
def test_the_pack_sees_what_it_judges(stack: str) -> None:
    """A stack passes also where nothing in it is recognised; so that it is, is a test of its own."""
    seen = as_stack(built(stack))
    topology = settings_of(stack).topology
    (plane,) = seen.of(CONTROL_PLANE)
    if stack in MANAGED:
        (cluster,) = seen.of(*CLUSTERS)
        assert cluster.in_control_plane
        return
    volumes = [volume for volume in seen.of("aws:ebs/volume:Volume", "local:index:Volume") if volume.in_control_plane]
    assert len(volumes) == len(topology.members)
    zones = {zone for found in machine_zones(plane, seen) for zone in found}
    assert zones == set(topology.zones)
