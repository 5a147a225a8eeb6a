"""Charts of the reports, drawn once with matplotlib: as SVG in a page, in its light and dark, and as PNG.

A picture is dark. In a page every colour is a variable of the style sheet instead, and text stays text.
"""

import io
import re
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from player.text import printable
from recommender.evaluation.metrics import Bin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {
    "back": "#14161a",
    "text": "#e8e6e3",
    "faint": "#9a9ca3",
    "grid": "#2a2e36",
    "accent": "#66ccee",
    "rival": "#8f949f",
    "plus": "#6cc48f",
    "minus": "#e08a74",
    "none": "#6f727a",
}
"""Those of a dark page, by the names of ``assets/colours.css``."""
TEXT, FAINT = COLOURS["text"], COLOURS["faint"]
DOTS_PER_INCH = 130
WIDE, SQUARE = 8.6, 4.0
"""Inches of a chart in a page: the width of the page, and half of it."""
ROW, AXIS = 0.26, 0.4
"""Inches that a row of a chart takes, and the axis below the rows."""
EDGE = 0.12
"""Inches above and below a chart: half of its largest dot."""
LABEL, TITLE = 9, 10
"""Points."""
LEAST_DOT, LARGEST_DOT = 20.0, 220.0
"""Points² of a dot in the reliability diagram: its area grows with the answers in a bin."""
LEAST_REACH = 0.05
"""A difference's axis reaches at least so far from zero, so that a hair's breadth is not drawn as a gulf."""
NAME_CHARACTERS = 28


@dataclass(frozen=True, slots=True)
class Mark:
    """One figure with its interval.

    Attributes:
        label: at the left.
        mean, low, high: in the chart's unit; no bounds where there are none.
        colour: one of ``COLOURS``.
    """

    label: str
    mean: float
    low: float | None
    high: float | None
    colour: str


def blank_figure(width: float, height: float, **options: Any) -> "Figure":
    """An empty figure, ``width`` × ``height`` inches."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - half a second, for a page or a picture only

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor=COLOURS["back"], **options)


def svg(title: str, width: float, height: float, draw: Callable[["Axes"], None]) -> str:
    """One chart as an element of a page.

    Args:
        title: what it shows, for whoever cannot see it.
        width: inches, which the page scales to its own width.
        height: likewise.
        draw: draws it.
    """
    from matplotlib import rc_context  # noqa: PLC0415 - as above

    written = io.StringIO()
    with (
        rc_context(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": "player",
                "font.family": "DejaVu Sans",
                "figure.constrained_layout.h_pad": EDGE,
            }
        ),
        _any_script(),
    ):
        figure = blank_figure(width, height, layout="constrained")
        draw(figure.add_subplot())
        figure.savefig(
            written, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    # What matplotlib calls its parts, and the style it wants for everything, would be the whole page's.
    element = written.getvalue().partition("<svg")[2].partition(">")[2]
    element = re.sub(r'(<g) id="[^"]*"|<style.*?</style>', r"\1", element, flags=re.DOTALL)
    for name, colour in COLOURS.items():
        element = element.replace(colour, f"var(--{name})")
    name = escape(title)
    return (
        f'<svg viewBox="0 0 {72 * width:g} {72 * height:g}" role="img" aria-label="{name}"><title>{name}</title>'
        # What a page holds has no name spaces of its own.
        + element.strip().replace("xlink:href", "href")
    )


def save_png(figure: "Figure", path: Path) -> None:
    """Write a picture.

    Raises:
        OSError: the file cannot be written.
    """
    with _any_script():
        figure.savefig(path, format="png")


@contextmanager
def _any_script() -> Generator[None]:
    """Within it a name in a script that the font lacks is drawn as boxes, which is no news for the listener."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        yield


def write(figure: "Figure", x: float, y: float, text: str, **style: Any) -> None:
    """Text at a place of a picture, from its bottom left; never a formula, whatever "$" it has."""
    figure.text(x, y, text, va="center", parse_math=False, **style)


def shortened(text: str, characters: int) -> str:
    """Text on one line of so many characters, nothing in it that is not printed."""
    shown = printable(text)
    return shown if len(shown) <= characters else shown[: characters - 1] + "…"


def prepare(axes: "Axes", title: str = "") -> None:
    """The looks of every chart: a faint grid, no frame."""
    axes.set_facecolor(COLOURS["back"])
    axes.set_title(title, color=TEXT, fontsize=TITLE, loc="left", parse_math=False)
    axes.grid(color=COLOURS["grid"], lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=FAINT, labelsize=LABEL, length=0)
    axes.spines[:].set_visible(False)


def forest(axes: "Axes", marks: Sequence[Mark], ends: tuple[float, float], even: float) -> None:
    """Figures below one another, each with its interval on one scale.

    Args:
        axes: where.
        marks: the figures.
        ends: of the scale.
        even: the value of the dashed line: chance, or no difference.
    """
    prepare(axes)
    axes.grid(visible=False, axis="y")
    axes.axvline(even, color=FAINT, lw=1, ls="--")
    for place, mark in enumerate(marks):
        colour = COLOURS[mark.colour]
        if mark.low is not None and mark.high is not None:
            axes.plot([mark.low, mark.high], [place, place], color=colour, lw=2)
        axes.plot([mark.mean], [place], color=colour, marker="o", ms=7)
    axes.set_xlim(*ends)
    _name_rows(axes, [mark.label for mark in marks])


def around_zero(marks: Sequence[Mark]) -> tuple[float, float]:
    """The ends of a scale of differences, as far on either side as the widest bound."""
    bounds = [abs(value) for mark in marks for value in (mark.mean, mark.low, mark.high) if value is not None]
    reach = 1.05 * max([LEAST_REACH, *bounds])
    return -reach, reach


def bars(axes: "Axes", entries: Sequence[tuple[str, int, str]]) -> None:
    """Counts as bars: label, count, one of ``COLOURS``."""
    prepare(axes)
    axes.grid(visible=False)
    axes.set_xticks([])
    counts = [count for _, count, _ in entries]
    drawn = axes.barh(range(len(entries)), counts, color=[COLOURS[colour] for *_, colour in entries], height=0.55)
    axes.bar_label(drawn, color=FAINT, fontsize=LABEL, padding=4)
    _name_rows(axes, [label for label, *_ in entries])


def _name_rows(axes: "Axes", names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [shortened(name, NAME_CHARACTERS) for name in names])
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
        label.set_color(TEXT)
    axes.set_ylim(len(names) - 0.5, -0.5)


def reliability_diagram(axes: "Axes", bins: Sequence[Bin]) -> None:
    """Shares that came against those promised; on the diagonal every promise is kept."""
    unit_square(axes, "promised", "came")
    most = max((each.rows for each in bins), default=1)
    promised, came = [each.promised for each in bins], [each.came for each in bins]
    axes.plot(promised, came, color=COLOURS["accent"], lw=1.5, alpha=0.6)
    sizes = [max(LEAST_DOT, LARGEST_DOT * each.rows / most) for each in bins]
    axes.scatter(promised, came, s=sizes, color=COLOURS["accent"], clip_on=False)


def unit_square(axes: "Axes", across: str, up: str) -> None:
    """Axes from 0 to 1 in per cent, with a dashed diagonal."""
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415 - as above

    prepare(axes)
    axes.plot([0, 1], [0, 1], color=FAINT, lw=1, ls=":")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel(across, color=FAINT, fontsize=LABEL)
    axes.set_ylabel(up, color=FAINT, fontsize=LABEL)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
