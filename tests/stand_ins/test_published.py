"""What a stand-in without an emulator remembers and refuses."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from providers.ledger import FOLDER_VARIABLE, Ledger, LedgerError
from providers.messages import struct
from providers.published import Kind, Package, Problem, PublishedStandIn

NETWORK = "moon:net:Network"


class RefusedError(Exception):
    """What a servicer's context raises."""


class Context:
    """Only what the servicer uses of one."""

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise RefusedError(f"{code.name}: {details}")


def colour(inputs: Any) -> Iterator[Problem]:
    if inputs.get("colour") == "blue":
        yield Problem("colour", "got 'blue'; accepted: red")


KIND = Kind(
    checked_against="nothing",
    check=colour,
    identify=lambda inputs, config: f"moon/{config['base']}/{inputs['name']}",
    outputs=lambda identity, inputs, config: {"selfLink": identity},
    fixed=frozenset({"name"}),
    guarded=lambda state: "locked; set locked to false first" if state.get("locked") else "",
)
PACKAGE = Package(
    name="moon",
    version="1",
    kinds={NETWORK: KIND},
    lookups={"moon:net:phase": lambda arguments, config: {"phase": "full"}},
    auto_name=lambda name: f"{name}-1",
    refers_to=lambda text: text if text.startswith("moon/") else None,
)


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Call the servicer as the engine does; the answer."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    stand_in: Any = PublishedStandIn(PACKAGE)
    stand_in.Configure(SimpleNamespace(variables={"moon:config:base": "sea"}), Context())
    usual = {"type": NETWORK, "urn": "urn:pulumi:s::p::t::net", "preview": False, "ignoreChanges": []}

    def call(method: str, **fields: Any) -> Any:
        messages = {name: struct(value) if isinstance(value, dict) else value for name, value in fields.items()}
        return getattr(stand_in, method)(SimpleNamespace(**{**usual, "olds": struct({}), **messages}), Context())

    return call


def make(ask: Callable[..., Any], **inputs: Any) -> Any:
    return ask("Create", properties=inputs)


def test_what_the_cloud_would_not_take_is_named_by_its_property(ask: Callable[..., Any]) -> None:
    (failure,) = ask("Check", news={"colour": "blue"}).failures
    assert (failure.property, failure.reason) == ("colour", "got 'blue'; accepted: red")


def test_a_name_is_given_once(ask: Callable[..., Any]) -> None:
    assert ask("Check", news={}).inputs["name"] == "net-1"
    assert ask("Check", news={}, olds={"name": "net-0"}).inputs["name"] == "net-0"
    assert ask("Check", news={"name": "mine"}).inputs["name"] == "mine"


def test_a_type_that_cannot_be_checked_is_refused(ask: Callable[..., Any]) -> None:
    with pytest.raises(RefusedError, match=f"moon:net:Disk: cannot be checked; what can be: {NETWORK}"):
        ask("Check", type="moon:net:Disk", news={})


def test_what_is_made_is_found_by_another_process_until_it_is_deleted(ask: Callable[..., Any], tmp_path: Path) -> None:
    made = make(ask, name="a")
    assert (made.id, made.properties["selfLink"]) == ("moon/sea/a", "moon/sea/a")
    assert [found.identity for found in Ledger(tmp_path).entries(NETWORK)] == ["moon/sea/a"]
    assert ask("Read", id=made.id, properties={}, inputs={}).id == made.id
    ask("Delete", id=made.id, properties={})
    assert ask("Read", id=made.id, properties={}, inputs={}).id == ""


def test_a_preview_makes_nothing(ask: Callable[..., Any], tmp_path: Path) -> None:
    assert ask("Create", properties={"name": "a"}, preview=True).id == ""
    assert list(Ledger(tmp_path).entries()) == []


def test_a_name_is_taken_only_once(ask: Callable[..., Any]) -> None:
    make(ask, name="a")
    with pytest.raises(RefusedError, match="moon/sea/a exists already"):
        make(ask, name="a")


def test_a_reference_to_what_is_not_there_is_refused(ask: Callable[..., Any]) -> None:
    make(ask, name="a")
    make(ask, name="b", peers=[{"to": "moon/sea/a"}])
    with pytest.raises(RefusedError, match="refers to moon/sea/c, which does not exist"):
        make(ask, name="d", peers=[{"to": "moon/sea/c"}])


def test_what_is_fixed_is_replaced_and_the_rest_is_updated(ask: Callable[..., Any]) -> None:
    difference = ask("Diff", old_inputs={"name": "a", "size": 1}, news={"name": "b", "size": 2})
    assert (list(difference.replaces), list(difference.diffs)) == (["name"], ["name", "size"])


def test_a_change_is_remembered_with_its_outputs(ask: Callable[..., Any], tmp_path: Path) -> None:
    identity = make(ask, name="a", size=1).id
    ask("Update", id=identity, news={"name": "a", "size": 2})
    found = Ledger(tmp_path).find(identity, NETWORK)
    assert found is not None
    assert found.state == {"name": "a", "size": 2, "selfLink": identity}


def test_what_is_guarded_is_not_deleted(ask: Callable[..., Any]) -> None:
    identity = make(ask, name="a", locked=True).id
    with pytest.raises(RefusedError, match="locked; set locked to false first"):
        ask("Delete", id=identity, properties={"locked": True})


def test_functions_answer_and_others_are_refused(ask: Callable[..., Any]) -> None:
    assert getattr(ask("Invoke", tok="moon:net:phase", args={}), "return")["phase"] == "full"
    with pytest.raises(RefusedError, match="moon:net:tide: not covered; what is: moon:net:phase"):
        ask("Invoke", tok="moon:net:tide", args={})


def test_without_a_folder_nothing_is_pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    with pytest.raises(LedgerError, match="only pretends to be a cloud"):
        Ledger.here()
