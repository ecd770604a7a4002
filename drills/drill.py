"""One drill: probe, do harm, undo it, wait until the cluster is whole, and read everything back."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from drills import fault as faults
from drills import generator, latency, linearizability, probe, record, registers, server_latency, verdict
from drills.child import Child, child
from drills.cluster import API_PORT, Cluster, UnhealthyError, UnreadyError, scenario
from drills.conditions import Conditions, conditions
from drills.drain import uncordon
from drills.fault import AnyStep, Fault
from drills.injector import Injector
from drills.judge import Run
from drills.load import Declaration
from drills.probe import TIMEOUTS
from drills.readback import read_back
from drills.record import Connection
from drills.server_latency import Served
from drills.strike import strike, words
from drills.verdict import Mark, MarkKind

BASELINE_SECONDS: Final = 3.2
TAIL_SECONDS: Final = 2.0
"""How long the probe goes on after the cluster is whole."""
START_SECONDS: Final = 30.0
"""A process that has written nothing after this has failed, and says so when it is ended."""
START_POLL_SECONDS: Final = 0.02
POLL_SECONDS: Final = 0.5
NOTICE_SECONDS: Final = 1.0
"""What was hit a moment ago may still look whole."""
LEADER_SECONDS: Final = 1.0


@dataclass
class Trace:
    """What the drill did and saw, beside the records. Times are monotonic seconds."""

    start: float = 0.0
    end: float = 0.0
    marks: list[Mark] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    leaders: list[tuple[float, str | None]] = field(default_factory=list)
    """Who led etcd from when on, as seen from outside about once a second."""
    redundancy_seconds: float | None = None
    probe_cpu: float = 0.0
    """Share of one core that the probe took."""
    probe_late: float = 0.0
    """Seconds by which the probe was later with a request than it meant to be, at most."""


@dataclass(frozen=True)
class Drilled:
    """A finished drill."""

    run: Run
    trace: Trace
    records: Path
    conditions: Conditions
    at: float
    """When it was finished, in seconds of Unix time."""
    scenario: str = "production"
    """Of the cluster: it says which floors hold."""


@dataclass(frozen=True)
class Drill:
    """How faults are drilled on a cluster."""

    stack: str
    cluster: Cluster
    injector: Injector
    kubeconfig: Path
    load: Declaration | None
    rng: random.Random
    tell: Callable[[str], None]
    """Progress, for people."""

    def run(self, fault: Fault, folder: Path) -> Drilled:
        """Drill `fault` once; records go to `folder`.

        Raises:
            UnreadyError: the cluster was not whole before, or may not be written to; nothing was done to it.
            FaultError, InjectionError: a step could not be done; what was done before is undone.
        """
        self._require_whole()
        under = self.conditions(fault)
        registers.prepare(self.cluster.api)
        counted = self.cluster.counted()
        trace, records, load = Trace(), folder / "records.jsonl", folder / "load.jsonl"
        for old in (records, load):
            old.unlink(missing_ok=True)
        with ExitStack() as stack:
            prober = stack.enter_context(self._probing(records))
            if self.load:
                stack.enter_context(self._loading(load, self.load))
            stack.enter_context(self._watching_leaders(trace))
            trace.start = time.monotonic()
            self._pass(BASELINE_SECONDS, "no fault yet")
            try:
                for step in fault.steps:
                    self._take(step, fault, trace)
                self._settle(trace)
                # It takes most of a second of both cores; what its last step has healed is healed.
                if not isinstance(fault.steps[-1], faults.Heal):
                    self._heal(fault)
            except BaseException:
                self._heal(fault)
                raise
            trace.end = time.monotonic()
            # What was sent last before the end is given the time to be answered.
            time.sleep(TIMEOUTS[Connection.NEW])
        usage = json.loads(prober.said)
        trace.probe_cpu, trace.probe_late = usage["cpu"], usage["late_seconds"]
        served = server_latency.served(counted, self.cluster.counted())
        run = self._result(trace, records, load, served)
        return Drilled(run, trace, records, under, time.time(), scenario(self.cluster.machines))

    def conditions(self, fault: Fault) -> Conditions:
        """The conditions under which a run of this fault would be made now.

        Raises:
            InjectionError: what the machines run cannot be found out.
        """
        return conditions(self.stack, self.injector.program(), fault, self._streams(), self.load)

    def replace(self, machine: str) -> None:
        """Shut a machine down in order, and wait until another is in its place and the cluster whole.

        Raises:
            UnhealthyError: it does not come to that.
            InjectionError: it cannot be shut down, or not be asked for.
        """
        before, until = self.injector.incarnation(machine), time.monotonic() + self.injector.recovery_seconds
        self.injector.power_off(machine)
        # A machine that is only about to stop still looks whole.
        while self.injector.incarnation(machine) in {before, ""}:
            if time.monotonic() > until:
                raise UnhealthyError(f"{machine} was shut down and is not replaced")
            time.sleep(POLL_SECONDS)
        if missing := self.wait_whole():
            raise UnhealthyError(f"not whole again after {machine} was shut down: " + "; ".join(missing))

    def wait_whole(self) -> list[str]:
        """What is still missing when the time is over; nothing as soon as the cluster is whole."""
        until = time.monotonic() + self.injector.recovery_seconds
        while (missing := self.cluster.missing()) and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        return missing

    def _require_whole(self) -> None:
        missing = self.cluster.missing()
        if missing:
            self.tell("waiting until the cluster is whole: " + "; ".join(missing))
            missing = self.wait_whole()
        if missing:
            raise UnreadyError("the cluster is not whole before the drill: " + "; ".join(missing))

    def _pass(self, seconds: float, why: str) -> None:
        self.tell(f"{why}, {seconds:g} s")
        time.sleep(seconds)

    def _take(self, step: AnyStep, fault: Fault, trace: Trace) -> None:
        match step:
            case faults.Wait():
                self._pass(step.seconds, "waiting")
            case faults.Heal():
                self._mark(trace, MarkKind.HEAL, "heal", partial(self._heal, fault))
            case faults.Roll():
                for name in faults.aim(step.target, self.cluster.view(), self.rng):
                    trace.targets.append(name)
                    self._mark(trace, MarkKind.FAULT, f"power off {name}", partial(self.replace, name))
            case _:
                targets = faults.aim(step.target, self.cluster.view(), self.rng)
                trace.targets.append(" and ".join(targets))
                harm = partial(strike, step, targets, self.injector, self.cluster.api)
                self._mark(trace, MarkKind.FAULT, words(step, targets), harm)

    def _heal(self, fault: Fault) -> None:
        self.injector.heal()
        if any(isinstance(step, faults.Drain) for step in fault.steps):
            uncordon(self.cluster.api)

    def _mark(self, trace: Trace, kind: MarkKind, label: str, act: Callable[[], None]) -> None:
        self.tell(label)
        at = time.monotonic()
        act()
        trace.marks.append(Mark(at, time.monotonic(), kind, label))

    def _settle(self, trace: Trace) -> None:
        self.tell("waiting until the cluster is whole again")
        time.sleep(NOTICE_SECONDS)
        if not self.wait_whole():
            trace.redundancy_seconds = time.monotonic() - trace.marks[-1].at
        self._pass(TAIL_SECONDS, "whole again")

    def _result(self, trace: Trace, records: Path, load: Path, served: tuple[Served, ...]) -> Run:
        self.tell("reading back what was acknowledged")
        with records.open("a", encoding="utf-8") as output:
            output.writelines(final.line() for final in registers.final_reads(self.cluster))
        found = list(record.read(records))
        during = [one for one in found if one.intended < trace.end]
        histories = linearizability.histories(found)
        broken = (name for name, history in histories.items() if not linearizability.linearizable(history))
        durability = read_back(found, self.cluster, self.injector)
        registers.clear(self.cluster.api)
        missing = self._still_whole(trace)
        first = trace.marks[0].at
        share = generator.achieved(load.read_text(encoding="utf-8").splitlines(), first) if self.load else None
        return Run(
            targets=tuple(trace.targets),
            marks=tuple(trace.marks),
            baseline_seconds=first - trace.start,
            felt=tuple(verdict.felt(during, trace.marks, trace.end)),
            latency=latency.latencies(during, first),
            durability=durability,
            broken_registers=tuple(sorted(broken)),
            redundancy_seconds=trace.redundancy_seconds,
            missing=tuple(missing),
            load_share=share,
            probe_late=trace.probe_late,
            load_qps=self.load.qps if self.load else 0,
            served=served,
        )

    def _still_whole(self, trace: Trace) -> list[str]:
        """What is missing when all is over; what left once more after it had come back is given its time again.

        A controller manager ends some seconds after the heal when it has lost its lease during the fault.
        """
        missing = self.cluster.missing()
        if missing and trace.redundancy_seconds is not None:
            self.tell("no longer whole: " + "; ".join(missing))
            missing = self.wait_whole()
            trace.redundancy_seconds = None if missing else time.monotonic() - trace.marks[-1].at
        return missing

    def _streams(self) -> tuple[probe.Stream, ...]:
        access = self.cluster.access
        masters = {machine.name: (machine.address, API_PORT) for machine in self.cluster.of("master")}
        return probe.streams((access.host, access.port), masters)

    @contextmanager
    def _probing(self, records: Path) -> Iterator[Child]:
        plan = probe.Plan(str(self.kubeconfig), str(records), self._streams())
        with child("drills.probe", probe.encode(plan)) as running:
            _wait_for(records)
            yield running

    @contextmanager
    def _loading(self, output: Path, declaration: Declaration) -> Iterator[None]:
        self.cluster.api.ensure("/api/v1/namespaces", {"metadata": {"name": declaration.namespace}})
        plan = {
            "kubeconfig": str(self.kubeconfig),
            "output": str(output),
            "declaration": declaration.model_dump(mode="json"),
        }
        with child("drills.generator", json.dumps(plan) + "\n"):
            _wait_for(output)
            yield

    @contextmanager
    def _watching_leaders(self, trace: Trace) -> Iterator[None]:
        over = threading.Event()

        def watch() -> None:
            while not over.wait(LEADER_SECONDS):
                leader = self.cluster.leader()
                if not trace.leaders or trace.leaders[-1][1] != leader:
                    trace.leaders.append((time.monotonic(), leader))

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _wait_for(output: Path) -> None:
    """Until a process has started its work, which begins with its file: until then nothing is measured."""
    until = time.monotonic() + START_SECONDS
    while not output.exists() and time.monotonic() < until:
        time.sleep(START_POLL_SECONDS)
