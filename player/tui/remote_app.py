"""The remote screen: what a player in another window plays, and the keys that drive it from here."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from player.errors import PlayerError
from player.remote.client import NoPlayerError, RemoteClient
from player.tui.command_queue import CommandQueue
from player.tui.keys import (
    BACK,
    DOWN,
    FAR_BACK,
    FAR_ON,
    LOUDER,
    NEXT,
    ON,
    PAUSE,
    PREVIOUS,
    QUIETER,
    QUIT,
    UNDO,
    UP,
    bindings,
)
from player.tui.text import bar, column, fit, plain
from player.tui.theme import THEME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.binding import BindingType

KEYS = (PAUSE, NEXT, PREVIOUS, UP, DOWN, UNDO, BACK, ON, FAR_BACK, FAR_ON, QUIETER, LOUDER, QUIT)
COMMANDS: dict[tuple[object, ...], tuple[object, ...]] = {
    ("toggle_pause",): ("pause",),
    ("next",): ("next",),
    ("previous",): ("previous",),
    ("thumb", 1): ("thumb", "up"),
    ("thumb", -1): ("thumb", "down"),
    ("undo",): ("undo",),
}
"""What a key asks of the player, as the protocol says it."""
WATCHED = ("player", "playlist", "mixer", "sticker", "options", "output", "stored_playlist")
_SECOND = 1.0
_GAP = 2
"""Cells between two columns."""


class RemoteApp(App[None]):
    """Shows and drives the player that runs on a data folder.

    Args:
        data: the folder.
        why: a first sentence.

    Raises:
        NoPlayerError: none runs there.
    """

    TITLE = "player (remote)"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(KEYS), ("escape", "quit", "leave")]
    CSS = """
    Screen { background: $background; color: $foreground; padding: 0 1; }
    Static { height: auto; }
    #title { text-style: bold; color: $accent; margin-bottom: 1; }
    #notice { margin: 1 0; }
    OptionList { height: 1fr; border: none; padding: 0; background: $background; text-wrap: nowrap; text-overflow: ellipsis; }
    #keys { dock: bottom; max-height: 2; text-style: dim; }
    """

    def __init__(self, data: Path, why: str = "") -> None:
        super().__init__()
        self._news, self._client = RemoteClient(data), RemoteClient(data)
        self._commands = CommandQueue(self, self._fail)
        self._why, self._problem = why, ""
        self._state: dict[str, Any] = self._client.state()
        self._at = time.monotonic()
        self._rows: list[str] = []
        self.register_theme(THEME)
        self.theme = THEME.name

    def compose(self):  # noqa: ANN201 - Textual's own
        """The track, its place, the queue."""
        for name in ("title", "position", "notice"):
            yield Static(id=name, markup=False)
        yield OptionList(markup=False)
        keys = (PAUSE, NEXT, PREVIOUS, UP, DOWN, UNDO, QUIETER, LOUDER)
        words = [*(f"{key.shown} {key.label}" for key in keys), "enter play", "q leave"]
        yield Static("  ".join(words), id="keys", markup=False)

    def on_mount(self) -> None:
        """Show what there is, and wait for news."""
        self._show(self._state)
        self.set_interval(_SECOND, self._draw_place)
        self.run_worker(self._watch, thread=True)

    def on_resize(self) -> None:
        """Another width has other columns."""
        self._show(self._state)

    def on_unmount(self) -> None:
        """Leave the player alone; it plays on."""
        self._client.close()
        self._news.shut()

    def action_tell(self, operation: str, *arguments: object) -> None:
        """A key that asks the player for something."""
        if operation == "seek_by":
            self._do("seekcur", f"{arguments[0]:+}")
        else:
            self._do(*COMMANDS[operation, *arguments])

    def action_volume(self, percent: int) -> None:
        """Louder or quieter by some percent."""
        self._do("volume", percent)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Play the chosen row."""
        self._do("play", event.option_index + (self._state["track"] is not None))

    def _do(self, *asked: object) -> None:
        def call() -> dict[str, Any]:
            self._client.ask(*map(str, asked))
            return self._client.state()

        self._why = self._problem = ""
        self._commands.add(call, self._show)

    def _watch(self) -> None:
        """Wait for news as long as there is a player, in a thread."""
        try:
            while True:
                self._news.wait(*WATCHED)
                self._call(partial(self._show, self._news.state()))
        except NoPlayerError as gone:
            self._call(partial(self.exit, message=str(gone)))
        except PlayerError as error:
            self._call(partial(self._fail, str(error)))
        finally:
            self._news.close()

    def _call(self, call: Callable[[], object]) -> None:
        if self.is_running:
            self.call_later(call)

    def _fail(self, sentence: str) -> None:
        self._problem = sentence
        self._show(self._state)

    def _show(self, state: dict[str, Any]) -> None:
        self._state, self._at = state, time.monotonic()
        track, thumb = state["track"], {1: "  ▲", -1: "  ▼"}.get(state["thumb"] or 0, "")
        title = "Nothing is playing." if track is None else f"{plain(track['artist'])} – {plain(track['title'])}{thumb}"
        station = f"   {plain(state['station'])}" if state["station"] else ""
        self.query_one("#title", Static).update(f"{title}{station}")
        self.query_one("#notice", Static).update(
            self._problem or self._why or plain(state["notice"] or state["reason"] or "")
        )
        third = max(self.size.width // 3 - _GAP, 1)
        names = ("title", "artist", "reason")
        rows = [(" " * _GAP).join(column(row[name] or "", third) for name in names) for row in state["queue"]]
        if rows != self._rows:
            self._rows = rows
            queue = self.query_one(OptionList)
            at = queue.highlighted
            queue.clear_options().add_options(Option(row) for row in rows)
            queue.highlighted = None if at is None else min(at, len(rows) - 1)
        self._draw_place()

    def _draw_place(self) -> None:
        state = self._state
        if state["track"] is None:
            self.query_one("#position", Static).update("")
            return
        ahead = time.monotonic() - self._at if state["state"] == "playing" else 0.0
        position = min(state["position"] + ahead, state["duration"])
        words = f" {_clock(position)} / {_clock(state['duration'])}  {state['state']}  volume {state['volume']} %"
        cells = max(4, min(60, self.size.width - len(words) - 4))
        done, rest = bar(position / state["duration"] if state["duration"] else 0.0, cells)
        self.query_one("#position", Static).update(fit(f"{done}{rest}{words}", self.size.width - 2))


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def run_remote(data: Path, why: str, told_how_to_leave: Callable[[Callable[[], object]], None]) -> None:
    """Run the remote screen on this terminal until the listener leaves it or the player closes.

    Args:
        data: the player's folder.
        why: a first sentence.
        told_how_to_leave: given a function, safe from any thread, that ends the screen.
    """
    app = RemoteApp(data, why)
    told_how_to_leave(partial(app.call_later, app.exit))
    app.run()
