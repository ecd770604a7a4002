"""What firewalls of the clouds let in, in one form. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Final

from policy.properties import Properties
from policy.resource import Resource

SECURITY_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
SECURITY_GROUP_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS_RULE: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
NETWORK_SECURITY_GROUP: Final = "azure-native:network:NetworkSecurityGroup"
SECURITY_RULE: Final = "azure-native:network:SecurityRule"
GCP_FIREWALL: Final = "gcp:compute/firewall:Firewall"
FIREWALLS: Final = (
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
    INGRESS_RULE,
    NETWORK_SECURITY_GROUP,
    SECURITY_RULE,
    GCP_FIREWALL,
)

EVERY_PORT: Final = (0, 65535)
EVERYBODY: Final = ("*", "any", "internet")
"""Azure's words for it."""
SHORTEST_PREFIX: Final = {4: 8, 6: 16}
"""No one owner has a larger network; two halves of the internet are as open as the whole."""


@dataclass(frozen=True)
class Opening:
    """Ports, and who may reach them. Sources are read only when asked: in a preview they may be unknown."""

    ports: tuple[int, int]
    sources: Callable[[], Sequence[str]]

    def has(self, port: int) -> bool:
        """Whether a port is among them."""
        return self.ports[0] <= port <= self.ports[1]

    def world(self) -> str:
        """A source that is practically everybody, else an empty string."""
        return next((source for source in self.sources() if is_world(source)), "")


def is_world(source: str) -> bool:
    """Whether a CIDR or a word means practically everybody."""
    if source.lower() in EVERYBODY:
        return True
    try:
        network = ip_network(source, strict=False)
    except ValueError:
        return False
    return network.prefixlen < SHORTEST_PREFIX[4 if isinstance(network, IPv4Network) else 6]


def openings(resource: Resource) -> Iterator[Opening]:
    """What a firewall resource lets in over TCP."""
    given = resource.properties
    if resource.is_a(SECURITY_GROUP):
        for rule in given.groups("ingress"):
            yield from aws(rule, "protocol", ("cidrBlocks", "ipv6CidrBlocks"))
    elif resource.is_a(SECURITY_GROUP_RULE):
        if given.text("type") == "ingress":
            yield from aws(given, "protocol", ("cidrBlocks", "ipv6CidrBlocks"))
    elif resource.is_a(INGRESS_RULE):
        yield from aws(given, "ipProtocol", ("cidrIpv4", "cidrIpv6"))
    elif resource.is_a(NETWORK_SECURITY_GROUP):
        for rule in given.groups("securityRules"):
            yield from azure(rule)
    elif resource.is_a(SECURITY_RULE):
        yield from azure(given)
    elif resource.is_a(GCP_FIREWALL):
        yield from gcp(given)


def aws(rule: Properties, protocol: str, sources: Sequence[str]) -> Iterator[Opening]:
    named = rule.text(protocol).lower()
    first, last = rule.number("fromPort"), rule.number("toPort")
    if named in ("-1", "all") or rule.number(protocol) == -1:
        yield Opening(EVERY_PORT, lambda: several(rule, *sources))
    elif named in ("tcp", "6") and first is not None and last is not None:
        yield Opening((int(first), int(last)), lambda: several(rule, *sources))


def azure(rule: Properties) -> Iterator[Opening]:
    if rule.text("direction") != "Inbound" or rule.text("access") != "Allow":
        return
    if rule.text("protocol").lower() in ("tcp", "*"):
        for ports in several(rule, "destinationPortRange", "destinationPortRanges"):
            yield Opening(port_range(ports), lambda: several(rule, "sourceAddressPrefix", "sourceAddressPrefixes"))


def gcp(firewall: Properties) -> Iterator[Opening]:
    if firewall.text("direction").upper() == "EGRESS" or firewall.flag("disabled"):
        return
    for allowed in firewall.groups("allows"):
        if allowed.text("protocol").lower() in ("tcp", "all", "6"):
            for ports in allowed.texts("ports") or ["*"]:
                yield Opening(port_range(ports), lambda: several(firewall, "sourceRanges"))


def several(rule: Properties, *names: str) -> list[str]:
    """Strings under these names, each one string or a list."""
    return [text for name in names for text in ([rule.text(name)] if rule.text(name) else rule.texts(name))]


def port_range(text: str) -> tuple[int, int]:
    """`22`, `2379-2380` or `*`; what is none of them is every port, to be on the safe side."""
    first, _, last = text.partition("-")
    return (int(first), int(last or first)) if first.isdigit() and (last or first).isdigit() else EVERY_PORT
