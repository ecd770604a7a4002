"""The life of a stack that a rehearsal plays, and what must hold at each step."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.aws.connection import Aws
from rehearsal.engine import Engine, Outcome

MORE_MASTERS: Final[Mapping[str, int]] = {"critical": 4, "production": 5}
"""Scenario → a count that differs from its own; development is one master by definition."""

SLOWER_ETCD: Final = {"heartbeatMs": 100, "electionMs": 1000}

AT_ONCE: Final = ("--skip-preview",)

KEPT_MACHINES: Final = ("autoscaling/group:Group", "ebs/volume:Volume")
"""What may not be replaced by a change of settings: with it goes a member, or all masters at once."""


class RehearsalError(Exception):
    """A step did not end as it must; what the engine said is in the message."""


@dataclass(frozen=True)
class Step:
    """One command, and what it has to be."""

    title: str
    outcome: Outcome
    says: str
    """What was seen, in words."""


class Life:
    """Plays the steps in order and stops at the first that does not end as it must."""

    def __init__(self, engine: Engine, aws: Aws, scenario: str) -> None:
        self.engine, self.aws, self.scenario = engine, aws, scenario
        self.made: list[dict[str, Any]] = []
        self.judged = ("--policy-pack", str(engine.project.program / "policy"))

    def steps(self, inspect: Callable[[], list[str]]) -> Iterator[Step]:
        """Each step when it is done. `inspect` looks at the emulated cloud and says what it found."""
        up = self.must(self.engine.run("up", *AT_ONCE, *self.judged))
        self.made = list(self.engine.resources())
        yield Step("create", up, f"{up.counts['create']} resources; {'; '.join(inspect())}")
        yield self.nothing_to_do("up again", self.must(self.engine.run("up", *AT_ONCE)))
        yield self.change()
        yield self.refresh()
        yield self.destroy_is_refused()
        yield self.destroy()

    def must(self, outcome: Outcome) -> Outcome:
        if not outcome.ok:
            raise RehearsalError(f"{outcome.command} failed:\n{outcome.output[-6000:]}")
        return outcome

    def nothing_to_do(self, title: str, outcome: Outcome) -> Step:
        if outcome.counts:
            done = "\n".join(f"{op.kind} {op.type} {op.name}: {', '.join(op.changed)}" for op in outcome.operations)
            raise RehearsalError(f"{outcome.command} found something to do in what it had just done:\n{done}")
        return Step(title, outcome, "no changes")

    def change(self) -> Step:
        """A change of the master count and of an etcd setting leaves every machine that is there as it is."""
        before = self.machines()
        masters = {"masters": MORE_MASTERS[self.scenario]} if self.scenario in MORE_MASTERS else {}
        self.engine.project.configure({**masters, "etcd": SLOWER_ETCD})
        outcome = self.must(self.engine.run("up", *AT_ONCE, *self.judged))
        replaced = [op for op in outcome.operations if "replace" in op.kind or op.kind == "delete"]
        lost = [op for op in replaced if op.type.endswith(KEPT_MACHINES)]
        if lost:
            raise RehearsalError(f"a change of settings would replace {', '.join(op.name for op in lost)}")
        gone = before - self.machines()
        if gone:
            raise RehearsalError(f"a change of settings ended machines by itself: {', '.join(sorted(gone))}")
        wanted = " and ".join([*(f"{name}: {value}" for name, value in masters.items()), f"etcd: {SLOWER_ETCD}"])
        return Step(
            "change",
            outcome,
            f"{wanted}: {words(outcome)}; no group or volume replaced, all {len(before)} machines still run (they roll "
            "by themselves, one at a time)",
        )

    def refresh(self) -> Step:
        """A refresh finds what somebody took away."""
        taken = next(name for name in self.alarms() if name)
        self.aws("cloudwatch", "delete_alarms", AlarmNames=[taken])
        outcome = self.must(self.engine.run("refresh", *AT_ONCE))
        if outcome.counts["delete"] != 1:
            raise RehearsalError(f"refresh did not miss {taken}, which was taken away: {words(outcome)}")
        return Step("refresh", outcome, f"{taken} was taken away behind the engine's back, and missed")

    def destroy_is_refused(self) -> Step:
        """What is protected makes a destroy refuse in its preview, before it removes anything."""
        before = len(self.engine.resources())
        outcome = self.engine.run("destroy")
        after = len(self.engine.resources())
        if outcome.ok or "protected" not in outcome.output or after != before:
            raise RehearsalError(f"destroy did not refuse first: {before} resources before, {after} after")
        return Step("destroy, protected", outcome, "refused before anything was removed, and names what is protected")

    def destroy(self) -> Step:
        """Unprotected on purpose, everything goes but what outlives the stack."""
        self.engine.read("state", "unprotect", "--all", "--yes")
        for balancer in self.aws("elbv2", "describe_load_balancers")["LoadBalancers"]:
            off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
            self.aws(
                "elbv2",
                "modify_load_balancer_attributes",
                LoadBalancerArn=balancer["LoadBalancerArn"],
                Attributes=off,
            )
        outcome = self.must(self.engine.run("destroy", *AT_ONCE))
        left = self.engine.resources()
        if left:
            raise RehearsalError(f"destroy left {len(left)} resources in the state")
        kept = self.aws("s3", "list_buckets")["Buckets"]
        says = f"{words(outcome)}; {len(kept)} bucket kept" if kept else words(outcome)
        return Step("destroy", outcome, says)

    def machines(self) -> set[str]:
        groups = self.aws("autoscaling", "describe_auto_scaling_groups")["AutoScalingGroups"]
        return {instance["InstanceId"] for group in groups for instance in group["Instances"]}

    def alarms(self) -> list[str]:
        return [alarm["AlarmName"] for alarm in self.aws("cloudwatch", "describe_alarms")["MetricAlarms"]]


def words(outcome: Outcome) -> str:
    """`12 update, 1 create`, or that nothing was done."""
    return ", ".join(f"{count} {kind}" for kind, count in outcome.counts.most_common()) or "no changes"
