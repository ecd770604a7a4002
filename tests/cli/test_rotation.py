"""`make rotate-authorities`: one step at a time, none before the last one is whole, and none left out by `make up`."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from cli import authorities, pod_trust, rotation
from cli.object_store import Memory
from cli.refused import RefusedError
from components.node.record import Keys

STACK = {"kube-ha:cloud": "local", "kube-ha:scenario": "production"}
NAMES = ("master-1", "master-2", "master-3")


@dataclass
class Engine:
    """A stack with a configuration, what was last brought up, and machines that say what they began with."""

    stack: str = "s"
    config: dict[str, Any] = field(default_factory=dict)
    declared: dict[str, Any] = field(default_factory=dict)
    machines: dict[str, Any] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    """Brought up, or pods' trust settled."""

    def __post_init__(self) -> None:
        self.up()

    def up(self) -> int:
        self.events.append("up")
        self.declared = dict(self.config)
        self.machines = dict.fromkeys(NAMES, self.declared)
        return 0

    def resources(self) -> list[dict[str, Any]]:
        machines = [{"name": name, "zone": "z"} for name in NAMES]
        plane = {"controlPlane": "self-managed", "masters": machines, "members": machines, "authorities": self.declared}
        return [{"type": "pulumi:pulumi:Stack", "inputs": {}}, {"type": "kube-ha:local:ControlPlane", "inputs": plane}]

    def read(self, *arguments: str) -> str:
        match arguments:
            case ["config", "--json", *_]:
                values = {**STACK, **({authorities.KEY: json.dumps(self.config)} if self.config else {})}
                return json.dumps({key: {"value": value} for key, value in values.items()})
            case ["config", "rm", authorities.KEY, *_]:
                self.config = {}
            case ["config", "set", "--path", path, value, *_] if path == f"{authorities.KEY}.signing":
                self.config["signing"] = int(value)
            case ["config", "set", "--path", path, value, *_]:
                trusted = self.config.setdefault("trusted", [])
                assert path == f"{authorities.KEY}.trusted[{len(trusted)}]"
                trusted.append(int(value))
            case _:
                raise AssertionError(arguments)
        return ""

    def list(self, prefix: str) -> list[Any]:
        assert prefix == Keys("u").presence("").removesuffix(".json")
        return [SimpleNamespace(key=name) for name in self.machines]

    def get(self, key: str) -> tuple[bytes, str]:
        return json.dumps({"machine": key, "authorities": self.machines[key]}).encode(), "etag"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    store: Any = made
    monkeypatch.setattr(rotation, "memory", lambda _: Memory("u", store))
    monkeypatch.setattr(rotation, "up", lambda engine: engine.up())
    monkeypatch.setattr(pod_trust, "settle", lambda engine: engine.events.append("settled"))
    monkeypatch.setattr(pod_trust, "workers_of_before", lambda _: ["worker-1", "worker-2"])
    return made


def rotate(engine: Any) -> int:
    return rotation.rotate(engine, yes=True)


def test_three_times_lead_to_the_next_generation(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    steps = []
    for _ in range(3):
        assert rotate(engine) == 0
        steps.append(engine.config)
    assert steps == [
        {"signing": 1, "trusted": [1, 2]},
        {"signing": 2, "trusted": [1, 2]},
        {"signing": 2, "trusted": [2]},
    ]
    said = capsys.readouterr().err
    assert said.index("trusts generation 2 as well") < said.index("generation 2 signs") < said.index("trusted no more")


def test_pods_trust_what_a_step_brought_before_it_ends_and_before_the_next(engine: Engine) -> None:
    engine.events.clear()
    rotate(engine)
    assert engine.events == ["settled", "up", "settled"]


def test_who_will_not_believe_the_new_signer_is_named_before_it_signs(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    named = []
    for _ in range(3):
        rotate(engine)
        said = capsys.readouterr().err
        named.append("workers that joined before (2): worker-1, worker-2\n" in said)
    assert named == [False, True, False]


def test_no_step_is_taken_before_every_machine_took_the_last_one(engine: Engine) -> None:
    rotate(engine)
    engine.machines["master-2"] = {}
    with pytest.raises(RefusedError, match=r"^master-2: not with signing 1, trusted \[1, 2\] yet"):
        rotate(engine)
    del engine.machines["master-2"]
    with pytest.raises(RefusedError, match=r"^master-2: not with"):
        rotate(engine)
    assert engine.config == {"signing": 1, "trusted": [1, 2]}


def test_a_step_whose_up_did_not_end_is_taken_up_again_first(engine: Engine) -> None:
    engine.config = {"signing": 1, "trusted": [1, 2]}
    with pytest.raises(RefusedError, match=r"says signing 1, trusted \[1, 2\], and what is up has signing 1, trusted"):
        rotate(engine)


def test_nobody_to_ask_changes_nothing(engine: Any) -> None:
    with pytest.raises(RefusedError, match="no terminal to ask on; YES=1 answers"):
        rotation.rotate(engine, yes=False)
    assert engine.config == {}


def test_what_waits_for_the_last_machine_ends_with_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(_: float) -> None:
        engine.machines["master-3"] = engine.declared

    def up(engine: Any) -> int:
        engine.up()
        engine.machines["master-3"] = {}
        return 0

    monkeypatch.setattr(rotation, "up", up)
    monkeypatch.setattr("time.sleep", slowly)
    assert rotate(engine) == 0
    assert engine.machines["master-3"] == {"signing": 1, "trusted": [1, 2]}


@pytest.mark.parametrize(
    "jump", [{"signing": 2, "trusted": [1, 2]}, {"signing": 2, "trusted": [2]}, {"signing": 7, "trusted": [7]}]
)
def test_an_up_that_leaves_a_step_out_is_refused(engine: Any, jump: dict[str, Any]) -> None:
    engine.config = jump
    with pytest.raises(
        RefusedError, match=r"would not trust each other; accepted: .* next signing 1, trusted \[1, 2\]"
    ):
        authorities.check(engine)


def test_an_up_may_take_a_step_and_take_it_back(engine: Any) -> None:
    for config in ({}, {"signing": 1, "trusted": [1, 2]}):
        engine.config = config
        authorities.check(engine)
    engine.up()
    engine.config = {}
    authorities.check(engine)


def test_what_is_not_up_yet_may_begin_with_any(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.config = {"signing": 2, "trusted": [2]}
    monkeypatch.setattr(engine, "resources", list)
    authorities.check(engine)
