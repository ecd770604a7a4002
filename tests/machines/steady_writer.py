"""A client that writes all the while, and what may be said of its writes afterwards."""

import itertools
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

from drills import kubeconfig
from drills.api import Api, ApiError

CONFIG_MAPS: Final = "/api/v1/namespaces/default/configmaps"
LABEL: Final = "test=rotation"


class Writer:
    """Makes an object every `pause` seconds, with the kubeconfig that it was given last."""

    def __init__(self, access: Path, pause: float = 0.1) -> None:
        self._api = api(access)
        self._pause = pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._begun = time.monotonic()
        self._ended: float | None = None
        self.acknowledged: list[str] = []
        self.answered: list[float] = []
        self.failed: list[str] = []

    def __enter__(self) -> "Writer":
        self._begun = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._ended = time.monotonic()

    def take(self, access: Path) -> None:
        """Go on with another kubeconfig."""
        self._api = api(access)

    @property
    def longest_gap(self) -> float:
        """Seconds without an acknowledged write; from the beginning, and up to the end or to now."""
        moments = (self._begun, *self.answered, self._ended or time.monotonic())
        return max(after - before for before, after in pairwise(moments))

    def check(self, there: set[str], *, gap_max: float, failed_max: float) -> None:
        """Hold it to what it was promised.

        Args:
            there: names of the objects that are there at the end.
            gap_max: seconds that it may go without an acknowledged write.
            failed_max: failed writes for each acknowledged one, at most.
        """
        assert set(self.acknowledged) <= there, "acknowledged, and not there"
        assert self.longest_gap < gap_max, f"{self.longest_gap:.1f} s without an acknowledged write"
        assert len(self.failed) < failed_max * len(self.acknowledged), f"failed last: {self.failed[-1:]}"

    def _write(self) -> None:
        key, value = LABEL.split("=")
        for number in itertools.count(1):
            if self._stop.wait(self._pause):
                return
            name = f"rotation-{number}"
            try:
                self._api.call("POST", CONFIG_MAPS, {"metadata": {"name": name, "labels": {key: value}}})
            except ApiError as error:
                self.failed.append(str(error))
            else:
                self.acknowledged.append(name)
                self.answered.append(time.monotonic())


def api(access: Path) -> Api:
    """Whoever has this kubeconfig, with the patience of the drills' clients."""
    return Api(kubeconfig.load(access), timeout=1)
