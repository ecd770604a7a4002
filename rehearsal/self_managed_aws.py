"""A self-managed control plane on an emulated AWS."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from components.scenarios import Scenario
from components.settings import Settings
from providers.aws.connection import ENDPOINT_VARIABLE, Aws
from rehearsal import coverage
from rehearsal.emulated_aws import EmulatedAws
from rehearsal.emulation import emulator
from rehearsal.engine import Operation
from rehearsal.inspection import Inspection
from rehearsal.project import Project
from toolchain import cloud_controller, cloud_libraries, debian_packages
from toolchain.artifacts import load as artifacts

MORE_MASTERS: Final[Mapping[Scenario, int]] = {Scenario.CRITICAL: 4, Scenario.PRODUCTION: 5}
"""Scenario → a count that differs from its own; development is one master by definition."""

TEMPLATE: Final = ":LaunchTemplate"

SLOWER_ETCD: Final = {"heartbeatMs": 100, "electionMs": 1000}


@contextmanager
def scene(project: Project, settings: Settings) -> Iterator["SelfManagedAws"]:
    """The emulator, and everything that machines would fetch."""
    artifacts()
    cloud_libraries.build("aws")
    cloud_controller.build("aws")
    debian_packages.build()
    log = project.folder / "emulator.log"
    with emulator(log) as url:
        yield SelfManagedAws(Aws(url, settings.region), {ENDPOINT_VARIABLE: url}, settings, log)


class SelfManagedAws(EmulatedAws):
    """See `rehearsal.scene.Scene`."""

    kept: tuple[str, ...] = ("autoscaling/group:Group", "ebs/volume:Volume")
    """With one of these goes a member, or all masters at once."""
    not_enforced: Sequence[str] = coverage.NOT_ENFORCED

    def __init__(self, aws: Aws, environment: Mapping[str, str], settings: Settings, log: Path) -> None:
        super().__init__(aws, environment, settings, log)
        masters = {"masters": MORE_MASTERS[settings.scenario]} if settings.scenario in MORE_MASTERS else {}
        self.changes: Mapping[str, Any] = {**masters, "etcd": SLOWER_ETCD}

    def inspect(self) -> list[str]:
        return Inspection(self.aws, self.settings.topology)()

    def running(self) -> set[str]:
        groups = self.aws("autoscaling", "describe_auto_scaling_groups")["AutoScalingGroups"]
        return {instance["InstanceId"] for group in groups for instance in group["Instances"]}

    def unharmed(self, before: set[str], operations: Sequence[Operation]) -> str:
        rolling = ", ".join(op.name for op in operations if op.kind == "update" and op.type.endswith(TEMPLATE))
        still = f"no group or volume replaced, all {len(before)} machines still run"
        return f"{still}; replaced by themselves, one machine at a time under the cluster's lock: {rolling or 'none'}"

    def unlock(self) -> Sequence[str]:
        for balancer in self.aws("elbv2", "describe_load_balancers")["LoadBalancers"]:
            off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
            arn = balancer["LoadBalancerArn"]
            self.aws("elbv2", "modify_load_balancer_attributes", LoadBalancerArn=arn, Attributes=off)
        return ()

    def left(self) -> str:
        kept = self.aws("s3", "list_buckets")["Buckets"]
        return f"{len(kept)} bucket kept" if kept else ""
