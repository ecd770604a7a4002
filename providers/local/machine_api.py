"""The machine API: what machines ask of their cloud, at 169.254.169.254 inside their network's router.

The caller is known by its source address, and reaches this only while nothing cuts it from the router.
"""

import socket
import threading
from ipaddress import IPv4Address, IPv4Network
from typing import Final, Protocol

from providers.local import netns, network, specs, volumes
from providers.local.addresses import Addresses
from providers.local.keeper import Keeper, Order, Status
from providers.local.network import METADATA_ADDRESS
from providers.local.object_api import ObjectApi
from providers.local.objects import Bucket, PreconditionError, RetainedError
from providers.local.specs import Kind, MachineGroup, Slot
from providers.local.state import State
from providers.local.web import Answer, RefusalError, Request, Response, Route, Server
from providers.local.wrapping import Wrapping

STATUSES: dict[type[Exception], int] = {PreconditionError: 412, RetainedError: 403, ValueError: 400}

MASTER: Final = "master"
"""The role whose machines say where the network sends pods' packets."""

WORKER: Final = "worker"
"""The role of machines that run anybody's pods, which speak with the machine's address: the stores are not for them."""


class Surroundings(Protocol):
    """What the machine API needs of the cloud."""

    state: State
    keepers: dict[tuple[str, str], Keeper]
    buckets: dict[str, Bucket]
    wrapping: Wrapping

    def addresses(self, name: str) -> Addresses:
        """Of a network."""

    def groups(self, name: str) -> list[MachineGroup]:
        """Of a network."""


class MachineApi:
    """Serves one network."""

    def __init__(self, surroundings: Surroundings, name: str) -> None:
        self._cloud = surroundings
        self._name = name
        listening = netns.inside(surroundings.addresses(name).router_namespace, _listen)
        self._server = Server(listening, self._routes(), STATUSES)
        threading.Thread(target=self._server.serve_forever, name=f"machine API of {name}", daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def _routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/instance", self._instance),
            Route("PUT", "/v1/instance/status", self._report),
            Route("POST", "/v1/instance/replace", self._replace),
            Route("POST", "/v1/instance/volume", self._attach),
            Route("GET", "/v1/secrets/{name}", self._secret),
            *ObjectApi("/v1/buckets/{bucket}", self._bucket).routes(),
            Route("POST", "/v1/wrap", self._wrap),
            Route("GET", "/v1/routes", self._list_routes),
            Route("PUT", "/v1/routes", self._route),
            Route("DELETE", "/v1/routes", self._unroute),
        ]

    # -- the caller ----------------------------------------------------------------------------------------------

    def _caller(self, request: Request) -> tuple[MachineGroup, Slot, Keeper]:
        for group in self._cloud.groups(self._name):
            for slot in group.slots:
                keeper = self._cloud.keepers.get((self._name, slot.machine))
                if str(slot.address) == request.client and keeper and keeper.incarnation:
                    return group, slot, keeper
        raise RefusalError(403, f"{request.client} is no machine of network {self._name!r}")

    def _instance(self, request: Request) -> Answer:
        group, slot, keeper = self._caller(request)
        assert keeper.incarnation
        return Response(
            {
                "id": keeper.incarnation.id,
                "group": group.name,
                "machine": slot.machine,
                "zone": slot.zone,
                "address": str(slot.address),
                "template": keeper.incarnation.template,
                "desired_template": group.template,
            }
        )

    def _report(self, request: Request) -> Answer:
        _, _, keeper = self._caller(request)
        keeper.report(Status.model_validate(request.json()))
        return Response()

    def _replace(self, request: Request) -> Answer:
        _, slot, keeper = self._caller(request)
        reason = _text(request.json(), "reason")
        print(f"{slot.machine} asks for its replacement: {reason}", flush=True)
        keeper.order(Order.REPLACE)
        return Response(status=202)

    def _attach(self, request: Request) -> Answer:
        _, slot, keeper = self._caller(request)
        incarnation = keeper.running
        if keeper.volume is None or incarnation is None:
            raise RefusalError(404, f"{slot.machine} has no volume")
        return Response({"device": volumes.attach(keeper.volume, incarnation)})

    # -- routes --------------------------------------------------------------------------------------------------

    def _list_routes(self, request: Request) -> Answer:
        self._master(request)
        found = network.routes(self._cloud.addresses(self._name))
        return Response([{"cidr": str(cidr), "via": str(via)} for cidr, via in sorted(found.items())])

    def _route(self, request: Request) -> Answer:
        body = request.json()
        slot, addresses = self._master(request), self._cloud.addresses(self._name)
        cidr = IPv4Network(_text(body, "cidr"))
        if "via" in body:
            slot = self._slot_at(IPv4Address(_text(body, "via")))
        if cidr.overlaps(addresses.cidr):
            raise RefusalError(400, f"{cidr} overlaps the network's own {addresses.cidr}")
        network.route(addresses, cidr, slot)
        return Response()

    def _unroute(self, request: Request) -> Answer:
        self._master(request)
        cidr, via = (_text(dict(request.query), name) for name in ("cidr", "via"))
        network.end_route(self._cloud.addresses(self._name), IPv4Network(cidr), IPv4Address(via))
        return Response()

    def _master(self, request: Request) -> Slot:
        group, slot, _ = self._caller(request)
        if group.role != MASTER:
            raise RefusalError(403, f"routes are not for the role {group.role!r}")
        return slot

    def _slot_at(self, address: IPv4Address) -> Slot:
        for group in self._cloud.groups(self._name):
            for slot in group.slots:
                if slot.address == address:
                    return slot
        raise RefusalError(404, f"network {self._name!r} has no machine at {address}")

    # -- stores --------------------------------------------------------------------------------------------------

    def _secret(self, request: Request, name: str) -> Answer:
        group, _, _ = self._caller(request)
        for resource in self._cloud.state.of_kind(Kind.SECRET):
            spec = resource.spec
            if isinstance(spec, specs.Secret) and (spec.network, spec.name) == (self._name, name):
                if group.role not in spec.readers:
                    raise RefusalError(403, f"secret {name!r} is not for the role {group.role!r}")
                return Response(spec.value.encode())
        raise RefusalError(404, f"no secret {name!r}")

    def _wrap(self, request: Request) -> Answer:
        self._no_worker(request)
        return Response(self._cloud.wrapping.wrap(request.body.read(request.length)))

    def _no_worker(self, request: Request) -> None:
        group, slot, _ = self._caller(request)
        if group.role == WORKER:
            raise RefusalError(403, f"{slot.machine} is a worker: this is for machines of the control plane")

    def _bucket(self, request: Request, name: str) -> Bucket:
        self._no_worker(request)
        for resource in self._cloud.state.of_kind(Kind.BUCKET):
            if (
                resource.network == self._name
                and isinstance(resource.spec, specs.Bucket)
                and resource.spec.name == name
            ):
                return self._cloud.buckets[name]
        raise RefusalError(404, f"no bucket {name!r}")


def _listen() -> socket.socket:
    return socket.create_server((METADATA_ADDRESS, 80), backlog=128, reuse_port=False)


def _text(body: object, name: str) -> str:
    if isinstance(body, dict) and isinstance(body.get(name), str):
        return str(body[name])
    raise RefusalError(400, f'the body lacks "{name}"; accepted: {{"{name}": "…"}}')
