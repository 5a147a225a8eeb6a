"""A period's diversity as SVG: the Lorenz curve of plays by artist, and the rolling Gini index with its models.

Colours are classes of the page's style sheet, so that they follow its light and dark. All text is escaped.
"""

from collections.abc import Iterable
from html import escape

from player.insight.diversity_history import DiversityHistory
from player.reports.diversity_view import STEP, Span, span_of, when

SQUARE, MARGIN = 360, 48
WIDTH, HEIGHT, LEFT, TOP, BOTTOM, RIGHT = 860, 300, 48, 18, 34, 20
MARK_LINES, MARK_STEP = 3, 14
"""Names of versions stand on so many lines in turn, so that near ones do not lie on each other."""
LONGEST_NAME = 28
NAME_ROOM = 130
"""Right of a mark; nearer to the end its name stands at its left."""
MOST_TICKS = 8


def lorenz_chart(history: DiversityHistory) -> str:
    """The Lorenz curve in a square."""
    side = SQUARE - 2 * MARGIN

    def at(share: float, plays: float) -> tuple[float, float]:
        return MARGIN + share * side, SQUARE - MARGIN - plays * side

    parts: list[str] = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = at(tick, tick)
        parts += [_line(x, MARGIN, x, MARGIN + side, "grid"), _line(MARGIN, y, MARGIN + side, y, "grid")]
        parts.append(_text(x, MARGIN + side + 16, f"{100 * tick:.0f} %", "faint", "middle"))
        parts.append(_text(MARGIN - 6, y + 4, f"{100 * tick:.0f} %", "faint", "end"))
    parts.append(_line(*at(0.0, 0.0), *at(1.0, 1.0), "mark"))
    line = _points(at(float(share), float(plays)) for share, plays in history.lorenz)
    parts.append(f'<polygon class="area" points="{line}"/>')
    parts.append(f'<polyline class="own" points="{line}"/>')
    parts.append(_text(MARGIN + side / 2, SQUARE - 12, f"share of {history.artists:,} artists", "faint", "middle"))
    parts.append(_text(MARGIN, MARGIN - 14, "share of the plays", "faint", "start"))
    gini = history.figure("gini").value
    parts.append(_text(MARGIN + 10, MARGIN + 20, f"Gini {gini:.2f}", "strong", "start"))
    return _svg("Lorenz curve of plays by artist", SQUARE, SQUARE, parts)


def course_chart(history: DiversityHistory) -> str:
    """The rolling Gini index over the period, a dashed line where another model began to choose."""
    span = span_of(history)
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at(time: float, gini: float) -> tuple[float, float]:
        return LEFT + span.across(time) * across, TOP + (1.0 - span.up(gini)) * down

    parts: list[str] = []
    for tick in _ticks(span):
        y = at(span.start, tick)[1]
        parts += [_line(LEFT, y, LEFT + across, y, "grid"), _text(LEFT - 6, y + 4, f"{tick:.2f}", "faint", "end")]
    parts.append(_text(LEFT, HEIGHT - 10, when(history, history.since), "faint", "start"))
    parts.append(_text(LEFT + across, HEIGHT - 10, when(history, history.until), "faint", "end"))
    for number, mark in enumerate(history.models):
        x = LEFT + span.across(mark.time) * across
        if number:
            parts.append(_line(x, TOP, x, TOP + down, "model"))
        near_end = x > LEFT + across - NAME_ROOM
        y = TOP + 10 + MARK_STEP * (number % MARK_LINES)
        parts.append(
            _text(x - 5 if near_end else x + 5, y, _short(mark.version), "model", "end" if near_end else "start")
        )
    points = [at(point.time, point.gini) for point in history.course]
    parts.append(f'<polyline class="own" points="{_points(points)}"/>')
    if len(points) == 1:
        parts.append(f'<circle class="own" cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="4"/>')
    return _svg(f"Gini index of the last {history.window} plays over time", WIDTH, HEIGHT, parts)


def _ticks(span: Span) -> list[float]:
    count = round((span.highest - span.lowest) / STEP)
    every = -(-count // MOST_TICKS)
    return [span.lowest + STEP * number for number in range(0, count + 1, every)]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"


def _points(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _svg(title: str, width: float, height: float, parts: Iterable[str]) -> str:
    name = escape(title)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{name}"><title>{name}</title>{"".join(parts)}</svg>'


def _text(x: float, y: float, text: str, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
