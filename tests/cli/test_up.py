"""What `make up` adds to `pulumi up`."""

import subprocess
from pathlib import Path
from typing import cast

import pytest

from cli import policies, up
from cli.engine import Engine, EngineError
from cli.refused import RefusedError
from tests.cli.engines import Up


def test_the_kubeconfig_is_private_from_its_first_byte_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig-local"
    path.write_text("old")
    path.chmod(0o644)
    up.write_private(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_what_to_try_next_names_the_stack_unless_it_is_the_default() -> None:
    path = Path("/k")
    assert "make kill MACHINE=master-1 STACK=local-critical" in up.next_steps("local-critical", path, local=True)
    assert "STACK=" not in up.next_steps("local", path, local=True)
    assert "make kill" not in up.next_steps("prod-aws", path, local=False)


BEFORE = ("known_passphrase.check", "stale_lock.release", "pending.forget", "authorities.check", "policies.judge")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `up` does, in order; nothing of it is done."""
    told: list[str] = []
    for name in BEFORE:
        monkeypatch.setattr(f"cli.up.{name}", lambda engine, name=name: told.append(name))
    return told


class Refusing(Up):
    """An engine whose `up` is where the test ends."""

    def select(self) -> None:
        self.told.append("select")

    def run(self, *arguments: str) -> None:
        raise EngineError(arguments[0])


def test_up_makes_nothing_before_everything_was_asked(said: list[str]) -> None:
    engine = Refusing()
    engine.told = said
    with pytest.raises(EngineError, match="up"):
        up.up(cast(Engine, engine))
    # A stack that is selected is made, under whatever passphrase there is.
    assert said == ["known_passphrase.check", "stale_lock.release", "select", *BEFORE[2:]]


@pytest.mark.parametrize("refusing", ["known_passphrase.check", "authorities.check", "policies.judge"])
def test_what_one_of_the_checks_refuses_does_not_go_up(
    refusing: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(engine: Engine) -> None:
        raise RefusedError(refusing)

    monkeypatch.setattr(f"cli.up.{refusing}", refuse)
    with pytest.raises(RefusedError, match=refusing):
        up.up(cast(Engine, Refusing()))


class Judged:
    """An engine whose preview ends like this."""

    stack = "prod-aws"

    def __init__(self, status: int) -> None:
        self.status = status

    def told(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        assert arguments[:3] == ("preview", "--policy-pack", "policy")
        return subprocess.CompletedProcess(arguments, self.status, "members-are-odd: 4 members", "")


def test_a_stack_that_breaks_a_policy_does_not_go_up_and_the_policy_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    policies.judge(cast(Engine, Judged(0)))
    with pytest.raises(EngineError, match="stack prod-aws does not go up"):
        policies.judge(cast(Engine, Judged(255)))
    assert "members-are-odd: 4 members" in capsys.readouterr().err
