"""The stand-in for the official aws provider: the same types, carried out on an emulator of AWS."""

import json
import threading
from typing import Any

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import provider_pb2

from providers.aws.connection import Aws, NoEmulatorError, endpoint
from providers.aws.kind import Kind, Made, Properties, Request
from providers.aws.kinds import KINDS
from providers.aws.lookups import LOOKUPS
from providers.messages import plain, struct
from providers.stand_in import UNKNOWN, Plugin, answer, auto_name, changed, difference, uncovered, with_name


class AwsStandIn(Plugin):
    """Refuses what AWS would refuse, and what it does not cover."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self._aws: Aws | None = None
        self._lock = threading.Lock()

    @property
    def aws(self) -> Aws:
        with self._lock:
            if self._aws is None:
                self._aws = Aws(endpoint(), self.config.get("region", ""))
            return self._aws

    @property
    def default_tags(self) -> dict[str, str]:
        tags: dict[str, str] = json.loads(self.config.get("defaultTags", "{}")).get("tags", {})
        return tags

    def kind(self, token: str, context: grpc.ServicerContext) -> Kind:
        if token not in KINDS:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"{token}: not covered by the stand-in; it has {', '.join(sorted(KINDS))}",
            )
        return KINDS[token]

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind = self.kind(request.type, context)
        inputs = with_name(request, kind.named, auto_name)
        return provider_pb2.CheckResponse(inputs=inputs, failures=uncovered(request.news, kind.inputs))

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, names = self.kind(request.type, context), changed(request)
        return difference(names, replaces=[name for name in names if kind.update is None or name in kind.replaces])

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, inputs = self.kind(request.type, context), plain(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        made: Made = self.carried_out(request, context, lambda: kind.create(self.aws, self.request(kind, inputs)))
        return provider_pb2.CreateResponse(id=made.id, properties=self.state(kind, inputs, made.outputs))

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, inputs, before = self.kind(request.type, context), plain(request.news), plain(request.olds)
        update = kind.update
        assert update is not None
        if request.preview:
            unknown = dict.fromkeys(kind.changing, UNKNOWN)
            return provider_pb2.UpdateResponse(properties=self.state(kind, {**before, **inputs}, unknown))
        outputs: Properties = self.carried_out(
            request, context, lambda: update(self.aws, request.id, before, self.request(kind, inputs))
        )
        kept = {name: value for name, value in before.items() if name not in kind.inputs}
        return provider_pb2.UpdateResponse(properties=self.state(kind, {**kept, **inputs}, outputs))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind = self.kind(request.type, context)
        try:
            found = kind.find(self.aws, request.id, plain(request.properties))
        except ClientError:
            found = None
        if not found:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind = self.kind(request.type, context)
        self.carried_out(request, context, lambda: kind.delete(self.aws, request.id, plain(request.properties)))
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.tok not in LOOKUPS:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{request.tok}: not covered; {', '.join(sorted(LOOKUPS))}")
        return answer(self.carried_out(request, context, lambda: LOOKUPS[request.tok](self.aws, plain(request.args))))

    def request(self, kind: Kind, inputs: Properties) -> Request:
        own = {name: value for name, value in inputs.items() if name[:2] != "__"}
        return Request(inputs=own, tags={**self.default_tags, **own.get("tags", {})} if kind.taggable else {})

    def state(self, kind: Kind, inputs: Properties, outputs: Properties) -> struct_pb2.Struct:
        tags = {"tagsAll": {**self.default_tags, **inputs.get("tags", {})}} if kind.taggable else {}
        return struct({**inputs, **tags, **outputs})

    def carried_out(self, request: Any, context: grpc.ServicerContext, action: Any) -> Any:
        """The action's result; a refusal reaches the user as the resource's own."""
        try:
            return action()
        except (BotoCoreError, ClientError, ValueError, NoEmulatorError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
