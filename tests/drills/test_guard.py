"""A drill that is killed leaves nothing behind: its guard undoes what it did."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.drills.fake_api import FakeApi

DRILL = """
import sys, time
from pathlib import Path
from drills.guard import guarded
from drills.injector import InjectionError
from drills.place import Place
with guarded(Place("nowhere"), Path(sys.argv[1])):
    print("guarded", flush=True)
    time.sleep(float(sys.argv[2]))
    if sys.argv[3:]:
        raise InjectionError(sys.argv[3])
"""


@pytest.fixture
def cordoned(api: FakeApi) -> FakeApi:
    annotations = {"kube-ha.dev/drill-cordoned": "true"}
    node = {"metadata": {"name": "master-1", "annotations": annotations}, "spec": {"unschedulable": True}}
    api.objects["/api/v1/nodes/master-1"] = node
    api.objects["/api/v1/nodes"] = {"items": [node]}
    return api


def start(api: FakeApi, folder: Path, seconds: float, *fails: str) -> subprocess.Popen[str]:
    # A local cloud without anything in it, so that the guard has only the API to mend.
    environment = os.environ | {"KUBE_HA_LOCAL_ROOT": str(folder / "cloud")}
    command = [sys.executable, "-c", DRILL, str(api.kubeconfig), str(seconds), *fails]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def healed(api: FakeApi) -> bool:
    return "unschedulable" not in api.objects["/api/v1/nodes/master-1"]["spec"]


def test_a_killed_drill_is_undone(cordoned: FakeApi, tmp_path: Path) -> None:
    drill = start(cordoned, tmp_path, 60)
    assert drill.stdout
    assert drill.stdout.readline() == "guarded\n"
    drill.send_signal(signal.SIGKILL)
    drill.wait()
    until = time.monotonic() + 60
    while not healed(cordoned) and time.monotonic() < until:
        time.sleep(0.05)
    assert healed(cordoned)


def test_a_drill_that_ends_by_itself_is_left_alone(cordoned: FakeApi, tmp_path: Path) -> None:
    assert start(cordoned, tmp_path, 0).wait(60) == 0
    assert not healed(cordoned)


def test_what_a_drill_could_not_undo_itself_is_tried_once_more(cordoned: FakeApi, tmp_path: Path) -> None:
    assert start(cordoned, tmp_path, 0, "heal: no answer").wait(60) == 1
    assert healed(cordoned)
