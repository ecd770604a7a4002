"""A change is an update where the thing can change, and a replacement where it cannot."""

from typing import Any

import pytest
from google.protobuf import struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.local.differences import REPLACING, changed, replacing, shrinks
from providers.local.properties import UNKNOWN, UNKNOWN_TEXT, add, has_unknown, mapping, struct
from providers.local.specs import SPECS, Kind

VALUES = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PROPERTIES = st.dictionaries(st.text("abcdef", min_size=1, max_size=5), VALUES, max_size=4)


@settings(deadline=None)
@given(PROPERTIES)
def test_properties_survive_the_way_to_the_engine_and_back(properties: dict[str, Any]) -> None:
    assert mapping(struct(properties)) == properties
    assert mapping(struct(properties, frozenset(properties))) == properties


@settings(deadline=None)
@given(PROPERTIES)
def test_what_did_not_change_is_no_change(properties: dict[str, Any]) -> None:
    assert changed(properties, mapping(struct(properties))) == []


@settings(deadline=None)
@given(PROPERTIES, PROPERTIES)
def test_every_difference_is_found(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert (changed(old, new) == []) == (old == new)


def test_an_unknown_is_a_change_wherever_it_hides() -> None:
    new = mapping(struct({"slots": [{"address": UNKNOWN_TEXT}]}))
    assert has_unknown(new)
    assert changed({"slots": [{"address": "10.1.1.1"}]}, new) == ["slots"]
    assert mapping(struct({"name": UNKNOWN_TEXT}))["name"] is UNKNOWN


def test_marks_of_secrets_survive_what_is_added() -> None:
    whole = add(struct({"value": "x", "name": "n"}, frozenset({"value"})), {"url": "u"})
    assert whole.fields["value"].WhichOneof("kind") == "struct_value"
    assert whole.fields["name"] == struct_pb2.Value(string_value="n")
    assert mapping(whole) == {"value": "x", "name": "n", "url": "u"}


@pytest.mark.parametrize("kind", list(Kind))
def test_replacing_properties_are_properties(kind: Kind) -> None:
    names = {field.alias or name for name, field in SPECS[kind].model_fields.items()}
    assert REPLACING[kind] <= names


def test_user_data_updates_and_role_replaces() -> None:
    old = {"userData": "a", "role": "master"}
    assert replacing(Kind.MACHINE_GROUP, old, old | {"userData": "b"}) == []
    assert replacing(Kind.MACHINE_GROUP, old, old | {"role": "member"}) == ["role"]


@pytest.mark.parametrize(("zones", "names"), [(["a", "b", "c"], []), (["b", "a"], ["zones"]), (["a"], ["zones"])])
def test_zones_can_only_be_added_at_the_end(zones: list[str], names: list[str]) -> None:
    assert replacing(Kind.NETWORK, {"zones": ["a", "b"]}, {"zones": zones}) == names


@pytest.mark.parametrize(("size", "refused"), [(1, True), (2, False), (3, False)])
def test_a_volume_only_grows(size: int, refused: bool) -> None:
    assert (shrinks(Kind.VOLUME, {"sizeMb": 2}, {"sizeMb": size}) is not None) == refused
