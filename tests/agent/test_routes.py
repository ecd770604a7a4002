"""Routes to pods of workers: kept by every master at once, and none of them ends what another one just made."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.node.agent import nodes
from components.node.agent.cloud import NotFoundError
from components.node.agent.routes import RouteError, changes, keep
from tests.agent.conftest import World
from tests.agent.memory_cloud import MemoryCloud

PODS = "10.244.0.0/16"


def node(name: str, cidr: str | None, address: str | None, *, master: bool = False) -> nodes.Node:
    addresses = [{"type": "Hostname", "address": name}]
    if address is not None:
        addresses.append({"type": "InternalIP", "address": address})
    return {
        "metadata": {"name": name, "labels": {nodes.CONTROL_PLANE: ""} if master else {}},
        "spec": {} if cidr is None else {"podCIDR": cidr},
        "status": {"addresses": addresses},
    }


CIDRS = st.integers(0, 5).map("10.244.{}.0/24".format)
ADDRESSES = st.integers(1, 5).map("10.77.1.{}".format)
ROUTES = st.dictionaries(CIDRS, ADDRESSES)
NODES = st.dictionaries(CIDRS, st.tuples(ADDRESSES, st.booleans())).map(
    lambda drawn: [node(cidr, cidr, address, master=master) for cidr, (address, master) in drawn.items()]
)


@settings(deadline=None)
@given(routes=ROUTES, found=NODES)
def test_afterwards_every_worker_has_its_route_and_no_pod_network_is_routed_that_no_node_has(
    routes: dict[str, str], found: list[nodes.Node]
) -> None:
    wanted = changes(routes, found, PODS)
    after = {cidr: via for cidr, via in routes.items() if cidr not in wanted.end} | dict(wanted.make)
    workers = [one for one in found if not nodes.has_agent(one)]
    assert {nodes.pod_cidr(one): nodes.address(one) for one in workers}.items() <= after.items()
    assert after.keys() <= {nodes.pod_cidr(one) for one in found}
    again = changes(after, found, PODS)
    assert not again.make
    assert not again.end


def test_a_masters_route_is_its_own_agents() -> None:
    moved = node("master-1", "10.244.1.0/24", "10.77.1.21", master=True)
    wanted = changes({"10.244.1.0/24": "10.77.1.99"}, [moved], PODS)
    assert not wanted.make
    assert not wanted.end


def test_a_route_outside_the_pod_network_is_left_alone() -> None:
    assert not changes({"192.168.0.0/24": "10.77.1.5"}, [], PODS).end


@pytest.mark.parametrize(("cidr", "address"), [(None, "10.77.1.41"), ("10.244.1.0/24", None)])
def test_a_node_that_has_just_registered_is_waited_for(cidr: str | None, address: str | None) -> None:
    assert not changes({}, [node("worker-1", cidr, address)], PODS).make


def test_masters_that_look_at_different_times_do_not_end_each_others_routes(world: World) -> None:
    slow, quick = world.machine("member-1"), world.machine("member-2")
    assert isinstance(slow.cloud, MemoryCloud)
    assert isinstance(quick.cloud, MemoryCloud)
    slow.cloud.network = quick.cloud.network
    worker = node("worker-1", "10.244.1.0/24", "10.77.1.41")

    def overtaken() -> list[nodes.Node]:
        # While this master asks for the Nodes, a worker joins and the other master sees it first; the answer is older.
        keep(quick, lambda: [worker])
        return []

    keep(slow, overtaken)
    assert slow.cloud.network == {"10.244.1.0/24": "10.77.1.41"}


def test_the_route_of_a_node_that_is_gone_is_ended(world: World) -> None:
    context = world.machine("member-1")
    assert isinstance(context.cloud, MemoryCloud)
    keep(context, lambda: [node("worker-1", "10.244.1.0/24", "10.77.1.41")])
    keep(context, list)
    assert context.cloud.network == {}


def test_a_node_that_the_network_does_not_know_keeps_no_other_from_its_route(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = world.machine("member-1")
    cloud = context.cloud
    assert isinstance(cloud, MemoryCloud)
    route = cloud.route

    def refusing(cidr: str, via: str | None = None) -> None:
        if via == "192.168.0.5":
            raise NotFoundError("no machine at 192.168.0.5")
        route(cidr, via)

    monkeypatch.setattr(cloud, "route", refusing)
    found: list[Any] = [
        node("elsewhere", "10.244.1.0/24", "192.168.0.5"),
        node("worker-1", "10.244.2.0/24", "10.77.1.41"),
    ]
    with pytest.raises(RouteError, match=r"10\.244\.1\.0/24 via 192\.168\.0\.5: no machine at 192\.168\.0\.5"):
        keep(context, lambda: found)
    assert cloud.network == {"10.244.2.0/24": "10.77.1.41"}
