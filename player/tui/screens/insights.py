"""Insights: the last week in words, a calendar of listening, what is liked and what is not, and the log with its undo."""

from __future__ import annotations

import textwrap
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container

from player.feedback.correction import Correction
from player.storage.event_kinds import Kind
from player.tui.keys import IN_INSIGHTS, INSIGHTS_BAR, bindings
from player.tui.messages import Tell
from player.tui.screens.playing import PlayingScreen
from player.tui.screens.station import model_words
from player.tui.text import clock, column, dotted, fit, sparkline
from player.tui.widgets.row_list import RowList
from player.tui.widgets.status_lines import Heading
from player.tui.widgets.styled_text import Ink, Inked, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.insight.listening_summary import Leaning, LearnedModel, ListeningSummary, LoggedLine
    from player.library.tracks import TrackRow
    from player.stations.snapshot import Snapshot
    from player.tui.messages import AnswerFound, RowChosen

_SHADES = "·░▒▓█"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK_CELLS = 2
_DAY_CELLS = 4
_WHEN = 13
_WORDS = 26
_NAME_CELLS = 22
_BAR_CELLS = 10


class SummaryPanel(Inked):
    """Sentences, calendar, hours, and what is liked, from top to bottom as far as there is room."""

    _lines: Sequence[Line] = ()
    _summary: ListeningSummary | None = None

    def show(self, summary: ListeningSummary) -> None:
        """Show another summary."""
        self._summary = summary
        self._lines = ()
        self.refresh()

    def on_resize(self) -> None:
        """Another width has other lines."""
        self._lines = ()

    def line(self, y: int, width: int) -> Line:
        """One line."""
        if not self._lines and self._summary is not None:
            self._lines = summary_lines(self._summary, width, datetime.now().astimezone().date())
        return self._lines[y] if y < len(self._lines) else []


def summary_lines(summary: ListeningSummary, width: int, today: date) -> list[Line]:
    """The whole panel."""
    lines: list[Line] = [*_wrapped(summary.sentences, width, Ink.TEXT), [], *_calendar(summary, width, today), []]
    if any(summary.hours):
        lines += [[("by hour ", Ink.DIM), (sparkline(summary.hours, 24), Ink.ACCENT), (" 0 – 23 h", Ink.DIM)], []]
    for title, leanings in (("Artists", summary.artists), ("Genres", summary.genres), ("Sound", summary.sounds)):
        if leanings:
            lines += [[(f"{title}, by how you answered", Ink.STRONG)], *map(_leaning, leanings), []]
    if summary.models:
        lines += [
            [("What was learned, put to the test on your newest answers", Ink.STRONG)],
            *map(_model, summary.models),
            [],
        ]
    if summary.trials:
        lines += [[("Two ways of choosing, compared while you listened", Ink.STRONG)]]
        lines += [*_wrapped(summary.trials, width, Ink.TEXT), []]
    return lines + _wrapped(_missing(summary), width, Ink.DIM)


def _wrapped(sentences: Iterable[str], width: int, ink: Ink) -> list[Line]:
    return [[(part, ink)] for sentence in sentences for part in textwrap.wrap(sentence, max(width, 1))]


def _missing(summary: ListeningSummary) -> Iterator[str]:
    """What is not known yet, and how it comes to be."""
    for leanings, name in ((summary.artists, "artists"), (summary.genres, "genres")):
        if not leanings:
            yield f"Which {name} you like shows after a few answers: + and - while one plays, or S for the survey."
    if not summary.models:
        yield "How often the player is right shows once it has learned from your feedback: r begins, or it begins by itself."
    elif all(model.right is None for model in summary.models):
        yield "None was put to the test yet; that takes more feedback on days after the training."
    if not summary.trials:
        yield "player ab start lets two ways of choosing take turns; how that ends shows here."


def _model(model: LearnedModel) -> Line:
    """How often a version was right, beside the best rule that learns nothing."""
    right = "not measured" if model.right is None else f"{100 * model.right:.0f} of 100 pairs right"
    plain = "" if model.plain is None else f", a plain rule {100 * model.plain:.0f}"
    ink = Ink.TEXT if model.serves else Ink.DIM
    return [
        ("▶ " if model.serves else "  ", Ink.ACCENT),
        (column(model_words(model.version), _NAME_CELLS), ink),
        (right + plain, ink),
    ]


def _calendar(summary: ListeningSummary, width: int, today: date) -> list[Line]:
    """A row for each day of the week, a column for each week, the last one at the right."""
    weeks = max(min((width - _DAY_CELLS) // _WEEK_CELLS, 53), 0)
    monday = today - timedelta(days=today.weekday(), weeks=weeks - 1)
    most = max(summary.days.values(), default=0)
    rows: list[Line] = []
    for weekday, name in enumerate(_DAYS):
        days = [monday + timedelta(weeks=week, days=weekday) for week in range(weeks)]
        cells = "".join(_shade(summary.days.get(day, 0), most) + " " if day <= today else "  " for day in days)
        rows.append([(name.ljust(_DAY_CELLS), Ink.DIM), (cells, Ink.ACCENT)])
    return rows


def _shade(plays: int, most: int) -> str:
    return _SHADES[0] if not plays else _SHADES[min(1 + (len(_SHADES) - 1) * (plays - 1) // max(most, 1), 4)]


def _leaning(one: Leaning) -> Line:
    filled = round(one.share * _BAR_CELLS)
    sign, ink = ("▲", Ink.GOOD) if one.share >= 0.5 else ("▼", Ink.BAD)  # noqa: PLR2004 - more for than against
    return [
        (f"{sign} ", ink),
        (column(one.name, _NAME_CELLS), Ink.TEXT),
        ("━" * filled, ink),
        ("─" * (_BAR_CELLS - filled), Ink.DIM),
        (f" {round(100 * one.share):>3} % for, of {one.answers}", Ink.DIM),
    ]


class LogList(RowList):
    """What happened, the newest first."""

    _lines: Sequence[LoggedLine] = ()

    @property
    def selected(self) -> LoggedLine | None:
        """The event at the cursor."""
        return self._lines[self.cursor] if self._lines else None

    def show(self, lines: Sequence[LoggedLine]) -> None:
        """Show another log; the cursor stays where it is."""
        self._lines = lines
        self.set_length(len(lines), self.cursor)

    def row(self, index: int, width: int, *, selected: bool) -> Line:
        """When, what and which track."""
        told, event = self._lines[index], self._lines[index].event
        gone = not event.stands
        when = f"{datetime.fromtimestamp(event.time_us / 1_000_000).astimezone():%-d %b %H:%M}"
        at = f"at {clock(event.position)}" if event.position and event.kind != Kind.FINISH else ""
        words = dotted((f"{event.words} {at}".strip(), "taken back" if gone and not event.undoes else ""))
        room = min(_WORDS, (width - _WHEN) // 2)
        ink = Ink.DIM if gone else Ink.STRONG if selected else Ink.TEXT
        return [
            (column(when, _WHEN), Ink.DIM),
            (column(words, room) + " ", ink),
            (fit(told.title, width - _WHEN - room - 1), Ink.DIM),
        ]


class InsightsScreen(PlayingScreen):
    """The summary, and the log below or beside it."""

    AUTO_FOCUS = "#log"
    KEYS = INSIGHTS_BAR
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_INSIGHTS)]
    _seen: tuple[int, int | None] | None = None

    def body(self) -> ComposeResult:
        """Both."""
        yield Heading(id="heading")
        with Container(id="insights"):
            yield SummaryPanel(id="summary")
            yield LogList(id="log")

    def on_mount(self) -> None:
        """Ask for the first time."""
        self.query_one(Heading).show("Insights", "what you heard and said", "")
        self.show(self._player.snapshot())

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot; another track or library is another log."""
        super().show(snapshot)
        seen = snapshot.tracks, None if snapshot.now is None else snapshot.now.track.id
        if seen != self._seen:
            self._seen = seen
            self.renew()

    def renew(self) -> None:
        """Sum up anew."""
        self.look_up("listening", self._player.listening)

    def on_answer_found(self, message: AnswerFound) -> None:
        """Draw the summary."""
        self.query_one(SummaryPanel).show(message.answer)
        self.query_one(LogList).show(message.answer.log)

    def on_row_chosen(self, message: RowChosen) -> None:
        """Play the track of the event."""
        message.stop()
        if (told := self.query_one(LogList).selected) is not None:
            self.post_message(Tell("play_track", told.track_id))

    def action_correct(self) -> None:
        """Take the selected event back."""
        told = self.query_one(LogList).selected
        if told is not None and told.event.correctable:
            self.post_message(Tell("correct", Correction("undo", told.track_id, event_id=told.event.id)))
        else:
            self.complain("This is no event that can be taken back.")

    @property
    def chosen(self) -> TrackRow | None:
        """The track of the selected event, while its file is there."""
        told = self.query_one(LogList).selected
        return (
            None if told is None else next((row for row in self._player.catalogue() if row.id == told.track_id), None)
        )
