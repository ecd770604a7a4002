"""Machines whose members heal, and look often."""

from collections.abc import Iterator

import pytest

from components.node.agent import cluster, member
from tests.healing.machines import Machines


@pytest.fixture(scope="package", autouse=True)
def _impatient() -> Iterator[None]:
    """Members ask sooner whether they are still what they should be, and do not wait long for those that are dead."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(member, "RECONSIDER_SECONDS", 4.0)
        patch.setattr(member, "REVIEW_SECONDS", 2.0)
        patch.setattr(cluster, "LIST_SECONDS", 0.7)
        yield


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Three machines that the tests of a module break in turn."""
    made = Machines(tmp_path_factory.mktemp("machines"))
    made.boot()
    yield made
    made.end()


@pytest.fixture
def three(shared: Machines) -> Machines:
    """Three machines, whole."""
    for name in shared.names:
        if shared.agents[name].dead:
            shared.boot(name)
    shared.heal()
    return shared
