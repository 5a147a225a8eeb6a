"""What terminal, page and picture all show of a period's diversity: its facts, its table, and the axes of its course."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, floor

from player.insight.diversity_history import DiversityHistory, Figure

COLUMNS = ("", "this period", "change", "by chance", "")
HOURS_UP_TO = timedelta(days=3)
"""In periods up to this long a moment is told with its time of day."""
STEP = 0.05
"""The Gini axis begins and ends at a multiple of this."""


@dataclass(frozen=True, slots=True)
class Span:
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


def span_of(history: DiversityHistory) -> Span:
    """Axes that hold the whole course, with round ends."""
    values = [point.gini for point in history.course]
    lowest = max(0.0, STEP * floor(min(values) / STEP - STEP))
    highest = min(1.0, max(STEP * ceil(max(values) / STEP + STEP), lowest + 2 * STEP))
    return Span(history.since.timestamp(), history.until.timestamp(), min(lowest, highest - 2 * STEP), highest)


def about(history: DiversityHistory) -> str:
    """What was looked at."""
    where = "all stations" if history.station is None else f"“{history.station}”"
    return (
        f"{history.plays:,} plays on {where} since {when(history, history.since)}: {history.artists_played:,} of "
        f"{history.artists:,} artists that may be played now, {history.tracks:,} tracks."
    )


def table(history: DiversityHistory) -> list[tuple[str, str, str, str, str]]:
    """The figures as cells below ``COLUMNS``, the heading first."""
    return [COLUMNS, *(_row(figure) for figure in history.figures)]


def comparison(history: DiversityHistory) -> str:
    """How the changes were reckoned."""
    if not history.compared:
        return "There are too few plays in the period before to speak of changes."
    return (
        f"Changes since the period before, as long as this one, over the last {history.compared:,} plays of each. "
        "By chance: where 95 % of the changes lie when the sessions of both are dealt at random."
    )


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
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
