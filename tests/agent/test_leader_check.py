"""A master is left out while its member has no leader, and not because of an election."""

import select
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.node import haproxy
from components.node.agent import leader_check
from components.node.agent.balancer import ask
from components.node.agent.leader_check import (
    ANSWER_SECONDS,
    LEADERLESS_SECONDS,
    ROUND_SECONDS,
    STALE_SECONDS,
    Answer,
    Knowledge,
    LeaderCheck,
    Question,
    Watch,
    listen,
)
from components.node.health import LEADER_CHECK_MILLISECONDS, LEADER_PORT
from components.node.machine import Peer, Role
from tests.agent.conftest import ME, OTHER, document, idle_member
from tests.agent.processes import eventually
from tests.rendering.conftest import BALANCERS
from tests.rendering.conftest import document as stack_document

LED, NO_LEADER, NONE = Answer.LED, Answer.NO_LEADER, Answer.NONE

LONGEST_ELECTION = 0.8
"""Two election timeouts of 0.4 s after the last heartbeat, for the first who asks for votes."""


def after(*answers: tuple[float, Answer]) -> Knowledge:
    knowledge = Knowledge()
    for at, answer in answers:
        knowledge.hear(answer, at)
    return knowledge


def test_a_member_that_was_never_led_is_not_without_a_leader() -> None:
    assert not after((0, NO_LEADER), (9, NO_LEADER)).leaderless(9)


def test_a_member_that_hangs_is_not_without_a_leader() -> None:
    """The passthrough leads elsewhere."""
    assert not after((0, LED), (0.5, NONE), (2, NONE)).leaderless(2)


def test_a_member_that_ended_without_a_leader_is_soon_not_spoken_of_any_more() -> None:
    knowledge = after((0, LED), (2, NO_LEADER), (2.5, NONE))
    assert knowledge.leaderless(2 + STALE_SECONDS * 0.9)
    assert not knowledge.leaderless(2 + STALE_SECONDS)


@given(st.lists(st.tuples(st.floats(0.05, 0.4), st.sampled_from(list(Answer))), max_size=40))
def test_only_who_said_no_last_and_not_yes_for_a_while_is_without_a_leader(pauses: list[tuple[float, Answer]]) -> None:
    now, heard = 0.0, []
    for pause, answer in pauses:
        now += pause
        heard.append((now, answer))
    said = [(at, answer) for at, answer in heard if answer is not NONE]
    led = [at for at, answer in said if answer is LED]
    expected = bool(led) and said[-1][1] is NO_LEADER and now - led[-1] >= LEADERLESS_SECONDS
    assert after(*heard).leaderless(now) == (expected and now - said[-1][0] < STALE_SECONDS)


def test_a_leader_that_is_cut_from_the_others_is_out_within_a_second_and_a_half() -> None:
    """It takes itself for one for 0.8 s at most; then it says no to the next question, and the others nothing."""
    until_no = LONGEST_ELECTION + ROUND_SECONDS
    seconds = max(until_no, LEADERLESS_SECONDS) + ANSWER_SECONDS + LEADER_CHECK_MILLISECONDS / 1000
    assert round(seconds, 2) <= 1.4


def test_an_election_is_over_before_a_follower_is_out() -> None:
    """The others that answer say no and keep it in; those that do not take as long as they may."""
    assert LEADERLESS_SECONDS + ANSWER_SECONDS > LONGEST_ELECTION


class Asked(Question):
    """A member that says what it is told to."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked = 0

    def ask(self) -> Answer:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    def set_to(now: float) -> None:
        monkeypatch.setattr(leader_check, "time", SimpleNamespace(monotonic=lambda: now))

    set_to(0)
    return set_to


def states(watch: Watch, clock: Callable[[float], None], *times: float) -> list[str]:
    """What balancers hear after a round at each time."""
    said = []
    for now in times:
        clock(now)
        watch.once()
        said.append(watch.state().decode().strip())
    return said


def test_a_member_without_a_leader_whose_others_are_led_or_silent_is_left_out_until_it_has_one(
    tmp_path: Path, clock: Callable[[float], None]
) -> None:
    for others in ([NONE, NONE], [LED, NONE], [LED, LED]):
        member = Asked(LED, NONE, NO_LEADER, NO_LEADER, NO_LEADER, LED)
        watch = Watch(idle_member(tmp_path), member, [Asked(answer) for answer in others])
        assert states(watch, clock, 0, 0.3, 0.7, 1, 1.2) == ["up", "up", "up", "down", "up"]


def test_an_election_that_takes_long_leaves_no_master_out(tmp_path: Path, clock: Callable[[float], None]) -> None:
    others = Asked(NONE), Asked(NO_LEADER)
    watch = Watch(idle_member(tmp_path), Asked(LED, NO_LEADER), others)
    assert states(watch, clock, 0, 0.5, 1, 2, 3) == ["up"] * 5


def test_a_leader_that_is_there_when_the_others_were_asked_leaves_the_master_in(
    tmp_path: Path, clock: Callable[[float], None]
) -> None:
    watch = Watch(idle_member(tmp_path), Asked(LED, NO_LEADER, LED), [Asked(NONE)])
    assert states(watch, clock, 0, 1) == ["up", "up"]


def test_nobody_else_is_asked_while_all_is_well(tmp_path: Path, clock: Callable[[float], None]) -> None:
    other = Asked(LED)
    states(Watch(idle_member(tmp_path), Asked(LED), [other]), clock, 0, 1, 2)
    assert other.asked == 0


def test_a_watch_that_hangs_itself_soon_says_nothing_bad(tmp_path: Path, clock: Callable[[float], None]) -> None:
    watch = Watch(idle_member(tmp_path), Asked(LED, NO_LEADER), [Asked(NONE)])
    assert states(watch, clock, 0, 1) == ["up", "down"]
    clock(1 + STALE_SECONDS)
    assert watch.state() == b"up\n"


@pytest.mark.parametrize(
    ("status", "content", "answer"),
    [
        (200, b'{"health":"true","reason":""}', LED),
        (503, b'{"health":"false","reason":"RAFT NO LEADER"}', NO_LEADER),
        (503, b'{"health":"false","reason":"RANGE ERROR:etcdserver: request timed out"}', NONE),
    ],
)
def test_health_is_read_as_etcd_writes_it(open_things: ExitStack, status: int, content: bytes, answer: Answer) -> None:
    listener = open_things.enter_context(socket.create_server(("127.0.0.1", 0)))
    question = Question(*listener.getsockname())
    head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    # It waits in the socket's queue: nobody has to serve meanwhile.
    question._connection.connect()
    open_things.enter_context(listener.accept()[0]).sendall(head + content)
    assert question.ask() is answer


def test_a_member_that_takes_connections_and_says_nothing_is_not_waited_for(open_things: ExitStack) -> None:
    listener = open_things.enter_context(socket.create_server(("127.0.0.1", 0)))
    question = Question(*listener.getsockname())
    assert [question.ask(), question.ask()] == [NONE, NONE]


def test_a_master_alone_has_nobody_to_leave_to() -> None:
    assert LeaderCheck().applies(document("master-1", (ME, OTHER), role=Role.MASTER))
    assert not LeaderCheck().applies(document(ME.name, (ME, OTHER)))
    alone = document("master-1", (ME,), role=Role.MASTER)
    kubernetes = alone.kubernetes.model_copy(update={"masters": 1})
    assert not LeaderCheck().applies(alone.model_copy(update={"kubernetes": kubernetes}))


@pytest.fixture
def open_things() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def master_at(address: str, stack: ExitStack) -> None:
    """An API server's port that takes connections and keeps them in its queue."""
    stack.enter_context(socket.create_server((address, 6443)))


def test_haproxy_ends_what_goes_to_a_master_that_says_down_and_asks_nothing_of_one_that_says_nothing(
    tmp_path: Path, open_things: ExitStack, clock: Callable[[float], None]
) -> None:
    binary = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    if binary is None:
        pytest.skip("haproxy is not installed")
    masters = tuple(Peer(name=f"m{i}", zone="z", address=f"127.77.6.{i}") for i in (1, 2))
    for peer in masters:
        master_at(peer.address, open_things)
    watch = Watch(idle_member(tmp_path), Asked(LED, NO_LEADER, NO_LEADER, LED), [Asked(NONE)])
    listen(watch, open_things.enter_context(socket.create_server((masters[0].address, LEADER_PORT))))
    path = tmp_path / "admin.sock"
    machine = stack_document(Role.BALANCER, BALANCERS[0])
    assert machine.balancing is not None
    machine = machine.model_copy(update={"balancing": machine.balancing.model_copy(update={"masters": masters})})
    text = haproxy.render(machine).partition("listen metrics")[0].replace(haproxy.SOCKET, str(path))
    # Nobody answers checks for /readyz here: only what masters say themselves is looked at.
    kept = [line for line in text.splitlines() if "httpchk" not in line and "http-check" not in line]
    text = "\n".join(kept).replace("check-ssl verify none", "").replace("bind :6443", "bind 127.77.6.9:6443")
    (tmp_path / "cfg").write_text(text + "\n")
    process = subprocess.Popen([binary, "-db", "-f", tmp_path / "cfg"], stderr=subprocess.DEVNULL)
    open_things.callback(process.wait)
    open_things.callback(process.terminate)
    states(watch, clock, 0)

    def up() -> list[str]:
        return haproxy.up_servers(ask("show stat", str(path))) if path.exists() else []

    eventually(lambda: up() == ["m1", "m2"], 5, "both are up")
    clients = [open_things.enter_context(socket.create_connection(("127.77.6.9", 6443), timeout=5)) for _ in masters]
    assert states(watch, clock, 1) == ["down"]
    eventually(lambda: up() == ["m2"], 5, "one is out")
    assert len(select.select(clients, [], [], 0.5)[0]) == 1
    assert states(watch, clock, 2) == ["up"]
    eventually(lambda: up() == ["m1", "m2"], 5, "both are up again")
