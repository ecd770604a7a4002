"""The only machine is lost with its disk, and everything comes back: in the same stack, and in another one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machines import clone as clones
from tests.machines import leftovers
from tests.machines.conftest import ROOT
from tests.machines.stack import Stack, eventually

pytestmark = [pytest.mark.machines, pytest.mark.timeout(900)]

ADDONS_SECONDS = 120


@pytest.fixture
def stack(clone: Path) -> Iterator[Stack]:
    """A stack that is up and holds what only the encryption key opens; none afterwards."""
    made = Stack(clones.DEVELOPMENT, clone)
    made.up()
    made.wait_whole()
    made.kubectl("create", "secret", "generic", "kept", "--from-literal=word=open")
    made.make("snapshot")
    yield made
    made.down()
    assert leftovers.settled(made, ROOT) == []


@pytest.fixture
def successor(clone: Path, stack: Stack) -> Iterator[Stack]:
    """One that takes its place, and is not up yet; none afterwards."""
    made = Stack(clones.SUCCESSOR, clone)
    yield made
    made.down()


def secret(stack: Stack) -> str:
    """What the stack holds, decrypted."""
    return stack.kubectl("get", "secret", "kept", "--output=jsonpath={.data.word}")


def test_a_machine_lost_with_its_disk_comes_back_with_everything(stack: Stack) -> None:
    kept, before = secret(stack), stack.machines()["master-1"].incarnation
    stack.injector.wipe("master-1")
    eventually(lambda: stack.machines()["master-1"].incarnation > before, stack.machines, 60)
    # The engine finds nothing to do; what it says in the end is that no API answers.
    up = stack.make("up", fails=True)
    print(f"make up, to no avail: {up.seconds:.0f} s\n{stack.make('restore', 'YES=1').output}")
    assert secret(stack) == kept
    stack.wait_whole()


@pytest.mark.campaign
def test_a_stack_that_is_gone_goes_on_in_another_one(stack: Stack, successor: Stack, tmp_path: Path) -> None:
    kept, token = secret(stack), stack.kubectl("create", "token", "default", "--duration=24h").strip()
    stack.make("recovery-keys", f"FILE={tmp_path}/keys.json")
    stack.make("fetch-snapshot", f"FILE={tmp_path}/snapshot.db")
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
