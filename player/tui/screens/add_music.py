"""Choosing the folder that music is in: the usual places first, then whatever path is typed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.widgets import Input
from textual.worker import get_current_worker

from player.tui.keys import ADD_BAR, CLOSE_BAR, IN_ADD, bindings
from player.tui.messages import AnswerFound, Tell
from player.tui.screens.picker import Picker
from player.tui.text import count
from player.tui.widgets.choice_list import Choice, ChoiceList
from player.tui.widgets.status_lines import Heading, KeyBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.library.folder_offers import FolderOffer
    from player.playback.controller import Controller
    from player.tui.messages import RowChosen


class AddMusic(Picker):
    """A path and the folders it may mean. Files are only read; what is found plays while the scan goes on.

    Args:
        player: who knows the folders.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_ADD)]

    def __init__(self, player: Controller) -> None:
        super().__init__()
        self._player = player
        self._offers: Sequence[FolderOffer] = ()
        self._title, self._note = "Where is your music?", "files are only read, never changed"

    def compose(self) -> ComposeResult:
        """A box with a line and a list."""
        with Vertical(classes="box"):
            yield Heading(id="heading")
            yield Input(placeholder="type a path, or choose below", compact=True)
            yield ChoiceList(id="choices")
            yield KeyBar(ADD_BAR, CLOSE_BAR, id="keys")

    def on_mount(self) -> None:
        """The usual places."""
        self.query_one(Heading).show(self._title, "", self._note)
        self._ask("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look again as one types."""
        self._ask(event.value.strip())

    def on_input_submitted(self) -> None:
        """Enter chooses the row at the cursor."""
        self.action_choose()

    def offered(self, text: str) -> Sequence[FolderOffer]:
        """What a path may mean, as far as it was typed; reads folders, in a thread."""
        return self._player.offered_folders(text)

    def chosen(self, path: str) -> Tell:
        """What to ask of the player about the chosen one."""
        return Tell("add_music", path)

    def _ask(self, text: str) -> None:
        self.run_worker(partial(self._look, text), exclusive=True, thread=True)

    def _look(self, text: str) -> None:
        found = self.offered(text)
        if not get_current_worker().is_cancelled:
            self.post_message(AnswerFound(text, found))

    def on_answer_found(self, message: AnswerFound) -> None:
        """List the folders, unless something else was typed since."""
        if message.asked == self.query_one(Input).value.strip():
            self._offers = message.answer
            self.query_one(ChoiceList).show([_row(offer) for offer in self._offers])

    def action_complete(self) -> None:
        """Write the selected folder into the line, to go on from there."""
        if self._offers:
            field = self.query_one(Input)
            field.value = f"{self._offers[self.query_one(ChoiceList).cursor].path}/"
            field.cursor_position = len(field.value)

    def on_row_chosen(self, message: RowChosen) -> None:
        """Take the folder, or file."""
        message.stop()
        self.app.post_message(self.chosen(self._offers[message.index].path))
        self.dismiss(None)


def _row(offer: FolderOffer) -> Choice:
    files = count(offer.files, "file") if offer.files else ""
    seen = f"{files} and more" if offer.more and files else files or ("" if offer.more else "no music")
    return Choice("", offer.path, "", seen)
