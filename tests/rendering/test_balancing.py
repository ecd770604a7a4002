"""HAProxy and Keepalived: accepted by themselves, and what clients are promised when something dies."""

import re
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.node import haproxy, keepalived, passthrough
from components.node.health import ETCD_READY_SECONDS, FRONT, PASSTHROUGH, VRRP_ADVERTISEMENT_SECONDS
from components.node.machine import Etcd, Machine, Peer, Role
from tests.rendering.conftest import BALANCERS, MASTERS, STACKS, ZONES, document

LONGEST_ELECTION_MS = 2 * 500
"""Members wait one to two election timeouts for a heartbeat."""

Judge = Callable[..., object]
Tool = Callable[[str], str]


def options(configuration: str, keyword: str) -> list[list[str]]:
    """The words of every line that begins with `keyword`."""
    lines = (line.split() for line in configuration.splitlines())
    return [words for words in lines if words[:1] == [keyword]]


@pytest.mark.parametrize("peer", BALANCERS, ids=lambda peer: peer.name)
def test_haproxy_accepts_the_front(peer: Peer, accepted: Judge, tool: Tool) -> None:
    configuration = haproxy.render(document(Role.BALANCER, peer))
    accepted(configuration, tool("haproxy"), "-c", "-f", "{}")


@pytest.mark.parametrize("scenario", STACKS)
def test_haproxy_accepts_the_passthrough(scenario: str, accepted: Judge, tool: Tool) -> None:
    accepted(passthrough.render(STACKS[scenario]), tool("haproxy"), "-c", "-f", "{}")


@pytest.mark.parametrize("peer", BALANCERS, ids=lambda peer: peer.name)
def test_keepalived_accepts_its_configuration(peer: Peer, accepted: Judge, tool: Tool) -> None:
    configuration = keepalived.render(document(Role.BALANCER, peer))
    accepted(configuration, tool("keepalived"), "-t", "-f", "{}")


def test_every_master_is_behind_the_front_and_asked_for_readiness(balancer: Machine) -> None:
    configuration = haproxy.render(balancer)
    assert {words[2] for words in options(configuration, "server")} == {f"{m.address}:6443" for m in MASTERS}
    assert "option httpchk GET /readyz?exclude=etcd\n" in configuration
    assert "check-ssl" in options(configuration, "default-server")[0]


@pytest.mark.parametrize("configuration", ["front", "passthrough"])
def test_a_dead_server_ends_its_connections_and_retries_go_elsewhere(configuration: str, balancer: Machine) -> None:
    text = haproxy.render(balancer) if configuration == "front" else passthrough.render(STACKS["production"])
    assert "on-marked-down shutdown-sessions" in text
    assert "option redispatch 1" in text


def test_a_master_that_takes_no_connections_is_down_before_a_check_finds_out(balancer: Machine) -> None:
    words, _ = options(haproxy.render(balancer), "default-server")
    assert " ".join(words).endswith("observe layer4 error-limit 3 on-error mark-down")
    assert FRONT.timeout_connect < FRONT.inter * FRONT.fall / FRONT.errors  # type: ignore[operator]


@pytest.mark.parametrize("configuration", ["front", "passthrough"])
def test_where_no_check_is_well_every_server_is_still_tried(configuration: str, balancer: Machine) -> None:
    text = haproxy.render(balancer) if configuration == "front" else passthrough.render(STACKS["production"])
    lines = options(text, "server")
    backups = {words[2] for words in lines if "backup" in words and "no-check" in words}
    assert backups == {words[2] for words in lines if "backup" not in words}
    assert "option allbackups" in text


def test_a_dead_master_is_out_within_a_second_and_a_half_and_a_member_within_one() -> None:
    assert FRONT.inter * FRONT.fall <= 1500
    assert PASSTHROUGH.inter * PASSTHROUGH.fall + PASSTHROUGH.timeout_check <= 1000


def test_a_master_that_hangs_in_the_middle_of_a_check_is_out_within_two_and_a_half_seconds() -> None:
    assert FRONT.timeout_check + (FRONT.fall - 1) * (FRONT.fastinter + FRONT.timeout_connect) <= 2500


def test_a_master_whose_member_has_no_leader_is_out_within_four_seconds_and_an_election_takes_none_out() -> None:
    """A check lasts as long as the API server waits for etcd: its answer comes, and not the check's own timeout."""
    assert FRONT.timeout_check > ETCD_READY_SECONDS * 1000
    assert FRONT.inter + FRONT.fall * (ETCD_READY_SECONDS * 1000 + FRONT.fastinter) <= 4100
    assert (FRONT.fall - 1) * (ETCD_READY_SECONDS * 1000 + FRONT.fastinter) > 2 * LONGEST_ELECTION_MS


def test_an_election_takes_no_member_out_of_the_passthrough() -> None:
    """/readyz and /health of every member fail while there is no leader; /livez does not."""
    checks = [words for words in options(passthrough.render(STACKS["production"]), "option") if words[1] == "httpchk"]
    assert checks == [["option", "httpchk", "GET", "/livez"]]


def test_a_stacked_master_talks_to_its_own_member_first_on_the_machines_own_address() -> None:
    servers = options(passthrough.render(STACKS["production"]), "server")
    assert servers[0] == ["server", "master-2", "10.77.2.21:2379"]
    assert len([words for words in servers if "no-check" not in words]) == 3


@given(here=st.sampled_from(ZONES), members=st.lists(st.sampled_from(ZONES), min_size=1, max_size=7))
def test_a_master_prefers_members_of_its_zone_and_knows_them_all(here: str, members: list[str]) -> None:
    peers = tuple(Peer(name=f"m{i}", zone=zone, address=f"10.0.0.{i}") for i, zone in enumerate(members))
    machine = STACKS["critical"].model_copy(
        update={"zone": here, "etcd": Etcd(members=peers, heartbeat_ms=40, election_ms=400)}
    )
    ordered = passthrough.order(machine)
    own = [peer.zone == here for peer in ordered]
    assert own == sorted(own, reverse=True)
    assert set(ordered) == set(peers)


def test_a_silent_balancer_is_replaced_within_the_time_that_one_listens_before_it_is_ready(balancer: Machine) -> None:
    second = keepalived.render(document(Role.BALANCER, BALANCERS[1]))
    priorities = [int(options(text, "priority")[0][1]) for text in (keepalived.render(balancer), second)]
    skew = (256 - (min(priorities) - keepalived.LESS)) / 256 * VRRP_ADVERTISEMENT_SECONDS
    assert 3 * VRRP_ADVERTISEMENT_SECONDS + skew < keepalived.TAKEOVER_SECONDS < 1


def test_a_balancer_that_returns_does_not_take_the_address_back() -> None:
    for peer in BALANCERS:
        text = keepalived.render(document(Role.BALANCER, peer))
        assert options(text, "nopreempt")
        assert options(text, "state") == [["state", "BACKUP"]]


def test_a_balancer_that_was_cut_off_silently_leaves_the_address_where_it_is_when_it_returns() -> None:
    """It has the address still, as the other has by now; the higher priority keeps it."""
    texts = [keepalived.render(document(Role.BALANCER, peer)) for peer in BALANCERS]
    priorities = [int(options(text, "priority")[0][1]) for text in texts]
    for text in texts:
        assert options(text, "reaches_no_master") == [["reaches_no_master", "weight", f"-{keepalived.LESS}"]]
        assert keepalived.REACHES_NONE in text
    assert max(priorities) - keepalived.LESS < min(priorities)
    assert min(priorities) - keepalived.LESS > 0


def test_the_balancer_that_keeps_the_address_announces_it_again() -> None:
    for peer in BALANCERS:
        text = keepalived.render(document(Role.BALANCER, peer))
        assert options(text, "vrrp_higher_prio_send_advert") == [["vrrp_higher_prio_send_advert", "true"]]


def test_a_balancer_without_haproxy_gives_the_address_away(balancer: Machine) -> None:
    assert keepalived.STATE in keepalived.render(balancer)
    unit = keepalived.balancer_service()
    assert f"ExecStartPost=/bin/sh -c 'echo 0 > {keepalived.STATE}'" in unit
    assert f"ExecStopPost=/bin/sh -c 'echo 1 > {keepalived.STATE}'" in unit


def farewell(balancer: Machine) -> str:
    """The shell's words of the unit's ExecStop."""
    (words,) = re.findall(r"^ExecStop=/bin/sh -c '(.*)'$", keepalived.service(balancer), re.M)
    return str(words)


def in_a_network_of_its_own(tool: Tool, script: str) -> str:
    """What a shell script with a balancer's interface and address prints."""
    begin = "ip link add eth0 type veth peer name segment; ip address add 10.77.0.10/24 dev eth0"
    return subprocess.run(
        [tool("unshare"), "--user", "--map-root-user", "--net", "sh", "-c", f"{begin}; {script}"],
        capture_output=True, text=True, check=True, timeout=20,
    ).stdout  # fmt: skip


def test_haproxy_is_stopped_when_the_address_has_left_the_segment_and_can_still_speak_from_it(
    balancer: Machine, tool: Tool
) -> None:
    keepalived_is_slow = (
        "trap 'sleep 0.3; ip address delete 10.77.0.10/24 dev eth0; exit' TERM; sleep 9 >/dev/null 2>&1 & wait"
    )
    left = in_a_network_of_its_own(
        tool, f'sh -c "{keepalived_is_slow}" & MAINPID=$!; sleep 0.1; {farewell(balancer)}; ip -oneline -4 address'
    )
    assert [line.split()[1:4] for line in left.splitlines()] == [["lo", "inet", "10.77.0.10/32"]]


def test_a_keepalived_that_has_ended_by_itself_is_not_waited_for(balancer: Machine, tool: Tool) -> None:
    left = in_a_network_of_its_own(tool, f"(MAINPID=; {farewell(balancer)}); ip -oneline -4 address")
    assert [line.split()[1] for line in left.splitlines()] == ["eth0"]


def test_a_balancer_that_leaves_is_silent_about_the_address_and_one_that_starts_has_it_from_keepalived_alone(
    balancer: Machine,
) -> None:
    before, _, _ = keepalived.service(balancer).partition("ExecStart=")
    assert "net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2" in before
    assert "ip address flush dev lo to 10.77.0.10\n" in before


def test_balancers_know_each_other_and_not_themselves(balancer: Machine) -> None:
    text = keepalived.render(balancer)
    peers = text.partition("unicast_peer {")[2].partition("}")[0].split()
    assert peers == [BALANCERS[1].address]


def test_a_machine_that_is_no_balancer_of_the_pair_is_refused_by_name(balancer: Machine) -> None:
    with pytest.raises(ValueError, match="balancer-9: not one of the balancers balancer-1, balancer-2"):
        keepalived.render(balancer.model_copy(update={"name": "balancer-9"}))


STATISTICS = """\
# pxname,svname,status,check_status,
api,FRONTEND,OPEN,,
masters,master-1,UP,L7OK,
masters,master-2,DOWN,L4TOUT,
masters,master-3,UP 1/2,* L7OK,
masters,master-4,UP,INI,
masters,BACKEND,UP,,
"""


def test_a_server_counts_as_up_only_once_it_was_asked() -> None:
    assert haproxy.up_servers(STATISTICS) == ["master-1", "master-3"]
