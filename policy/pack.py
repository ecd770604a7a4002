"""From the rules to the policies of Pulumi's SDK."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import Severity as PulumiSeverity
from pulumi_policy.proxy import UnknownValueError

from policy.ancestry import Ancestry
from policy.judgement import judge
from policy.properties import UNKNOWN, Properties
from policy.resource import Resource, Stack, matches
from policy.rule import ResourceRule, Rule, StackRule

ADVICE: Final = "advice"
STACK_ADVICE: Final = "stack-advice"
ADVICE_TEXT: Final = "Not refused: what this scenario leaves to you, and what is not known yet."


class Pack:
    """The policies of one run of the engine, and what they must remember between resources."""

    def __init__(self, rules: Sequence[Rule], *, strict: bool) -> None:
        """`strict`: a mandatory rule that cannot decide fails."""
        self.rules = rules
        self.strict = strict
        self.ancestry = Ancestry()
        self.advice: defaultdict[str, list[str]] = defaultdict(list)
        """URN → lines that wait for the advice policies, which the SDK runs after all others."""

    @property
    def policies(self) -> list[Policy]:
        """One policy for each rule, and two that pass on advice.

        A policy has one level, a rule has one for each scenario.
        """
        return [
            *(self.policy(rule) for rule in self.rules),
            ResourceValidationPolicy(ADVICE, ADVICE_TEXT, self.advise_resource, EnforcementLevel.ADVISORY),
            StackValidationPolicy(STACK_ADVICE, ADVICE_TEXT, self.advise_stack, EnforcementLevel.ADVISORY),
        ]

    def policy(self, rule: Rule) -> Policy:
        """The SDK's form of a rule."""
        facts: dict[str, Any] = {
            "name": rule.name,
            "description": rule.why,
            "enforcement_level": EnforcementLevel.MANDATORY,
            "severity": PulumiSeverity(rule.severity),
            "config_schema": PolicyConfigSchema({k: dict(v) for k, v in rule.schema.items()}) if rule.schema else None,
            "remediation_steps": rule.satisfy,
            "framework": framework(rule),
        }
        if isinstance(rule, ResourceRule):
            return ResourceValidationPolicy(
                validate=lambda args, report: self.check_resource(rule, args, report), **facts
            )
        assert isinstance(rule, StackRule)  # noqa: S101 - for the type checker
        return StackValidationPolicy(validate=lambda args, report: self.check_stack(rule, args, report), **facts)

    def check_resource(self, rule: ResourceRule, args: ResourceValidationArgs, report: ReportViolation) -> None:
        # Every policy is shown every resource; reading one takes longer than most rules.
        if not self.ancestry.has_seen(args.urn):
            self.ancestry.see(of_resource(args))
        if matches(args.resource_type, rule.types):
            resource = replace(of_resource(args), component=self.ancestry.component(args.urn))
            self.tell(rule, resource, rule.check(resource, rule.configured(args.get_config())), report)

    def check_stack(self, rule: StackRule, args: StackValidationArgs, report: ReportViolation) -> None:
        stack = Stack([replace(of_stack(seen), component=self.ancestry.component(seen.urn)) for seen in args.resources])
        for subject in stack.of(*rule.types):
            self.tell(rule, subject, rule.check(subject, stack, rule.configured(args.get_config())), report)

    def tell(self, rule: Rule, resource: Resource, findings: Iterator[str], report: ReportViolation) -> None:
        judgement = judge(rule, findings, self.ancestry.scenario(resource.urn), strict=self.strict)
        for violation in judgement.violations:
            report(violation, resource.urn)
        if judgement.advice:
            self.advice[resource.urn] += [f"{rule.name}: {line}" for line in judgement.advice]

    def advise_resource(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        for line in self.advice.pop(args.urn, []):
            report(line, args.urn)

    def advise_stack(self, args: StackValidationArgs, report: ReportViolation) -> None:
        for urn in list(self.advice):
            for line in self.advice.pop(urn, []):
                report(line, urn)


def strict_here(environ: Mapping[str, str] = os.environ) -> bool:
    """In CI nobody reads advice, so what cannot be decided fails there."""
    return environ.get("CI", "").lower() == "true"


def framework(rule: Rule) -> PolicyComplianceFramework | None:
    """Where else the rule has a name; the SDK has room for one framework, so it gets them joined."""
    if not rule.identifiers:
        return None
    return PolicyComplianceFramework(
        name=", ".join(dict.fromkeys(str(identifier.framework) for identifier in rule.identifiers)),
        reference=", ".join(f"{identifier.framework} {identifier.reference}" for identifier in rule.identifiers),
    )


def of_resource(args: ResourceValidationArgs) -> Resource:
    """A resource before it is created: its inputs."""
    return Resource(
        type=args.resource_type,
        name=args.name,
        urn=args.urn,
        properties=Properties(known(args.props)),
        protect=args.opts.protect,
        parent=args.opts.parent or "",
    )


def of_stack(resource: PolicyResource) -> Resource:
    """A resource when the program has run: its outputs."""
    return Resource(
        type=resource.resource_type,
        name=resource.name,
        urn=resource.urn,
        properties=Properties(known(resource.props)),
        protect=resource.opts.protect,
        parent=resource.parent.urn if resource.parent else "",
        dependencies={
            name: [source.urn for source in sources] for name, sources in resource.property_dependencies.items()
        },
    )


def known(value: Any) -> Any:
    """The SDK's view of properties raises where one is not known; ours says so in its place."""
    if isinstance(value, Mapping):
        return {key: at(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [at(value, index) for index in range(len(value))]
    return value


def at(container: Any, key: Any) -> Any:
    try:
        return known(container[key])
    except UnknownValueError:
        return UNKNOWN
