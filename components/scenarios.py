"""What a control plane can be for, and what each scenario asks for: the scenario matrix of the README. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final


class Scenario(StrEnum):
    """What the control plane is for."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Tier:
    """Keep one snapshot per `every` for `keep`."""

    every: timedelta
    keep: timedelta


@dataclass(frozen=True)
class SnapshotPlan:
    """When etcd is snapshotted: at the first tier's pace, then thinned by age."""

    tiers: tuple[Tier, ...]
    locked: bool
    """Whether each snapshot is locked against deletion for its own life."""

    @property
    def interval(self) -> timedelta:
        """Time between two snapshots: the most that a restore can lose."""
        return self.tiers[0].every


@dataclass(frozen=True)
class Shape:
    """What a scenario asks for before zones are known."""

    masters: int
    members: int
    external_etcd: bool
    min_zones: int
    load_balancer: bool
    snapshots: SnapshotPlan


HOURLY_FOR_A_WEEK: Final = Tier(timedelta(hours=1), timedelta(days=7))

SHAPES: Final = {
    Scenario.DEVELOPMENT: Shape(
        masters=1,
        members=1,
        external_etcd=False,
        min_zones=1,
        load_balancer=False,
        snapshots=SnapshotPlan((HOURLY_FOR_A_WEEK,), locked=False),
    ),
    Scenario.PRODUCTION: Shape(
        masters=3,
        members=3,
        external_etcd=False,
        min_zones=3,
        load_balancer=True,
        snapshots=SnapshotPlan(
            (
                Tier(timedelta(minutes=15), timedelta(days=1)),
                HOURLY_FOR_A_WEEK,
                Tier(timedelta(days=1), timedelta(days=30)),
            ),
            locked=False,
        ),
    ),
    Scenario.CRITICAL: Shape(
        masters=3,
        members=5,
        external_etcd=True,
        min_zones=3,
        load_balancer=True,
        snapshots=SnapshotPlan(
            (
                Tier(timedelta(minutes=5), timedelta(days=1)),
                HOURLY_FOR_A_WEEK,
                Tier(timedelta(days=1), timedelta(days=90)),
            ),
            locked=True,
        ),
    ),
}
