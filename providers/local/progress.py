"""Waiting for machines, and telling the user how far they are. Pure."""

from collections.abc import Mapping, Sequence

from providers.local.view import MachineView

CONSOLE_LINES = 20
"""Of each machine that did not become ready, in the error."""


def lacking(view: MachineView, templates: Mapping[str, str]) -> str | None:
    """What keeps a machine from being ready with its template, or None when it is."""
    wanted = templates.get(view.group)
    if wanted and view.template != wanted:
        return f"has an older template; {say(view)}"
    return None if view.ready else say(view)


def say(view: MachineView) -> str:
    """What a machine does now."""
    return f"{view.phase}: {view.message}" if view.message else view.phase


def summary(verb: str, total: int, missing: Mapping[str, str]) -> str:
    """One line for the status column: `2 of 5 ready; master-2: etcd: waiting for a quorum`."""
    head = f"{total - len(missing)} of {total} {verb}"
    return "; ".join([head, *(f"{machine}: {reason}" for machine, reason in missing.items())])


def failure(verb: str, seconds: float, missing: Mapping[str, str], consoles: Mapping[str, Sequence[str]]) -> str:
    """The error: each machine's last word and the end of its console."""
    parts = [f"{len(missing)} machines are not {verb} after {seconds:.0f} s"]
    for machine, reason in missing.items():
        parts.append(f"{machine}: {reason}")
        parts += [f"    {line}" for line in consoles.get(machine, [])] or ["    (its console is empty)"]
    return "\n".join(parts)
