"""`python -m drills`: kill it, cut it, load it, and measure what clients felt."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.markup import escape

from drills import comparison, control, load, markdown, pages, store
from drills import fault as faults
from drills.alteration import USUAL
from drills.api import ApiError
from drills.campaign import Campaign, campaign
from drills.child import ChildError
from drills.cluster import UnhealthyError, scenario
from drills.drain import DrainError
from drills.fault import FaultError
from drills.injector import InjectionError
from drills.inventory import InventoryError
from drills.judge import Verdict
from drills.kubeconfig import KubeconfigError
from drills.load import LoadError
from drills.place import Place, place
from drills.store import StoreError
from drills.summary import summarize
from drills.table import table
from drills.thresholds import ScenarioError, floor

app = App(name="python -m drills", help="Kill it, cut it, load it, and measure what clients felt.")
WIDTH: Final = 200
"""Columns of the table where output goes to a file, which has no width of its own."""
console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)

REASONS: Final = (
    FaultError, LoadError, KubeconfigError, InventoryError, InjectionError, UnhealthyError, ApiError, DrainError,
    ChildError, ScenarioError,
)  # fmt: skip
"""Why nothing more can be drilled."""
REFUSED: Final = 2
"""Exit code when nothing was drilled, or nothing can be said."""
COMPARED: Final = (
    "master-kill", "leader-kill", "balancer-kill", "master-cut", "leader-cut", "balancer-silent", "zone-cut",
)  # fmt: skip
"""Faults that are compared where none is named: each kind of machine, killed and cut, and a zone."""

Faults = Annotated[tuple[str, ...], Parameter(negative=())]
Often = Annotated[int, Parameter(validator=Number(gte=1))]


@app.command(name="list")
def list_faults() -> None:
    """Print the faults that can be drilled, and the negative controls."""
    for fault in faults.load().values():
        console.print(f"[bold]{fault.name:26}[/] {fault.title}", soft_wrap=True)
    for one in control.load().values():
        console.print(f"[bold]{one.name:26}[/] [dim]control:[/] {one.title}", soft_wrap=True)


@app.command
def run(
    *,
    kubeconfig: Path,
    stack: str = "local",
    fault: Faults = (),
    repeat: Often = 1,
    load_file: Annotated[Path | None, Parameter(name="--load")] = None,
    times: Often = 1,
    output: Path | None = None,
    inventory: Path | None = None,
    harm: str | None = None,
) -> None:
    """Drill a cluster and judge it. Exit code 0: every floor held; 1: not; 2: nothing can be said, or not of all.

    Parameters
    ----------
    kubeconfig
        Credentials that may write ConfigMaps and read nodes and pods.
    stack
        The stack whose machines are hit.
    fault
        Name of a fault, again for each; all when there is none.
    repeat
        How many runs each fault should have, those included that `output` has of this stack and program already.
    load_file
        A load declaration that runs beside the probe.
    times
        How many times as fast as the load is declared.
    output
        Folder for records and the report; a campaign that was ended goes on where it stopped when it is given the same
        again. .state/drills/TIME when not given.
    inventory
        A cluster of a cloud instead of a stack of the local one: a file that says cloud, region and cluster.
    harm
        Name of the inventory's cluster: without it nothing there is touched.
    """
    where, stopped, short = output or _fresh(), True, list[str]()
    with _explained(where):
        wanted = faults.chosen(fault, faults.load())
        declaration = load.times(load.load(load_file), times) if load_file else None
        with campaign(kubeconfig, place(stack, inventory, harm), declaration, _tell) as work:
            if fault:
                work.insist(wanted)
            short = work.repeat(wanted, repeat, where)
        stopped = False
    found = _conclude(where)
    if short:
        console.print(f"[red]given up with fewer than {repeat} runs that say something: {', '.join(short)}")
    sys.exit(found or (REFUSED if stopped or short else 0))


@app.command
def controls(
    *, kubeconfig: Path, stack: str = "local", name: Annotated[str | None, Parameter(name="--control")] = None,
    output: Path | None = None,
) -> None:  # fmt: skip
    """Make the cluster bad on purpose, in one way after another: each must be found out. Exit code 1: one was not.

    Parameters
    ----------
    kubeconfig
        As for `run`.
    stack
        The stack whose machines are made bad, and ours again afterwards.
    name
        The control; all when there is none.
    output
        Folder for records; .state/drills/TIME when not given.
    """
    where, overlooked, stopped = output or _fresh(), [], True
    with _explained(where):
        declared = control.load()
        if name and name not in declared:
            raise FaultError(f"control: {name!r} is unknown; one of {', '.join(declared)}.")
        with campaign(kubeconfig, Place(stack), None, _tell) as work:
            limit = floor(scenario(work.cluster.machines))
            for one in [declared[name]] if name else declared.values():
                for fault in work.possible([one.fault]):
                    console.print(f"[bold]{one.name}[/]: {one.title}")
                    drilled = work.run(fault, store.folder(where, one.name), alteration=one.alteration)
                    work.alterer.undo()
                    summary = summarize(fault, [drilled.run], limit)
                    why = control.missed(one, drilled.run, summary.verdict)
                    overlooked += [why] if why else []
                    found = control.measure(drilled.run, one.found.what)
                    said = why or f"{one.name}: found out, {summary.verdict}; {one.found.what} {found:.1f}"
                    console.print(f"[{'red' if why else 'green'}]{escape(said)}", soft_wrap=True)
        stopped = False
    sys.exit(1 if overlooked else REFUSED if stopped else 0)


@app.command
def reference(
    *, kubeconfig: Path, stack: str = "local", fault: Faults = (), repeat: Often = 3, output: Path | None = None
) -> None:
    """Drill ours and, in turn, the same machines with what kubeadm's documents have; print both and the ratios.

    Parameters
    ----------
    kubeconfig
        As for `run`.
    stack
        The stack whose machines are altered, and ours again afterwards.
    fault
        Name of a fault, again for each; one of each kind when there is none.
    repeat
        How often each fault is drilled on each.
    output
        Folder for records; .state/drills/TIME when not given.
    """
    where = output or _fresh()
    wanted, stopped = [], True
    with _explained(where):
        wanted = faults.chosen(fault or COMPARED, faults.load())
        with campaign(kubeconfig, Place(stack), None, _tell) as work:
            for number in range(1, repeat + 1):
                # The other one first in every second round: what one leaves behind must not always hit the same.
                for kind in ("ours", "usual") if number % 2 else ("usual", "ours"):
                    _round(work, kind, wanted, number, where)
        stopped = False
    found = [store.load(where / kind) for kind in ("ours", "usual")]
    console.print(comparison.table(list(comparison.compare(wanted, *found))))
    sys.exit(REFUSED if stopped else 0)


@app.command(name="report")
def report_again(folder: Path) -> None:
    """Judge what is in an output folder again, and write its report anew, as a page and as Markdown.

    Exit codes are those of `run`.

    Parameters
    ----------
    folder
        What was given to `run` as `output`.
    """
    with _explained(folder):
        if not store.load(folder):
            raise StoreError(f"{folder}: no finished drill is there; an output folder of `run` is needed")
        sys.exit(_conclude(folder))


@app.command
def kube_burner(load_file: Path, folder: Path, *, seconds: float = 120) -> None:
    """Write a load declaration as the configuration of kube-burner: in the folder, `kube-burner init -c NAME.yml`.

    Parameters
    ----------
    load_file
        The declaration, e.g. drills/loads/configmaps.yaml.
    folder
        Where the configuration goes, with a template of each kind of object beside it; made if it is not there.
    seconds
        How long kube-burner deletes objects and makes them anew.
    """
    with _explained(folder):
        files = load.kube_burner(load.load(load_file), seconds)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")
            console.print(folder / name)


def _round(work: Campaign, kind: str, wanted: list[faults.Fault], number: int, where: Path) -> None:
    for one in work.possible(wanted):
        console.print(f"[bold]{one.name}[/] {number}, {kind}: {one.title}")
        alteration = USUAL if kind == "usual" else None
        work.run(one, store.folder(where / kind, one.name), alteration=alteration)
    work.alterer.undo()


def _fresh() -> Path:
    return Path(".state/drills") / datetime.now(UTC).strftime("%Y%m%d-%H%M%S")


@contextmanager
def _explained(where: Path) -> Iterator[None]:
    """Say why nothing more was drilled, instead of a traceback; go on where there is something to judge."""
    try:
        yield
        return
    except KeyboardInterrupt:
        console.print("[red]ended by Ctrl-C; everything is undone, and what was finished is kept.")
    except StoreError as error:
        console.print(f"[red]{escape(str(error))}", soft_wrap=True)
        sys.exit(REFUSED)
    except REASONS as error:
        console.print(f"[red]{escape(str(error))}", soft_wrap=True)
    if not any(where.rglob(store.RUN)):
        sys.exit(REFUSED)


def _conclude(where: Path) -> int:
    """Print and write what came of the runs that are comparable; the exit code."""
    declared, found = faults.load(), store.comparable(store.load(where))
    if not found:
        console.print("[red]nothing was drilled.")
        return REFUSED
    newest = max((runs[-1] for runs in found.values()), key=lambda one: one.at)
    limit = floor(newest.scenario)
    summaries = [summarize(declared[name], [one.run for one in runs], limit) for name, runs in found.items()]
    page = where / "report.html"
    page.write_text(pages.page(found, summaries, newest.conditions.stack, newest.scenario, limit), encoding="utf-8")
    (where / "report.md").write_text(markdown.page(summaries), encoding="utf-8")
    console.print(table(summaries, console.width))
    for summary in summaries:
        for finding in summary.findings:
            console.print(f"{summary.fault.name}: {finding.verdict}: {finding.text}", soft_wrap=True, markup=False)
    console.print(f"report: {page}, and as Markdown report.md beside it", soft_wrap=True)
    verdicts = {summary.verdict for summary in summaries}
    return 1 if Verdict.FAILED in verdicts else REFUSED if Verdict.VOID in verdicts or not verdicts else 0


def _tell(what: str) -> None:
    console.print(f"  [dim]{datetime.now(UTC):%H:%M:%S}[/] {escape(what)}", soft_wrap=True)


if __name__ == "__main__":
    app()
