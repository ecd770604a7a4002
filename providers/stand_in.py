"""A stand-in for an official provider plugin that cannot be downloaded: the same types, made for real.

The official plugin is always preferred (see toolchain/). A stand-in covers what this program uses, keeps the official
property names, and refuses what it does not cover, so that a state can move to the official plugin.
"""

import secrets
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from providers.lifetime import follow
from providers.messages import struct

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


class Plugin(provider_pb2_grpc.ResourceProviderServicer):
    """What stand-ins answer alike. `version` is that of the SDK, which warns when a plugin is older than itself."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.config: dict[str, str] = {}
        """The provider's own settings, without its package's prefix; what is not text is JSON."""

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return difference(changed(request))

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.config = {name.rsplit(":", 1)[1]: value for name, value in request.variables.items()}
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()


def changed(request: Any) -> list[str]:
    """Names of the inputs that a request for a difference changes, without those to ignore and the SDK's own."""
    old, new, ignored = request.old_inputs.fields, request.news.fields, set(request.ignoreChanges)
    return sorted(
        name for name in {*old, *new} if old.get(name) != new.get(name) and name not in ignored and name[:2] != "__"
    )


def difference(names: Sequence[str], replaces: Sequence[str] = ()) -> provider_pb2.DiffResponse:
    """The answer that these properties change, and that some of them take a new resource."""
    changes = provider_pb2.DiffResponse.DIFF_SOME if names else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(changes=changes, replaces=replaces, diffs=names)


def uncovered(inputs: struct_pb2.Struct, covered: frozenset[str]) -> list[provider_pb2.CheckFailure]:
    """A refusal of each property that a stand-in knows nothing of."""
    return [
        provider_pb2.CheckFailure(
            property=name, reason=f"not covered by the stand-in; accepted: {', '.join(sorted(covered))}"
        )
        for name in inputs.fields
        if name not in covered and not name.startswith("__")
    ]


def auto_name(name: str) -> str:
    """A name as official providers bridged from Terraform give it: the resource's own and seven random digits."""
    return f"{name}-{secrets.token_hex(4)[:7]}"


def with_name(request: Any, named: str | None, auto_name: Callable[[str], str]) -> struct_pb2.Struct:
    """The inputs of a request for a check. Where the program gives no name, the property `named` is the one that the
    resource has, or a new one made from its name in the program.
    """
    inputs = struct_pb2.Struct()
    inputs.CopyFrom(request.news)
    if named and named not in inputs.fields:
        old = request.olds.fields.get(named)
        inputs[named] = old.string_value if old else auto_name(request.urn.rsplit("::", 1)[1])
    return inputs


def answer(properties: Properties) -> provider_pb2.InvokeResponse:
    """What a function of the provider returns."""
    response = provider_pb2.InvokeResponse()
    getattr(response, "return").CopyFrom(struct(properties))  # a word that Python keeps to itself
    return response


class StandIn(Plugin):
    """Serves `kinds`: type token → kind. Nothing is updated in place; what changes is replaced."""

    def __init__(self, version: str, kinds: Mapping[str, Kind]) -> None:
        super().__init__(version)
        self.kinds = kinds

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind = self.kinds.get(request.type)
        if kind is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{request.type}: accepted: {', '.join(sorted(self.kinds))}")
            raise AssertionError
        return provider_pb2.CheckResponse(inputs=request.news, failures=uncovered(request.news, kind.inputs))

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        names = changed(request)
        if not names and self.kinds[request.type].expired(json_format.MessageToDict(request.olds)):
            names = ["readyForRenewal"]
        return difference(names, replaces=names)

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


def serve(provider: provider_pb2_grpc.ResourceProviderServicer) -> None:
    """Serve until the engine ends us or is gone; prints the port, as every plugin does."""
    server = grpc.server(futures.ThreadPoolExecutor(8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    follow(next(argument for argument in sys.argv[1:] if not argument.startswith("-")), threading.Event())
