"""The supervisor with real machines: what dies comes back, what is cut is cut, and nothing is left at the end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from providers.local import cgroups, netns, volumes
from providers.local.client import Client, CloudRefusalError
from providers.local.cuts import CutKind
from providers.local.faults import Faults
from providers.local.processes import arguments, process
from providers.local.purge import purge, wait_until_ended
from providers.local.roots import mounts_below
from providers.local.view import MachineView
from tests.provider.conftest import CIDR, STACK, owner

pytestmark = [pytest.mark.machines, pytest.mark.timeout(300)]

NETWORK = "kha-test"
API = "http://169.254.169.254/v1"
KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 81), timeout=1)
except ConnectionRefusedError:
    print("somebody answers")
except OSError as error:
    print(error)
"""
"""Nothing listens there: a refusal comes from the machine itself, all else from the way to it, or from nobody."""

MACHINES: list[dict[str, Any]] = [
    {"machine": "m1", "zone": "zone-a", "address": "10.199.1.21", "volume": "m1"},
    {"machine": "m2", "zone": "zone-b", "address": "10.199.2.21"},
    {"machine": "b2", "zone": "zone-b", "address": "10.199.0.11", "edge": True},
]


class Stack:
    """A network with a machine and a volume in one zone, another machine in the other, one on the edge segment."""

    def __init__(self, client: Client, put: Callable[..., dict[str, Any]], image: Path) -> None:
        self.client, self.put, self.image, self.faults = client, put, image, Faults(STACK, client)
        put("net", "Network", name=NETWORK, cidr=CIDR, zones=["zone-a", "zone-b"])
        put("vol", "Volume", name="m1", network=NETWORK, zone="zone-a", sizeMb=16)
        put("sec", "Secret", name="key", network=NETWORK, value="hush", readers=["master"])
        put("buc", "Bucket", name="kha-test-bucket", network=NETWORK)
        self.group()

    def group(self, user_data: str = "one", **changes: Any) -> dict[str, Any]:
        spec = {
            "name": "g", "network": NETWORK, "role": "master", "image": str(self.image), "userData": user_data,
            "memoryMb": 64,
            "slots": MACHINES,
        }  # fmt: skip
        answer = self.client.put("grp", {"kind": "MachineGroup", "owner": owner("grp"), "spec": spec | changes})
        self.until(lambda views: all(view.started for view in views.values()))
        return answer

    def views(self) -> dict[str, MachineView]:
        return {view.machine: view for view in self.client.machines(stack=STACK)}

    def until(self, condition: Callable[[dict[str, MachineView]], bool], seconds: float = 60) -> dict[str, MachineView]:
        deadline = time.monotonic() + seconds
        while not condition(views := self.views()):
            assert time.monotonic() < deadline, views
            time.sleep(0.02)
        return views

    def ask(self, machine: str, method: str, path: str, body: object = None, *headers: str) -> tuple[int, Any]:
        """The machine API's answer to a machine: status and content."""
        argv = ["curl", "-s", "-m", "30", "-X", method, "-w", "\n%{http_code}", f"{API}{path}"]
        if body is not None:
            argv += ["-d", body if isinstance(body, str) else json.dumps(body)]
        argv += [word for header in headers for word in ("-H", header)]
        namespace = f"kha-{NETWORK}.m.{machine}"
        output = subprocess.run(["ip", "netns", "exec", namespace, *argv], capture_output=True, text=True, check=False)
        content, _, status = output.stdout.rpartition("\n")
        return int(status), json.loads(content) if content.startswith(("{", "[")) else content

    def inside(self, machine: str, script: str) -> str:
        command = self.faults.command(machine, "/bin/sh", "-ec", f"PATH=/bin; {script}")
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def answers(address: str, namespace: str = "") -> bool:
    """Whether the machine with this address answers, to the host or to a machine's namespace."""
    where = ["ip", "netns", "exec", namespace] if namespace else []
    command = [*where, sys.executable, "-c", KNOCK, address]
    return "answers" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def reached(address: str, namespace: str = "") -> bool:
    """Whether it answers soon: a cable that was just plugged in may lose what comes first."""
    deadline = time.monotonic() + REACHED_SECONDS
    while not (reaches := answers(address, namespace)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return reaches


REACHED_SECONDS = 15


def idle(machine: str) -> bool:
    name = f"kha-{NETWORK}.{machine}"
    files = [folder / cgroups.PARENT / name / "cpu.idle" for folder in cgroups.hierarchies()]
    return any(file.read_text().strip() == "1" for file in files if file.exists())


def heavy() -> bool:
    """Whether what else the host runs leaves the processors to the machines."""
    weights = {"cpu.weight": cgroups.HEAVY, "cpu.shares": cgroups.HEAVY * 1024 // cgroups.DEFAULT}
    groups = [folder / cgroups.PARENT for folder in cgroups.hierarchies()]
    return any(
        int((group / file).read_text()) == weight
        for group in groups
        for file, weight in weights.items()
        if (group / file).exists()
    )


READY = {"ready": True, "phase": "ready", "message": ""}


@pytest.fixture
def stack(client: Client, put: Callable[..., dict[str, Any]], image: Path) -> Stack:
    return Stack(client, put, image)


def test_a_machine_that_boots_takes_no_processor_from_those_that_serve(stack: Stack) -> None:
    assert (idle("m1"), idle("m2"), heavy()) == (True, True, False)
    assert stack.ask("m1", "PUT", "/instance/status", READY)[0] == 200
    assert (idle("m1"), idle("m2"), heavy()) == (False, True, False)
    for machine in ("m2", "b2"):
        assert stack.ask(machine, "PUT", "/instance/status", READY)[0] == 200
    assert heavy()


def test_a_machine_that_is_cut_off_takes_no_processor_from_those_that_serve(stack: Stack) -> None:
    """An API server that is cut off from its etcd spins."""
    for machine in ("m1", "m2"):
        assert stack.ask(machine, "PUT", "/instance/status", READY)[0] == 200
    stack.faults.cut("m2", CutKind.SILENT)
    assert (idle("m1"), idle("m2")) == (False, True)
    stack.faults.heal()
    assert not idle("m2")


def test_a_machine_that_dies_comes_back_fresh_as_itself(stack: Stack) -> None:
    before = stack.views()["m1"]
    stack.inside("m1", "touch /tmp/trace")
    assert before.init_pid
    os.kill(before.init_pid, signal.SIGKILL)
    after = stack.until(lambda views: views["m1"].incarnation == 2 and views["m1"].started)["m1"]
    assert (after.address, after.zone) == (before.address, before.zone)
    assert after.instance != before.instance
    assert "trace" not in stack.inside("m1", "ls /tmp")
    assert reached(after.address)


def test_a_volume_outlives_its_machine_and_a_wiped_one_is_empty(stack: Stack) -> None:
    mount = "mkdir -p /mnt/v; mount {} /mnt/v"

    def attach() -> str:
        status, answer = stack.ask("m1", "POST", "/instance/volume")
        assert status == 200, answer
        return str(answer["device"])

    device = attach()
    stack.inside("m1", f"mkfs.ext4 -q {device}; {mount.format(device)}; touch /mnt/v/kept")
    stack.faults.kill("m1")
    stack.until(lambda views: views["m1"].incarnation == 2 and views["m1"].started)
    assert "kept" in stack.inside("m1", f"{mount.format(attach())}; ls /mnt/v")
    stack.faults.wipe("m1")
    stack.until(lambda views: views["m1"].incarnation == 3 and views["m1"].started)
    assert stack.inside("m1", f"blkid {attach()} || true") == ""
    assert stack.ask("m2", "POST", "/instance/volume")[0] == 404


@pytest.mark.parametrize("kind", [CutKind.LINK, CutKind.SILENT, CutKind.ONE_WAY])
def test_a_cut_zone_is_unreachable_until_healed_and_the_rest_is_not(stack: Stack, kind: CutKind) -> None:
    others, cut = ["10.199.1.21"], ["10.199.2.21", "10.199.0.11"]
    assert all(reached(address) for address in others + cut)
    stack.faults.cut("zone-b", kind)
    assert all(reached(address) for address in others)
    assert not any(answers(address) for address in cut)
    assert stack.faults.heal() == ["zone-b"]
    assert all(reached(address) for address in others + cut)


def test_a_machine_that_is_cut_from_its_peers_is_reached_by_all_others_and_yields_its_processors(stack: Stack) -> None:
    stack.put("vol2", "Volume", name="b2", network=NETWORK, zone="zone-b", sizeMb=16)
    edge = {"machine": "b2", "zone": "zone-b", "address": "10.199.0.11", "edge": True, "volume": "b2"}
    stack.group(slots=[*MACHINES[:2], edge])
    for machine in ("m1", "m2", "b2"):
        assert stack.ask(machine, "PUT", "/instance/status", READY)[0] == 200
    stack.faults.cut("m1", CutKind.PEERS)
    stack.faults.cut("m1", CutKind.PEERS)
    namespaces = {machine: f"kha-{NETWORK}.m.{machine}" for machine in ("m1", "m2", "b2")}
    assert reached("10.199.1.21")
    assert reached("10.199.1.21", namespaces["m2"])
    assert reached("10.199.2.21", namespaces["m1"])
    assert not answers("10.199.1.21", namespaces["b2"])
    assert not answers("10.199.0.11", namespaces["m1"])
    assert (idle("m1"), idle("m2")) == (True, False)
    with pytest.raises(CloudRefusalError, match="'m2' has no peers"):
        stack.faults.cut("m2", CutKind.PEERS)
    stack.faults.heal()
    assert reached("10.199.1.21", namespaces["b2"])
    assert not idle("m1")


def test_a_cut_outlives_the_machine_and_the_supervisor(stack: Stack) -> None:
    stack.faults.cut("m2", CutKind.SILENT)
    stack.faults.kill("m2")
    stack.until(lambda views: views["m2"].incarnation == 2)
    assert not answers("10.199.2.21")
    restart_supervisor(stack.client, signal.SIGKILL)
    assert not answers("10.199.2.21")
    assert stack.views()["m2"].cuts == ("silent",)
    stack.faults.heal()
    assert reached("10.199.2.21")


def restart_supervisor(client: Client, number: signal.Signals) -> None:
    supervisor = process(int((client.root / "supervisor.lock").read_text()))
    supervisor.send(number)
    assert supervisor.wait(30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_new_supervisor_adopts_what_runs_and_keeps_it(stack: Stack, number: signal.Signals) -> None:
    stack.ask("m1", "PUT", "/instance/status", {"ready": True, "phase": "up", "message": "fine"})
    before = stack.views()
    restart_supervisor(stack.client, number)
    after = stack.until(lambda views: all(view.started for view in views.values()))
    assert {name: view.init_pid for name, view in after.items()} == {n: v.init_pid for n, v in before.items()}
    assert after["m1"].ready
    assert stack.ask("m1", "GET", "/instance")[0] == 200
    stack.faults.kill("m1")
    assert stack.until(lambda views: views["m1"].incarnation == 2)


def test_what_vanished_with_the_host_is_made_anew(stack: Stack) -> None:
    supervisor = process(int((stack.client.root / "supervisor.lock").read_text()))
    supervisor.send(signal.SIGKILL)
    supervisor.wait(30)
    for pid in containers():
        # One may take another with it.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for name in netns.names(f"kha-{NETWORK}."):
        netns.remove(name)
    stack.until(lambda views: all(view.incarnation == 2 and view.started for view in views.values()))
    assert all(reached(view.address) for view in stack.views().values())


def containers() -> list[int]:
    """Pids of the network's machines' containers."""
    pids = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    return [pid for pid in pids if any(word.startswith(f"--machine=kha-{NETWORK}.") for word in arguments(pid))]


def test_new_user_data_is_the_next_machines(stack: Stack) -> None:
    first = stack.views()["m1"].template
    second = stack.group("two")["template"]
    status, instance = stack.ask("m1", "GET", "/instance")
    assert status == 200
    assert (instance["template"], instance["desired_template"]) == (first, second)
    status, _ = stack.ask("m1", "POST", "/instance/replace", {"reason": "template"})
    assert status == 202
    stack.until(lambda views: views["m1"].incarnation == 2 and views["m1"].started)
    assert stack.ask("m1", "GET", "/instance")[1]["template"] == second
    lines = stack.client.console(NETWORK, "m1", 50)["lines"]
    assert "powering off" in lines, lines
    assert stack.views()["m2"].incarnation == 1


def test_slots_come_and_go_with_the_group(stack: Stack) -> None:
    stack.group(
        slots=[
            {"machine": "m1", "zone": "zone-a", "address": "10.199.1.21", "volume": "m1"},
            {"machine": "m2", "zone": "zone-b", "address": "10.199.2.22"},
            {"machine": "m3", "zone": "zone-b", "address": "10.199.2.23"},
        ]
    )
    views = stack.views()
    assert {name: view.address for name, view in views.items()} == {
        "m1": "10.199.1.21", "m2": "10.199.2.22", "m3": "10.199.2.23",
    }  # fmt: skip
    assert views["m1"].incarnation == 1


def test_a_machine_api_knows_its_caller(stack: Stack) -> None:
    assert stack.ask("m1", "GET", "/instance")[1]["machine"] == "m1"
    assert stack.ask("m1", "GET", "/secrets/key") == (200, "hush")
    stack.put("sec", "Secret", name="key", network=NETWORK, value="hush", readers=["member"])
    assert stack.ask("m1", "GET", "/secrets/key")[0] == 403
    assert stack.ask("m1", "GET", "/secrets/other")[0] == 404


def test_an_object_store_keeps_conditions_and_locks(stack: Stack) -> None:
    path = "/buckets/kha-test-bucket/objects/a/b%20c"
    assert stack.ask("m1", "PUT", path, "one", "If-None-Match: *")[0] == 200
    assert stack.ask("m2", "PUT", path, "two", "If-None-Match: *")[0] == 412
    (entry,) = stack.ask("m2", "GET", "/buckets/kha-test-bucket/objects?prefix=a/")[1]
    assert entry["key"] == "a/b c"
    assert stack.ask("m2", "PUT", path, "two", f'If-Match: "{entry["etag"]}"')[0] == 200
    assert stack.ask("m1", "GET", path) == (200, "two")
    assert stack.ask("m1", "PUT", path, "three", "X-Retain-Until: 2999-01-01T00:00:00Z")[0] == 200
    assert stack.ask("m1", "DELETE", path)[0] == 403
    assert stack.ask("m1", "GET", "/buckets/other/objects")[0] == 404


def test_a_route_sends_a_machine_its_pods(stack: Stack) -> None:
    assert stack.ask("m1", "PUT", "/routes", {"cidr": "10.244.1.0/24"})[0] == 200
    namespace = f"kha-{NETWORK}.m.m1"
    subprocess.run(["ip", "-n", namespace, "address", "add", "10.244.1.1/24", "dev", "lo"], check=True)
    assert reached("10.244.1.1", f"kha-{NETWORK}.m.m2")
    assert stack.ask("m1", "PUT", "/routes", {"cidr": "10.199.1.0/24"})[0] == 400


def test_a_master_keeps_the_routes_of_machines_that_do_not(stack: Stack) -> None:
    cidr = "10.244.2.0/24"
    assert stack.ask("m1", "PUT", "/routes", {"cidr": cidr, "via": "10.199.2.21"})[0] == 200
    assert {"cidr": cidr, "via": "10.199.2.21"} in stack.ask("m1", "GET", "/routes")[1]
    subprocess.run(["ip", "-n", f"kha-{NETWORK}.m.m2", "address", "add", "10.244.2.1/24", "dev", "lo"], check=True)
    assert reached("10.244.2.1", f"kha-{NETWORK}.m.m1")
    assert stack.ask("m1", "PUT", "/routes", {"cidr": cidr, "via": "10.199.2.99"})[0] == 404
    # Somebody else's by now: whoever ends it had an older one in mind.
    assert stack.ask("m1", "DELETE", f"/routes?cidr={cidr}&via=10.199.1.21")[0] == 200
    assert stack.ask("m1", "GET", "/routes")[1] != []
    assert stack.ask("m1", "DELETE", f"/routes?cidr={cidr}&via=10.199.2.21")[0] == 200
    assert stack.ask("m1", "GET", "/routes")[1] == []


def test_a_worker_gets_neither_routes_nor_the_stores(stack: Stack) -> None:
    stack.group(role="worker")
    assert stack.ask("m1", "GET", "/instance")[0] == 200
    assert stack.ask("m1", "PUT", "/routes", {"cidr": "10.244.1.0/24"})[0] == 403
    assert stack.ask("m1", "GET", "/routes")[0] == 403
    assert stack.ask("m1", "GET", "/buckets/kha-test-bucket/objects")[0] == 403
    assert stack.ask("m1", "PUT", "/buckets/kha-test-bucket/objects/a", "x")[0] == 403
    assert stack.ask("m1", "GET", "/secrets/key")[0] == 403
    assert stack.ask("m1", "POST", "/wrap", "x")[0] == 403


def test_a_machine_that_does_not_boot_is_tried_less_and_less(stack: Stack) -> None:
    (stack.image / "root/sbin/init").rename(stack.image / "root/sbin/init.away")
    try:
        stack.faults.kill("m2")
        stack.until(lambda views: views["m2"].quick_deaths >= 2)
        stack.until(lambda views: "next attempt in" in views["m2"].message)
    finally:
        (stack.image / "root/sbin/init.away").rename(stack.image / "root/sbin/init")
    stack.until(lambda views: views["m2"].started)


def test_purge_leaves_nothing_even_of_what_no_record_has(stack: Stack) -> None:
    stack.ask("m1", "POST", "/instance/volume")
    stack.faults.cut("zone-a", CutKind.ONE_WAY)
    root = stack.client.root
    supervisor = process(int((root / "supervisor.lock").read_text()))
    supervisor.send(signal.SIGKILL)
    supervisor.wait(30)
    (root / "state.json").unlink()
    purge(stack.client, STACK)
    assert netns.names(f"kha-{NETWORK}.") == []
    assert mounts_below(root) == []
    assert not any(cgroups.names(f"kha-{NETWORK}."))
    assert volumes.devices(root / "networks" / NETWORK / "volumes" / "m1.img") == []
    assert containers() == []
    assert not (root / "networks" / NETWORK).exists()


def test_the_supervisor_ends_when_nothing_is_left(stack: Stack) -> None:
    supervisor = process(int((stack.client.root / "supervisor.lock").read_text()))
    purge(stack.client, STACK)
    assert wait_until_ended(stack.client.root, 60)
    assert supervisor.wait(30)
    assert not stack.client.root.exists()
