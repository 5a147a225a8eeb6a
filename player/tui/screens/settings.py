"""Every setting with its value and its meaning, to be changed in the file that keeps it."""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.widgets import Input

from player.tui.keys import IN_SETTINGS, SETTINGS_BAR, bindings
from player.tui.messages import Tell
from player.tui.screens.playing import PlayingScreen
from player.tui.text import column, fit
from player.tui.widgets.row_list import RowList
from player.tui.widgets.status_lines import Heading
from player.tui.widgets.styled_text import Ink, Inked, Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.playback.track_queries import SettingLine
    from player.tui.messages import AnswerFound, RowChosen, RowHighlighted

_NAME = 28
_VALUE = 20
_MEANING_LINES = 3


class SettingList(RowList):
    """Name, value, meaning."""

    _settings: Sequence[SettingLine] = ()

    @property
    def selected(self) -> SettingLine | None:
        """The setting at the cursor."""
        return self._settings[self.cursor] if self._settings else None

    def show(self, settings: Sequence[SettingLine]) -> None:
        """Show the settings; the cursor stays where it is."""
        self._settings = [replace(one, meaning=_unmarked(one.meaning)) for one in settings]
        self.set_length(len(settings), self.cursor)

    def row(self, index: int, width: int, *, selected: bool) -> Line:
        """One setting."""
        setting = self._settings[index]
        value_ink = Ink.TEXT if setting.is_default else Ink.ACCENT
        return [
            (column(setting.name, _NAME), Ink.STRONG if selected else Ink.TEXT),
            (column(setting.value, _VALUE), value_ink),
            (fit(f"  {setting.meaning}", width - _NAME - _VALUE), Ink.DIM),
        ]


def _unmarked(text: str) -> str:
    """A meaning as a screen shows it: code and emphasis without their marks, links by their words."""
    return re.sub(r"\*(\w+)\*|\[([^]]*)\]\([^)]*\)", lambda found: found[1] or found[2], text.replace("``", ""))


class MeaningPanel(Inked):
    """The whole meaning of the selected setting."""

    _text = ""

    def show(self, text: str) -> None:
        """Show another text."""
        self._text = text
        self.refresh()

    def line(self, y: int, width: int) -> Line:
        """One line."""
        lines = textwrap.wrap(self._text, max(width, 1), max_lines=_MEANING_LINES, placeholder="…")
        return [(lines[y], Ink.TEXT)] if y < len(lines) else []


class SettingsScreen(PlayingScreen):
    """The list, the meaning of what is selected, and a line to write another value into."""

    AUTO_FOCUS = "#settings"
    KEYS = SETTINGS_BAR
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_SETTINGS)]

    def body(self) -> ComposeResult:
        """From top to bottom."""
        yield Heading(id="heading")
        yield SettingList(id="settings")
        yield MeaningPanel(id="meaning")
        yield Input(compact=True, id="value", placeholder="enter changes the selected setting")

    def on_mount(self) -> None:
        """Ask for the first time."""
        self.query_one(Heading).show("Settings", "kept in config.toml", "what is not at its default stands out")
        self.show(self._player.snapshot())
        self.renew()

    def renew(self) -> None:
        """Read them anew."""
        self.look_up("settings", self._player.settings_list)

    def on_answer_found(self, message: AnswerFound) -> None:
        """List them."""
        self.query_one(SettingList).show(message.answer)

    def on_row_highlighted(self, message: RowHighlighted) -> None:
        """Tell what the selected setting means."""
        message.stop()
        setting = self.query_one(SettingList).selected
        self.query_one(MeaningPanel).show("" if setting is None else setting.meaning)

    def on_row_chosen(self, message: RowChosen) -> None:
        """Let its value be written."""
        message.stop()
        setting = self.query_one(SettingList).selected
        if setting is not None:
            field = self.query_one(Input)
            field.value = setting.value
            field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the value; what is wrong with it is told."""
        setting = self.query_one(SettingList).selected
        if setting is not None:
            self.post_message(Tell("change_setting", setting.name, event.value))
        self._close()

    def action_leave(self) -> None:
        """Out of the line; back."""
        if self.query_one(Input).has_focus:
            self._close()
        else:
            self.app.pop_screen()

    def _close(self) -> None:
        self.query_one(Input).value = ""
        self.query_one(SettingList).focus()
