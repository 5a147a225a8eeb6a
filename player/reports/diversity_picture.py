"""A period's diversity as a picture: the Lorenz curve beside the course of the Gini index."""

import textwrap
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from player.insight.diversity_history import DiversityHistory
from player.reports.diversity_view import about, span_of, when

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES, DOTS_PER_INCH = (12.0, 5.6), 130
BACK, TEXT, FAINT, GRID = "#14161a", "#e8e6e3", "#9a9ca3", "#2a2e36"
OWN, MODEL = "#66ccee", "#e08a74"
SENTENCE_CHARACTERS, NAME_CHARACTERS = 125, 28
NAME_LINES = 3
"""Names of versions stand on so many lines in turn, so that near ones do not lie on each other."""
LATE = 0.8
"""From this share of the width on a version's name stands at the left of its mark."""


def save_picture(history: DiversityHistory, path: Path) -> None:
    """Write the picture as PNG.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - half a second, for a picture only
    from matplotlib.figure import Figure  # noqa: PLC0415 - likewise

    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, facecolor=BACK)
    FigureCanvasAgg(figure)
    _write(figure, 0.94, "How varied your listening was", size=16, colour=TEXT, weight="bold")
    _write(figure, 0.895, about(history), size=9.5, colour=FAINT)
    _write(figure, 0.84, "\n".join(textwrap.wrap(history.sentence, SENTENCE_CHARACTERS)), size=11, colour=TEXT)
    _lorenz(figure.add_axes((0.06, 0.12, 0.28, 0.60)), history)
    _course(figure.add_axes((0.42, 0.12, 0.55, 0.60)), history)
    with warnings.catch_warnings():
        # A name in a script that the picture's font lacks is drawn as boxes; that is no news for the listener.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure.savefig(path, format="png", facecolor=BACK)


def _lorenz(axes: "Axes", history: DiversityHistory) -> None:
    _plain(axes, f"Plays by artist: Gini {history.figure('gini').value:.2f}")
    axes.plot([0, 1], [0, 1], color=FAINT, lw=1, ls=":")
    axes.fill_between(history.lorenz[:, 0], history.lorenz[:, 1], history.lorenz[:, 0], color=OWN, alpha=0.12, lw=0)
    axes.plot(history.lorenz[:, 0], history.lorenz[:, 1], color=OWN, lw=2)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel(f"share of {history.artists:,} artists, the least played first", color=FAINT, fontsize=9)
    axes.set_ylabel("share of the plays", color=FAINT, fontsize=9)


def _course(axes: "Axes", history: DiversityHistory) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num  # noqa: PLC0415 - as above

    span, zone = span_of(history), history.until.tzinfo
    _plain(axes, f"Gini index of the last {history.window} plays; lower is more varied")

    def at(time: float) -> float:
        return float(date2num(datetime.fromtimestamp(time, UTC)))

    times = [at(point.time) for point in history.course]
    alone = len(times) == 1
    axes.plot(times, [point.gini for point in history.course], color=OWN, lw=2, marker="o" if alone else "")
    for number, mark in enumerate(history.models):
        if number:
            axes.axvline(at(mark.time), color=MODEL, lw=1, ls="--")
        late = span.across(mark.time) > LATE
        axes.annotate(
            _short(mark.version),
            (at(mark.time), 0.96 - 0.06 * (number % NAME_LINES)),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if late else 4, 0),
            textcoords="offset points",
            ha="right" if late else "left",
            color=MODEL,
            fontsize=8,
            parse_math=False,
        )
    axes.set_xlim(at(span.start), at(span.end))
    axes.set_ylim(span.lowest, span.highest)
    locator = AutoDateLocator(maxticks=8, tz=zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone, show_offset=False))
    dashed = "; dashed: another model began to choose" if len(history.models) > 1 else ""
    axes.set_xlabel(
        f"{when(history, history.since)} to {when(history, history.until)}{dashed}", color=FAINT, fontsize=9
    )


def _plain(axes: "Axes", title: str) -> None:
    axes.set_facecolor(BACK)
    axes.set_title(title, color=TEXT, fontsize=10, loc="left", parse_math=False)
    axes.grid(color=GRID, lw=0.8)
    axes.tick_params(colors=FAINT, labelsize=8)
    axes.spines[:].set_color(GRID)


def _write(figure: "Figure", y: float, text: str, *, size: float, colour: str, weight: str = "normal") -> None:
    # Names are text, not formulas: a "$" in one must not be typeset.
    figure.text(0.03, y, text, size=size, color=colour, weight=weight, ha="left", va="center", parse_math=False)


def _short(text: str) -> str:
    return text if len(text) <= NAME_CHARACTERS else text[: NAME_CHARACTERS - 1] + "…"
