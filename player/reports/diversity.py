"""The report of a period's diversity: its facts and table, as terminal, page and picture show them; the page; the picture.

The page has no script; whatever text enters it is escaped.
"""

import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING

from player.insight.diversity_history import DiversityFigure, DiversityHistory
from player.reports.charts import (
    COLOURS,
    FAINT,
    LABEL,
    NAME_CHARACTERS,
    SQUARE,
    TEXT,
    TITLE,
    WIDE,
    blank_figure,
    prepare,
    save_png,
    shortened,
    svg,
    unit_square,
    write,
)
from player.reports.page import Table, asset, figure, filled, html_page, html_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = ("", "this period", "change", "by chance", "")
HOURS_UP_TO = timedelta(days=3)
"""In periods up to this long a moment is told with its time of day."""
INCHES, COURSE_HEIGHT = (12.0, 5.6), 3.0
SENTENCE_CHARACTERS = 125
NAME_LINES = 3
"""Names of versions stand on so many lines in turn, so that near ones do not lie on each other."""
LATE = 0.8
"""From this share of the width on a version's name stands at the left of its mark."""
STEP = 0.05
"""The Gini axis begins and ends at a multiple of this."""


@dataclass(frozen=True, slots=True)
class CourseSpan:
    """The axes of the course: seconds since 1970, and the Gini index."""

    start: float
    end: float
    lowest: float
    highest: float

    def across(self, time: float) -> float:
        """A moment as a share of the width."""
        return (time - self.start) / (self.end - self.start)

    def up(self, gini: float) -> float:
        """An index as a share of the height."""
        return (gini - self.lowest) / (self.highest - self.lowest)

    def place(self, time: float, gini: float) -> tuple[float, float]:
        """Both."""
        return self.across(time), self.up(gini)


def span_of(history: DiversityHistory) -> CourseSpan:
    """Axes that hold the whole course, with round ends."""
    values = [point.gini for point in history.course]
    lowest = max(0.0, STEP * floor(min(values) / STEP - STEP))
    highest = min(1.0, max(STEP * ceil(max(values) / STEP + STEP), lowest + 2 * STEP))
    return CourseSpan(history.since.timestamp(), history.until.timestamp(), min(lowest, highest - 2 * STEP), highest)


def about(history: DiversityHistory) -> str:
    """The period in figures, as a sentence."""
    where = "all stations" if history.station is None else f"“{history.station}”"
    return (
        f"{history.plays:,} plays on {where} since {when(history, history.since)}: {history.artists_played:,} of "
        f"{history.artists:,} artists that may be played now, {history.tracks:,} tracks."
    )


def table(history: DiversityHistory) -> list[tuple[str, str, str, str, str]]:
    """The figures as cells below ``COLUMNS``, the heading first."""
    return [COLUMNS, *(_row(figure) for figure in history.figures)]


def comparison(history: DiversityHistory) -> str:
    """The way that the changes were reckoned."""
    if not history.compared:
        return "There are too few plays in the period before to speak of changes."
    return (
        f"Changes since the period before, as long as this one, over the last {history.compared:,} plays of each. "
        "By chance: where 95 % of the changes lie when the sessions of both are dealt at random."
    )


def _row(figure: DiversityFigure) -> tuple[str, str, str, str, str]:
    change = figure.change
    if change is None:
        return figure.name, f"{figure.value:.2f}", "", "", ""
    reach = f"{_signed(change.low)}…{_signed(change.high)}"
    return (
        figure.name,
        f"{figure.value:.2f}",
        _signed(change.difference),
        reach,
        "more than chance" if change.beyond_chance else "",
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def when(history: DiversityHistory, moment: datetime | float) -> str:
    """A moment of the period where the listener is, as exact as the period's length asks for."""
    short = history.until - history.since <= HOURS_UP_TO
    return _local(moment).strftime("%d %b %Y, %H:%M" if short else "%d %b %Y")


def iso(moment: datetime | float) -> str:
    """A moment for scripts."""
    return _local(moment).astimezone(UTC).isoformat()


def _local(moment: datetime | float) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, UTC).astimezone()


def diversity_page(history: DiversityHistory) -> str:
    """The page, complete."""
    heading, *figures = table(history)
    most = Table("", ("most played", "plays"), tuple((each.artist, f"{each.plays:,}") for each in history.top))
    lorenz = svg("Lorenz curve of plays by artist", SQUARE, SQUARE, lambda axes: lorenz_chart(axes, history))
    title = f"Gini index of the last {history.window} plays over time"
    course = svg(title, WIDE, COURSE_HEIGHT, lambda axes: course_chart(axes, history))
    parts = {
        "ABOUT": escape(about(history)),
        "SENTENCE": escape(history.sentence),
        "LORENZ": figure(lorenz),
        "ARTISTS": html_table(most),
        "COURSE": figure(course),
        "COMPARISON": escape(comparison(history)),
        "FIGURES": html_table(Table("", heading, tuple(figures))),
    }
    styles = asset("report.css") + asset("diversity.css")
    return html_page("How varied your listening was", styles, filled(asset("diversity.html"), parts))


def save_picture(history: DiversityHistory, path: Path) -> None:
    """Write the Lorenz curve beside the course of the Gini index as PNG.

    Raises:
        OSError: the file cannot be written.
    """
    picture = blank_figure(*INCHES)
    write(picture, 0.03, 0.94, "How varied your listening was", size=16, color=TEXT, weight="bold")
    write(picture, 0.03, 0.895, about(history), size=9.5, color=FAINT)
    write(picture, 0.03, 0.84, "\n".join(textwrap.wrap(history.sentence, SENTENCE_CHARACTERS)), size=11, color=TEXT)
    lorenz_chart(picture.add_axes((0.06, 0.12, 0.28, 0.60)), history)
    course_chart(picture.add_axes((0.42, 0.12, 0.55, 0.60)), history)
    save_png(picture, path)


def lorenz_chart(axes: "Axes", history: DiversityHistory) -> None:
    """The Lorenz curve of plays by artist in a square."""
    unit_square(axes, f"share of {history.artists:,} artists, the least played first", "share of the plays")
    axes.set_title(f"Plays by artist: Gini {history.figure('gini').value:.2f}", color=TEXT, fontsize=TITLE, loc="left")
    share, plays = history.lorenz[:, 0], history.lorenz[:, 1]
    axes.fill_between(share, plays, share, color=COLOURS["accent"], alpha=0.12, lw=0)
    axes.plot(share, plays, color=COLOURS["accent"], lw=2)


def course_chart(axes: "Axes", history: DiversityHistory) -> None:
    """The rolling Gini index over the period, a dashed line where another model began to choose."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num  # noqa: PLC0415 - as in charts

    span, zone = span_of(history), history.until.tzinfo
    prepare(axes, f"Gini index of the last {history.window} plays; lower is more varied")

    def at(time: float) -> float:
        return float(date2num(datetime.fromtimestamp(time, UTC)))

    times = [at(point.time) for point in history.course]
    marker = "o" if len(times) == 1 else ""
    axes.plot(times, [point.gini for point in history.course], color=COLOURS["accent"], lw=2, marker=marker)
    for number, mark in enumerate(history.models):
        if number:
            axes.axvline(at(mark.time), color=COLOURS["minus"], lw=1, ls="--")
        late = span.across(mark.time) > LATE
        axes.annotate(
            shortened(mark.version, NAME_CHARACTERS),
            (at(mark.time), 0.96 - 0.06 * (number % NAME_LINES)),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if late else 4, 0),
            textcoords="offset points",
            ha="right" if late else "left",
            color=COLOURS["minus"],
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
        f"{when(history, history.since)} to {when(history, history.until)}{dashed}", color=FAINT, fontsize=LABEL
    )
