"""New certificate authorities for three masters: a client that writes all the while loses nothing."""

import itertools
import threading
import time
from pathlib import Path
from typing import Final

import pytest

from drills import kubeconfig
from drills.api import Api, ApiError
from tests.machines.drilling import FLOOR_SECONDS
from tests.machines.stack import Stack

pytestmark = [pytest.mark.machines, pytest.mark.campaign, pytest.mark.timeout(2400)]

CONFIG_MAPS: Final = "/api/v1/namespaces/default/configmaps"
FAILED_MAX: Final = 0.1
"""Share of writes that may fail while each machine is replaced three times, on two cores; a cluster that turns this
client away after a step, as a kubeconfig of before would be, fails a third and more."""


class Writer:
    """A client that makes an object ten times a second, with the kubeconfig that it was given last."""

    def __init__(self, access: Path) -> None:
        self._api = api(access)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.acknowledged: list[str] = []
        self.answered: list[float] = []
        self.failed: list[str] = []

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def take(self, access: Path) -> None:
        """Go on with another kubeconfig."""
        self._api = api(access)

    @property
    def longest_gap(self) -> float:
        """Seconds between two acknowledged writes."""
        return max(after - before for before, after in zip(self.answered, self.answered[1:], strict=False))

    def _write(self) -> None:
        for number in itertools.count(1):
            if self._stop.wait(0.1):
                return
            name = f"rotation-{number}"
            try:
                self._api.call("POST", CONFIG_MAPS, {"metadata": {"name": name, "labels": {"test": "rotation"}}})
            except ApiError as error:
                self.failed.append(str(error))
            else:
                self.acknowledged.append(name)
                self.answered.append(time.monotonic())


def api(access: Path) -> Api:
    """Whoever has this kubeconfig, with the patience of the drills' clients."""
    return Api(kubeconfig.load(access), timeout=1)


def test_every_authority_is_replaced_under_a_client_that_writes(stack: Stack) -> None:
    with Writer(stack.kubeconfig) as writer:
        for step in range(3):
            print(stack.make("rotate-authorities", "YES=1", timeout=1200).output)
            stack.wait_whole()
            print(
                f"step {step + 1}: {len(writer.acknowledged)} written, {len(writer.failed)} failed,"
                f" longest gap {writer.longest_gap:.2f} s; failed last: {writer.failed[-1:]}"
            )
            writer.take(stack.kubeconfig)
    there = stack.kubectl("get", "configmaps", "--selector=test=rotation", "--output=name").split()
    api(stack.kubeconfig).call("DELETE", f"{CONFIG_MAPS}?labelSelector=test%3Drotation", timeout=60)
    assert {f"configmap/{name}" for name in writer.acknowledged} <= set(there), "acknowledged, and not there"
    assert writer.longest_gap < FLOOR_SECONDS
    assert len(writer.failed) < FAILED_MAX * len(writer.acknowledged)
