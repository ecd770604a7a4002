"""One drill as an SVG: availability of every stream, latency, leaders and what was done, over one time axis. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from math import log10
from typing import Final

from drills.record import Record
from drills.timeline import Latency, availability, latencies
from drills.verdict import Mark, MarkKind

WIDTH: Final = 1000
LEFT: Final = 170
ROW: Final = 16
TOP: Final = 34
LATENCY_HEIGHT: Final = 110
MILLISECONDS: Final = (1, 10, 100, 1000, 10000)


class Axis:
    """Monotonic seconds → x; the zero that people read is the first mark."""

    def __init__(self, start: float, end: float, zero: float) -> None:
        self.start, self.end, self.zero = start, end, zero

    def x(self, at: float) -> float:
        """Horizontal position, kept inside the plot."""
        share = (min(max(at, self.start), self.end) - self.start) / (self.end - self.start)
        return round(LEFT + share * (WIDTH - LEFT), 1)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Positions and labels of about ten round times."""
        length = self.end - self.start
        step = next((step for step in (1, 2, 5, 10, 20, 30, 60, 120) if length / step <= 14), 300)
        first = int((self.start - self.zero) // step) + 1
        for number in range(first, int((self.end - self.zero) // step) + 1):
            yield self.x(self.zero + number * step), f"{number * step} s"


def draw(
    records: Sequence[Record],
    marks: Sequence[Mark],
    leaders: Sequence[tuple[float, str | None]],
    start: float,
    end: float,
) -> str:
    """The drill as an SVG element, styled by the page that it is in."""
    axis = Axis(start, end, marks[0].at)
    streams: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if start <= record.intended < end:
            streams[record.stream].append(record)
    bottom = TOP + ROW * (len(streams) + 1)
    height = bottom + LATENCY_HEIGHT + 44
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Availability and latency over time">']
    parts += _faults(axis, marks, end, height - 20)
    for row, (name, found) in enumerate(sorted(streams.items())):
        parts += _availability(axis, name, found, TOP + ROW * row)
    parts += _leaders(axis, leaders, TOP + ROW * len(streams))
    through = [record for record in records if record.via == "endpoint"]
    parts += _latency(axis, latencies(through, start, end), bottom + 22)
    parts += [f'<text class="tick" x="{x}" y="{height - 6}">{label}</text>' for x, label in axis.ticks()]
    return "".join([*parts, "</svg>"])


def _faults(axis: Axis, marks: Sequence[Mark], end: float, height: float) -> Iterator[str]:
    ends = [mark.at for mark in marks[1:]] + [end]
    for number, (mark, until) in enumerate(zip(marks, ends, strict=True)):
        x, width = axis.x(mark.at), axis.x(until) - axis.x(mark.at)
        if mark.kind is MarkKind.FAULT:
            yield f'<rect class="during" x="{x}" y="24" width="{width:.1f}" height="{height - 24:.1f}"/>'
        yield f'<line class="{mark.kind}" x1="{x}" x2="{x}" y1="20" y2="{height}"/>'
        # Labels of marks that follow each other closely would lie on each other on one line.
        yield f'<text class="mark" x="{x}" y="{10 + 10 * (number % 2)}">{escape(mark.label)}</text>'


def _availability(axis: Axis, name: str, records: Sequence[Record], y: float) -> Iterator[str]:
    yield f'<text class="row" x="{LEFT - 8}" y="{y + ROW - 5}">{escape(name)}</text>'
    for stretch in availability(records, axis.start, axis.end):
        x, width = axis.x(stretch.begin), max(0.8, axis.x(stretch.end) - axis.x(stretch.begin))
        yield f'<rect class="{stretch.availability}" x="{x}" y="{y}" width="{width:.1f}" height="{ROW - 4}"/>'


def _leaders(axis: Axis, leaders: Sequence[tuple[float, str | None]], y: float) -> Iterator[str]:
    yield f'<text class="row" x="{LEFT - 8}" y="{y + ROW - 5}">etcd leader</text>'
    names = sorted({name for _, name in leaders if name})
    for (begin, name), (until, _) in pairwise([*leaders, (axis.end, None)]):
        if name is None:
            continue
        x, width = axis.x(begin), axis.x(until) - axis.x(begin)
        number = names.index(name) % 5
        yield f'<rect class="leader{number}" x="{x}" y="{y}" width="{width:.1f}" height="{ROW - 4}"/>'
        yield f'<text class="in" x="{x + 3}" y="{y + ROW - 6}">{escape(name)}</text>'


def _latency(axis: Axis, found: Sequence[Latency], y: float) -> Iterator[str]:
    def height(seconds: float) -> float:
        low, high = log10(MILLISECONDS[0]), log10(MILLISECONDS[-1])
        share = (log10(max(seconds * 1000, MILLISECONDS[0])) - low) / (high - low)
        return round(y + LATENCY_HEIGHT * (1 - min(share, 1.0)), 1)

    for tick in MILLISECONDS:
        at = height(tick / 1000)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{at}" y2="{at}"/>'
        yield f'<text class="row" x="{LEFT - 8}" y="{at + 4}">{tick} ms</text>'
    for kind, values in (("p50", [one.p50 for one in found]), ("p99", [one.p99 for one in found])):
        points = " ".join(f"{axis.x(one.at)},{height(value)}" for one, value in zip(found, values, strict=True))
        yield f'<polyline class="{kind}" points="{points}"/>'
