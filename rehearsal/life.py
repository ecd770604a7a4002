"""The life of a stack that a rehearsal plays, and what must hold at each step."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rehearsal.engine import Engine, Outcome
from rehearsal.scene import Scene

AT_ONCE: Final = ("--skip-preview",)


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

    def __init__(self, engine: Engine, scene: Scene) -> None:
        self.engine, self.scene = engine, scene
        self.made: list[dict[str, Any]] = []
        self.judged = ("--policy-pack", str(engine.project.program / "policy"))

    def steps(self) -> Iterator[Step]:
        """Each step when it is done."""
        up = self.must(self.engine.run("up", *AT_ONCE, *self.judged))
        self.made = list(self.engine.resources())
        yield Step("create", up, f"{up.counts['create']} resources; {'; '.join(self.scene.inspect())}")
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
        """A change of settings leaves everything that runs as it is."""
        before = self.scene.running()
        self.engine.project.configure(self.scene.changes)
        outcome = self.must(self.engine.run("up", *AT_ONCE, *self.judged))
        replaced = [op for op in outcome.operations if "replace" in op.kind or op.kind == "delete"]
        lost = [op for op in replaced if op.type.endswith(self.scene.kept)]
        if lost:
            raise RehearsalError(f"a change of settings would replace {', '.join(op.name for op in lost)}")
        gone = before - self.scene.running()
        if gone:
            raise RehearsalError(f"a change of settings ended machines by itself: {', '.join(sorted(gone))}")
        wanted = " and ".join(f"{name}: {value}" for name, value in self.scene.changes.items())
        return Step("change", outcome, f"{wanted}: {words(outcome)}; {self.scene.unharmed(before, outcome.operations)}")

    def refresh(self) -> Step:
        """A refresh finds what somebody took away."""
        taken = self.scene.take_away()
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
        outcome = self.must(self.engine.run("destroy", *AT_ONCE, *self.scene.unlock()))
        left = self.engine.resources()
        if left:
            raise RehearsalError(f"destroy left {len(left)} resources in the state")
        kept = self.scene.left()
        return Step("destroy", outcome, f"{words(outcome)}; {kept}" if kept else words(outcome))


def words(outcome: Outcome) -> str:
    """`12 update, 1 create`, or that nothing was done."""
    return ", ".join(f"{count} {kind}" for kind, count in outcome.counts.most_common()) or "no changes"
