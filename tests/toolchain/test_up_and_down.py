"""What `make up` and `make down` add to `pulumi up` and `pulumi destroy`."""

import json
import os
import socket
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from cli import deletion, down, known_passphrase, object_store, pending, policies, stale_lock, up
from cli.engine import Engine, EngineError
from cli.refused import RefusedError


def resource(kind: str, name: str, *, protect: bool = False) -> dict[str, Any]:
    return {"type": kind, "urn": f"urn:pulumi:local::kube-ha::{kind}::{name}", "protect": protect}


LOCAL = [
    resource("pulumi:pulumi:Stack", "kube-ha-local"),
    resource("kube-ha:local:ControlPlane", "local"),
    resource("tls:index/privateKey:PrivateKey", "etcd-peer-ca", protect=True),
    resource("local:index:Volume", "master-1", protect=True),
    resource("local:index:Bucket", "snapshots"),
    resource("local:index:MachineGroup", "master-1"),
    resource("local:index:Readiness", "local", protect=True),
]


def test_down_names_everything_that_holds_data_or_is_protected() -> None:
    assert deletion.data(LOCAL) == [
        "PrivateKey etcd-peer-ca (protected)",
        "Volume master-1 (protected)",
        "Bucket snapshots",
    ]


def test_a_stack_with_one_resource_in_a_cloud_is_not_local() -> None:
    assert deletion.is_local(LOCAL)
    assert not deletion.is_local([*LOCAL, resource("aws:ec2/vpc:Vpc", "network")])


class Up:
    """An engine whose stack is up; it remembers what it was told to run."""

    repository = Path()
    env: ClassVar[dict[str, str]] = {"PULUMI_BACKEND_URL": "file:///nowhere"}

    def __init__(self, *resources: dict[str, Any]) -> None:
        self.stack = "prod-aws"
        self.found = list(resources)
        self.told: list[str] = []

    def resources(self) -> list[dict[str, Any]]:
        return self.found

    def pending(self) -> list[dict[str, Any]]:
        return []

    def read(self, *arguments: str) -> str:
        self.told.append(" ".join(arguments[:2]))
        return ""

    def run(self, *arguments: str) -> None:
        self.told.append(arguments[0])


@pytest.mark.parametrize(
    ("terminal", "answer", "refused"),
    [
        (True, "prod-aws", ""),
        (True, "prod-azure", "that was not prod-aws; nothing was changed"),
        (False, "", "nothing was changed: there is no terminal to ask on; run `make down` on a terminal"),
    ],
)
def test_down_of_a_cloud_stack_begins_when_its_name_was_typed(
    terminal: bool, answer: str, refused: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    monkeypatch.setattr(down, "kubeconfig_path", lambda stack: tmp_path / stack)
    engine = Up(resource("aws:ec2/vpc:Vpc", "network"))
    with pytest.raises(RefusedError, match=refused) if refused else nullcontext():
        down.down(cast(Engine, engine))
    assert engine.told == ([] if refused else ["state unprotect", "destroy"])


def test_an_unknown_stack_is_named_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/Pulumi.local.yaml").touch()
    with pytest.raises(EngineError, match=r"stack lokal: no file stacks/Pulumi\.lokal\.yaml; there are local"):
        Engine("lokal", tmp_path)


def engine_that_says(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/Pulumi.prod-gke.yaml").touch()
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(f'#!/bin/sh\necho "$@" >>"{tmp_path}/told"\necho "error: {text}" >&2\nexit 255\n')
    pulumi.chmod(0o755)
    monkeypatch.setattr("cli.engine.binary", lambda name: pulumi)
    return Engine("prod-gke", tmp_path)


def test_asking_about_a_stack_that_was_never_up_does_not_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_that_says("no stack named 'prod-gke' found", tmp_path, monkeypatch)
    with pytest.raises(EngineError, match="stack prod-gke is not up"):
        object_store.memory(engine)
    assert (tmp_path / "told").read_text().splitlines() == ["stack export --stack prod-gke --non-interactive"]


def test_a_backend_that_does_not_answer_is_no_stack_that_was_never_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_that_says("could not list bucket", tmp_path, monkeypatch)
    with pytest.raises(EngineError, match="could not list bucket"):
        engine.resources()


CLOUD = "config:\n  kube-ha:cloud: aws\n"
KNOWN = {"PULUMI_CONFIG_PASSPHRASE": "local"}


@pytest.mark.parametrize(
    ("said", "env", "refused"),
    [
        (CLOUD, KNOWN, True),
        (f"{CLOUD}encryptionsalt: v1:x\n", KNOWN, True),
        ("config:\n  cloud: aws\n", KNOWN, True),
        (f"secretsprovider: awskms://alias/key\n{CLOUD}", KNOWN, False),
        (CLOUD, {"PULUMI_CONFIG_PASSPHRASE": "mine"}, False),
        (CLOUD, {"PULUMI_CONFIG_PASSPHRASE_FILE": "/mine"}, False),
        (f"{CLOUD}  kube-ha:controlPlane: managed\n", KNOWN, False),
        ("config:\n  kube-ha:cloud: local\n", KNOWN, False),
        ("config:\n", KNOWN, False),
    ],
)
def test_keys_of_a_cluster_in_a_cloud_are_not_made_under_a_passphrase_that_everybody_knows(
    said: str, env: dict[str, str], refused: bool, tmp_path: Path
) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/Pulumi.s.yaml").write_text(said)
    engine = cast(Engine, SimpleNamespace(stack="s", repository=tmp_path, env=env))
    with pytest.raises(RefusedError, match="pulumi stack init s --secrets-provider") if refused else nullcontext():
        known_passphrase.check(engine)


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


def lock(backend: Path, stack: str, **content: object) -> None:
    folder = backend / ".pulumi/locks/organization/kube-ha" / stack
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{len(list(folder.iterdir()))}.json").write_text(json.dumps(content))


def test_only_the_stacks_own_locks_are_read(tmp_path: Path) -> None:
    lock(tmp_path, "local", pid=1)
    lock(tmp_path, "local-critical", pid=2)
    assert stale_lock.read_locks(tmp_path, "local") == [{"pid": 1}]
    assert stale_lock.read_locks(tmp_path / "absent", "local") == []


def test_a_lock_is_left_over_only_if_its_process_was_here_and_is_gone() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    unburied = subprocess.Popen(["true"])
    os.waitid(os.P_PID, unburied.pid, os.WEXITED | os.WNOWAIT)
    here = socket.gethostname()
    assert stale_lock.left_over({"pid": gone.pid, "hostname": here})
    assert stale_lock.left_over({"pid": unburied.pid, "hostname": here})
    assert not stale_lock.left_over({"pid": os.getpid(), "hostname": here})
    assert not stale_lock.left_over({"pid": gone.pid, "hostname": "another"})
    assert not stale_lock.left_over({"hostname": here})


class Interrupted:
    """An engine whose stack has pending operations; it remembers what it was told to run."""

    def __init__(self, *operations: tuple[str, dict[str, Any]]) -> None:
        self.stack = "local"
        self.operations = operations
        self.told: list[str] = []

    def pending(self) -> list[dict[str, Any]]:
        return [{"type": kind, "resource": found} for kind, found in self.operations]

    def read(self, *arguments: str) -> str:
        self.told += arguments[:2]
        return ""


@pytest.mark.parametrize(
    ("operations", "told"),
    [
        ([], []),
        ([("creating", LOCAL[5])], ["refresh", "--clear-pending-creates"]),
        ([("updating", LOCAL[5])], []),
        ([("creating", LOCAL[5]), ("creating", resource("aws:ec2/vpc:Vpc", "network"))], []),
    ],
)
def test_creates_that_were_interrupted_are_forgotten_where_the_cloud_undoes_them(
    operations: list[tuple[str, dict[str, Any]]], told: list[str]
) -> None:
    engine = Interrupted(*operations)
    pending.forget(cast(Engine, engine))
    assert engine.told == told


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
