"""Every error names the key, what it got, and what is accepted."""

from typing import Any

import pytest

from components.managed import NEWEST_MINOR, PLANES
from components.scenarios import Scenario
from components.settings import KUBERNETES_VERSIONS, SettingsError, load
from components.topology import TopologyError
from tests.program.stacks import NAMES, as_engine_hands_it, settings_of


def stack(**settings: Any) -> dict[str, str]:
    given = {"cloud": "local", "scenario": "production", **settings}
    return as_engine_hands_it({f"kube-ha:{key}": value for key, value in given.items() if value is not None})


MANAGED = {"cloud": "aws", "region": "eu-west-1", "controlPlane": "managed"}
AWS = {"cloud": "aws", "region": "eu-west-1"}
AZURE = {"cloud": "azure", "region": "westeurope", "controlPlane": "managed"}
GCP = {"cloud": "gcp", "region": "europe-west1", "controlPlane": "managed"}
EXISTING = {"vpc": "vpc-1", "privateSubnets": {f"eu-west-1{letter}": f"subnet-{letter}" for letter in "abc"}}
FAILOVER = {
    "zoneId": "Z08",
    "name": "shop.example.com",
    "role": "primary",
    "target": "shop.elb.amazonaws.com",
    "healthPath": "/healthz",
}


def open_to(count: int) -> dict[str, Any]:
    """An endpoint for so many ranges of clients."""
    return {"loadBalancer": {"public": True, "cidrs": [f"203.0.{n}.0/24" for n in range(count)]}}


@pytest.mark.parametrize("name", NAMES)
def test_every_stack_of_the_repository_loads(name: str) -> None:
    settings = settings_of(name)
    assert bool(settings.topology.masters) is (settings.control_plane == "self-managed")


def test_stacks_of_one_machine_do_not_share_addresses() -> None:
    networks = [settings_of(name).network.cidr for name in NAMES if name.startswith("local")]
    assert len(set(networks)) == len(networks)


def test_a_new_users_stack_is_two_lines() -> None:
    settings = load(stack())
    assert settings.topology.zones == ("zone-a", "zone-b", "zone-c")
    assert settings.kubernetes_version == KUBERNETES_VERSIONS[0]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"scenario": None}, "kube-ha:scenario: missing; accepted: development, production, critical"),
        (
            {"scenario": "prod"},
            "kube-ha:scenario: got 'prod'; input should be 'development', 'production' or 'critical'.",
        ),
        ({"cloud": "locl"}, "kube-ha:cloud: got 'locl'; input should be 'local', 'aws', 'azure' or 'gcp'."),
        (
            {"kubernetesVersion": "1.20.1"},
            f"kube-ha:kubernetesVersion: got '1.20.1'; accepted: {KUBERNETES_VERSIONS[0]}.",
        ),
        ({"etcd": {"member": 3}}, "kube-ha:etcd.member: no such setting; accepted: electionMs, heartbeatMs, members"),
        ({"zones": ["zone-a", "zone-x"]}, "kube-ha:zones: local has no zone-x; accepted: zone-a, zone-b"),
        ({"region": "mars"}, "kube-ha:region: got 'mars'; accepted on local: local"),
        ({"etcd": {"members": "four"}}, "kube-ha:etcd.members: got 'four'; input should be a valid integer"),
        ({"etcd": {"heartbeatMs": 200}}, "kube-ha:etcd: electionMs 400 is under five heartbeats of 200 ms"),
        ({"network": {"cidr": "10.96.0.0/16"}}, "kube-ha:network: cidr 10.96.0.0/16 overlaps serviceCidr 10.96.0.0/16"),
        (
            {**AWS, "network": {"existing": {"vpc": "vpc-1", "privateSubnets": {"eu-west-1a": "subnet-1"}}}},
            "kube-ha:network.existing.privateSubnets: no subnet for eu-west-1b, eu-west-1c; or name other zones",
        ),
        (
            {**AWS, "loadBalancer": {"public": True, "cidrs": ["203.0.113.0/24"]}, "network": {"existing": EXISTING}},
            "kube-ha:network.existing.publicSubnets: no subnet for eu-west-1a, eu-west-1b, eu-west-1c",
        ),
        (
            {**AWS, "network": {"cidr": "10.1.0.0/16", "existing": EXISTING}},
            "kube-ha:network.cidr: the network of network.existing has its own; leave it out",
        ),
        ({"network": {"existing": EXISTING}}, "kube-ha:network.existing: only a self-managed control plane on aws"),
        ({"network": {"cidr": "10.1.0.0/20"}}, "kube-ha:network.cidr: got '10.1.0.0/20'; a /16 is needed"),
        ({"loadBalancer": {"public": True}}, "kube-ha:loadBalancer: public without cidrs; list the ranges"),
        ({"machines": {"masterType": "m7g.large"}}, "kube-ha:machines: cloud local has no such choice; leave it out"),
        ({"cloud": "aws", "region": "eu-west-9"}, "kube-ha:region: got 'eu-west-9'; accepted on aws: ap-northeast-1"),
        (
            {"cloud": "aws", "region": "eu-west-1", "zones": ["eu-west-1a", "eu-west-1d"]},
            "kube-ha:zones: eu-west-1 has no eu-west-1d; accepted: eu-west-1a, eu-west-1b, eu-west-1c",
        ),
        (
            {
                "cloud": "aws",
                "region": "eu-west-1",
                "scenario": "development",
                "loadBalancer": {"public": True, "cidrs": ["203.0.113.0/24"]},
            },
            "kube-ha:loadBalancer.public: the development scenario has no load balancer; set scenario to production",
        ),
        ({"controlPlane": "managed"}, "kube-ha:controlPlane: got 'managed'; cloud local has self-managed only."),
        (
            {"cloud": "azure", "region": "westeurope"},
            "kube-ha:controlPlane: cloud azure has managed only; set it.",
        ),
        (
            {"cloud": "gcp", "region": "europe-west1", "controlPlane": "self-managed"},
            "kube-ha:controlPlane: got 'self-managed'; cloud gcp has managed only.",
        ),
        ({"nodes": {"perZone": 2}}, "kube-ha:nodes: cloud local has no such choice; leave it out"),
        (
            {"cloud": "aws", "region": "eu-west-1", "administrators": ["arn:aws:iam::123456789012:role/admin"]},
            "kube-ha:administrators: a self-managed control plane has no such choice; leave it out",
        ),
        (
            {**MANAGED, "etcd": {"members": 5}},
            "kube-ha:etcd: a managed control plane of cloud aws has no such choice; leave it out",
        ),
        (
            {**MANAGED, "networkPlugin": "none"},
            "kube-ha:networkPlugin: a managed control plane of cloud aws has no",
        ),
        ({"networkPlugin": "calico"}, "kube-ha:networkPlugin: got 'calico'; input should be 'reference' or 'none'"),
        ({**MANAGED, "masters": 3}, "kube-ha:masters: a managed control plane of cloud aws has no such choice"),
        (
            {**MANAGED, "network": {"podCidr": "10.1.0.0/16"}},
            "kube-ha:network.podCidr: pods of EKS have addresses of network.cidr; leave it out",
        ),
        (
            {**MANAGED, "kubernetesVersion": "1.37.2"},
            "kube-ha:kubernetesVersion: got '1.37.2'; a managed control plane takes a minor version, such as 1.36",
        ),
        (
            {**MANAGED, "kubernetesVersion": "1.25"},
            "kube-ha:kubernetesVersion: got '1.25'; cloud aws makes no cluster of it any more; the oldest is 1.32",
        ),
        ({**MANAGED, "loadBalancer": {"public": True}}, "kube-ha:loadBalancer: public without cidrs; list the ranges"),
        (
            {**MANAGED, "dns": {"failover": {**FAILOVER, "healthPath": None}}},
            "kube-ha:dns.failover: set healthPath for a public target or watched for a private one, and not both",
        ),
        (
            {
                "cloud": "gcp",
                "region": "europe-west1",
                "controlPlane": "managed",
                "dns": {"failover": FAILOVER},
            },
            "kube-ha:dns: a managed control plane of cloud gcp has no such choice; leave it out",
        ),
        ({"tags": {"team": "platform"}}, "kube-ha:tags: cloud local has no such choice; leave it out"),
        (
            {**MANAGED, "cloud": "azure", "region": "westeurope", "loadBalancer": {"cidrs": ["203.0.113.0/24"]}},
            "kube-ha:loadBalancer.cidrs: a private endpoint of AKS takes none; leave it out, or set public.",
        ),
        ({"cloud": "aws"}, "kube-ha:region: missing; accepted on aws: ap-northeast-1"),
        ({"zones": []}, "kube-ha:zones: got []; it takes one at least; leave it out for the default."),
        ({**MANAGED, "zones": []}, "kube-ha:zones: got []; it takes one at least; leave it out for the default."),
        ({"zones": "zone-a"}, "kube-ha:zones: got 'zone-a'; it takes a list, such as [zone-a]."),
        ({"etcd": 3}, "kube-ha:etcd: got 3; it takes settings of its own: electionMs, heartbeatMs, members."),
        ({"tags": "red"}, "kube-ha:tags: got 'red'; it takes names with a value each."),
        (
            {"authentication": {"oidc": 1}},
            "kube-ha:authentication.oidc: got 1; it takes settings of its own: clientId,",
        ),
        (
            {"authentication": {"oidc": {"issuerUrl": "https://issuer"}}},
            "kube-ha:authentication.oidc.clientId: missing; it has no default.",
        ),
        (
            {"network": {"cidr": "10.77.1.0/16"}},
            "kube-ha:network.cidr: got '10.77.1.0/16'; it takes a range of IPv4 by its first address, such as",
        ),
        ({"network": {"cidr": "169.254.0.0/16"}}, "kube-ha:network.cidr: got '169.254.0.0/16'; 169.254.0.0/16 is link"),
        ({"network": {"podCidr": "0.0.0.0/0"}}, "kube-ha:network.podCidr: got '0.0.0.0/0'; 0.0.0.0/8 is this host"),
        ({"network": {"podCidr": "10.244.0.0/24"}}, "kube-ha:network.podCidr: got '10.244.0.0/24'; a /8 to a /20 is"),
        ({"network": {"serviceCidr": "10.96.0.0/28"}}, "kube-ha:network.serviceCidr: got '10.96.0.0/28'; a /12 to a"),
        ({"network": {"serviceCidr": "10.0.0.0/8"}}, "kube-ha:network.serviceCidr: got '10.0.0.0/8'; a /12 to a /24"),
        ({"network": {"podCidr": "10.64.0.0/12"}}, "kube-ha:network: cidr 10.77.0.0/16 overlaps podCidr 10.64.0.0/12"),
        ({**AWS, "tags": {"aws:team": "a"}}, "kube-ha:tags: got aws:team: a; a tag of AWS has letters, digits, spaces"),
        ({**AWS, "tags": {"team": "a" * 257}}, "a; a tag of AWS has"),
        ({**AWS, "tags": {"team": "a,b"}}, "kube-ha:tags: got team: a,b; a tag of AWS has letters, digits, spaces"),
        ({**AZURE, "tags": {"a<b": "x"}}, "kube-ha:tags: got a<b: x; a tag of Azure has at most 128 characters in its"),
        (
            {**AZURE, "tags": {"kube-ha:cluster": "x"}},
            "kube-ha:tags: got kube-ha:cluster: x; keys that begin with kube",
        ),
        ({**AZURE, "tags": {f"k{n}": "x" for n in range(41)}}, "kube-ha:tags: got 41; accepted: up to 40."),
        ({**GCP, "tags": {"Team": "x"}}, "kube-ha:tags: got Team: x; a label of Google Cloud has lower-case letters"),
        ({**GCP, "tags": {"1a": "x"}}, "kube-ha:tags: got 1a: x; a label of Google Cloud has"),
        ({**GCP, "tags": {"a" * 64: "x"}}, "a: x; a label of Google Cloud has"),
        (
            {**AZURE, "nodes": {"type": "e2-standard-4"}},
            "kube-ha:nodes.type: got 'e2-standard-4'; cloud azure has such",
        ),
        (
            {**GCP, "nodes": {"type": "m7g.xlarge"}},
            "nodes.type: got 'm7g.xlarge'; cloud gcp has such as e2-standard-4.",
        ),
        (
            {**MANAGED, "nodes": {"type": "Standard_D4ds_v5"}},
            "nodes.type: got 'Standard_D4ds_v5'; cloud aws has such as",
        ),
        ({**GCP, "nodes": {"type": ""}}, "kube-ha:nodes.type: got ''; string should have at least 1 character."),
        (
            {**AZURE, "network": {"serviceCidr": "172.30.0.0/16"}},
            "kube-ha:network.serviceCidr: got 172.30.0.0/16; cloud azure uses 172.30.0.0/16 itself.",
        ),
        (
            {**AZURE, "network": {"cidr": "168.63.0.0/16"}},
            "kube-ha:network.cidr: got 168.63.0.0/16; cloud azure uses 168.63.129.16/32 itself.",
        ),
        (
            {**GCP, "network": {"cidr": "199.36.0.0/16"}},
            "kube-ha:network.cidr: got 199.36.0.0/16; cloud gcp uses 199.36.153.4/30 itself.",
        ),
        ({**MANAGED, **open_to(41)}, "kube-ha:loadBalancer.cidrs: got 41 ranges; an endpoint of cloud aws takes up to"),
        ({**AZURE, **open_to(201)}, "loadBalancer.cidrs: got 201 ranges; an endpoint of cloud azure takes up to 200"),
        ({**GCP, **open_to(100)}, "loadBalancer.cidrs: got 100 ranges; an endpoint of cloud gcp takes up to 99; join"),
        (
            {**GCP, "kubernetesVersion": "1.38"},
            "kube-ha:kubernetesVersion: got '1.38'; no such version is known; the newest is 1.37.",
        ),
        ({**AZURE, "network": {"podCidr": "172.16.0.0/12"}}, "kube-ha:network.podCidr: got 172.16.0.0/12; cloud azure"),
        ({"colour": "red"}, "kube-ha:colour: no such setting; accepted: administrators, authentication, authorities,"),
    ],
)
def test_an_error_names_key_value_and_what_is_accepted(given: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(stack(**given))
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        {**AWS, "tags": {"Team": "Ärzte und Co", "cost:centre": "a/b=c+d@e-f_g.h"}},
        {**AZURE, "tags": {"Team": "any <value>"}, "nodes": {"type": "Standard_D8ds_v5"}},
        {**GCP, "tags": {"team": "a-b_c"}, "nodes": {"type": "c3-standard-8"}},
        {**MANAGED, "nodes": {"type": "m7g.xlarge"}},
        {**GCP, "network": {"serviceCidr": "172.30.0.0/16"}},
        {**AZURE, "network": {"cidr": "203.1.0.0/16"}},
        {**MANAGED, **open_to(40)},
        {**MANAGED, "loadBalancer": {"cidrs": open_to(41)["loadBalancer"]["cidrs"]}},
        {**AZURE, **open_to(200)},
        {**GCP, **open_to(99)},
    ],
)
def test_what_a_cloud_takes_is_accepted(given: dict[str, Any]) -> None:
    assert load(stack(**given)).cloud == given["cloud"]


def test_all_errors_come_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load(stack(scenario="prod", kubernetesVersion="1.1.1"))
    assert len(str(refused.value).splitlines()) == 2


def test_other_namespaces_are_left_alone() -> None:
    assert load({**stack(), "aws:region": "eu-west-1"}).scenario is Scenario.PRODUCTION


def test_the_newest_minor_of_a_managed_control_plane_is_that_of_our_own_machines() -> None:
    newest = KUBERNETES_VERSIONS[0].rpartition(".")[0]
    assert load(stack(**MANAGED, kubernetesVersion=newest)).managed_version == f"1.{NEWEST_MINOR}" == newest


@pytest.mark.parametrize(("given", "asked"), [(None, None), ("1.36", "1.36"), ("v1.35", "1.35")])
def test_a_managed_version_is_the_clouds_own_default_unless_it_is_named(given: str | None, asked: str | None) -> None:
    assert load(stack(**MANAGED, kubernetesVersion=given)).managed_version == asked


@pytest.mark.parametrize(
    ("cloud", "region"), [("aws", "us-west-1"), ("aws", "eu-west-1"), ("azure", "westeurope"), ("gcp", "us-east1")]
)
@pytest.mark.parametrize("scenario", Scenario)
def test_nodes_of_a_managed_control_plane_have_the_zones_of_its_scenario(
    cloud: str, region: str, scenario: Scenario
) -> None:
    settings = load(stack(cloud=cloud, region=region, controlPlane="managed", scenario=scenario))
    if region == "us-west-1" and scenario is not Scenario.DEVELOPMENT:
        with pytest.raises(TopologyError, match=r"kube-ha:zones: 2 \(us-west-1a, us-west-1b\) for the .* needs 3"):
            _ = settings.topology
        return
    plane = PLANES[settings.cloud][scenario]
    assert len(settings.topology.zones) == plane.zones
    assert settings.topology.survives == plane.survives
    assert not settings.topology.masters
    assert not settings.topology.members
