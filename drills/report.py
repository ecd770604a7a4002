"""The report: one HTML file that needs nothing else, readable at a glance."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from string import Template
from typing import Final

from drills.judge import Verdict
from drills.server_latency import BUCKET_SECONDS
from drills.summary import Summary, counted

STYLE: Final = """
:root{color-scheme:light dark;--ok:#2e9e5b;--some:#e0a800;--bad:#d63a3a;--ink:#1c2430;--dim:#667085;--line:#d9dee6;
--bg:#fff;--card:#f6f8fa}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--dim:#98a2b3;--line:#344054;--bg:#11161d;--card:#1a212b}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--bg);margin:2rem auto;max-width:1400px;
padding:0 1rem}
h1{margin:0}h2{margin:2.5rem 0 .3rem}p{margin:.3rem 0}.dim{color:var(--dim)}
.wide{overflow-x:auto}
table{border-collapse:separate;border-spacing:0;width:100%;margin:1rem 0;font-size:13px;
font-variant-numeric:tabular-nums}
th,td{padding:.35rem .5rem;text-align:right;border-bottom:1px solid var(--line)}
th{color:var(--dim);font-weight:500;vertical-align:bottom;white-space:nowrap}td{white-space:nowrap}th:first-child,td:first-child,td.l,th.l{text-align:left}
th:first-child,td:first-child{position:sticky;left:0;background:var(--bg)}td.mark{white-space:normal;min-width:9rem}
a{color:inherit}
.used{display:inline-block;width:4.5rem;padding:0 .35rem;border-radius:.2rem;text-align:right;
background:linear-gradient(90deg,var(--part) var(--share),var(--card) 0)}
.within{--part:#3478c655}.over{--part:#d63a3a77;font-weight:600}
.badge{display:inline-block;padding:.05rem .55rem;border-radius:1rem;color:#fff;font-size:.85em;white-space:nowrap}
.passed{background:var(--ok)}.missed{background:var(--some);color:#1c2430}.void{background:#7a869a}.failed{background:var(--bad)}
summary{cursor:pointer;margin-top:.6rem}details table{width:auto;min-width:50%}
.figure{background:var(--card);border-radius:.5rem;padding:.8rem;margin:1rem 0;overflow-x:auto}
svg{width:100%;min-width:640px;height:auto;display:block}
svg text{font:10px system-ui,sans-serif;fill:var(--ink)}svg .row{text-anchor:end;fill:var(--dim)}
svg .tick{text-anchor:middle;fill:var(--dim)}svg .in{fill:#fff}
svg .all{fill:var(--ok)}svg .some{fill:var(--some)}svg .none{fill:var(--bad)}
svg .during{fill:var(--bad);opacity:.08}svg line.fault{stroke:var(--bad)}svg line.heal{stroke:var(--ok)}
svg .grid{stroke:var(--line)}svg polyline{fill:none;stroke-width:1.5}svg .p50{stroke:#3478c6}svg .p99{stroke:#b44fc4}
svg .leader0{fill:#3478c6}svg .leader1{fill:#7b61c9}svg .leader2{fill:#0e8a8a}svg .leader3{fill:#a8642a}
svg .leader4{fill:#8a3a63}
.key span{margin-right:1.2rem}.key i{display:inline-block;width:.8em;height:.8em;margin-right:.35em;border-radius:2px}
"""

PAGE: Final = Template(
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Drills: $title</title><style>$style</style>"
    '<h1>$headline</h1><p class="dim">$about</p>$worst$table$key$faults</html>\n'
)

HELD: Final = "Every floor and every target held."
HELD_IN_AN_OUTAGE: Final = (
    "An outage is expected: nothing was lost, and all came back; what clients felt is not judged."
)
KEY: Final = (
    '<p class="key dim"><span><i style="background:var(--ok)"></i>all requests acknowledged</span>'
    '<span><i style="background:var(--some)"></i>some</span><span><i style="background:var(--bad)"></i>none</span>'
    '<span><i style="background:#3478c6"></i>p50</span><span><i style="background:#b44fc4"></i>p99 latency</span>'
    "<span>shaded: the fault lasts</span></p>"
    '<p class="dim">Failed: a floor did not hold, which is what is promised. Missed a target: every floor held, a goal'
    " of our own did not. Void: the load or the probe was not there, so nothing is said of what clients felt. New, kept"
    " and patient are clients that connect for each request, that keep connections and wait 1 s, and that have the"
    " defaults of client-go. None: no request failed.</p>"
)


@dataclass(frozen=True)
class Shown:
    """A fault on the page."""

    summary: Summary
    figures: Sequence[tuple[str, str]]
    """Caption and SVG of each run that is shown."""


def render(title: str, about: Sequence[str], shown: Sequence[Shown]) -> str:
    """The page; `about` are facts of the whole drill (what was drilled, when, at which load)."""
    return PAGE.substitute(
        title=escape(title),
        style=STYLE,
        headline=_headline(shown),
        about=" · ".join(escape(fact) for fact in about),
        worst=_worst([one.summary for one in shown]),
        table=_table([one.summary for one in shown]),
        key=KEY,
        faults="".join(_fault(one) for one in shown),
    )


def _headline(shown: Sequence[Shown]) -> str:
    counts: Mapping[Verdict, int] = Counter(one.summary.verdict for one in shown)
    worst_first = reversed(list(Verdict))
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in worst_first if counts[verdict]) or "nothing drilled"


def badge(verdict: Verdict) -> str:
    """A verdict as a coloured word."""
    return f'<span class="badge {verdict.split()[0]}">{verdict}</span>'


def _worst(summaries: Sequence[Summary]) -> str:
    """What fails the drill or cannot be judged, before anything else."""
    return "".join(
        f"<p>{badge(finding.verdict)} <a href=#{escape(one.fault.name)}>{escape(one.fault.name)}</a>:"
        f" {escape(finding.text)}</p>"
        for one in summaries
        for finding in one.findings
        if finding.verdict in {Verdict.FAILED, Verdict.VOID}
    )


def _table(summaries: Sequence[Summary]) -> str:
    head = (
        "<div class=wide><table><tr><th>Fault</th><th class=l>Verdict</th><th>Runs</th><th class=l>Mark</th>"
        "<th>Last failed<br>new request, s<br>min / median / p95 / max</th>"
        "<th>Longest gap<br>of writes, s<br>min / median / p95 / max</th>"
        "<th>Failed<br>new · kept · patient</th><th>p99 in the<br>drill, ms,<br>worst</th>"
        "<th>Of five<br>minutes' slow<br>requests, worst</th><th>Whole<br>again, s,<br>median</th>"
        "<th>Lost</th></tr>"
    )
    return head + "".join(row for summary in summaries for row in _rows(summary)) + "</table></div>"


def _rows(summary: Summary) -> Iterator[str]:
    name = escape(summary.fault.name)
    whole = f"{summary.redundancy.middle:.0f}" if summary.redundancy else "never"
    for number, row in enumerate(summary.rows):
        shares = " · ".join(f"{share:.1%}" for _, share in row.failed)
        first = number == 0
        yield (
            f"<tr><td>{f'<a href=#{name}>{name}</a>' if first else ''}</td>"
            f"<td class=l>{badge(summary.verdict) if first else ''}</td><td>{counted(summary) if first else ''}</td>"
            f"<td class='l mark'>{escape(row.label)}</td><td>{row.last_failure}</td><td>{row.longest_gap}</td>"
            f"<td>{shares}</td><td>{f'{summary.p99 * 1000:.0f}' if first else ''}</td>"
            f"<td>{_bar(summary.used.high) if first else ''}</td>"
            f"<td>{whole if first else ''}</td>"
            f"<td>{f'{summary.lost} of {summary.acknowledged}' if first else ''}</td></tr>"
        )


def _bar(share: float) -> str:
    """A share of what is allowed, as a bar that is full at all of it."""
    return (
        f'<span class="used {"over" if share > 1 else "within"}" style="--share:{min(share, 1):.0%}">{share:.0%}</span>'
    )


def _fault(shown: Shown) -> str:
    summary = shown.summary
    findings = (
        "".join(f"<p>{badge(finding.verdict)} {escape(finding.text)}</p>" for finding in summary.findings)
        or f'<p class="dim">{HELD_IN_AN_OUTAGE if summary.fault.outage else HELD}</p>'
    )
    figures = "".join(
        f'<div class="figure"><p class="dim">{escape(caption)}</p>{svg}</div>' for caption, svg in shown.figures
    )
    latency = " · ".join(
        f"{operation} {seconds.high * 1000:.0f} ms, {share.high:.0%}" for operation, seconds, share in summary.latency
    )
    worst = f'<p class="dim">p99 in the drill, and used of five minutes\' slow requests, at worst: {latency}</p>'
    served = " · ".join(f"{one.verb} {one.share:.1%} of {one.requests}" for one in summary.served)
    within = f'<p class="dim">API servers answered within {BUCKET_SECONDS:g} s: {served}</p>' if served else ""
    title = f"<h2 id={escape(summary.fault.name)}>{escape(summary.fault.title)}</h2>"
    return f"{title}{findings}{worst}{within}{_clients(summary)}{figures}"


def _clients(summary: Summary) -> str:
    """Each kind of client after each mark, for who asks further."""
    head = (
        "<details><summary>Each kind of client</summary><div class=wide><table><tr><th>Mark</th>"
        "<th class=l>Client</th><th>Failed</th><th>Failed<br>in a row</th>"
        "<th>Last failure, s<br>min / median / p95 / max</th><th>Longest gap, s<br>min / median / p95 / max</th>"
        "<th>Until what was open at the mark<br>had ended, s</th></tr>"
    )
    rows = (
        f"<tr><td>{escape(row.label) if number == 0 else ''}</td>"
        f"<td class=l>{client.connection} {client.operation}</td><td>{client.failed:.1%}</td>"
        f"<td>{client.in_a_row}</td><td>{client.last_failure}</td><td>{client.longest_gap}</td><td>{client.in_flight}</td></tr>"
        for row in summary.rows
        for number, client in enumerate(row.clients)
    )
    return head + "".join(rows) + "</table></div></details>"
