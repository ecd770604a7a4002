"""The bootstrap token in the secret store is one that a worker can join with, whatever the API server has forgotten."""

from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from components.node import bootstrap_token
from components.node.agent.cloud import NotFoundError
from components.node.agent.kubectl import Kubectl
from components.node.agent.worker_token import renew
from components.node.worker import SECRET

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Store(dict[str, bytes]):
    """A cloud's secret store."""

    def secret(self, name: str) -> bytes:
        if name not in self:
            raise NotFoundError(name)
        return self[name]

    def keep_secret(self, name: str, content: bytes) -> None:
        self[name] = content

    @property
    def token(self) -> str:
        return self[SECRET].decode()


class ApiServer(Kubectl):
    """One that has Secrets in memory."""

    def __init__(self) -> None:
        self.secrets: dict[str, dict[str, Any]] = {}

    def get(self, *arguments: str) -> dict[str, Any] | None:
        return self.secrets.get(arguments[1])

    def apply(self, objects: Iterable[dict[str, Any]]) -> None:
        for one in objects:
            content = {key: b64encode(value.encode()).decode() for key, value in one["stringData"].items()}
            self.secrets[one["metadata"]["name"]] = {**one, "data": content}

    def joins(self, token: str, now: datetime) -> bool:
        """Whether a worker that shows it is let in now, and for a while."""
        return bootstrap_token.lasts(token, self.get("secret", bootstrap_token.name(token)), now)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def api() -> ApiServer:
    return ApiServer()


def forget(api: ApiServer, token: str) -> None:
    """As an API server does that was restored from a snapshot of before, or whose controllers removed what expired."""
    del api.secrets[bootstrap_token.name(token)]


def expire(api: ApiServer, token: str) -> None:
    """It has ended, and nobody has removed it yet."""
    api.apply([bootstrap_token.manifest(token, NOW - HOUR)])


def take_its_name(api: ApiServer, token: str) -> None:
    """What a restore may bring back: another token with the same public half."""
    public, _, _ = token.partition(".")
    api.apply([bootstrap_token.manifest(f"{public}.ffffffffffffffff", NOW + bootstrap_token.LIFE)])


def test_the_first_master_writes_the_first_token(store: Store, api: ApiServer) -> None:
    assert renew(store, api, NOW)
    assert api.joins(store.token, NOW)


def test_a_token_that_is_good_for_long_stays(store: Store, api: ApiServer) -> None:
    renew(store, api, NOW)
    first = store.token
    assert not renew(store, api, NOW + 11 * HOUR)
    assert store.token == first


@pytest.mark.parametrize("happened", [forget, expire, take_its_name])
def test_a_token_that_lets_nobody_in_any_more_is_replaced_in_the_store(
    happened: Callable[[ApiServer, str], None], store: Store, api: ApiServer
) -> None:
    renew(store, api, NOW)
    first = store.token
    happened(api, first)
    assert not api.joins(first, NOW)
    assert renew(store, api, NOW)
    # Not the same again: whoever deleted it may have had a reason.
    assert store.token != first
    assert api.joins(store.token, NOW)


def test_a_token_that_ends_soon_still_lets_in_who_has_just_read_it(store: Store, api: ApiServer) -> None:
    renew(store, api, NOW)
    first = store.token
    assert renew(store, api, NOW + 13 * HOUR)
    assert store.token != first
    assert bootstrap_token.name(first) in api.secrets
