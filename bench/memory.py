"""Memory of the whole control plane, by process: proportional set size, so that shared pages count once."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from providers.local.processes import descendants
from providers.local.view import MachineView

PROC = Path("/proc")
KIB_PER_MIB = 1024


def sample(views: Sequence[MachineView]) -> Counter[str]:
    """KiB by the name of the process, over all machines now."""
    return by_name(pid for view in views if view.init_pid for pid in [view.init_pid, *descendants(view.init_pid)])


def by_name(pids: Iterable[int], proc: Path = PROC) -> Counter[str]:
    """KiB by the name of the process; a process that ends meanwhile counts nothing."""
    total: Counter[str] = Counter()
    for pid in pids:
        try:
            name = (proc / str(pid) / "comm").read_text().strip()
            total[name] += proportional((proc / str(pid) / "smaps_rollup").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def proportional(rollup: str) -> int:
    """KiB of the Pss line of a smaps_rollup file; 0 for a process without memory of its own."""
    found = re.search(r"^Pss:\s+(\d+) kB$", rollup, re.MULTILINE)
    return int(found.group(1)) if found else 0


def merged(samples: Sequence[Counter[str]], shown: int) -> dict[str, list[float]]:
    """MiB of each sample by name, the largest first, `shown` of them, then the rest and the whole."""
    names = [name for name, _ in sum(samples, Counter()).most_common()]
    result = {name: [each[name] / KIB_PER_MIB for each in samples] for name in names[:shown]}
    rest = [sum(each[name] for name in names[shown:]) / KIB_PER_MIB for each in samples]
    return {**result, "all others": rest, "whole": [each.total() / KIB_PER_MIB for each in samples]}
