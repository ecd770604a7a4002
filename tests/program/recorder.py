"""Builds a program without an engine, and remembers what it registered: also what mocks alone do not show."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.rpc import _special_secret_sig, _special_sig_key

KNOWN_ONLY_AFTER_CREATION = {
    "random:index/randomId:RandomId": {"hex": "0123456789abcdef"},
    "random:index/randomBytes:RandomBytes": {"base64": "a2V5"},
    "random:index/randomPassword:RandomPassword": {"result": "abcdef"},
    "tls:index/privateKey:PrivateKey": {"privateKeyPem": "PRIVATE", "publicKeyPem": "PUBLIC"},
    "tls:index/selfSignedCert:SelfSignedCert": {"certPem": "CERTIFICATE"},
    "tls:index/certRequest:CertRequest": {"certRequestPem": "REQUEST"},
    "tls:index/locallySignedCert:LocallySignedCert": {"certPem": "CERTIFICATE"},
    "local:index:MachineGroup": {"template": "f" * 64},
    "local:index:Bucket": {"url": "http://169.254.169.254/v1/buckets/b"},
}


@dataclass(frozen=True)
class Registration:
    """A resource as the program asked for it."""

    type: str
    name: str
    parent: str
    protect: bool
    custom: bool
    inputs: dict[str, Any]
    dependencies: tuple[str, ...] = ()
    """URNs of what it waits for."""
    retain_on_delete: bool = False
    provider: str = ""
    """Reference of the provider that makes it; empty for the package's default."""
    outputs: dict[str, Any] = field(default_factory=dict)
    """What a component registers of itself."""
    secret_outputs: set[str] = field(default_factory=set)


class Outputs(Mocks):
    """A cloud that answers with the inputs and what is known only after a creation."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", {**args.inputs, **KNOWN_ONLY_AFTER_CREATION.get(args.typ, {})}

    def call(self, args: Any) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


class Recorder(MockMonitor):
    """Keeps every registration."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.registrations: list[Registration] = []
        self.by_urn: dict[str, Registration] = {}

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        state = self.resources[response.urn].state if response.urn in self.resources else {}
        registration = Registration(
            request.type,
            request.name,
            request.parent,
            request.protect,
            request.custom,
            state,
            tuple(request.dependencies),
            request.retainOnDelete,
            request.provider,
        )
        self.registrations.append(registration)
        self.by_urn[response.urn] = registration
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:
        registration = self.by_urn.get(request.urn)  # the stack itself has none
        if registration:
            for name, value in json_format.MessageToDict(request.outputs).items():
                secret = isinstance(value, dict) and value.get(_special_sig_key) == _special_secret_sig
                registration.outputs[name] = value["value"] if secret else value
                if secret:
                    registration.secret_outputs.add(name)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def build(
    program: Callable[[], Any], stack: str, *, preview: bool = False, mocks: Mocks | None = None
) -> list[Registration]:
    """Everything that `program` registers; its outputs are awaited, in an event loop of its own."""
    mocks = mocks or Outputs()
    recorder = Recorder(mocks)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        set_mocks(mocks, project="kube-ha", stack=stack, preview=preview, monitor=recorder)

        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    finally:
        loop.close()
    # The stack itself is registered when the loop gets to it, which may be never: no program asks for it.
    return [one for one in recorder.registrations if one.type != "pulumi:pulumi:Stack"]
