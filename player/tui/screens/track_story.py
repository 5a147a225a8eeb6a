"""Everything known about a track, and putting it right."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from player.tui.keys import IN_STORY, STORY_BAR, bindings
from player.tui.messages import AskWhy, BanTrack, PutRight, ThumbEverywhere, ThumbTrack
from player.tui.screens.about_track import AboutTrackScreen
from player.tui.screens.rest import RestMenu
from player.tui.widgets.now_playing import NowPlayingPanel
from player.tui.widgets.position_bar import PositionBar
from player.tui.widgets.status_lines import Heading, JobLine, KeyBar, NoticeLine
from player.tui.widgets.story_list import StoryList

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.library.tracks import TrackRow
    from player.stations.track_views import TrackStory
    from player.tui.messages import AnswerFound
    from player.tui.port import PlayerPort, Thumb


class TrackStoryScreen(AboutTrackScreen):
    """The track asked about above, all that is known about it below."""

    AUTO_FOCUS = "#story"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_STORY)]
    QUESTION = "Known about"

    def __init__(self, port: PlayerPort, clock: Callable[[], float], track: TrackRow) -> None:
        super().__init__(port, clock, track, port.story)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield NowPlayingPanel(id="now")
        yield PositionBar(self._clock, id="position")
        yield Heading(id="heading")
        yield StoryList(id="story")
        yield JobLine(id="job")
        yield NoticeLine(id="notice")
        yield KeyBar(STORY_BAR, id="keys")

    def on_answer_found(self, message: AnswerFound[TrackStory]) -> None:
        """List what is known; the track's number is for the commands."""
        if self.asks_about(message.asked):
            self.head(f"track {message.asked.id}")
            self.query_one(StoryList).show(message.answer)

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
        self.app.push_screen(RestMenu(self._track))

    def action_never(self) -> None:
        """Never play the track again."""
        self.post_message(BanTrack(self._track.id))

    def action_why_row(self) -> None:
        """Why the track stands where it stands."""
        self.post_message(AskWhy(self._track))
