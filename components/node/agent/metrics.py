"""Gauges and counters of the agent, in Prometheus's text format."""

import threading
from collections.abc import Mapping


class Metrics:
    """Values by name and labels; safe to read from the endpoint's thread while the loop writes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    def set(self, name: str, value: float, labels: Mapping[str, str] | None = None) -> None:
        """Set a gauge. `name` is without the prefix `kube_ha_`."""
        with self._lock:
            self._values[name, tuple(sorted((labels or {}).items()))] = value

    def count(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        """Add one to a counter. `name` ends in `_total`."""
        key = (name, tuple(sorted((labels or {}).items())))
        with self._lock:
            self._values[key] = self._values.get(key, 0) + 1

    def render(self) -> str:
        """The text exposition format, sorted."""
        with self._lock:
            values = sorted(self._values.items())
        lines = []
        previous = None
        for (name, labels), value in values:
            if name != previous:
                lines.append(f"# TYPE kube_ha_{name} {'counter' if name.endswith('_total') else 'gauge'}")
                previous = name
            inner = ",".join(f'{key}="{_escape(text)}"' for key, text in labels)
            lines.append(f"kube_ha_{name}{{{inner}}} {value:.15g}" if inner else f"kube_ha_{name} {value:.15g}")
        return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
