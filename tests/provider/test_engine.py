"""The provider through the real Pulumi engine."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers.local import processes
from providers.local.client import Client
from providers.local.purge import purge
from tests.provider.conftest import CIDR, STACK, Engine, owner

pytestmark = [pytest.mark.engine, pytest.mark.machines, pytest.mark.timeout(300)]

PROGRAM = """
network = Network("network", NetworkArgs(name="kha-test", cidr="{cidr}", zones=["zone-a", "zone-b"]))
volume = Volume("volume", VolumeArgs(name="m1", network=network.name, zone="zone-a", size_mb={size}))
secret = Secret("secret", SecretArgs(name="key", network=network.name, value="hush-hush", readers=["master"]))
bucket = Bucket("bucket", BucketArgs(name="kha-test-bucket", network=network.name))
group = MachineGroup("group", MachineGroupArgs(
    name="masters", network=network.name, role="master", image={image!r}, user_data={user_data!r}, memory_mb=64,
    slots=[
        SlotArgs(machine="m1", zone="zone-a", address="10.199.1.21", volume=volume.name),
        SlotArgs(machine="m2", zone="zone-b", address="10.199.2.21"),
    ],
))
pulumi.export("template", group.template)
pulumi.export("zones", network.zone_cidrs)
pulumi.export("secret", secret.value)
"""


def program(image: Path, user_data: str = "one", size: int = 64, cidr: str = CIDR) -> str:
    return PROGRAM.format(image=str(image), user_data=user_data, size=size, cidr=cidr)


def awaiting(seconds: int) -> str:
    """What waits for these machines in vain: they have no agent that would say that they are ready."""
    return f"""
machines = ["m1", "m2"]
Readiness("ready", ReadinessArgs(network=network.name, machines=machines, templates={{}}, timeout_seconds={seconds}),
          pulumi.ResourceOptions(depends_on=[group]))
"""


def test_create_then_no_change_then_destroy(engine: Engine, image: Path, client: Client) -> None:
    engine.program(program(image))
    preview = engine.run("preview")
    assert "+ 6 to create" in preview
    assert not client.has_anything, "a preview made something"
    engine.up()
    assert {view.machine for view in client.machines(stack=STACK) if view.started} == {"m1", "m2"}
    again = engine.run("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert "unchanged" in again
    engine.run("destroy", "--yes", "--skip-preview")
    assert client.resources() == [] if client.socket.exists() else True


def test_a_secret_is_nowhere_in_the_state_in_clear(engine: Engine, image: Path) -> None:
    engine.program(program(image))
    output = engine.up()
    assert "hush-hush" not in output
    assert "hush-hush" not in engine.state()


def test_new_user_data_updates_the_group_and_restarts_no_machine(engine: Engine, image: Path, client: Client) -> None:
    engine.program(program(image, "one"))
    engine.up()
    before = {view.machine: view.instance for view in client.machines(stack=STACK)}
    engine.program(program(image, "two"))
    assert "1 updated" in engine.up()
    after = client.machines(stack=STACK)
    assert {view.machine: view.instance for view in after} == before
    assert all(view.template != view.desired_template for view in after)


def test_a_change_of_what_cannot_change_replaces(engine: Engine, image: Path, client: Client) -> None:
    engine.program(program(image))
    engine.up()
    engine.program(program(image).replace("10.199.", "10.198."))
    output = engine.up()
    assert "replaced" in output
    assert {view.address for view in client.machines(stack=STACK)} == {"10.198.1.21", "10.198.2.21"}


def test_refresh_sees_what_vanished_and_up_makes_it_anew(engine: Engine, image: Path, client: Client) -> None:
    engine.program(program(image))
    engine.up()
    (group,) = (resource for resource in client.resources() if resource["kind"] == "MachineGroup")
    client.remove(group["id"])
    assert "1 deleted" in engine.run("refresh", "--yes", "--skip-preview")
    assert "1 created" in engine.up()
    assert len(client.machines(stack=STACK)) == 2


def test_refresh_of_what_is_as_it_was_changes_nothing(engine: Engine, image: Path) -> None:
    engine.program(program(image))
    engine.up()
    engine.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    engine.run("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_name_that_is_taken_is_refused_and_says_by_whom(engine: Engine, client: Client) -> None:
    other = {"stack": "other", "urn": "urn:pulumi:other::p::local:index:Network::theirs"}
    client.put("theirs", {"kind": "Network", "owner": other, "spec": {"name": "n", "cidr": CIDR, "zones": ["a"]}})
    try:
        engine.program('Network("mine", NetworkArgs(name="n", cidr="10.198.0.0/16", zones=["a"]))')
        output = engine.run("preview", fails=True)
        assert "urn:pulumi:other::p::local:index:Network::theirs" in output
        assert "Traceback" not in output
    finally:
        purge(client, "other")


def test_a_failed_create_says_why_and_leaves_nothing(
    engine: Engine, image: Path, client: Client, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(image / "root", broken / "root", symlinks=True)
    (broken / "root/sbin/init").write_text("#!/bin/sh\necho cannot find my disk\nexit 3\n")
    engine.program(program(broken))
    output = engine.up(fails=True)
    assert "cannot find my disk" in output
    kinds = {resource["kind"] for resource in client.resources()}
    assert "MachineGroup" not in kinds


def test_readiness_fails_with_what_each_machine_said_last(engine: Engine, image: Path) -> None:
    engine.program(program(image) + awaiting(2))
    output = engine.up(fails=True)
    assert re.search(r"2 machines are not ready after \d+ s", output), output
    assert "m1: running" in output
    assert "up: one" in output, "the console is missing"


def up_until_something_exists(engine: Engine, client: Client) -> subprocess.Popen[str]:
    process = engine.start("up", "--yes", "--skip-preview")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (client.socket.exists() and client.resources()):
        time.sleep(0.02)
    return process


def test_what_an_interrupted_engine_never_wrote_down_is_taken_over(engine: Engine, image: Path, client: Client) -> None:
    nothing = engine.state()
    engine.program(program(image))
    engine.up()
    before = {view.machine: view.instance for view in client.machines(stack=STACK)}
    engine.restore(nothing)
    engine.up()
    assert {view.machine: view.instance for view in client.machines(stack=STACK)} == before
    assert len(client.resources()) == 5


def test_what_an_engine_knew_and_forgot_is_not_taken_over(engine: Engine, image: Path) -> None:
    nothing = engine.state()
    engine.program(program(image))
    engine.up()
    engine.up()
    engine.restore(nothing)
    assert "providers.local purge --stack" in engine.up(fails=True)


def test_what_another_backend_made_is_not_taken_over(engine: Engine, image: Path, tmp_path: Path) -> None:
    engine.program(program(image))
    engine.up()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    stranger = Engine(elsewhere, engine.root, engine.pulumi)
    stranger.program(program(image))
    assert "providers.local purge --stack" in stranger.up(fails=True)


def test_after_an_interrupted_up_the_next_one_works(engine: Engine, image: Path, client: Client) -> None:
    # However late the interrupt comes, there is something to interrupt.
    engine.program(program(image) + awaiting(100))
    process = up_until_something_exists(engine, client)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    engine.program(program(image))
    engine.up()
    assert len(client.machines(stack=STACK)) == 2


def test_a_provider_that_is_killed_while_it_creates_leaves_nothing(
    client: Client, put: Callable[..., dict[str, Any]], image: Path
) -> None:
    put("net", "Network", name="kha-test", cidr=CIDR, zones=["zone-a"])
    with subprocess.Popen(["sleep", "600"]) as creator:
        spec = {"name": "v", "network": "kha-test", "zone": "zone-a", "sizeMb": 8}
        born = processes.process(creator.pid).model_dump()
        client.put("vol", {"kind": "Volume", "owner": owner("vol"), "spec": spec, "creator": born})
        creator.kill()
    deadline = time.monotonic() + 60
    while client.read("vol") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert client.read("vol") is None
    assert client.read("net") is not None


def test_destroy_of_what_was_purged_works(engine: Engine, image: Path, client: Client) -> None:
    engine.program(program(image))
    engine.up()
    purge(client, STACK)
    engine.run("destroy", "--yes", "--skip-preview")
    assert json.loads(engine.state())["deployment"].get("resources", []) == []


def test_a_volume_grows_and_never_shrinks(engine: Engine, image: Path) -> None:
    engine.program(program(image, size=64))
    engine.up()
    engine.program(program(image, size=128))
    assert "1 updated" in engine.up()
    engine.program(program(image, size=64))
    assert "a volume can only grow" in engine.up(fails=True)
