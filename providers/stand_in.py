"""A stand-in for an official provider plugin that cannot be downloaded: the same types, made for real.

The official plugin is always preferred (see toolchain/). A stand-in covers what this program uses, keeps the official
property names, and refuses what it does not cover, so that a state can move to the official plugin.
"""

import os
import signal
from collections.abc import Callable, Mapping
from concurrent import futures
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine sends in a preview for a value that is not known yet (sdk/go/common/resource/plugin/rpc.go)."""

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """A resource type of a stand-in."""

    inputs: frozenset[str]
    """Property names that are covered."""
    make: Callable[[Properties], Properties]
    """Inputs to outputs, without the inputs themselves; `id` among them names the resource."""
    expired: Callable[[Properties], bool] = lambda state: False
    """Whether a resource with these outputs is due to be made anew."""


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """Serves `kinds`: type token → kind. Nothing is updated in place; what changes is replaced.

    `version` is that of the SDK, which warns when a plugin is older than itself.
    """

    def __init__(self, version: str, kinds: Mapping[str, Kind]) -> None:
        self.version = version
        self.kinds = kinds

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ConfigureResponse()

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind = self.kinds.get(request.type)
        if kind is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{request.type}: accepted: {', '.join(sorted(self.kinds))}")
            raise AssertionError
        failures = [
            provider_pb2.CheckFailure(
                property=name, reason=f"not covered by the stand-in; accepted: {', '.join(sorted(kind.inputs))}"
            )
            for name in request.news.fields
            if name not in kind.inputs and not name.startswith("__")
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        old, new = request.old_inputs.fields, request.news.fields
        changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
        if not changed and self.kinds[request.type].expired(json_format.MessageToDict(request.olds)):
            changed = ["readyForRenewal"]
        changes = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=changes, replaces=changed, diffs=changed)

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = json_format.MessageToDict(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        try:
            outputs = dict(self.kinds[request.type].make(inputs))
        except ValueError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{request.type}: {error}")
            raise AssertionError from error
        identity = str(outputs.pop("id"))
        properties = struct_pb2.Struct()
        properties.update({**inputs, **outputs})
        return provider_pb2.CreateResponse(id=identity, properties=properties)

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()


def serve(provider: provider_pb2_grpc.ResourceProviderServicer) -> None:
    """Serve until the engine ends us, or whoever started us is gone; prints the port, as every plugin does."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    server = grpc.server(futures.ThreadPoolExecutor(8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        server.wait_for_termination(timeout=1)
