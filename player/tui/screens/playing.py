"""What the screens that fill the terminal have in common: each draws the player's snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from player.tui.widgets.now_playing import NowPlayingPanel
from player.tui.widgets.position_bar import PositionBar
from player.tui.widgets.status_lines import JobLine

if TYPE_CHECKING:
    from player.stations.snapshot import Snapshot


class PlayingScreen(Screen[None]):
    """A screen that follows the music: what plays, where in it, and the job that runs."""

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot; a screen that shows more of it extends this."""
        self.query_one(NowPlayingPanel).show(snapshot)
        self.query_one(PositionBar).show(snapshot)
        self.query_one(JobLine).show(snapshot.job)

    def renew(self) -> None:
        """Ask anew what the screen answers; for screens that answer a question."""
