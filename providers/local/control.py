"""The control API: what the provider and the command line ask of the supervisor, on its unix socket."""

import socket
from pathlib import Path
from typing import Any

from providers.local import sources
from providers.local.cloud import Cloud, ConflictError
from providers.local.cuts import CutKind, UnknownTargetError
from providers.local.hardware import MissingError
from providers.local.keeper import Order
from providers.local.object_api import ObjectApi
from providers.local.objects import Bucket, PreconditionError, RetainedError
from providers.local.state import Resource
from providers.local.web import Answer, Request, Response, Route, Server
from providers.local.wrapping import WrappingError

STATUSES: dict[type[Exception], int] = {
    ConflictError: 409,
    MissingError: 404,
    UnknownTargetError: 404,
    PreconditionError: 412,
    RetainedError: 403,
    WrappingError: 400,
}

ORDERS = {"kill": Order.KILL, "power-off": Order.REPLACE}


class Control:
    """Serves the control API of a cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._sources = sources.fingerprint()

    def server(self, path: Path) -> Server:
        """A server that listens on a unix socket which only root can open."""
        listening = socket.socket(socket.AF_UNIX)
        path.unlink(missing_ok=True)
        listening.bind(str(path))
        path.chmod(0o600)
        listening.listen(64)
        return Server(listening, self._routes(), STATUSES)

    def _routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/supervisor", self._supervisor),
            Route("GET", "/v1/resources", self._list),
            Route("PUT", "/v1/resources/{id}", self._put),
            Route("GET", "/v1/resources/{id}", self._read),
            Route("DELETE", "/v1/resources/{id}", self._remove),
            Route("POST", "/v1/resources/{id}/confirm", self._confirm),
            Route("POST", "/v1/resources/{id}/settle", self._settle),
            Route("GET", "/v1/machines", self._machines),
            Route("GET", "/v1/networks/{network}/machines/{machine}/console", self._console),
            Route("POST", "/v1/stacks/{stack}/machines/{machine}/{order}", self._order),
            Route("POST", "/v1/stacks/{stack}/cut", self._cut),
            Route("POST", "/v1/stacks/{stack}/heal", self._heal),
            Route("POST", "/v1/stacks/{stack}/volumes/{volume}/wipe", self._wipe),
            Route("DELETE", "/v1/stacks/{stack}", self._purge),
            *ObjectApi("/v1/stacks/{stack}/buckets/{bucket}", self._bucket).routes(),
            Route("POST", "/v1/unwrap", self._unwrap),
        ]

    def _supervisor(self, request: Request) -> Answer:
        # New code of a client may ask what old code of a supervisor does not know: then a new one takes over.
        return Response({"outdated": sources.fingerprint() != self._sources})

    def _list(self, request: Request) -> Answer:
        with self._cloud.lock:
            resources = list(self._cloud.state.resources.values())
        return Response([_without_secrets(resource) for resource in resources])

    def _put(self, request: Request, resource_id: str) -> Answer:
        resource = Resource.model_validate(request.json() | {"id": resource_id})
        return Response(self._cloud.put(resource))

    def _read(self, request: Request, resource_id: str) -> Answer:
        return Response(self._cloud.read(resource_id))

    def _remove(self, request: Request, resource_id: str) -> Answer:
        self._cloud.remove(resource_id)
        return Response()

    def _confirm(self, request: Request, resource_id: str) -> Answer:
        self._cloud.confirm(resource_id)
        return Response()

    def _settle(self, request: Request, resource_id: str) -> Answer:
        self._cloud.settle(resource_id)
        return Response()

    def _machines(self, request: Request) -> Answer:
        views = self._cloud.machines()
        if stack := request.query.get("stack"):
            names = self._cloud.networks_of(stack)
            views = [view for view in views if view.network in names]
        if name := request.query.get("network"):
            views = [view for view in views if view.network == name]
        return Response([view.model_dump(mode="json") for view in views])

    def _console(self, request: Request, network: str, machine: str) -> Answer:
        keeper = self._cloud.hardware.keepers.get((network, machine))
        if keeper is None:
            raise MissingError(f"network {network!r} has no machine {machine!r}")
        lines = keeper.place.disk.last_lines(int(request.query.get("lines", "20")))
        return Response({"file": str(keeper.place.disk.console), "lines": lines})

    def _order(self, request: Request, stack: str, machine: str, order: str) -> Answer:
        if order not in ORDERS:
            raise MissingError(f"{order!r}; accepted: {', '.join(ORDERS)}")
        self._cloud.keeper(stack, machine).order(ORDERS[order])
        return Response()

    def _cut(self, request: Request, stack: str) -> Answer:
        body = request.json()
        self._cloud.cut(stack, str(body["target"]), CutKind(body["kind"]))
        return Response()

    def _heal(self, request: Request, stack: str) -> Answer:
        return Response(self._cloud.heal(stack))

    def _wipe(self, request: Request, stack: str, volume: str) -> Answer:
        self._cloud.wipe(stack, volume)
        return Response()

    def _purge(self, request: Request, stack: str) -> Answer:
        return Response(self._cloud.remove_all(lambda resource: resource.owner.stack == stack))

    def _bucket(self, request: Request, stack: str, bucket: str) -> Bucket:
        return self._cloud.bucket(stack, bucket)

    def _unwrap(self, request: Request) -> Answer:
        return Response(self._cloud.hardware.wrapping.unwrap(request.body.read(request.length)))


def _without_secrets(resource: Resource) -> dict[str, Any]:
    shown = resource.model_dump(mode="json")
    if "value" in shown["spec"]:
        shown["spec"]["value"] = ""
    return shown
