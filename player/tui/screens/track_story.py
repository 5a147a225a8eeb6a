"""Everything known about a track, and putting it right."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from player.listening.story_view import TrackStory
from player.tui.keys import IN_STORY, STORY_BAR, bindings
from player.tui.messages import AskWhy, BanTrack, PutRight, ThumbEverywhere, ThumbTrack
from player.tui.screens.about_track import AboutTrackScreen
from player.tui.screens.rest import RestMenu
from player.tui.text import dotted
from player.tui.widgets.lines import Heading, JobLine, KeyBar, NoticeLine
from player.tui.widgets.now_playing import NowPlayingPanel
from player.tui.widgets.position_bar import PositionBar
from player.tui.widgets.story_list import StoryList

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.tui.port import Thumb


class TrackStoryScreen(AboutTrackScreen[TrackStory]):
    """The track asked about above, all that is known about it below."""

    AUTO_FOCUS = "#story"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_STORY)]

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield NowPlayingPanel(id="now")
        yield PositionBar(self._clock, id="position")
        yield Heading(id="heading")
        yield StoryList(id="story")
        yield JobLine(id="job")
        yield NoticeLine(id="notice")
        yield KeyBar(STORY_BAR, id="keys")

    def head(self) -> None:
        """The track, and its number for the commands."""
        words = dotted((self._track.title, self._track.artist))
        self.query_one(Heading).show("Known about", words, f"track {self._track.id}")

    def find(self, track_id: int) -> TrackStory:
        """All that is known."""
        return self._port.story(track_id)

    def show_answer(self, answer: TrackStory | None) -> None:
        """List what is known."""
        self.query_one(StoryList).show(answer)

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
