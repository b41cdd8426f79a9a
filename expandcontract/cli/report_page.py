"""The report of a backfill as one HTML file: charts as inline SVG, nothing loaded from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from expandcontract.commands.backfill_report import PauseView, ReportResult, SliceView
from expandcontract.domain.duration import format_duration
from expandcontract.domain.moment import at

_WIDTH, _HEIGHT = 960, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 12, 26
_PLOT_WIDTH, _PLOT_HEIGHT = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
_KINDS = {"slow": "slowed down", "stop": "stopped", "pause": "paused"}

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --paper: #fff; --card: #f6f8fa;
  --rate: #0969da; --longest: #bc4c00; --slow: #d4a72c; --stop: #cf222e; --pause: #8250df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --paper: #0d1117;
  --card: #151b23; --rate: #58a6ff; --longest: #f0883e; --slow: #d29922; --stop: #f85149; --pause: #a371f7; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.soft { color: var(--soft); }
.facts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; }
.facts div { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .5rem .9rem; }
.facts b { display: block; font-size: 1.2rem; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--line); stroke-width: 1; } .line { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.band { opacity: .18; } .slow { fill: var(--slow); } .stop { fill: var(--stop); } .pause { fill: var(--pause); }
.limit { stroke: var(--soft); stroke-dasharray: 4 4; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .35em; }
.legend { margin: .25rem 0 0; } .legend span { margin-right: 1.25rem; white-space: nowrap; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.time { white-space: nowrap; }
"""


def report_page(result: ReportResult) -> str:
    """The page, complete."""
    view = result.backfill
    name = f"Backfill {escape(result.step.revision)}"
    spans = f"{at(view.started_at)} to {at(result.until)}"
    parts = [
        f"<h1>{name}: {escape(result.title)}</h1>",
        f'<p class="soft">{escape(spans)}; {escape(view.state)}{_because(view.reason)}</p>',
        _facts(result),
        "<h2>Rows per second</h2>",
        _speed_chart(result),
        "<h2>Seconds that a range takes</h2>",
        _duration_chart(result),
        "<h2>What slowed it down</h2>",
        _pauses_table(result),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{name}</title>'
    body = "".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{body}</body></html>\n'


def _because(reason: str | None) -> str:
    return f": {escape(reason)}" if reason else ""


def _facts(result: ReportResult) -> str:
    view = result.backfill
    seconds = (result.until - view.started_at).total_seconds()
    still = sum(_seconds(one, result) for one in result.pauses if one.kind != "slow")
    facts = (
        (f"{view.rows_written:,}", "rows written"),
        (f"{view.rows:,} of {view.of_about:,}", "rows seen, of about"),
        (format_duration(timedelta(seconds=round(seconds))), "from first to last"),
        (f"{view.rows / seconds:,.0f} rows/s", "on average"),
        (f"{view.rate:,} rows/s" if view.rate else "flat out", "asked for"),
        (format_duration(timedelta(seconds=round(still))) if still >= 1 else "none", "of it stopped or paused"),
        (f"{view.set_aside:,}", "rows set aside"),
    )
    return '<div class="facts">' + "".join(f"<div><b>{value}</b>{what}</div>" for value, what in facts) + "</div>"


@dataclass(frozen=True)
class _Plot:
    """Where a moment and a value are on the chart."""

    began: datetime
    seconds: float
    most: float

    def x(self, moment: datetime) -> float:
        share = (moment - self.began).total_seconds() / self.seconds
        return _LEFT + _PLOT_WIDTH * min(1.0, max(0.0, share))

    def y(self, value: float) -> float:
        return _TOP + _PLOT_HEIGHT * (1 - min(1.0, value / self.most))


def _speed_chart(result: ReportResult) -> str:
    points = _with_gaps(result, lambda number: result.slices[number].rows_per_second)
    rate = result.backfill.rate
    most = _nice(max([value for _, value in points] + ([1.05 * rate] if rate else [])))
    plot = _plot(result, most)
    limit = ""
    if rate:
        y = plot.y(rate)
        limit = f'<line class="limit" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    label = f"rows per second, at most {max(value for _, value in points):,.0f}"
    chart = _svg(
        label, _bands(plot, result), _axes(plot, lambda value: f"{value:,.0f}"), limit, _line(plot, points, "rate")
    )
    keys = [("rate", "rows per second")] + [(kind, _KINDS[kind]) for kind in _KINDS if _has(result, kind)]
    return chart + _legend(keys) + ('<p class="soft">The dashed line is the rate asked for.</p>' if rate else "")


def _duration_chart(result: ReportResult) -> str:
    pieces = _pieces(result)
    plot = _plot(result, _nice(max((one.longest_seconds for one in result.slices), default=1.0)))
    lines = [_line(plot, [(one.at, one.longest_seconds) for one in piece], "longest") for piece in pieces]
    lines += [_line(plot, [(one.at, one.median_seconds) for one in piece], "rate") for piece in pieces]
    chart = _svg("seconds that a range takes", _bands(plot, result), _axes(plot, lambda value: f"{value:g} s"), *lines)
    return chart + _legend([("rate", "the middle one"), ("longest", "the longest")])


def _has(result: ReportResult, kind: str) -> bool:
    return any(one.kind == kind for one in result.pauses)


def _plot(result: ReportResult, most: float) -> _Plot:
    began = result.backfill.started_at
    return _Plot(began, max(1.0, (result.until - began).total_seconds()), most)


def _with_gaps(result: ReportResult, value: Callable[[int], float]) -> list[tuple[datetime, float]]:
    """The points of a line that is at zero where there is no slice."""
    width = timedelta(seconds=result.slice_seconds)
    points: list[tuple[datetime, float]] = []
    for number, one in enumerate(result.slices):
        if points and one.at - points[-1][0] > 1.5 * width:
            points += [(points[-1][0] + width, 0.0), (one.at - width / 2, 0.0)]
        points.append((one.at, value(number)))
    return points or [(result.backfill.started_at, 0.0)]


def _pieces(result: ReportResult) -> list[list[SliceView]]:
    """The slices, cut where there was none for a while: no line leads through a time in which nothing was measured."""
    pieces: list[list[SliceView]] = []
    for one in result.slices:
        if pieces and (one.at - pieces[-1][-1].at).total_seconds() <= 2.5 * result.slice_seconds:
            pieces[-1].append(one)
        else:
            pieces.append([one])
    return pieces


def _line(plot: _Plot, points: Sequence[tuple[datetime, float]], colour: str) -> str:
    path = " ".join(f"{plot.x(moment):.1f},{plot.y(value):.1f}" for moment, value in points)
    return f'<polyline class="line" style="stroke: var(--{colour})" points="{path}"/>'


def _bands(plot: _Plot, result: ReportResult) -> str:
    return "".join(_band(plot, one, result) for one in result.pauses)


def _band(plot: _Plot, one: PauseView, result: ReportResult) -> str:
    begins, ends = plot.x(one.began_at), plot.x(one.ended_at or result.until)
    title = escape(f"{_KINDS[one.kind]} for {_length(one, result)}: {one.reason}")
    return (
        f'<rect class="band {one.kind}" x="{begins:.1f}" y="{_TOP}" width="{max(1.5, ends - begins):.1f}"'
        f' height="{_PLOT_HEIGHT}"><title>{title}</title></rect>'
    )


def _axes(plot: _Plot, say: Callable[[float], str]) -> str:
    parts = []
    for step in range(5):
        value = plot.most * step / 4
        y = plot.y(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{say(value)}</text>')
    clock = "%H:%M:%S" if plot.seconds < 3600 else "%H:%M" if plot.seconds < 86400 else "%d %b %H:%M"
    for step in range(7):
        moment = plot.began + timedelta(seconds=plot.seconds * step / 6)
        anchor = "start" if step == 0 else "end" if step == 6 else "middle"
        parts.append(f'<text x="{plot.x(moment):.1f}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{moment:{clock}}</text>')
    return "".join(parts)


def _svg(label: str, *parts: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'


def _legend(keys: Iterable[tuple[str, str]]) -> str:
    spans = (f'<span><i class="key" style="background: var(--{colour})"></i>{words}</span>' for colour, words in keys)
    return f'<p class="legend soft">{"".join(spans)}</p>'


def _pauses_table(result: ReportResult) -> str:
    if not result.pauses:
        return "<p>Nothing did.</p>"
    rows = "".join(
        f'<tr><td class="time">{escape(at(one.began_at))}</td><td class="time">{_length(one, result)}</td>'
        f'<td class="time"><i class="key" style="background: var(--{one.kind})"></i>{_KINDS[one.kind]}</td>'
        f"<td>{escape(one.reason)}</td></tr>"
        for one in result.pauses
    )
    heads = "".join(f"<th>{word}</th>" for word in ("from", "for", "was", "because"))
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _seconds(one: PauseView, result: ReportResult) -> float:
    return max(0.0, ((one.ended_at or result.until) - one.began_at).total_seconds())


def _length(one: PauseView, result: ReportResult) -> str:
    length = format_duration(timedelta(seconds=round(_seconds(one, result), 1)))
    return length if one.ended_at else f"{length} so far"


def _nice(value: float) -> float:
    """The next number up that makes four even steps on an axis."""
    if value <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * step for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if size * step >= value)
