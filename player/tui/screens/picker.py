"""What opens over another screen to choose from: a list steered from wherever the cursor is, and menus of a few rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from player.feedback.snooze import RESTS
from player.tui.keys import CLOSE_BAR, CONFIRM_BAR, MODE_BAR, REST_BAR
from player.tui.messages import Tell
from player.tui.widgets.choice_list import Choice, ChoiceList
from player.tui.widgets.status_lines import Heading, KeyBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from player.library.tracks import TrackRow
    from player.tui.keys import Key
    from player.tui.messages import RowChosen

MODE_NAMES = {
    "station": ("Station", "on and on, near what it is based on"),
    "albums": ("Album radio", "whole albums, in order"),
    "rediscover": ("Rediscover", "loved, unheard for 30 days"),
    "new": ("New arrivals", "added last, unheard first"),
}
"""By the name a station keeps."""


class Picker(ModalScreen["bool | None"]):
    """A list whose cursor moves while one types."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back", show=False),
        Binding("up", "move(-1)", "up", show=False),
        Binding("down", "move(1)", "down", show=False),
    ]

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.query_one(ChoiceList).action_move(rows)

    def action_choose(self) -> None:
        """Choose the row at the cursor."""
        self.query_one(ChoiceList).action_choose()

    def action_leave(self) -> None:
        """Back without a choice."""
        self.dismiss(None)


class Menu(Picker):
    """A heading, a few rows and their keys; nothing to type. A subclass fills it and says what a row means."""

    KEYS: ClassVar[Sequence[Key]] = ()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "back", show=False),
        Binding("k", "move(-1)", "up", show=False),
        Binding("j", "move(1)", "down", show=False),
        Binding("enter,space", "choose", "choose", show=False),
    ]

    def compose(self) -> ComposeResult:
        """A box as high as its rows."""
        with Vertical(classes="box -menu"):
            yield Heading(id="heading")
            yield ChoiceList(id="choices")
            yield KeyBar(self.KEYS, CLOSE_BAR, id="keys")


class Confirm(Menu):
    """A question before something that cannot be taken back; the first row leaves everything as it is.

    Args:
        question: what is asked.
        leave: the row that changes nothing.
        do: the row that does it; the screen is dismissed with True then.
    """

    KEYS = CONFIRM_BAR

    def __init__(self, question: str, leave: str, do: str) -> None:
        super().__init__()
        self._question = question
        self._rows = (leave, do)

    def on_mount(self) -> None:
        """The cursor on the row that changes nothing."""
        self.query_one(Heading).show(self._question)
        self.query_one(ChoiceList).show([Choice("", row, "", "") for row in self._rows])

    def on_row_chosen(self, message: RowChosen) -> None:
        """Answer."""
        message.stop()
        self.dismiss(message.index == 1)


class ModePicker(Menu):
    """The modes, the present one marked.

    Args:
        mode: the present one.
    """

    KEYS = MODE_BAR
    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "leave", "back", show=False)]

    def __init__(self, mode: str) -> None:
        super().__init__()
        self._mode = mode

    def on_mount(self) -> None:
        """The cursor on the present mode."""
        self.query_one(Heading).show("How this station plays")
        names = list(MODE_NAMES)
        rows = [Choice("●" if name == self._mode else "", *MODE_NAMES[name], "") for name in names]
        self.query_one(ChoiceList).show(rows, names.index(self._mode) if self._mode in names else 0)

    def on_row_chosen(self, message: RowChosen) -> None:
        """Let the station play so."""
        message.stop()
        self.app.post_message(Tell("set_mode", list(MODE_NAMES)[message.index]))


class RestMenu(Menu):
    """An hour, a day, 30 days.

    Args:
        track: rests, even when another one plays by the time of the choice.
    """

    KEYS = REST_BAR
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "leave", "back", show=False)]

    def __init__(self, track: TrackRow) -> None:
        super().__init__()
        self._track = track

    def on_mount(self) -> None:
        """The lengths, the shortest first."""
        self.query_one(Heading).show("Not now", self._track.title, "no verdict on it")
        self.query_one(ChoiceList).show([Choice("", f"rest for {words}", "", "") for words, _ in RESTS])

    def on_row_chosen(self, message: RowChosen) -> None:
        """Rest the track."""
        message.stop()
        self.app.post_message(Tell("not_now", self._track.id, RESTS[message.index][1]))
        self.dismiss(None)
