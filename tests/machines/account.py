"""How the machines of the local cloud are, for whoever reads why a test failed: `python -m tests.machines.account`.

A process of its own, so that whoever asks can end it: what it looks at may hang.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from providers.local.client import Client
from providers.local.view import MachineView
from tests.machines.clone import REPOSITORY
from toolchain.cache import binary

SECONDS: Final = 60
LINES: Final = 120
"""Of the whole account, about: machines share what a CI's page shows."""
LAST: Final = 15
"""Of an agent's journal."""
EVENT: Final = re.compile(r"kube-ha [\w-]+: .*")
"""What an agent said (components/node/agent/log.py): on the console itself, and again as its journal has it."""
WELL: Final = {"Ready": "True"}
"""Conditions of a Node, and of a pod, that are True where all is well; all others of a Node are False."""


def collected(clone: Path) -> str:
    """The account, or why there is none; `clone` is where the kubeconfigs are."""
    command = [sys.executable, "-m", __name__, str(clone)]
    try:
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout
        return f"{said or ''}not more within {SECONDS} s"
    return done.stdout


def account(clone: Path) -> Iterator[str]:
    """Of every stack that has machines: what the cloud, their agents and their API server say."""
    client = Client()
    views = client.machines() if client.has_anything else []
    if not views:
        yield "there are no machines"
    for network in sorted({view.network for view in views}):
        of_it = [view for view in views if view.network == network]
        for view in of_it:
            yield line(view)
            printed = Path(client.console(network, view.machine, 0)["file"]).read_text(errors="replace")
            yield from (f"    {event}" for event in events(printed)[-max(3, min(LAST, LINES // len(of_it))) :])
        kubeconfig = clone / ".state" / f"kubeconfig-{network}"
        yield from (unwell(asked(kubeconfig)) if kubeconfig.exists() else [f"{kubeconfig}: not written yet"])


def line(view: MachineView) -> str:
    """A machine in the cloud's words."""
    state = "ready" if view.ready else "not ready"
    cut = f", cut ({', '.join(view.cuts)})" if view.cuts else ""
    return f"{view.machine}: {state}{cut}, incarnation {view.incarnation}, {view.phase}: {view.message}"


def events(printed: str) -> list[str]:
    """What an agent said, each once, where it said it last."""
    last: dict[str, str] = {}
    for found in printed.splitlines():
        if said := EVENT.search(found):
            last.pop(said[0].strip(), None)
            last[said[0].strip()] = found.strip()[:300]
    return list(last.values())


def asked(kubeconfig: Path) -> list[dict[str, Any]]:
    """Nodes and pods; nothing, after kubectl's own words, where no API server answers."""
    command = [str(binary("kubectl")), "--kubeconfig", str(kubeconfig), "--request-timeout=10s", "get", "nodes,pods"]
    command += ["--all-namespaces", "--output=json"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    items: list[dict[str, Any]] = [] if done.returncode else json.loads(done.stdout)["items"]
    return items


def unwell(items: list[dict[str, Any]]) -> Iterator[str]:
    """Conditions of Nodes that are not as where all is well, and pods that are not ready."""
    for item in items:
        for condition in item["status"].get("conditions", ()):
            usual = WELL.get(condition["type"], "False" if item["kind"] == "Node" else condition["status"])
            if condition["status"] != usual:
                yield f"{item['kind']} {item['metadata']['name']}: {described(condition)}"


def described(condition: Mapping[str, Any]) -> str:
    """A condition in a line."""
    why = (condition[key] for key in ("reason", "message") if condition.get(key))
    return ": ".join((f"{condition['type']} is {condition['status']}", *why))[:300]


if __name__ == "__main__":
    for said in account(Path(sys.argv[1])):
        print(said, flush=True)
