"""The Pulumi provider: what the engine asks, answered by the supervisor's control API."""

import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager, suppress
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from pydantic import ValidationError

from providers.lifetime import follow
from providers.local import specs
from providers.local.client import Client, CloudRefusalError, UnreachableError
from providers.local.differences import changed, replacing, shrinks
from providers.local.outputs import outputs
from providers.local.preflight import Preflight
from providers.local.processes import process
from providers.local.properties import UNKNOWN_TEXT, add, has_unknown, mapping, struct
from providers.local.specs import AnySpec, Kind, MachineGroup, Readiness
from providers.local.state import Owner
from providers.local.waiting import CancelledError, WaitError, Waiting

VERSION = "0.1.0"
THREADS = 64
"""Requests at a time: the engine sends all that does not depend on each other at once, and each waits for machines."""

Context = grpc.ServicerContext


class LocalProvider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider process, for one operation of the engine."""

    def __init__(self, engine_address: str, client: Client) -> None:
        self._client = client
        self._preflight = Preflight(client)
        self._cancelled = threading.Event()
        self._waiting = Waiting(engine_address, client, self._cancelled)
        self._working = 0
        self._lock = threading.Condition()

    # -- the plugin itself ---------------------------------------------------------------------------------------

    def Handshake(self, request: Any, context: Context) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=False, accept_outputs=False)

    def GetPluginInfo(self, request: Any, context: Context) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Context) -> Any:
        return provider_pb2.GetSchemaResponse(schema='{"name": "local", "version": "' + VERSION + '"}')

    def CheckConfig(self, request: Any, context: Context) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Context) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Context) -> Any:
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def Cancel(self, request: Any, context: Context) -> Any:
        self._cancelled.set()
        return empty_pb2.Empty()

    def stop(self) -> None:
        """End as soon as what is being made is made or removed again; the supervisor removes what is left."""
        self._cancelled.set()
        with self._lock:
            self._lock.wait_for(lambda: not self._working, timeout=4)

    # -- resources -----------------------------------------------------------------------------------------------

    def Check(self, request: Any, context: Context) -> Any:
        kind, news = _kind(request.urn), mapping(request.news)
        failures = list(self._preflight.failures(request.urn, kind, news))
        too_small = shrinks(kind, mapping(request.olds), news)
        if too_small:
            failures.append(("sizeMb", too_small))
        return provider_pb2.CheckResponse(
            inputs=_hidden(kind, request.news),
            failures=[provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in failures],
        )

    def Diff(self, request: Any, context: Context) -> Any:
        kind, old, new = _kind(request.urn), mapping(request.old_inputs), mapping(request.news)
        self._settle(request.id)
        ignored = set(request.ignoreChanges)
        names = [name for name in changed(old, new) if name not in ignored]
        some = provider_pb2.DiffResponse.DIFF_SOME if names else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some,
            diffs=names,
            replaces=[name for name in replacing(kind, old, new) if name not in ignored],
            # Its name is its identity here, so the old one must be gone before the new one can be.
            deleteBeforeReplace=True,
        )

    def Create(self, request: Any, context: Context) -> Any:
        kind, properties = _kind(request.urn), mapping(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=self._foreseen(kind, request.properties))
        identity = f"{kind.lower()}-{secrets.token_hex(6)}"
        with self._work(context):
            spec = specs.parse(kind, properties)
            try:
                more = self._make(request.urn, identity, spec)
                if kind is not Kind.READINESS:
                    self._client.confirm(identity)
            except BaseException:
                if kind is not Kind.READINESS:
                    self._client.remove(identity)
                raise
            return provider_pb2.CreateResponse(id=identity, properties=_hidden(kind, add(request.properties, more)))
        return None

    def Update(self, request: Any, context: Context) -> Any:
        kind = _kind(request.urn)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=self._foreseen(kind, request.news))
        with self._work(context):
            spec = specs.parse(kind, mapping(request.news))
            more = self._make(request.urn, request.id, spec, update=True)
            return provider_pb2.UpdateResponse(properties=_hidden(kind, add(request.news, more)))
        return None

    def Read(self, request: Any, context: Context) -> Any:
        kind = _kind(request.urn)
        if kind is Kind.READINESS:
            return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
        with self._work(context):
            self._settle(request.id)
            found = self._client.read(request.id) if self._client.has_anything else None
            if found is None:
                return provider_pb2.ReadResponse()
            spec = specs.parse(kind, {name: found[name] for name in found if name not in _outputs_only(kind)})
            hidden = frozenset({"value"}) if kind is Kind.SECRET else frozenset()
            return provider_pb2.ReadResponse(
                id=request.id, properties=struct(found, hidden), inputs=struct(spec.wire(), hidden)
            )
        return None

    def Delete(self, request: Any, context: Context) -> Any:
        with self._work(context):
            if _kind(request.urn) is not Kind.READINESS and self._client.has_anything:
                self._client.remove(request.id)
        return empty_pb2.Empty()

    def _settle(self, identity: str) -> None:
        """The engine names a resource: it knows it. Told to a supervisor that runs; a preview starts none."""
        if self._preflight.is_unseen(identity) and self._client.socket.exists():
            with suppress(CloudRefusalError, UnreachableError):
                self._client.settle(identity)

    # -- making --------------------------------------------------------------------------------------------------

    def _make(self, urn: str, identity: str, spec: AnySpec, *, update: bool = False) -> dict[str, Any]:
        kind = _kind(urn)
        if isinstance(spec, Readiness):
            self._waiting.until_ready(urn, spec)
            return {}
        body: dict[str, Any] = {"kind": kind, "owner": Owner.of(urn).model_dump(), "spec": spec.wire()}
        if not update:
            body["creator"] = process(os.getpid()).model_dump()
            body["unseen_by"] = os.environ.get("PULUMI_BACKEND_URL", "")
        self._client.put(identity, body)
        if isinstance(spec, MachineGroup):
            self._waiting.until_started(urn, spec)
        return outputs(spec, self._client.root)

    def _foreseen(self, kind: Kind, news: struct_pb2.Struct) -> struct_pb2.Struct:
        properties = mapping(news)
        if has_unknown(properties):
            return _hidden(kind, add(news, dict.fromkeys(_outputs_only(kind), UNKNOWN_TEXT)))
        return _hidden(kind, add(news, outputs(specs.parse(kind, properties), self._client.root)))

    @contextmanager
    def _work(self, context: Context) -> Iterator[None]:
        with self._lock:
            self._working += 1
        try:
            yield
        except (CloudRefusalError, UnreachableError, WaitError, CancelledError, ValidationError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        finally:
            with self._lock:
                self._working -= 1
                self._lock.notify_all()


def _kind(urn: str) -> Kind:
    token = urn.split("::")[2].rsplit("$", maxsplit=1)[-1]
    return Kind(token.rsplit(":", maxsplit=1)[-1])


def _outputs_only(kind: Kind) -> list[str]:
    return {
        Kind.NETWORK: ["gateway", "edgeCidr", "zoneCidrs"],
        Kind.VOLUME: ["path"],
        Kind.MACHINE_GROUP: ["template"],
        Kind.BUCKET: ["url"],
        Kind.BUCKET_OBJECT: ["url"],
    }.get(kind, [])


def _hidden(kind: Kind, properties: struct_pb2.Struct) -> struct_pb2.Struct:
    """Properties with a secret's value marked, whether or not the program marked it."""
    if kind is not Kind.SECRET or not isinstance(value := mapping(properties).get("value"), str):
        return properties
    return add(properties, {"value": value}, frozenset({"value"}))


def serve(engine_address: str) -> None:
    """Be the provider plugin: print the port, answer the engine, end when it says so or is gone."""
    provider = LocalProvider(engine_address, Client())
    server = grpc.server(futures.ThreadPoolExecutor(THREADS))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    server.start()
    print(port, flush=True)
    follow(engine_address, stopping)
    provider.stop()
    sys.stdout.flush()
    os._exit(0)
