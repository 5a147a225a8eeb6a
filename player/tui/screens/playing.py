"""What the screens that fill the terminal have in common: each draws the player's snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

if TYPE_CHECKING:
    from player.listening.view import Snapshot


class PlayingScreen(Screen[None]):
    """A screen that follows the music."""

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot; to be overridden."""
        raise NotImplementedError

    def renew(self) -> None:
        """Ask anew what the screen answers; for screens that answer a question."""
