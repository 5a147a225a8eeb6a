"""Everything known about a track, one thing a row; what can be put right there carries how."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from player.feedback.correction import Correction
from player.storage.event_kinds import Kind
from player.tui.text import clock, column, dotted, fit, plain, right, signed, tail, times
from player.tui.widgets.row_list import RowList
from player.tui.widgets.styled_text import Ink, Line, leaning

if TYPE_CHECKING:
    from player.stations.track_views import StoryEvent, TrackStory  # noqa: TC004 - it brings numpy; annotations are never evaluated

_LABEL = 12
_NAME = 24
_NUMBER = 7
_BAR = 15
_WHEN = 14
_STATION = 18
_STATION_FROM = 70
_GAP = 2


@dataclass(frozen=True, slots=True)
class StoryRow:
    """One row: a title, a fact (``label`` and ``text``), a part of the score, or an event.

    Attributes:
        title: it names the rows below.
        label: what the fact is.
        text: the fact.
        path: the fact is a path, of which the end matters most.
        sign: +1 or -1 for a thumb or a label, which colours it.
        value: logits, for a part.
        event: for an event.
        correction: what ``del`` does to it.
    """

    title: str = ""
    label: str = ""
    text: str = ""
    path: bool = False
    sign: int = 0
    value: float | None = None
    event: StoryEvent | None = None
    correction: Correction | None = field(default=None)


def story_rows(story: TrackStory) -> list[StoryRow]:
    """The panel's rows, from what holds now to what happened."""
    rows = [*_facts(story), *_holds(story)]
    if story.parts:
        rows.append(StoryRow(title=f"Score on {plain(story.station)}: {signed(story.score)}"))
        rows += [
            StoryRow(label=part.name, value=part.lead, text=f"{signed(part.logits)} in all") for part in story.parts
        ]
    rows.append(StoryRow(title="What happened" if story.events else "Nothing has happened to it yet"))
    rows += [StoryRow(event=event, correction=_undoing(story, event)) for event in story.events]
    return rows


def _facts(story: TrackStory) -> list[StoryRow]:
    track = story.track
    place = dotted(
        (
            f"disc {story.disc_number}" if story.disc_number else "",
            f"track {story.track_number}" if story.track_number else "",
            str(track.year or ""),
            track.genre,
        )
    )
    sound = dotted((story.codec, f"{story.sample_rate / 1000:g} kHz", _channels(story.channels), clock(track.duration)))
    heard = dotted((story.embedding, ", ".join(story.tags)))
    plays = dotted((f"finished {times(story.plays)}", f"skipped {times(story.skips)}", _last(story.last_played)))
    facts = [("album", dotted((track.album, place))), ("sound", sound), ("heard in it", heard), ("plays", plays)]
    facts.append(("added", _day(story.added_us / 1_000_000)))
    rows = [StoryRow(label=label, text=text) for label, text in facts if text]
    rows += [StoryRow(label="missing" if file.missing else "file", text=file.path, path=True) for file in story.files]
    return rows


def _channels(count: int) -> str:
    return {1: "mono", 2: "stereo"}.get(count, f"{count} channels")


def _last(seconds: float | None) -> str:
    return "" if seconds is None else f"last {_day(seconds)}"


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%-d %b %Y}"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%-d %b %H:%M}"


def _holds(story: TrackStory) -> list[StoryRow]:
    """What holds now, each with how to put it right."""
    track = story.track.id
    rows = [
        StoryRow(
            label="▲ thumb up" if thumb.value > 0 else "▼ thumb down",
            text=thumb.station if thumb.station_id is None else f"on {thumb.station}",
            sign=thumb.value,
            correction=Correction("clear", track, station_id=thumb.station_id),
        )
        for thumb in story.thumbs
    ]
    if story.never:
        rows.append(
            StoryRow(label="never", text="banned on every station", sign=-1, correction=Correction("lift-never", track))
        )
    if story.rests_until is not None:
        text = f"till {_moment(story.rests_until)}"
        rows.append(StoryRow(label="rests", text=text, correction=Correction("lift-rest", track)))
    rows += [
        StoryRow(
            label="ignored",
            text=f"{muted.words} is ignored on {muted.station}",
            correction=Correction("unmute", track, station_id=muted.station_id, reason=muted.key),
        )
        for muted in story.muted
    ]
    return [StoryRow(title="Your feedback"), *rows] if rows else []


def _undoing(story: TrackStory, event: StoryEvent) -> Correction | None:
    return Correction("undo", story.track.id, event_id=event.id) if event.correctable else None


class StoryList(RowList):
    """The rows."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._rows: list[StoryRow] = []
        self._largest = 0.0

    @property
    def selected(self) -> StoryRow | None:
        """The row at the cursor."""
        return self._rows[self.cursor] if self._rows else None

    def show(self, story: TrackStory | None) -> None:
        """Show another story; the cursor stays where it is."""
        self._rows = [] if story is None else story_rows(story)
        self._largest = max((abs(row.value) for row in self._rows if row.value is not None), default=0.0)
        self.set_length(len(self._rows), self.cursor)

    def row(self, index: int, width: int, *, selected: bool) -> Line:
        """One row."""
        row = self._rows[index]
        if row.title:
            return [(fit(row.title, width), Ink.ACCENT)]
        if row.event is not None:
            return _event_line(row.event, width, selected=selected)
        ink = Ink.STRONG if selected else Ink.TEXT
        if row.value is not None:
            return [
                (column(row.label, _NAME), ink),
                *leaning(row.value, self._largest, _BAR),
                (right(signed(row.value), _NUMBER) + " " * _GAP, Ink.TEXT),
                (fit(row.text, width - _NAME - _BAR - _NUMBER - _GAP), Ink.DIM),
            ]
        label = Ink.GOOD if row.sign > 0 else Ink.BAD if row.sign < 0 else Ink.DIM
        fitted = (tail if row.path else fit)(row.text, width - _LABEL - _GAP)
        return [(column(row.label, _LABEL) + " " * _GAP, label), (fitted, ink)]


def _event_line(event: StoryEvent, width: int, *, selected: bool) -> Line:
    gone = not event.stands
    ink = Ink.DIM if gone else Ink.STRONG if selected else Ink.TEXT
    label = "" if event.label is None else signed(event.label)
    label_ink = Ink.GOOD if event.label is not None and event.label > 0 else Ink.BAD
    station = column(event.station or "", _STATION) if width >= _STATION_FROM else ""
    room = width - _WHEN - len(station) - _NUMBER - 2 * _GAP
    return [
        (column(_moment(event.time_us / 1_000_000), _WHEN) + " " * _GAP, Ink.DIM),
        (column(_event_words(event), room) + " " * _GAP, ink),
        (station, Ink.DIM),
        (right(label, _NUMBER), label_ink),
    ]


def _event_words(event: StoryEvent) -> str:
    at = "" if event.position is None or event.kind == Kind.START else f"at {clock(event.position)}"
    heard = "" if event.heard is None else f"heard {clock(event.heard)}"
    taken = "taken back" if not event.stands and event.kind != Kind.UNDO else ""
    return dotted(
        (f"{event.words} {at}".strip(), heard, taken, "" if event.origin in {"tui", "headless"} else event.origin)
    )
