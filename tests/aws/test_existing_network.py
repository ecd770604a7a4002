"""A stack that goes into a network that is there already: it makes none, and looks before it makes anything."""

from typing import Any

import pulumi
import pytest

from components.settings import Settings
from tests.aws.stacks import Aws, machine_documents, register
from tests.program.recorder import Registration
from tests.program.stacks import settings_of

ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
SUBNETS = {zone: f"subnet-{zone[-1]}" for zone in ZONES}
RANGES = {"subnet-a": "172.20.0.0/24", "subnet-b": "172.20.1.0/24", "subnet-c": "172.20.2.0/27"}


class Existing(Aws):
    """An AWS with a VPC of somebody else; `changed` is what its subnets have different."""

    def __init__(self, **changed: str) -> None:
        super().__init__()
        ids = {subnet: zone for zone, subnet in SUBNETS.items()}

        def subnet(given: dict[str, Any]) -> dict[str, Any]:
            identity = given["id"]
            described = {"cidrBlock": RANGES[identity], "availabilityZone": ids[identity], "vpcId": "vpc-1"}
            return {"id": identity, **described, **changed}

        def table(given: dict[str, Any]) -> dict[str, Any]:
            # Two zones share one.
            name = "rtb-1" if given["subnetId"] in ("subnet-a", "subnet-b") else "rtb-2"
            return {"routeTableId": name, "arn": f"arn:aws:ec2:::route-table/{name}"}

        self.answers |= {
            "aws:ec2/getVpc:getVpc": {"id": "vpc-1", "cidrBlock": "172.20.0.0/20"},
            "aws:ec2/getSubnet:getSubnet": subnet,
            "aws:ec2/getRouteTable:getRouteTable": table,
            "aws:ec2/getPrefixList:getPrefixList": {"id": "pl-s3"},
        }


def settings(**network: Any) -> Settings:
    """Of prod-aws, in that network."""
    found = settings_of("prod-aws")
    existing = {"vpc": "vpc-1", "privateSubnets": SUBNETS}
    given = type(found.network).model_validate({"existing": existing, **network})
    return found.model_copy(update={"network": given})


def made(aws: Aws | None = None, **network: Any) -> list[Registration]:
    return register("prod-aws", settings(**network), aws=aws or Existing())


def of(found: list[Registration], kind: str) -> dict[str, dict[str, Any]]:
    return {one.name: one.inputs for one in found if one.type == f"aws:{kind}"}


@pytest.fixture(scope="module")
def found() -> list[Registration]:
    return made()


def test_no_network_is_made(found: list[Registration]) -> None:
    own = {"ec2/vpc:Vpc", "ec2/subnet:Subnet", "ec2/natGateway:NatGateway", "ec2/routeTable:RouteTable", "ec2/eip:Eip"}
    assert not {one.type for one in found} & {f"aws:{kind}" for kind in own}


def test_machines_and_load_balancer_are_in_its_subnets(found: list[Registration]) -> None:
    groups = of(found, "autoscaling/group:Group")
    assert sorted(groups["prod-aws-masters"]["vpcZoneIdentifiers"]) == sorted(SUBNETS.values())
    (balancer,) = of(found, "lb/loadBalancer:LoadBalancer").values()
    assert sorted(balancer["subnets"]) == sorted(SUBNETS.values())
    assert {one["vpcId"] for one in of(found, "ec2/securityGroup:SecurityGroup").values()} == {"vpc-1"}


def test_members_have_reserved_addresses_of_its_subnets(found: list[Registration]) -> None:
    reserved = {one["subnetId"]: one["cidrBlock"] for one in of(
        found, "ec2/subnetCidrReservation:SubnetCidrReservation").values()}  # fmt: skip
    assert reserved == {"subnet-a": "172.20.0.16/28", "subnet-b": "172.20.1.16/28", "subnet-c": "172.20.2.16/28"}
    addresses = [machine["address"] for machine in machine_documents(found).values() if machine["role"] == "member"]
    assert sorted(addresses) == ["172.20.0.16", "172.20.0.17", "172.20.1.16", "172.20.1.17", "172.20.2.16"]


def test_machines_find_its_route_tables_and_may_write_to_them_alone(found: list[Registration]) -> None:
    tags = {(one["resourceId"], one["key"], one["value"]) for one in of(found, "ec2/tag:Tag").values()}
    tables = ("rtb-1", "rtb-2")
    assert tags == {
        *((table, "kube-ha:cluster", "prod-aws") for table in tables),
        *((table, "kube-ha:pods", "routed") for table in tables),
    }
    policy = of(found, "iam/rolePolicy:RolePolicy")["prod-aws-master"]["policy"]
    assert all(f"route-table/{table}" in policy for table in tables)


def test_its_own_range_is_let_in(found: list[Registration]) -> None:
    rules = of(found, "vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert rules["prod-aws-load-balancer-clients-1"]["cidrIpv4"] == "172.20.0.0/20"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"availabilityZone": "eu-west-1c"}, r"privateSubnets.eu-west-1a: subnet-a is in eu-west-1c of vpc-1"),
        ({"vpcId": "vpc-2"}, r"subnet-a is in eu-west-1a of vpc-2; name another"),
        ({"cidrBlock": "172.20.0.0/28"}, r"172.20.0.0/28 has no room for members; a private subnet is a /27 or larger"),
    ],
)
def test_a_subnet_that_does_not_fit_is_refused_before_anything_is_made(changed: dict[str, str], says: str) -> None:
    with pytest.raises(pulumi.RunError, match=says):
        made(Existing(**changed))


def test_pods_may_not_have_addresses_of_the_network() -> None:
    with pytest.raises(pulumi.RunError, match=r"network.podCidr: 172.20.0.0/16 overlaps 172.20.0.0/20 of vpc-1"):
        made(podCidr="172.20.0.0/16")
