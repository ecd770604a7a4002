"""The only machine is lost with its disk, and everything comes back: in the same stack, and in another one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machines import clone as clones
from tests.machines import leftovers
from tests.machines.conftest import ROOT
from tests.machines.stack import UP_SECONDS, Stack, eventually

pytestmark = [pytest.mark.machines, pytest.mark.campaign, pytest.mark.timeout(900)]

ADDONS_SECONDS = 120


@pytest.fixture
def stacks(clone: Path) -> Iterator[tuple[Stack, Stack]]:
    """One that is up, and one that takes its place; none afterwards."""
    made = Stack(clones.DEVELOPMENT, clone), Stack(clones.SUCCESSOR, clone)
    made[0].up()
    yield made
    for stack in made:
        stack.down()
        assert leftovers.settled(stack, ROOT) == []


def secret(stack: Stack) -> str:
    """What only the encryption key opens."""
    return stack.kubectl("get", "secret", "kept", "--output=jsonpath={.data.word}")


def test_a_machine_lost_with_its_disk_and_then_its_stack(stacks: tuple[Stack, Stack], tmp_path: Path) -> None:
    stack, successor = stacks
    stack.wait_whole()
    stack.kubectl("create", "secret", "generic", "kept", "--from-literal=word=open")
    kept = secret(stack)
    token = stack.kubectl("create", "token", "default", "--duration=24h").strip()
    stack.make("snapshot")
    stack.make("recovery-keys", f"FILE={tmp_path}/keys.json")
    stack.make("fetch-snapshot", f"FILE={tmp_path}/snapshot.db")

    before = stack.machines()["master-1"].incarnation
    stack.injector.wipe("master-1")
    eventually(lambda: stack.machines()["master-1"].incarnation > before, stack.machines, 60)
    # The engine finds nothing to do; what it says in the end is that no API answers.
    stack.run("make", "--no-print-directory", "up", f"STACK={stack.name}", fails=True, timeout=UP_SECONDS)
    print(stack.make("restore", "YES=1").output)
    assert secret(stack) == kept
    stack.wait_whole()

    stack.down()
    successor.make("adopt-keys", f"FILE={tmp_path}/keys.json")
    successor.up()
    print(successor.make("restore", f"FROM={tmp_path}/snapshot.db", "YES=1").output)
    assert secret(successor) == kept
    reviewed = successor.run(
        "sh", "-c", f"""echo '{review(token)}' | {kubectl(successor)} create -f - -o json"""
    ).output
    assert json.loads(reviewed)["status"].get("authenticated"), "a token of the old stack is good in the new one"
    address = successor.machines()["master-1"].address
    eventually(lambda: address in proxied(successor), lambda: proxied(successor), ADDONS_SECONDS)
    successor.wait_whole()


def review(token: str) -> str:
    """What asks whose token this is."""
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
    return json.dumps({**kind, "spec": {"token": token}})


def kubectl(stack: Stack) -> str:
    """The beginning of a command line."""
    return f"kubectl --kubeconfig={stack.kubeconfig}"


def proxied(stack: Stack) -> str:
    """Where kube-proxy looks for the API."""
    return stack.kubectl("get", "configmap", "kube-proxy", "--namespace=kube-system", "--output=jsonpath={.data}")
