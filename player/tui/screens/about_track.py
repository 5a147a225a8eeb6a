"""Panels about one track: why it stands where it stands, and everything known about it, to be put right."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from player.feedback.correction import Correction
from player.tui.keys import IN_STORY, IN_WHY, STORY_BAR, WHY_BAR, bindings
from player.tui.messages import Tell
from player.tui.screens.playing import PlayingScreen
from player.tui.text import dotted
from player.tui.widgets.status_lines import Heading, PlainLine
from player.tui.widgets.story_list import StoryList
from player.tui.widgets.styled_text import Ink
from player.tui.widgets.why_list import WhyColumns, WhyList, standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.library.tracks import TrackRow
    from player.playback.controller import Controller
    from player.stations.snapshot import QueueRow, Snapshot
    from player.stations.track_views import Why
    from player.tui.messages import AnswerFound


class AboutTrackScreen(PlayingScreen):
    """A question about a track; a subclass draws the answer as it arrives (:class:`AnswerFound`).

    Args:
        player: what it asks.
        clock: seconds, for the position bar.
        track: which.
    """

    QUESTION: ClassVar[str] = ""

    def __init__(self, player: Controller, clock: Callable[[], float], track: TrackRow) -> None:
        super().__init__(player, clock)
        self._track = track
        self._queue: tuple[QueueRow, ...] = ()

    @property
    def chosen(self) -> TrackRow | None:
        """The track asked about."""
        return self._track

    def find(self, track_id: int) -> object:
        """The player's answer about a track, or a :class:`PlayerError` that says why there is none; to be overridden."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Ask for the first time."""
        snapshot = self._player.snapshot()
        self._queue = snapshot.queue
        self.show(snapshot)
        self._begin()

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot; when the queue has changed, something has happened, and the answer may be another."""
        super().show(snapshot)
        if snapshot.queue != self._queue:
            self._queue = snapshot.queue
            self.renew()

    def ask(self, track: TrackRow) -> None:
        """Ask about another track."""
        self._track = track
        self._begin()

    def _begin(self) -> None:
        self.head()
        self.look_up(self._track.id, partial(self.find, self._track.id))

    def head(self, beside: str = "") -> None:
        """Say above what is asked, and something at the right."""
        self.query_one(Heading).show(self.QUESTION, dotted((self._track.title, self._track.artist)), beside)

    def renew(self) -> None:
        """Ask again."""
        self.look_up(self._track.id, partial(self.find, self._track.id))


class WhyScreen(AboutTrackScreen):
    """Every part of a track's score, and less because of one."""

    AUTO_FOCUS = "#reasons"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_WHY)]
    KEYS = WHY_BAR
    QUESTION = "Why"

    def __init__(self, player: Controller, clock: Callable[[], float], track: TrackRow) -> None:
        super().__init__(player, clock, track)
        self._why: Why | None = None

    def body(self) -> ComposeResult:
        """The reasons."""
        yield Heading(id="heading")
        yield PlainLine(id="standing")
        yield WhyColumns(id="columns")
        yield WhyList(id="reasons")

    def find(self, track_id: int) -> Why:
        """The reasons."""
        return self._player.why(track_id)

    def on_answer_found(self, message: AnswerFound) -> None:
        """List the reasons."""
        if message.asked == self._track.id:
            self._why = why = message.answer
            now = self._player.snapshot().now
            playing = now is not None and now.track.id == self._track.id
            row = next((row for row in self._queue if row.track.id == self._track.id), None)
            self.head("" if why is None else f"on {why.station}")
            self.query_one(PlainLine).show("", "" if why is None else standing(why, row, playing=playing), Ink.TEXT)
            self.query_one(WhyList).show(why)

    def action_less(self) -> None:
        """Take the selected reason away, or let it count again."""
        row, why = self.query_one(WhyList).selected, self._why
        if row is None or why is None or not row.key:
            self.complain("This is no reason that can be ignored.")
        elif row.muted:
            correction = Correction("unmute", self._track.id, station_id=why.station_id, reason=row.key)
            self.post_message(Tell("correct", correction))
        else:
            self.post_message(Tell("less", self._track.id, row.key))


class TrackStoryScreen(AboutTrackScreen):
    """Everything known about a track; what the log says of it can be put right."""

    AUTO_FOCUS = "#story"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_STORY)]
    KEYS = STORY_BAR
    QUESTION = "Track info"

    def body(self) -> ComposeResult:
        """What is known."""
        yield Heading(id="heading")
        yield StoryList(id="story")

    def find(self, track_id: int) -> object:
        """What is known."""
        return self._player.story(track_id)

    def on_answer_found(self, message: AnswerFound) -> None:
        """List what is known; the track's number is for the commands."""
        if message.asked == self._track.id:
            self.head(f"track {self._track.id}")
            self.query_one(StoryList).show(message.answer)

    def action_correct(self) -> None:
        """Put the selected row right."""
        row = self.query_one(StoryList).selected
        if row is not None and row.correction is not None:
            self.post_message(Tell("correct", row.correction))
        else:
            self.complain("This is no thumb, ban, rest, reason or event that can be taken back.")
