"""The form for a new station: pick seeds, give it a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from player.tui.keys import CLOSE_BAR, FORM_BAR
from player.tui.messages import CreateStation, SeedDropped
from player.tui.screens.mode import MODE_NAMES
from player.tui.screens.picker import Picker
from player.tui.text import count_if_any
from player.tui.widgets.choice_list import Choice, ChoiceList
from player.tui.widgets.status_lines import Heading, KeyBar, NoticeLine, PlainLine
from player.tui.widgets.styled_text import Ink

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from player.tui.messages import RowChosen
    from player.tui.port import PlayerPort, Seed, Suggestion


class SeedInput(Input):
    """A search in which backspace, when it is empty, takes back the last seed."""

    def action_delete_left(self) -> None:
        """Delete a letter, or drop a seed."""
        if self.value:
            super().action_delete_left()
        else:
            self.post_message(SeedDropped())


class NewStation(Picker):
    """Seeds first, the name follows from them and can be changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "turn_mode", "mode", show=False, priority=True),
        Binding("ctrl+s", "create", "create", show=False, priority=True),
    ]
    AUTO_FOCUS = "#seek"

    def __init__(self, port: PlayerPort) -> None:
        super().__init__()
        self._port = port
        self._seeds: list[Seed] = []
        self._suggestions: list[Suggestion] = []
        self._mode = next(iter(MODE_NAMES))

    def compose(self) -> ComposeResult:
        """A box: seeds, mode, search, suggestions, name."""
        with Vertical(classes="box"):
            yield Heading(id="heading")
            yield PlainLine(id="seeds")
            yield PlainLine(id="mode")
            yield SeedInput(placeholder="find an artist, album, genre or mood", compact=True, id="seek")
            yield ChoiceList(id="choices")
            yield Input(placeholder="name", compact=True, id="name")
            yield NoticeLine(id="notice")
            yield KeyBar(FORM_BAR, CLOSE_BAR, id="keys")

    def on_mount(self) -> None:
        """Proposals before anything is typed."""
        self.query_one(Heading).show("New station")
        self._suggest("")
        self._show_seeds()
        self._show_mode()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Suggest as one types."""
        if event.input.id == "seek":
            self._suggest(event.value.strip())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter adds a seed, or in the name makes the station."""
        if event.input.id == "seek":
            self.action_choose()
        else:
            self.action_create()

    def on_row_chosen(self, message: RowChosen) -> None:
        """Add the row as a seed."""
        message.stop()
        kind, value, _ = self._suggestions[message.index]
        if (kind, value) not in self._seeds:
            self._seeds.append((kind, value))
        self.query_one("#seek", Input).value = ""
        self._show_seeds()

    def on_seed_dropped(self) -> None:
        """Take the last seed back."""
        self._seeds = self._seeds[:-1]
        self._show_seeds()

    def action_turn_mode(self) -> None:
        """Let the station play in the next mode."""
        names = list(MODE_NAMES)
        self._mode = names[(names.index(self._mode) + 1) % len(names)]
        self._show_mode()

    def action_create(self) -> None:
        """Make the station, if there is something to make it from."""
        if not self._seeds:
            self.query_one(NoticeLine).show("Choose at least one seed: type, then press enter on a row.", problem=True)
            return
        name = self.query_one("#name", Input).value.strip() or self._proposed_name()
        self.app.post_message(CreateStation(name, self._seeds, self._mode))

    def _suggest(self, text: str) -> None:
        self._suggestions = self._port.seed_suggestions(text)
        self.query_one(ChoiceList).show(
            [
                Choice("+", value or "Everything", kind, count_if_any(tracks, "track"))
                for kind, value, tracks in self._suggestions
            ]
        )

    def _show_seeds(self) -> None:
        line = self.query_one("#seeds", PlainLine)
        if self._seeds:
            words = [f"{kind} {value}" if value else "the whole library" for kind, value in self._seeds]
            line.show("grows from  ", " + ".join(words), Ink.ACCENT)
        else:
            line.show("grows from  ", "nothing yet – enter adds the selected row", Ink.DIM)
        self.query_one("#name", Input).placeholder = f"name: {self._proposed_name()}" if self._seeds else "name"

    def _show_mode(self) -> None:
        name, detail = MODE_NAMES[self._mode]
        self.query_one("#mode", PlainLine).show("plays       ", f"{name.lower()}: {detail}", Ink.TEXT)

    def _proposed_name(self) -> str:
        return " + ".join(value or "Everything" for _, value in self._seeds)
