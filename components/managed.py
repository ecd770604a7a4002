"""What a managed control plane is in each scenario: the clouds' own tiers, and what they promise. Pure.

docs/levers.md is made of it and of the levers of each cloud (`components/<cloud>/levers.py`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

from components.clouds import Cloud
from components.scenarios import Scenario


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """A cloud's own promise for the uptime of its control plane."""

    figure: str
    """Per month."""
    source: str


@dataclass(frozen=True, kw_only=True)
class Lever:
    """Something that a cloud offers for availability, and that a scenario pulls or leaves."""

    worth: str
    """What is lost without it."""
    cost: str
    """In the cloud's own terms: prices change, and differ by region."""


@dataclass(frozen=True, kw_only=True)
class Plane:
    """A managed control plane of a scenario."""

    tier: str
    """In the cloud's own words."""
    agreement: Agreement
    zones: int
    """Of the nodes, at least; the first of the region unless the stack names others."""
    survives: tuple[str, ...]
    """What may be lost without the API stopping, in words."""


NO_AGREEMENT: Final = "none"

EKS_STANDARD: Final = Agreement(figure="99.95 %", source="https://aws.amazon.com/eks/sla/")
EKS_PROVISIONED: Final = Agreement(figure="99.99 %", source="https://aws.amazon.com/eks/sla/")
AKS_FREE: Final = Agreement(
    figure=NO_AGREEMENT, source="https://learn.microsoft.com/azure/aks/free-standard-pricing-tiers"
)
AKS_STANDARD: Final = Agreement(
    figure="99.95 %", source="https://learn.microsoft.com/azure/aks/free-standard-pricing-tiers"
)
GKE_ZONAL: Final = Agreement(figure="99.5 %", source="https://cloud.google.com/kubernetes-engine/sla")
GKE_REGIONAL: Final = Agreement(figure="99.95 %", source="https://cloud.google.com/kubernetes-engine/sla")

ONE_ZONE: Final = ("any one zone",)

PLANES: Final[Mapping[Cloud, Mapping[Scenario, Plane]]] = {
    Cloud.AWS: {
        # EKS knows no control plane in one zone: it asks for subnets in two at least.
        Scenario.DEVELOPMENT: Plane(tier="standard", agreement=EKS_STANDARD, zones=2, survives=ONE_ZONE),
        Scenario.PRODUCTION: Plane(tier="standard", agreement=EKS_STANDARD, zones=3, survives=ONE_ZONE),
        Scenario.CRITICAL: Plane(tier="tier-xl", agreement=EKS_PROVISIONED, zones=3, survives=ONE_ZONE),
    },
    Cloud.AZURE: {
        Scenario.DEVELOPMENT: Plane(tier="Free", agreement=AKS_FREE, zones=1, survives=()),
        Scenario.PRODUCTION: Plane(tier="Standard", agreement=AKS_STANDARD, zones=3, survives=ONE_ZONE),
        Scenario.CRITICAL: Plane(tier="Standard", agreement=AKS_STANDARD, zones=3, survives=ONE_ZONE),
    },
    Cloud.GCP: {
        Scenario.DEVELOPMENT: Plane(tier="zonal", agreement=GKE_ZONAL, zones=1, survives=()),
        Scenario.PRODUCTION: Plane(tier="regional", agreement=GKE_REGIONAL, zones=3, survives=ONE_ZONE),
        Scenario.CRITICAL: Plane(tier="regional", agreement=GKE_REGIONAL, zones=3, survives=ONE_ZONE),
    },
}
"""The managed half of the scenario matrix."""

OLDEST_MINORS: Final[Mapping[Cloud, int]] = {Cloud.AWS: 32, Cloud.AZURE: 32, Cloud.GCP: 32}
"""Kubernetes 1.x below which no cloud makes a new cluster from December 2026 on: the end of extended support of 1.31 on
EKS (26 November 2026), of AKS' long-term support and of GKE's extended channel, by the clouds' own release calendars.
Which of the newer ones it offers cannot be known without asking it."""

NEWEST_MINOR: Final = 37
"""Kubernetes 1.x that was released last, as in `settings.KUBERNETES_VERSIONS`; clouds follow weeks later."""

NODE_TYPES: Final[Mapping[Cloud, tuple[re.Pattern[str], str]]] = {
    Cloud.AWS: (re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+"), "m7i.large"),
    Cloud.AZURE: (re.compile(r"Standard_[A-Z]\w+"), "Standard_D4ds_v5"),
    Cloud.GCP: (re.compile(r"[a-z]\w*(-\w+)+"), "e2-standard-4"),
}
"""How each cloud names types of machines, and one of them."""

RESERVED_RANGES: Final[Mapping[Cloud, tuple[IPv4Network, ...]]] = {
    # "IP address planning for your Azure Kubernetes Service (AKS) clusters"; of a virtual network also its own DNS.
    Cloud.AZURE: (
        IPv4Network("172.30.0.0/16"),
        IPv4Network("172.31.0.0/16"),
        IPv4Network("192.0.2.0/24"),
        IPv4Network("168.63.129.16/32"),
    ),
    # "Subnets", prohibited IPv4 ranges: how a private network reaches Google's APIs.
    Cloud.GCP: (IPv4Network("199.36.153.4/30"), IPv4Network("199.36.153.8/30")),
}
"""What no network, pod or service of a managed cluster may have an address in, beside what no stack may. Other public
ranges the clouds take, as addresses that are then private."""

CLIENT_RANGES: Final[Mapping[Cloud, int]] = {
    Cloud.AWS: 40,  # "Amazon EKS service quotas": of a public endpoint, not adjustable
    Cloud.AZURE: 200,  # "Secure access to the API server using authorized IP address ranges in AKS"
    Cloud.GCP: 99,  # "Add authorized networks for control plane access": 100, of which the stack's own network is one
}
"""How many ranges of clients a managed control plane's endpoint takes."""


def check_minor(version: str, cloud: Cloud | None) -> str:
    """A version as clouds take it for a cluster.

    Raises:
        ValueError: it is none, or one that is known to be gone, or not there yet.
    """
    oldest = OLDEST_MINORS[cloud] if cloud else 0
    if not re.fullmatch(r"1\.\d{1,2}", version):
        raise ValueError(f"a managed control plane takes a minor version, such as 1.{oldest + 4}")
    if int(version.removeprefix("1.")) < oldest:
        raise ValueError(f"cloud {cloud} makes no cluster of it any more; the oldest is 1.{oldest}")
    if int(version.removeprefix("1.")) > NEWEST_MINOR:
        raise ValueError(f"no such version is known; the newest is 1.{NEWEST_MINOR}")
    return version
