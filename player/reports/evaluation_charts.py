"""The pictures of an evaluation as SVG: figures with their intervals, calibration, and what the log is made of.

Colours are classes of the page's style sheet, so that they follow its light and dark. All text is escaped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from recommender.evaluation.metrics import Bin

WIDTH = 860
LABELS = 170
"""Room for names at the left."""
ROW = 26
AXIS = 26
"""Room for the scale below."""
EDGE = 24
"""Room at the right for half of the last tick's figures."""
DOT = 4.5
SQUARE = 320
MARGIN = 44
LEAST_DOT, LARGEST_DOT = 3.0, 12.0
"""Radii in the reliability diagram: the area grows with the answers in a bin."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One figure with its interval.

    Attributes:
        label: at the left.
        mean, low, high: in the chart's unit; no bounds where there are none.
        kind: class of the style sheet: "own", "other", "plus" or "minus".
    """

    label: str
    mean: float
    low: float | None
    high: float | None
    kind: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A horizontal axis.

    Attributes:
        low, high: its ends.
        ticks: values that are written below.
        mark: the value of the dashed line: chance, or no difference.
        digits: after the point of the ticks.
        signed: whether a positive tick has its sign.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    mark: float
    digits: int
    signed: bool = False

    def x(self, value: float) -> float:
        """Where a value lies; one beyond an end at that end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return LABELS + share * (WIDTH - LABELS - EDGE)

    def name(self, tick: float) -> str:
        """A tick in figures."""
        return f"{tick:{'+' if self.signed and tick else ''}.{self.digits}f}"


SHARES = Scale(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0), 0.5, 2)


def difference_scale(marks: Sequence[Mark]) -> Scale:
    """An axis around zero, wide enough for all bounds, in steps of a round size."""
    ends = [abs(value) for mark in marks for value in (mark.mean, mark.low, mark.high) if value is not None]
    reach = max([0.04, *ends])
    step = next((size for size in (0.02, 0.05, 0.1, 0.2, 0.5) if reach <= 3 * size), 0.5)
    count = int(reach / step) + 1
    return Scale(
        -count * step, count * step, tuple(step * place for place in range(-count, count + 1)), 0.0, 2, signed=True
    )


def forest(title: str, marks: Sequence[Mark], scale: Scale) -> str:
    """Figures below one another, each with its interval on one scale."""
    height = ROW * len(marks) + AXIS
    parts = [_line(scale.x(tick), 0, scale.x(tick), height - AXIS + 4, "grid") for tick in scale.ticks]
    parts += [_text(scale.x(tick), height - 6, scale.name(tick), "faint", "middle") for tick in scale.ticks]
    parts.append(_line(scale.x(scale.mark), 0, scale.x(scale.mark), height - AXIS + 4, "mark"))
    for place, mark in enumerate(marks):
        middle = ROW * place + ROW / 2
        parts.append(_text(0, middle + 4, mark.label, "strong" if mark.kind == "own" else "", "start"))
        if mark.low is not None and mark.high is not None:
            parts.append(_line(scale.x(mark.low), middle, scale.x(mark.high), middle, mark.kind, width=2))
        parts.append(_circle(scale.x(mark.mean), middle, DOT, mark.kind))
    return _svg(title, WIDTH, height, parts)


def reliability_diagram(title: str, bins: Sequence[Bin]) -> str:
    """What came against what was promised; on the diagonal every promise is kept."""
    side = SQUARE - 2 * MARGIN

    def at(promised: float, came: float) -> tuple[float, float]:
        return MARGIN + promised * side, SQUARE - MARGIN - came * side

    parts: list[str] = []
    for tick in (0.0, 0.5, 1.0):
        (x, y), end = at(tick, tick), MARGIN + side
        parts += [_line(x, MARGIN, x, end, "grid"), _line(MARGIN, y, end, y, "grid")]
        parts.append(_text(x, end + 16, f"{100 * tick:.0f} %", "faint", "middle"))
        parts.append(_text(MARGIN - 6, y + 4, f"{100 * tick:.0f} %", "faint", "end"))
    parts.append(_line(*at(0.0, 0.0), *at(1.0, 1.0), "mark"))
    places = [at(each.promised, each.came) for each in bins]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts.append(f'<polyline class="own" points="{line}" fill="none" stroke-width="1.5" opacity="0.6"/>')
    most = max((each.rows for each in bins), default=1)
    parts += [
        _circle(x, y, max(LEAST_DOT, LARGEST_DOT * (each.rows / most) ** 0.5), "own")
        for each, (x, y) in zip(bins, places, strict=True)
    ]
    parts.append(_text(MARGIN + side / 2, SQUARE - 4, "promised", "faint", "middle"))
    parts.append(_text(MARGIN, MARGIN - 14, "came", "faint", "middle"))
    return _svg(title, SQUARE, SQUARE, parts)


def bars(title: str, entries: Sequence[tuple[str, int, str]]) -> str:
    """Counts as bars: label, count, class of the style sheet."""
    most = max((count for _, count, _ in entries), default=1)
    room = WIDTH - LABELS - 60
    parts: list[str] = []
    for place, (label, count, kind) in enumerate(entries):
        top = ROW * place
        width = max(1.0, room * count / most)
        parts.append(_text(0, top + 17, label, "", "start"))
        parts.append(f'<rect class="{kind}" x="{LABELS}" y="{top + 6}" width="{width:.1f}" height="14" rx="2"/>')
        parts.append(_text(LABELS + width + 8, top + 17, str(count), "faint", "start"))
    return _svg(title, WIDTH, ROW * len(entries), parts)


def _svg(title: str, width: float, height: float, parts: Iterable[str]) -> str:
    name = escape(title)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{name}"><title>{name}</title>{"".join(parts)}</svg>'


def _text(x: float, y: float, text: str, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str, width: float = 1.0) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke-width="{width:g}"/>'


def _circle(x: float, y: float, radius: float, kind: str) -> str:
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'
