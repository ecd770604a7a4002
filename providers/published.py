"""A stand-in for a provider whose cloud nothing emulates: it holds every property that a program asks for against what
the cloud publishes about its own API, and remembers what it made.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from providers.ledger import Ledger, LedgerError
from providers.messages import plain, struct
from providers.stand_in import UNKNOWN, Plugin, Properties, answer, changed, difference, with_name

Config = Mapping[str, str]
"""The provider's own settings, without its package's prefix; what is not text is JSON."""


@dataclass(frozen=True)
class Problem:
    """What the cloud would not take."""

    path: str
    """As the program spells it: `nodeConfig.diskType`."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A resource type that can be checked."""

    checked_against: str
    """What the cloud publishes, in words: for whoever reads what a rehearsal proves."""
    check: Callable[[Properties], Iterable[Problem]]
    """Everything that is wrong with inputs of which some may be unknown."""
    identify: Callable[[Properties, Config], str]
    """The identity that the cloud gives it."""
    outputs: Callable[[str, Properties, Config], Properties] = lambda identity, inputs, config: {}
    """From identity and inputs to what the provider adds to them; the same each time."""
    unforeseen: frozenset[str] = frozenset()
    """Properties that are given in one form and shown in another, which a preview does not know."""
    named: str | None = "name"
    """Property that gets a name where the program gives none."""
    fixed: frozenset[str] = frozenset()
    """Properties that cannot be changed: another value is another resource."""
    needs: Callable[[Properties, Config], Iterable[str]] = lambda inputs, config: ()
    """Identities of what must be there that its properties name without saying all of it."""
    guarded: Callable[[Properties], str] = lambda state: ""
    """Why it refuses to be deleted; empty where it does not."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """What a stand-in covers."""

    name: str
    """As the engine spells it: `azure-native`."""
    version: str
    """Of the SDK, which warns when a plugin is older than itself."""
    kinds: Mapping[str, Kind]
    lookups: Mapping[str, Callable[[Properties, Config], Properties]] = field(default_factory=dict)
    """Functions of the provider."""
    auto_name: Callable[[str], str]
    """From a resource's name in the program to the one it gets in the cloud."""
    refers_to: Callable[[str], str | None]
    """The identity that a text names; None where it is some other text."""


class PublishedStandIn(Plugin):
    """Refuses what the published API does not take, references to what is not there, and types it cannot check."""

    def __init__(self, package: Package) -> None:
        super().__init__(package.version)
        self.package = package

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind = self.kind(request.type, context)
        inputs = with_name(request, kind.named, self.package.auto_name)
        failures = [
            provider_pb2.CheckFailure(property=problem.path, reason=problem.reason)
            for problem in kind.check(own(inputs))
        ]
        return provider_pb2.CheckResponse(inputs=inputs, failures=failures)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, names = self.kind(request.type, context), changed(request)
        return difference(names, replaces=[name for name in names if name in kind.fixed])

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, inputs = self.kind(request.type, context), own(request.properties)
        if request.preview:
            hidden = {name: UNKNOWN for name in kind.unforeseen if name in request.properties.fields}
            return provider_pb2.CreateResponse(properties=struct({**plain(request.properties), **hidden}))

        def make() -> tuple[str, Properties]:
            ledger = Ledger.here()
            ledger.must_have([*self.references(inputs), *kind.needs(inputs, self.config)])
            identity = kind.identify(inputs, self.config)
            state = {**inputs, **kind.outputs(identity, inputs, self.config)}
            ledger.add(identity, request.type, state)
            return identity, state

        identity, state = self.carried_out(context, make)
        return provider_pb2.CreateResponse(id=identity, properties=struct(state))

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, inputs = self.kind(request.type, context), own(request.news)
        state = {**inputs, **kind.outputs(request.id, inputs, self.config)}

        def change() -> None:
            ledger = Ledger.here()
            ledger.must_have(self.references(inputs))
            ledger.change(request.id, request.type, state)

        if not request.preview:
            self.carried_out(context, change)
        return provider_pb2.UpdateResponse(properties=struct(state))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.kind(request.type, context)
        if self.carried_out(context, lambda: Ledger.here().find(request.id, request.type)) is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind = self.kind(request.type, context)

        def remove() -> None:
            if refusal := kind.guarded(plain(request.properties)):
                raise LedgerError(f"{request.id}: {refusal}")
            Ledger.here().remove(request.id, request.type)

        self.carried_out(context, remove)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        lookup = self.package.lookups.get(request.tok)
        if lookup is None:
            accepted = ", ".join(sorted(self.package.lookups))
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{request.tok}: not covered; what is: {accepted}")
            raise AssertionError
        return answer(self.carried_out(context, lambda: lookup(plain(request.args), self.config)))

    def kind(self, token: str, context: grpc.ServicerContext) -> Kind:
        if token not in self.package.kinds:
            accepted = ", ".join(sorted(self.package.kinds))
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{token}: cannot be checked; what can be: {accepted}")
        return self.package.kinds[token]

    def references(self, value: Any) -> Iterable[str]:
        """Identities that the texts of a value name."""
        match value:
            case dict():
                return [found for item in value.values() for found in self.references(item)]
            case list():
                return [found for item in value for found in self.references(item)]
            case str() if named := self.package.refers_to(value):
                return [named]
        return []

    def carried_out(self, context: grpc.ServicerContext, action: Callable[[], Any]) -> Any:
        """The action's result; a refusal reaches the user as the resource's own."""
        try:
            return action()
        except (LedgerError, ValueError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))


def own(properties: Any) -> dict[str, Any]:
    """A resource's properties without what the SDK adds for itself."""
    return {name: value for name, value in plain(properties).items() if name[:2] != "__"}
