"""The survey by itself, for ``player survey``: one screen, in the player's colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from player.tui.screens.survey import SurveyScreen
from player.tui.theme import THEME

if TYPE_CHECKING:
    from player.tui.messages import ErrandEnded
    from player.tui.screens.survey import SurveyPort


class SurveyApp(App[None]):
    """The survey's screen on a terminal.

    Args:
        survey: started and closed by the screen.
    """

    CSS_PATH = "player.tcss"
    TITLE = "player survey"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, survey: SurveyPort) -> None:
        super().__init__()
        self.register_theme(THEME)
        self.theme = THEME.name
        self._survey = survey

    def on_mount(self) -> None:
        """Straight to the first clip."""
        self.push_screen(SurveyScreen(self._survey), lambda _: self.exit())

    def on_errand_ended(self, message: ErrandEnded) -> None:
        """Tell the screen about a slow call."""
        message.report()
