"""Every error names the key, what it got, and what is accepted."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings import KUBERNETES_VERSIONS, SettingsError, load
from components.topology import Scenario

ROOT = Path(__file__).resolve().parents[2]
STACKS = sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))


def as_engine_hands_it(config: dict[str, Any]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def stack(**settings: Any) -> dict[str, str]:
    given = {"cloud": "local", "scenario": "production", **settings}
    return as_engine_hands_it({f"kube-ha:{key}": value for key, value in given.items() if value is not None})


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
def test_every_stack_of_the_repository_loads(path: Path) -> None:
    settings = load(as_engine_hands_it(yaml.safe_load(path.read_text())["config"]))
    assert settings.topology.masters


def test_stacks_of_one_machine_do_not_share_addresses() -> None:
    local = [path for path in STACKS if path.name.startswith("Pulumi.local")]
    networks = [load(as_engine_hands_it(yaml.safe_load(p.read_text())["config"])).network.cidr for p in local]
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
        ({"cloud": "locl"}, "kube-ha:cloud: got 'locl'; input should be 'local' or 'aws'."),
        (
            {"kubernetesVersion": "1.20.1"},
            f"kube-ha:kubernetesVersion: got '1.20.1'; accepted: {KUBERNETES_VERSIONS[0]}.",
        ),
        ({"etcd": {"member": 3}}, "kube-ha:etcd.member: no such setting; accepted: electionMs, heartbeatMs, members"),
        ({"zones": ["zone-a", "zone-x"]}, "kube-ha:zones: local has no zone-x; accepted: zone-a, zone-b"),
        ({"region": "mars"}, "kube-ha:region 'mars' is not one of local: local"),
        ({"etcd": {"members": "four"}}, "kube-ha:etcd.members: got 'four'; input should be a valid integer"),
        ({"etcd": {"heartbeatMs": 200}}, "kube-ha:etcd: electionMs 500 is under five heartbeats of 200 ms"),
        ({"network": {"cidr": "10.96.0.0/16"}}, "kube-ha:network: cidr 10.96.0.0/16 overlaps serviceCidr 10.96.0.0/16"),
        ({"network": {"cidr": "10.1.0.0/20"}}, "kube-ha:network.cidr: got '10.1.0.0/20'; a /16 is needed"),
        ({"loadBalancer": {"public": True}}, "kube-ha:loadBalancer: public without cidrs; list the ranges"),
        ({"machines": {"masterType": "m7g.large"}}, "kube-ha:machines: cloud local has no such choice; leave it out"),
        ({"cloud": "aws", "region": "eu-west-9"}, "kube-ha:region 'eu-west-9' is not one of aws: ap-northeast-1"),
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
        ({"colour": "red"}, "kube-ha:colour: no such setting; accepted: authentication, cloud,"),
    ],
)
def test_an_error_names_key_value_and_what_is_accepted(given: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(stack(**given))
    assert says in str(refused.value)


def test_all_errors_come_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load(stack(scenario="prod", kubernetesVersion="1.1.1"))
    assert len(str(refused.value).splitlines()) == 2


def test_other_namespaces_are_left_alone() -> None:
    assert load({**stack(), "aws:region": "eu-west-1"}).scenario is Scenario.PRODUCTION
