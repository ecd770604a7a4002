"""New certificate authorities for a cluster that runs: by hand as its user does it, machine by machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machines import clone as clones
from tests.machines import leftovers
from tests.machines.conftest import ROOT
from tests.machines.stack import Stack

pytestmark = [pytest.mark.machines, pytest.mark.timeout(1200)]


@pytest.fixture
def stack(clone: Path) -> Iterator[Stack]:
    """One that is up; none afterwards, and its settings as they were."""
    made = Stack(clones.DEVELOPMENT, clone)
    settings = clone / "stacks" / f"Pulumi.{made.name}.yaml"
    before = settings.read_text()
    made.up()
    made.wait_whole()
    yield made
    made.down()
    settings.write_text(before)
    assert leftovers.settled(made, ROOT) == []


def answers(stack: Stack, kubeconfig: Path, *, fails: bool = False) -> str:
    """What the API says to whoever has this kubeconfig."""
    return stack.run("kubectl", f"--kubeconfig={kubeconfig}", "get", "--raw=/version", fails=fails).output


def test_three_steps_replace_every_authority_and_lose_nothing(stack: Stack, tmp_path: Path) -> None:
    stack.kubectl("create", "secret", "generic", "kept", "--from-literal=word=open")
    given = []
    for step in range(3):
        given.append(tmp_path / f"kubeconfig-{step}")
        given[-1].write_text(stack.kubeconfig.read_text())
        print(stack.make("rotate-authorities", "YES=1").output)
        stack.wait_whole()
        assert stack.kubectl("get", "secret", "kept", "--output=jsonpath={.data.word}") == "b3Blbg=="
    assert "unknown authority" in answers(stack, given[0], fails=True), "it trusts the first generation alone"
    assert "Unauthorized" in answers(stack, given[1], fails=True), "it is signed by the first generation"
    assert "gitVersion" in answers(stack, given[2])
    told = stack.kubectl("get", "configmap", "kube-root-ca.crt", "--output=jsonpath={.data}")
    assert told.count("BEGIN CERTIFICATE") == 1, "pods are still told to trust the first generation"
