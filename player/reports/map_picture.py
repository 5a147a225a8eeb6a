"""A map as a picture."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from player.insight.library_map import LibraryMap
from player.insight.map_colours import SCALE, Paint, paint
from player.reports.map_page import about
from player.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCHES, DOTS_PER_INCH = (11.0, 8.0), 150
BACK, TEXT, FAINT = "#14161a", "#e8e6e3", "#9a9ca3"
LONGEST_NAME = 32
LARGEST_DOT, SMALLEST_DOT, DOTS_AREA = 60.0, 2.0, 16_000.0
"""Points² of a dot, and of all dots together: the fewer there are, the larger."""


def save_picture(drawn: LibraryMap, path: Path) -> None:
    """Write the map as PNG.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - half a second, for a picture only
    from matplotlib.figure import Figure  # noqa: PLC0415 - likewise

    colours = paint(drawn.colouring)
    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, facecolor=BACK)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.02, 0.02, 0.74, 0.9))
    size = min(LARGEST_DOT, max(SMALLEST_DOT, DOTS_AREA / len(drawn.tracks)))
    axes.scatter(drawn.places[:, 0], drawn.places[:, 1], c=colours.colours, s=size, alpha=0.85, linewidths=0)
    axes.set_aspect("equal", adjustable="datalim")
    axes.axis("off")
    _write(figure, 0.03, 0.955, "Map of the library", size=16, colour=TEXT, weight="bold")
    _write(figure, 0.03, 0.925, about(drawn), size=10, colour=FAINT)
    _explain(figure, drawn.colouring.title, colours)
    with warnings.catch_warnings():
        # A name in a script that the picture's font lacks is drawn as boxes; that is no news for the listener.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure.savefig(path, format="png", facecolor=BACK)


def _explain(figure: "Figure", title: str, colours: Paint) -> None:
    left, top, step = 0.79, 0.87, 0.035
    _write(figure, left, top, _short(title), size=11, colour=FAINT, weight="bold")
    for line, entry in enumerate(colours.legend, 1):
        y = top - line * step
        _write(figure, left, y, "●", size=13, colour=entry.colour)
        _write(figure, left + 0.02, y, _short(f"{entry.name}  ({entry.count})"), size=10, colour=TEXT)
    if colours.ends is not None:
        _scale(figure, left, top - step, colours.ends)


def _scale(figure: "Figure", left: float, top: float, ends: tuple[float, float]) -> None:
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415 - as above

    bar = figure.add_axes((left, top - 0.02, 0.18, 0.02))
    bar.imshow([list(range(256))], aspect="auto", cmap=LinearSegmentedColormap.from_list("scores", list(SCALE)))
    bar.axis("off")
    _write(figure, left, top - 0.045, f"{ends[0]:.2f}", size=10, colour=FAINT)
    _write(figure, left + 0.18, top - 0.045, f"{ends[1]:.2f}", size=10, colour=FAINT, align="right")


def _write(
    figure: "Figure",
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    colour: str,
    weight: str = "normal",
    align: Any = "left",
) -> None:
    # Names are text, not formulas: a "$" in one must not be typeset.
    figure.text(x, y, text, size=size, color=colour, weight=weight, ha=align, va="center", parse_math=False)


def _short(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= LONGEST_NAME else shown[: LONGEST_NAME - 1] + "…"
