"""The agent's life: do the steps in order, then look after what they made, for as long as the machine lives."""

import time
import traceback
from collections.abc import Sequence
from typing import Final

from components.node.agent.cloud import CloudError
from components.node.agent.rolling import Rolling
from components.node.agent.status import Reporter
from components.node.agent.step import Context, NotYetError, Step

TICK_SECONDS: Final = 2.0

HURRY_TICK_SECONDS: Final = 0.5
"""Between ticks of a machine that is not whole: others boot, or restore, at the same time."""

HURRY_SECONDS: Final = 60.0
"""So long after its boot, or after it was whole. Not for ever: what takes longer does not wait for a tick."""


class Loop:
    """Steps that are done tick; the first that is not is tried again, and those after it wait for it."""

    def __init__(self, context: Context, steps: Sequence[Step], reporter: Reporter) -> None:
        self._context = context
        self._steps = steps
        self._reporter = reporter
        self._done: list[Step] = []
        self._whole_at = time.monotonic()

    def forever(self, rolling: Rolling) -> None:
        """Never returns; `SystemExit` when the cloud did not end a machine that asked to be replaced."""
        while True:
            begun = time.monotonic()
            whole = self.once()
            rolling.tick(whole=whole)
            if whole:
                self._whole_at = begun
            hurry = not whole and begun - self._whole_at < HURRY_SECONDS
            pause = (HURRY_TICK_SECONDS if hurry else TICK_SECONDS) - (time.monotonic() - begun)
            time.sleep(max(pause, 0.1))

    def once(self) -> bool:
        """One round; whether all is well."""
        unwell = self._look_after()
        unwell = self._go_on() or unwell
        if unwell is None:
            message = "; ".join(tuple(self._context.concerns.values())) or "all is well"
            self._reporter.say(ready=True, phase="ready", message=message)
        return unwell is None

    def leave(self) -> None:
        """Prepare for the machine's end, last step first. What fails is said and does not stop the others."""
        self._reporter.say(ready=False, phase="leaving", message="this machine is about to be replaced")
        for step in reversed(self._done):
            try:
                step.leave(self._context)
            except Exception as error:
                self._context.log(step.name, f"leaving: {_words(error)}")

    def _look_after(self) -> Step | None:
        unwell = None
        for step in self._done:
            try:
                message = step.tick(self._context)
            except Exception as error:
                message = self._failed(step, error)
            if message is not None and unwell is None:
                unwell = step
                self._reporter.say(ready=False, phase=step.name, message=message)
        return unwell

    def _go_on(self) -> Step | None:
        for step in self._steps[len(self._done) :]:
            self._reporter.say(ready=False, phase=step.name, message="in progress")
            begun = time.monotonic()
            try:
                step.run(self._context)
            except Exception as error:
                self._reporter.say(ready=False, phase=step.name, message=self._failed(step, error))
                return step
            self._done.append(step)
            taken = time.monotonic() - begun
            self._context.metrics.set("step_seconds", taken, {"step": step.name})
            self._context.log(step.name, f"done in {taken:.1f} s")
        return None

    def _failed(self, step: Step, error: Exception) -> str:
        if not isinstance(error, NotYetError | CloudError):
            self._context.metrics.count("step_failures_total", {"step": step.name})
            self._context.log.changed(f"{step.name} traceback", " | ".join(traceback.format_exception(error)[-4:]))
        self._context.log.changed(step.name, _words(error))
        return _words(error)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
