"""The rest menu: how long a track is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from player.listening.rests import RESTS
from player.tui.keys import CLOSE_BAR, REST_BAR
from player.tui.messages import RestFor
from player.tui.widgets.choice_list import Choice, ChoiceList
from player.tui.widgets.lines import Heading, KeyBar

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from player.tui.messages import RowChosen


class RestMenu(ModalScreen[None]):
    """An hour, a day, 30 days.

    Args:
        track_id: the track; None for the playing one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,y", "leave", "back", show=False),
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("enter,space", "choose", "choose", show=False),
    ]

    def __init__(self, track_id: int | None) -> None:
        super().__init__()
        self._track_id = track_id

    def compose(self) -> ComposeResult:
        """A box with a list."""
        with Vertical(classes="box -small"):
            yield Heading(id="heading")
            yield ChoiceList(id="choices")
            yield KeyBar(REST_BAR, CLOSE_BAR, id="keys")

    def on_mount(self) -> None:
        """The lengths, the shortest first."""
        self.query_one(Heading).show("Not now: let it rest for")
        self.query_one(ChoiceList).show([Choice("", words, "no verdict on it", "") for words, _ in RESTS])

    def on_row_chosen(self, message: RowChosen) -> None:
        """Rest the track."""
        message.stop()
        self.app.post_message(RestFor(self._track_id, RESTS[message.index][1]))
        self.dismiss(None)

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.query_one(ChoiceList).action_move(rows)

    def action_choose(self) -> None:
        """Choose the row at the cursor."""
        self.query_one(ChoiceList).action_choose()

    def action_leave(self) -> None:
        """Back without a choice."""
        self.dismiss(None)
