"""The page that a rehearsal leaves: what was done, in what time, the stack as a picture, what was not proven."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from rehearsal.life import Step
from rehearsal.scene import Ways

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem; vertical-align: top;
border-bottom: 1px solid #d8dee4 } .box { border: 1px solid #8c959f; border-radius: .4rem; padding: .3rem .6rem;
margin: .3rem; display: inline-block; vertical-align: top; background: rgb(9 105 218 / 4%) }
.box > b { display: block } .leaf { font-size: .8rem; color: #57606a; display: block }
"""

Resource = Mapping[str, Any]


def page(
    stack: str,
    steps: Sequence[Step],
    resources: Sequence[Resource],
    *,
    checked: Ways,
    not_enforced: Sequence[str],
    error: str = "",
) -> str:
    """The page as HTML, complete in itself."""
    total = sum(step.outcome.seconds for step in steps)
    failed = f"<h2>It stopped</h2><pre>{escape(error)}</pre>" if error else ""
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Rehearsal of {escape(stack)}</title><style>{STYLE}</style>
<h1>Rehearsal of {escape(stack)}</h1>
<p>The real engine and program on a pretended cloud: {len(resources)} resources, {total:.0f} s.</p>
{failed}
<h2>What was done</h2>{table(steps)}
<h2>The stack</h2>{picture(resources)}
<h2>How each type was checked</h2>{ways(checked)}
<h2>What this does not prove</h2><ul>{"".join(f"<li>{escape(line)}</li>" for line in not_enforced)}</ul>
</html>
"""


def table(steps: Sequence[Step]) -> str:
    """A line per step."""
    rows = "".join(
        f"<tr><td>{escape(step.title)}<td><code>{escape(step.outcome.command)}</code><td>{step.outcome.seconds:.1f} s"
        f"<td>{escape(step.says)}"
        for step in steps
    )
    return f"<table><tr><th>step<th>command<th>time<th>seen{rows}</table>"


def picture(resources: Sequence[Resource]) -> str:
    """Components as boxes within boxes, with what they are made of counted by type."""
    children: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        children[resource.get("parent", "")].append(resource)
    return "".join(box(root, children) for root in children[""] if not root.get("custom"))


def box(component: Resource, children: Mapping[str, Sequence[Resource]]) -> str:
    """A component and everything below it."""
    within = list(below(component, children))
    counted = Counter(kind_of(found) for found in within if found.get("custom"))
    leaves = "".join(f'<span class="leaf">{count} {escape(kind)}</span>' for kind, count in sorted(counted.items()))
    inner = "".join(box(found, children) for found in within if not found.get("custom"))
    return f'<div class="box"><b>{escape(kind_of(component))} {escape(name_of(component))}</b>{leaves}{inner}</div>'


def below(resource: Resource, children: Mapping[str, Sequence[Resource]]) -> list[Resource]:
    """A component's own parts: its children, and the parts of those that are no components."""
    found = []
    for child in children.get(resource["urn"], ()):
        found.append(child)
        if child.get("custom"):
            found.extend(below(child, children))
    return found


def ways(checked: Ways) -> str:
    """Types by how they were checked."""
    lists = []
    for way, types in checked.items():
        items = ", ".join(f"{escape(kind.split(':', 1)[1])} ({count})" for kind, count in types)
        lists.append(f"<p><b>{escape(way)}</b>: {items or 'none'}</p>")
    return "".join(lists)


def kind_of(resource: Resource) -> str:
    return str(resource["type"].split(":")[-1])


def name_of(resource: Resource) -> str:
    return str(resource["urn"].rsplit("::", 1)[1])
