"""Everything known about a track, and putting it right."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.worker import get_current_worker

from player.errors import PlayerError
from player.tui.keys import IN_STORY, STORY_BAR, bindings
from player.tui.messages import AskWhy, BanTrack, PutRight, StoryFound, ThumbEverywhere, ThumbTrack
from player.tui.screens.playing import PlayingScreen
from player.tui.screens.rest import RestMenu
from player.tui.text import dotted
from player.tui.widgets.lines import Heading, JobLine, KeyBar, NoticeLine
from player.tui.widgets.now_playing import NowPlayingPanel
from player.tui.widgets.position_bar import PositionBar
from player.tui.widgets.story_list import StoryList

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.library.rows import TrackRow
    from player.listening.view import QueueRow, Snapshot
    from player.tui.port import PlayerPort, Thumb


class TrackStoryScreen(PlayingScreen):
    """The track asked about above, all that is known about it below."""

    AUTO_FOCUS = "#story"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_STORY)]

    def __init__(self, port: PlayerPort, clock: Callable[[], float], track: TrackRow) -> None:
        super().__init__()
        self._port = port
        self._clock = clock
        self._track = track
        self._queue: tuple[QueueRow, ...] = ()

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield NowPlayingPanel(id="now")
        yield PositionBar(self._clock, id="position")
        yield Heading(id="heading")
        yield StoryList(id="story")
        yield JobLine(id="job")
        yield NoticeLine(id="notice")
        yield KeyBar(STORY_BAR, id="keys")

    def on_mount(self) -> None:
        """Find what is known."""
        self._queue = self._port.snapshot().queue
        self.show(self._port.snapshot())
        self.ask(self._track)

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot; when the queue has changed, something has happened."""
        self.query_one(NowPlayingPanel).show(snapshot)
        self.query_one(PositionBar).show(snapshot)
        self.query_one(JobLine).show(snapshot.job)
        if snapshot.queue != self._queue:
            self._queue = snapshot.queue
            self.renew()

    def ask(self, track: TrackRow) -> None:
        """Tell of a track."""
        self._track = track
        self.query_one(Heading).show("Known about", dotted((track.title, track.artist)), f"track {track.id}")
        self.renew()

    def renew(self) -> None:
        """Ask again."""
        self.run_worker(partial(self._find, self._track), group="story", exclusive=True, thread=True)

    def on_story_found(self, message: StoryFound) -> None:
        """Show what is known."""
        if message.asked.id == self._track.id:
            self.query_one(StoryList).show(message.story)

    def action_correct(self) -> None:
        """Put the selected row right."""
        row = self.query_one(StoryList).selected
        if row is not None and row.correction is not None:
            self.post_message(PutRight(row.correction))

    def action_thumb_row(self, value: Thumb) -> None:
        """Thumb the track on this station."""
        self.post_message(ThumbTrack(self._track.id, value))

    def action_thumb_everywhere(self, value: Thumb) -> None:
        """Thumb the track for all stations."""
        self.post_message(ThumbEverywhere(self._track.id, value))

    def action_rest(self) -> None:
        """Choose how long the track rests."""
        self.app.push_screen(RestMenu(self._track.id))

    def action_never(self) -> None:
        """Never play the track again."""
        self.post_message(BanTrack(self._track.id))

    def action_why_row(self) -> None:
        """Why the track stands where it stands."""
        self.post_message(AskWhy(self._track))

    def action_leave(self) -> None:
        """Back."""
        self.app.pop_screen()

    def _find(self, track: TrackRow) -> None:
        try:
            message = StoryFound(track, self._port.story(track.id))
        except PlayerError as error:
            message = StoryFound(track, None, str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(message)
