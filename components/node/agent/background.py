"""Work that takes minutes, in a thread of its own: the loop has to look after etcd every two seconds."""

import threading
import time
from collections.abc import Callable
from typing import Final

from components.node.agent.step import Context

RETRY_SECONDS: Final = 60.0
"""After a failure, where the pause is longer than this."""


class Background:
    """Calls `work` again and again. What it raises becomes a concern of the machine until it goes well again."""

    def __init__(self, context: Context, subject: str, work: Callable[[], None], pause_seconds: float) -> None:
        self._context = context
        self._subject = subject
        self._work = work
        self._pause = pause_seconds
        self._thread = threading.Thread(target=self._forever, name=subject, daemon=True)

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if not self._thread.ident:
            self._thread.start()

    def once(self) -> bool:
        """One round; whether it went well. Never raises."""
        try:
            self._work()
        except Exception as error:
            self._context.metrics.count("background_failures_total", {"subject": self._subject})
            words = str(error) or type(error).__name__
            self._context.concerns[self._subject] = f"{self._subject}: {words}"
            self._context.log.changed(self._subject, words)
            return False
        self._context.concerns.pop(self._subject, None)
        return True

    def _forever(self) -> None:
        while True:
            went_well = self.once()
            time.sleep(self._pause if went_well else min(self._pause, RETRY_SECONDS))
