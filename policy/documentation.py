"""docs/policies.md, made from the rules: `python -m policy.documentation > docs/policies.md`. Pure."""

from collections.abc import Iterator
from itertools import groupby
from types import ModuleType

from components.scenarios import Scenario
from policy.catalogue import GROUPS, rules_of
from policy.declared import UNDECLARED
from policy.rule import Rule, StackRule

HEAD = f"""\
<!-- Made by `python -m policy.documentation`; change the rules, not this page. -->

# Policies

    pulumi up --policy-pack policy

refuses a stack that would lose its availability, its data or its privacy. The pack judges the control planes of this
repository and what somebody wrote beside them or instead of them: plain resources of pulumi-aws, pulumi-azure-native
and pulumi-gcp, EKS, AKS and GKE, and workloads of pulumi-kubernetes.

- **Level.** A mandatory violation stops the stack; an advisory one is told under `advice`. The level follows the
  scenario that a control plane declares; what no control plane of this repository made is held to
  `{UNDECLARED}`.
- **Undecided.** In a preview some values are not known. A rule that needs one says so by its name under `advice`; with
  `CI=true`, where nobody reads advice, a mandatory rule that cannot decide fails. Rules on topology read what a control
  plane declares (components/declaration.py), which is always known; a policy document that is not known yet is judged
  by the `policy` that its component declares, and by itself when it is made.
- **When.** A resource rule judges each resource before it is made; a stack rule looks at the whole program.
- **Configuration.** `--policy-pack-config file.json` with `{{"<rule>": {{"enforcementLevel": "disabled"}}}}` or a
  rule's settings: `{{"<rule>": {{"<setting>": 1}}}}`. What a rule does not accept is refused.
- **Drift.** `make drift STACK=…` reads what is really there, says what was changed behind the program's back, and
  judges that by the same rules.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *summary(), *(line for title, module in GROUPS.items() for line in group(title, module))])


def summary() -> Iterator[str]:
    """One line for each rule."""
    yield "| rule | severity | development | production | critical |"
    yield "|---|---|---|---|---|"
    for module in GROUPS.values():
        for rule in rules_of(module):
            levels = " | ".join(rule.levels[scenario] for scenario in Scenario)
            yield f"| [{rule.name}](#{rule.name}) | {rule.severity} | {levels} |"
    yield ""


def group(title: str, module: ModuleType) -> Iterator[str]:
    """A chapter."""
    yield f"## {title}"
    yield ""
    for rule in rules_of(module):
        yield from entry(rule)


def entry(rule: Rule) -> Iterator[str]:
    """A rule."""
    yield f"### {rule.name}"
    yield ""
    yield f"{rule.why}"
    yield ""
    yield f"- To satisfy it: {rule.satisfy}"
    yield f"- Judges: {', '.join(f'`{kind}`' for kind in rule.types)}" + (
        " by what is around it" if isinstance(rule, StackRule) else ""
    )
    for name, schema in rule.schema.items():
        yield f"- Setting `{name}` ({schema['type']}, default {schema['default']}): {schema['description']}"
    if rule.identifiers:
        yield f"- The same elsewhere: {'; '.join(identifiers(rule))}"
    yield ""


def identifiers(rule: Rule) -> Iterator[str]:
    """The rule's names in other frameworks, one text for each framework."""
    for framework, found in groupby(rule.identifiers, key=lambda identifier: identifier.framework):
        yield f"{framework} {', '.join(identifier.reference for identifier in found)}"


if __name__ == "__main__":
    print(page(), end="")
