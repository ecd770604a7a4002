"""From what clients felt to a verdict."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from drills.fault import Fault, Heal, Inject, Roll
from drills.journal import Durability
from drills.latency import PROMISED_SECONDS, WINDOW_SECONDS, Latency
from drills.record import Operation
from drills.server_latency import BUCKET_SECONDS, Served, merged
from drills.thresholds import MAX_LATE_SECONDS, MIN_ACHIEVED, MIN_BASELINE_SECONDS, MIN_COUNTED, TARGETS, Floor, Target
from drills.verdict import Felt, Mark, MarkKind, Window, rates


class Verdict(StrEnum):
    """How a fault ended, from good to bad."""

    PASSED = "passed"
    MISSED = "missed a target"
    """Every floor held."""
    VOID = "void"
    """Nothing can be said: the load before the fault was not there."""
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One thing that keeps a fault from having passed."""

    verdict: Verdict
    text: str


@dataclass(frozen=True)
class Run:
    """One repeat of a fault: what was measured, and what was found afterwards."""

    targets: tuple[str, ...]
    """What was hit, in order of the marks."""
    marks: tuple[Mark, ...]
    baseline_seconds: float
    felt: tuple[Felt, ...]
    latency: Mapping[str, Latency]
    """By operation, through the endpoint."""
    durability: Durability
    broken_registers: tuple[str, ...]
    """Registers whose history is not linearizable."""
    redundancy_seconds: float | None
    """From the last mark until nothing was missing any more; None: not within the time that was given."""
    missing: tuple[str, ...]
    """What was missing at the end."""
    load_share: float | None
    """Achieved share of the declared load before the fault; None without load."""
    probe_late: float
    """Seconds by which the probe was later with a request than it meant to be, at most."""
    load_qps: int = 0
    """Requests a second of the load beside the probe."""
    served: tuple[Served, ...] = ()
    """By verb, what API servers answered during the drill."""

    def windows(self, via: str, connection: str, operation: str) -> tuple[Window, ...]:
        """The windows of one stream."""
        return next(one.windows for one in self.felt if one.stream == f"{via}/{connection}/{operation}")


def label(runs: Sequence[Run], index: int) -> str:
    """What was done at a mark in all of these runs: targets are chosen anew in each, and named only where all agree."""
    words = []
    for found in zip(*(run.marks[index].label.split() for run in runs), strict=False):
        if len(set(found)) > 1:
            break
        words.append(found[0])
    return " ".join(words)


def worst(findings: Sequence[Finding]) -> Verdict:
    """The verdict that findings amount to."""
    return max((finding.verdict for finding in findings), key=list(Verdict).index, default=Verdict.PASSED)


def judge(fault: Fault, runs: Sequence[Run], floor: Floor | None) -> list[Finding]:
    """What keeps a fault from having passed, over all its repeats."""
    findings: list[Finding] = []
    for number, run in enumerate(runs, 1):
        findings += [Finding(one.verdict, f"run {number}: {one.text}") for one in _run(fault, run, floor)]
    said = [run for run in runs if not is_void(run)]
    if floor and not fault.outage and said:
        findings += _targets(fault, said)
        findings += _drill_latency(said)
        findings += _served(said)
    return findings


def _run(fault: Fault, run: Run, floor: Floor | None) -> Iterator[Finding]:
    void = list(_void(run))
    yield from void
    for member, names in run.durability.lost.items():
        yield Finding(Verdict.FAILED, f"{len(names)} acknowledged writes are not in {member}, first {names[0]}")
    if len(set(run.durability.hashes.values())) > 1:
        yield Finding(Verdict.FAILED, f"members differ: HashKV {dict(run.durability.hashes)}")
    for register in run.broken_registers:
        yield Finding(Verdict.FAILED, f"the history of {register} is not linearizable")
    for problem in run.missing:
        yield Finding(Verdict.FAILED, f"not whole again: {problem}")
    # What clients felt says nothing when they felt it before the fault already; what is lost is lost all the same.
    if floor and not fault.outage and not void:
        yield from _floor(run, floor)


def is_void(run: Run) -> bool:
    """Whether nothing can be said of what clients felt in a run."""
    return any(_void(run))


def _void(run: Run) -> Iterator[Finding]:
    if run.baseline_seconds < MIN_BASELINE_SECONDS:
        yield Finding(
            Verdict.VOID, f"only {run.baseline_seconds:.1f} s before the fault, {MIN_BASELINE_SECONDS} needed"
        )
    if run.probe_late > MAX_LATE_SECONDS:
        yield Finding(
            Verdict.VOID, f"the probe was {run.probe_late:.2f} s late, {MAX_LATE_SECONDS} allowed: too busy a machine"
        )
    shares: Mapping[str, float | None] = {**rates(run.felt), "load": run.load_share}
    for name, share in shares.items():
        if share is not None and share < MIN_ACHIEVED:
            yield Finding(
                Verdict.VOID, f"{name} had {share:.0%} of its rate before the fault, {MIN_ACHIEVED:.0%} needed"
            )


def _floor(run: Run, floor: Floor) -> Iterator[Finding]:
    for one in run.felt:
        if not one.stream.startswith("endpoint/"):
            continue
        for mark, window in zip(run.marks, one.windows, strict=True):
            for what, seconds in (("longest gap", window.longest_gap), ("last failure", window.last_failure)):
                if seconds > floor.failover_seconds:
                    limit = floor.failover_seconds
                    yield Finding(
                        Verdict.FAILED, f"{mark.label}: {what} {seconds:.1f} s on {one.stream}, floor {limit} s"
                    )
    yield from _latency(run)


def _latency(run: Run) -> Iterator[Finding]:
    """The promise fails over its own window of five minutes."""
    promised = f"{PROMISED_SECONDS * 1000:.0f} ms"
    for operation, one in run.latency.items():
        if one.used > 1:
            window = f"{one.slow} requests were slower or failed, of which {WINDOW_SECONDS:g} s allow {one.allowed:.0f}"
            yield Finding(Verdict.FAILED, f"p99 of a {operation} over {promised}: {window}")


def _drill_latency(runs: Sequence[Run]) -> Iterator[Finding]:
    """Over the drill's own window, which is shorter than the promise's, it is a target."""
    for operation in Operation:
        found = [run.latency[operation].p99 for run in runs if operation in run.latency]
        over = sum(seconds > PROMISED_SECONDS for seconds in found)
        if over:
            text = f"p99 of a {operation} from the fault to the end of the drill, in {over} of {len(found)} runs"
            worst_of_them = f"{max(found) * 1000:.0f} ms at worst"
            yield Finding(Verdict.MISSED, f"{text}: {worst_of_them}; target {PROMISED_SECONDS * 1000:.0f} ms")


def targets(fault: Fault, marks: int) -> list[Target]:
    """The target of each of a run's marks, in order: declared, else the default of its kind.

    A roll has a mark for each machine, and the same target for all of them.
    """
    judged = [step for step in fault.steps if isinstance(step, Inject | Heal)]
    kinds = [MarkKind.HEAL if isinstance(step, Heal) else MarkKind.FAULT for step in judged]
    wanted = [step.expect or TARGETS[kind] for step, kind in zip(judged, kinds, strict=True)]
    machines = marks - len(judged) + 1
    times = [machines if isinstance(step, Roll) else 1 for step in judged]
    return [target for target, number in zip(wanted, times, strict=True) for _ in range(number)]


def _targets(fault: Fault, runs: Sequence[Run]) -> Iterator[Finding]:
    for index, target in enumerate(targets(fault, len(runs[0].marks))):
        done = label(runs, index)
        last = [max(_new(run, index, operation).last_failure for operation in ("create", "read")) for run in runs]
        windows = [_quick(run, index) for run in runs]
        row = max(window.in_a_row for found in windows for window in found)
        failed = max(sum(window.failed for window in found) for found in windows)
        for what, found, wanted in (
            ("s to the last failed new request, median", median(last), target.last_failure_median),
            ("s to the last failed new request, at most", max(last), target.last_failure_max),
            ("failed requests", failed, target.failed),
            ("failed requests in a row", row, target.in_a_row),
        ):
            if wanted is not None and found > wanted:
                yield Finding(Verdict.MISSED, f"{done}: {round(found, 2)} {what}; target {wanted}")


def _served(runs: Sequence[Run]) -> Iterator[Finding]:
    for one in merged(run.served for run in runs):
        if one.requests >= MIN_COUNTED and one.share < 0.99:
            share = f"{one.share:.1%} of {one.requests} {one.verb}"
            yield Finding(Verdict.MISSED, f"API servers answered {share} within {BUCKET_SECONDS:g} s; target 99%")


def _new(run: Run, index: int, operation: str) -> Window:
    return run.windows("endpoint", "new", operation)[index]


def _quick(run: Run, index: int) -> list[Window]:
    """What clients of the endpoint felt that wait for 1 s."""
    return [one.windows[index] for one in run.felt if one.stream.startswith(("endpoint/new/", "endpoint/kept/"))]
