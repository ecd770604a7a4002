"""`python -m drills`: kill it, cut it, load it, and measure what clients felt."""

import random
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

from cyclopts import App, Parameter
from rich.console import Console

from drills import fault as faults
from drills import load, record, report, store
from drills.api import ApiError
from drills.cluster import Cluster, UnhealthyError, scenario
from drills.drain import DrainError, uncordon
from drills.drill import Drill, Drilled
from drills.fault import Fault, FaultError
from drills.guard import guarded
from drills.injector import InjectionError
from drills.judge import Verdict
from drills.kubeconfig import KubeconfigError
from drills.load import LoadError
from drills.local import LocalInjector
from drills.plot import draw
from drills.summary import Summary, summarize
from drills.table import table
from drills.thresholds import Floor, floor

app = App(name="drills", help="Kill it, cut it, load it, and measure what clients felt.")
console = Console(highlight=False)

REFUSED = 2
"""Exit code when nothing was drilled, or nothing can be said."""


@app.command(name="list")
def list_faults() -> None:
    """Print the faults that can be drilled."""
    for fault in faults.load().values():
        console.print(f"[bold]{fault.name:26}[/] {fault.title}", soft_wrap=True)


@app.command
def run(
    *,
    kubeconfig: Path,
    stack: str = "local",
    fault: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    repeat: int = 1,
    load_file: Annotated[Path | None, Parameter(name="--load")] = None,
    output: Path | None = None,
) -> None:
    """Drill a cluster of the local cloud and judge it. Exit code 0: every floor held; 1: not; 2: nothing can be said.

    Parameters
    ----------
    kubeconfig
        Credentials that may write ConfigMaps and read nodes and pods.
    stack
        The stack whose machines are hit.
    fault
        Name of a fault, again for each; all when there is none.
    repeat
        How often each fault is drilled.
    load_file
        A load declaration that runs beside the probe.
    output
        Folder for records and the report; .state/drills/<time> when not given.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    where = output or Path(".state/drills") / datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    try:
        wanted = faults.chosen(fault, faults.load())
        declaration = load.load(load_file) if load_file else None
        injector = LocalInjector(stack)
        cluster = Cluster(kubeconfig, injector)
        # What an earlier drill may have left behind would be measured as ours.
        injector.heal()
        uncordon(cluster.api)
        drill = Drill(cluster, injector, kubeconfig, declaration, random.Random(), _tell)  # noqa: S311
        with guarded(stack, kubeconfig):
            _drill_all(drill, wanted, repeat, where)
    except (FaultError, LoadError, KubeconfigError, InjectionError, UnhealthyError, ApiError, DrainError) as error:
        console.print(f"[red]{error}", soft_wrap=True)
        if not store.load(where):
            sys.exit(REFUSED)
    _conclude(where, stack, scenario(cluster.machines))


@app.command(name="report")
def report_again(folder: Path, *, stack: str = "local", scenario_name: str = "production") -> None:
    """Judge what is in an output folder again, and write its report anew."""
    _conclude(folder, stack, scenario_name)


@app.command
def kube_burner(load_file: Path, folder: Path, *, seconds: float = 120) -> None:
    """Write a load declaration as the configuration of kube-burner: `kube-burner init -c <folder>/<name>.yml`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in load.kube_burner(load.load(load_file), seconds).items():
        (folder / name).write_text(content, encoding="utf-8")
        console.print(folder / name)


def _drill_all(drill: Drill, wanted: Sequence[Fault], repeat: int, where: Path) -> None:
    for fault in wanted:
        if why := faults.lacking(fault, drill.cluster.view()):
            console.print(f"[dim]{fault.name}: left out, it {why}")
            continue
        for number in range(1, repeat + 1):
            console.print(f"[bold]{fault.name}[/] {number}/{repeat}: {fault.title}")
            drilled = drill.run(fault, store.folder(where, fault.name, number))
            store.save(drilled)


def _conclude(where: Path, stack: str, scenario_name: str) -> NoReturn:
    declared, found, limit = faults.load(), store.load(where), floor(scenario_name)
    summaries = [summarize(declared[name], [one.run for one in runs], limit) for name, runs in found.items()]
    page = where / "report.html"
    page.write_text(_page(found, summaries, stack, scenario_name, limit), encoding="utf-8")
    console.print(table(summaries))
    for summary in summaries:
        for finding in summary.findings:
            console.print(f"{summary.fault.name}: {finding.verdict}: {finding.text}", soft_wrap=True)
    console.print(f"report: {page}", soft_wrap=True)
    verdicts = {summary.verdict for summary in summaries}
    sys.exit(1 if Verdict.FAILED in verdicts else REFUSED if Verdict.VOID in verdicts or not verdicts else 0)


def _page(
    found: Mapping[str, Sequence[Drilled]],
    summaries: Sequence[Summary],
    stack: str,
    scenario_name: str,
    limit: Floor | None,
) -> str:
    drilled = [one for runs in found.values() for one in runs]
    cpu = max((one.trace.probe_cpu for one in drilled), default=0.0)
    about = [
        f"stack {stack}, scenario {scenario_name}",
        datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        f"{len(drilled)} runs",
        f"the probe took at most {cpu:.0%} of a core",
        f"floors: failover {limit.failover_seconds:g} s, p99 {limit.p99_seconds * 1000:g} ms, no lost write"
        if limit
        else "floor: no lost write",
    ]
    shown = [
        report.Shown(summary, [_figure(number, one) for number, one in enumerate(found[summary.fault.name], 1)])
        for summary in summaries
    ]
    return report.render(stack, about, shown)


def _figure(number: int, drilled: Drilled) -> tuple[str, str]:
    trace = drilled.trace
    svg = draw(list(record.read(drilled.records)), trace.marks, trace.leaders, trace.start, trace.end)
    return f"run {number}: {', '.join(mark.label for mark in trace.marks)}", svg


def _tell(what: str) -> None:
    console.print(f"  [dim]{datetime.now(UTC):%H:%M:%S}[/] {what}", soft_wrap=True)


if __name__ == "__main__":
    app()
