"""A stack that goes on from another one's snapshot has that one's keys, and etcd's own."""

import json
from functools import partial
from typing import Any

import pytest

from components import pki as module
from components import recovery
from components.pki import Pki, PkiArgs
from tests.program.recorder import build

KEYS = {name: {field: f"{name} {field}" for field in fields} for name, fields in recovery.FIELDS.items()}


def test_recovered_keys_take_the_place_of_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "recovered", lambda: KEYS)
    secrets: dict[str, Any] = {}

    def remember(name: str, text: str) -> None:
        secrets[name] = json.loads(text)

    def program() -> list[Any]:
        made = Pki("test", PkiArgs())
        read = [value.apply(partial(remember, name)) for name, value in made.secrets.items()]
        return [*read, made.kubeconfig("test", "host:6443")]

    names = {found.name for found in build(program, "test")}
    assert {name: secrets[name] for name in KEYS} == KEYS
    assert not names & {f"test-{name}" for name in KEYS}, "nothing is made that nobody uses"
    assert {"test-etcd-client-ca", "test-etcd-peer-ca", "test-uid", "test-admin"} <= names
