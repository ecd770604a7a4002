"""A provider for every cloud that does nothing: what it is asked to make is there, until a test changes it."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from providers.stand_in import StandIn

PACKAGES = ("aws", "azure-native", "gcp", "kubernetes", "local")


class Echo(StandIn):
    """Takes any type; `touched` is what somebody changed behind the program's back."""

    def __init__(self) -> None:
        super().__init__("0.0.0", {})
        self.touched: dict[str, dict[str, Any] | None] = {}
        """Resource id → properties that differ now; None: it is gone."""

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        name = request.urn.rsplit("::", 1)[-1]
        return provider_pb2.CreateResponse(id="" if request.preview else f"{name}-id", properties=request.properties)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        same = json_format.MessageToDict(request.old_inputs) == json_format.MessageToDict(request.news)
        kind = provider_pb2.DiffResponse.DIFF_NONE if same else provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(changes=kind)

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.UpdateResponse(properties=request.news)

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        changes = self.touched.get(request.id, {})
        if changes is None:
            return provider_pb2.ReadResponse()
        for bag in (request.properties, request.inputs):
            bag.update(changes)
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)


@contextmanager
def serving() -> Iterator[tuple[Echo, str]]:
    """The provider, and the value of PULUMI_DEBUG_PROVIDERS that makes the engine use it."""
    server, echo = grpc.server(futures.ThreadPoolExecutor(8)), Echo()
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(echo, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield echo, ",".join(f"{package}:{port}" for package in PACKAGES)
    finally:
        server.stop(0)
