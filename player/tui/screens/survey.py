"""The survey: a clip at a time, and one key to say what one thinks of it; over the player, or an app by itself."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding
from textual.screen import ModalScreen

from player.tui.command_queue import CommandQueue
from player.tui.keys import IN_SURVEY, NO_BAR, SURVEY_BAR, SURVEY_END_BAR, bindings
from player.tui.messages import SurveyChanged
from player.tui.theme import THEME
from player.tui.widgets.status_lines import Heading, KeyBar
from player.tui.widgets.survey_panel import SurveyPanel

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.survey.session import SurveySession
    from player.survey.view import Answer

_TICK = 0.1
"""Seconds between two looks at how much of the clip was heard."""
HELD_SECONDS = 0.3
"""An answer so soon after the clip changed is the key still being held down, no verdict."""


class SurveyScreen(ModalScreen[None]):
    """A clip, its keys, and how far one is. No key of the player reaches through it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_SURVEY), Binding("ctrl+c", "leave", "stop", show=False)]

    def __init__(self, survey: SurveySession, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._survey = survey
        self._clock = clock
        self._problem = ""
        self._shown: int | None = None
        self._since = 0.0
        self._leaving = False

    def compose(self) -> ComposeResult:
        """From top to bottom; the bar at the end is another one."""
        yield Heading(id="heading")
        yield SurveyPanel(id="survey")
        yield KeyBar(SURVEY_BAR, NO_BAR, id="keys")
        yield KeyBar(SURVEY_END_BAR, NO_BAR, id="end-keys")

    def on_mount(self) -> None:
        """Begin."""
        self._commands = CommandQueue(self.app, self._complain)
        self._survey.subscribe(self._changed)
        self.set_interval(_TICK, self._draw)
        self._draw()
        self._commands.add(self._survey.start)

    def on_unmount(self) -> None:
        """However the screen goes, the sound is given back."""
        self._survey.close()

    def on_survey_changed(self) -> None:
        """Draw it; what went wrong before is over."""
        self._problem = ""
        self._draw()

    def action_answer(self, answer: Answer) -> None:
        """Say what one thinks of the clip on the screen."""
        if self._shown is not None and self._clock() - self._since >= HELD_SECONDS:
            self._commands.add(partial(self._survey.answer, answer, self._shown))

    def action_again(self) -> None:
        """Hear the clip again."""
        self._commands.add(self._survey.replay)

    def action_undo(self) -> None:
        """Take the last answer back."""
        self._commands.add(self._survey.undo)

    def action_more(self) -> None:
        """Another round, at the end of one."""
        self._commands.add(self._survey.more)

    def action_volume(self, percent: int) -> None:
        """Louder or quieter."""
        volume = round(self._survey.view().volume * 100) + percent
        self._survey.set_volume(min(max(volume, 0), 100) / 100)

    def action_leave(self) -> None:
        """Stop; one can go on at any time."""
        if not self._leaving:
            self._leaving = True
            self._commands.add(self._survey.close, self._left)

    def _left(self, _result: None) -> None:
        self.dismiss(None)

    def _draw(self) -> None:
        view = self._survey.view()
        track = None if view.clip is None else view.clip.track.id
        if track != self._shown:
            self._shown, self._since = track, self._clock()
        self.query_one(Heading).show("Survey", view.progress.words() if view.progress.of else "", view.output)
        self.query_one(SurveyPanel).show(view, self._problem)
        self.set_class(view.ended, "-ended")

    def _changed(self) -> None:
        self.post_message(SurveyChanged())

    def _complain(self, text: str) -> None:
        self._problem = text
        self._draw()


class SurveyApp(App[None]):
    """The survey's screen on a terminal, for ``player survey``.

    Args:
        survey: started and closed by the screen.
    """

    CSS_PATH = "../player.tcss"
    TITLE = "player survey"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, survey: SurveySession) -> None:
        super().__init__()
        self.register_theme(THEME)
        self.theme = THEME.name
        self._survey = survey

    def on_mount(self) -> None:
        """Straight to the first clip."""
        self.push_screen(SurveyScreen(self._survey), lambda _: self.exit())
