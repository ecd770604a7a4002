"""The objects that a drill works on: registers and the journal, before and after."""

import http.client
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from drills import probe
from drills.api import Api, ApiError
from drills.cluster import API_PORT, Cluster, UnhealthyError, UnreadyError
from drills.record import Connection, Operation, Outcome, Record

CONFIGMAPS: Final = f"/api/v1/namespaces/{probe.NAMESPACE}/configmaps"
REGISTER: Final = "register"
"""Label of the registers."""
PARTS: Final = (REGISTER, *map(probe.journal, range(probe.JOURNALS)))
FORBIDDEN: Final = frozenset({http.client.UNAUTHORIZED, http.client.FORBIDDEN})
PATIENCE: Final = 60.0
REQUEST_SECONDS: Final = 60.0
"""When an API server gives a request up; one request deletes the journal entry by entry."""
CLEAR_SECONDS: Final = 300.0
"""For several of them: on a busy machine thousands of entries take longer than one, and what is deleted is deleted."""


def prepare(api: Api) -> None:
    """A namespace with registers that were never written, and an empty journal.

    Raises:
        UnreadyError: the credentials may not do that.
        UnhealthyError: the API does not answer.
    """
    try:
        api.ensure("/api/v1/namespaces", {"metadata": {"name": probe.NAMESPACE}})
        clear(api)
        for number in range(probe.REGISTERS):
            metadata = {"name": probe.register(number), "labels": {probe.LABEL: REGISTER}}
            api.call("POST", CONFIGMAPS, {"metadata": metadata})
    except ApiError as error:
        kind = UnreadyError if error.status in FORBIDDEN else UnhealthyError
        raise kind(f"a drill needs to write ConfigMaps in namespace {probe.NAMESPACE}: {error}") from error


def clear(api: Api) -> None:
    """Remove every register and entry of the journal.

    Raises:
        ApiError: the API did not.
    """
    with ThreadPoolExecutor(max_workers=len(PARTS)) as pool:
        list(pool.map(partial(_clear, api, time.monotonic() + CLEAR_SECONDS), PARTS))


def _clear(api: Api, until: float, part: str) -> None:
    while True:
        try:
            api.call("DELETE", f"{CONFIGMAPS}?labelSelector={probe.LABEL}%3D{part}", timeout=REQUEST_SECONDS)
        except ApiError as error:
            if error.status not in {None, http.client.GATEWAY_TIMEOUT} or time.monotonic() > until:
                raise
        else:
            return


def final_reads(cluster: Cluster) -> Sequence[Record]:
    """Each register as each master has it when all is over: part of the history.

    Raises:
        ApiError: a master does not answer within a minute.
    """
    reads = []
    for master in cluster.of("master"):
        api = Api(cluster.access, host=master.address, port=API_PORT)
        for number in range(probe.REGISTERS):
            key, begin = probe.register(number), time.monotonic()
            value = probe.register_value(_patiently(api, f"{CONFIGMAPS}/{key}"))
            how = (Connection.NEW, Operation.READ)
            end = time.monotonic()
            reads.append(Record(master.name, *how, key, value, begin, begin, end, Outcome.ACKNOWLEDGED, "final"))
    return reads


def _patiently(api: Api, path: str) -> Any:
    """What is there, also when the master is just coming back."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return api.call("GET", path)
        except ApiError as error:
            if error.status == http.client.NOT_FOUND:
                # A cluster that lost even the register reads as one that never wrote to it; its history says so.
                return {}
            if time.monotonic() > until:
                raise
        time.sleep(0.5)
