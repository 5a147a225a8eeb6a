"""What opens over another screen to choose from: a list steered from wherever the cursor is, and menus of a few rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from player.feedback.snooze import RESTS
from player.tui.keys import CLOSE_BAR, CONFIRM_BAR, KEEP_BAR, MODE_BAR, NAME_BAR, REST_BAR
from player.tui.messages import Tell
from player.tui.text import count
from player.tui.widgets.choice_list import Choice, ChoiceList
from player.tui.widgets.status_lines import Heading, KeyBar, SentenceLine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from player.library.tracks import TrackRow
    from player.tui.keys import Key
    from player.tui.messages import RowChosen

MODE_NAMES = {
    "station": ("Station", "on and on, near what it is based on"),
    "stay": ("Stay close", "only what is closest to that"),
    "vibe": ("Follow the vibe", "more of what you let play"),
    "artist": ("Artist only", "nobody but its artists"),
    "deep": ("Deep cuts", "what you seldom played"),
    "shuffle": ("Shuffle", "random, no early repeats"),
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


class NameForm(Picker):
    """One line for a name.

    Args:
        title: what is done.
        subject: to what.
        name: as it is, to be changed; empty for a new one.
        tell: what to ask of the player once there is a name.
    """

    def __init__(self, title: str, subject: str, name: str, tell: Callable[[str], Tell]) -> None:
        super().__init__()
        self._title, self._subject, self._begun, self._tell_name = title, subject, name, tell

    def compose(self) -> ComposeResult:
        """The name as it is, to be changed."""
        with Vertical(classes="box -menu"):
            yield Heading(id="heading")
            yield Input(self._begun, placeholder="name", compact=True, id="name")
            yield KeyBar(NAME_BAR, CLOSE_BAR, id="keys")

    def on_mount(self) -> None:
        """Say what it is about."""
        self.query_one(Heading).show(self._title, self._subject)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the name."""
        self.app.post_message(self._tell_name(event.value))
        self.dismiss(None)

    def action_move(self, rows: int) -> None:
        """There is no list."""


class PlaylistPicker(Picker):
    """Playlists to add tracks to; what is typed narrows them, and is the name of a new one.

    Args:
        names: of the playlists that list tracks.
        tracks: what is added.
    """

    def __init__(self, names: Sequence[str], tracks: Sequence[TrackRow]) -> None:
        super().__init__()
        self._names, self._tracks = names, tracks
        self._shown: list[str] = []

    def compose(self) -> ComposeResult:
        """A box with a line and a list."""
        with Vertical(classes="box"):
            yield Heading(id="heading")
            yield Input(placeholder="type to filter, or the name of a new playlist", compact=True)
            yield ChoiceList(id="choices")
            yield KeyBar(KEEP_BAR, CLOSE_BAR, id="keys")

    def on_mount(self) -> None:
        """All of them."""
        many = len(self._tracks)
        self.query_one(Heading).show("To a playlist", self._tracks[0].title if many == 1 else count(many, "track"))
        self._list("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        self._list(event.value.strip())

    def on_input_submitted(self) -> None:
        """Enter chooses the row at the cursor."""
        self.action_choose()

    def _list(self, text: str) -> None:
        self._shown = [name for name in self._names if text.casefold() in name.casefold()]
        rows = [Choice("", name, "", "") for name in self._shown]
        if text and text.casefold() not in map(str.casefold, self._names):
            self._shown.append(text)
            rows.append(Choice("+", text, "new playlist", ""))
        self.query_one(ChoiceList).show(rows)

    def on_row_chosen(self, message: RowChosen) -> None:
        """Add the tracks."""
        message.stop()
        self.app.post_message(
            Tell("add_to_playlist", self._shown[message.index], tuple(track.id for track in self._tracks))
        )
        self.dismiss(None)


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

    def compose(self) -> ComposeResult:
        """The whole question in place of the heading."""
        with Vertical(classes="box -menu"):
            yield SentenceLine(id="question")
            yield ChoiceList(id="choices")
            yield KeyBar(self.KEYS, CLOSE_BAR, id="keys")

    def on_mount(self) -> None:
        """The cursor on the row that changes nothing."""
        self.query_one(SentenceLine).show(self._question)
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
