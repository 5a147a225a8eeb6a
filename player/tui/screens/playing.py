"""What the screens that fill the terminal have in common: they follow the music, and most are about a track."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.screen import Screen
from textual.widgets import Input
from textual.worker import get_current_worker

from player.errors import PlayerError
from player.tui.keys import ROW, bindings
from player.tui.messages import AnswerFailed, AnswerFound, Tell
from player.tui.widgets.now_playing import NowPlayingPanel, PositionBar
from player.tui.widgets.status_lines import Heading, JobLine, KeyBar, NoticeLine

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.message import Message

    from player.library.tracks import TrackRow
    from player.playback.controller import Controller
    from player.stations.snapshot import Snapshot
    from player.tui.keys import Key
    from player.tui.messages import RowChosen

_LOG = logging.getLogger(__name__)


class PlayingScreen(Screen[None]):
    """A screen that follows the music: what plays, where in it, and the job that runs.

    Args:
        player: what it draws, and asks.
        clock: seconds that never go back, for the position bar.
    """

    KEYS: ClassVar[Sequence[Key]] = ()
    """Of its key bar."""
    COUNTS: ClassVar[bool] = True
    """A digit begins a number that counts a movement."""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(ROW)]

    def __init__(self, player: Controller, clock: Callable[[], float]) -> None:
        super().__init__()
        self._player = player
        self._clock = clock

    @property
    def chosen(self) -> TrackRow | None:
        """The track that the keys of a row are about; to be overridden."""
        return None

    @property
    def selection(self) -> Sequence[TrackRow]:
        """Everything that is selected, where a screen selects several tracks at once."""
        return () if self.chosen is None else (self.chosen,)

    def compose(self) -> ComposeResult:
        """From top to bottom: what plays, what the screen is for, and the lines below."""
        yield NowPlayingPanel(id="now")
        yield PositionBar(self._clock, id="position")
        yield from self.body()
        yield JobLine(id="job")
        yield NoticeLine(id="notice")
        yield KeyBar(self.KEYS, id="keys")

    def body(self) -> ComposeResult:
        """What the screen is for; to be overridden."""
        yield from ()

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot; a screen that shows more of it extends this."""
        self.query_one(NowPlayingPanel).show(snapshot)
        self.query_one(PositionBar).show(snapshot)
        self.query_one(JobLine).show(snapshot.job)

    def renew(self) -> None:
        """Ask anew what the screen answers; for screens that answer a question."""

    def complain(self, sentence: str) -> None:
        """Say why a key does nothing here."""
        self.post_message(AnswerFailed(None, sentence))

    def look_up(self, asked: Hashable, find: Callable[[], object]) -> None:
        """Ask the player in a thread; :class:`AnswerFound` brings the answer, unless something else was asked since."""
        self.run_worker(partial(self._look_up, asked, find), group="answer", exclusive=True, thread=True)

    def _look_up(self, asked: Hashable, find: Callable[[], object]) -> None:
        message: Message
        try:
            message = AnswerFound(asked, find())
        except PlayerError as error:
            message = AnswerFailed(asked, str(error))
        except Exception as error:  # noqa: BLE001 - a slip in one answer must not take the music and the screen down
            _LOG.exception("An answer for the screen failed.")
            message = AnswerFailed(asked, f"That did not work: {type(error).__name__}: {error}; the music goes on.")
        if not get_current_worker().is_cancelled:
            self.post_message(message)

    def on_row_chosen(self, message: RowChosen) -> None:
        """Play the track, chosen by hand."""
        message.stop()
        if self.chosen is not None:
            self.post_message(Tell("play_track", self.chosen.id))

    def action_leave(self) -> None:
        """Back."""
        self.app.pop_screen()


class SearchedLibraryScreen(PlayingScreen):
    """The library, narrowed by the search in its one input: asked anew as one types, and when the library has grown."""

    def __init__(self, player: Controller, clock: Callable[[], float]) -> None:
        super().__init__(player, clock)
        self._library_size = -1
        """Tracks of the library when it was last asked."""

    @property
    def query_text(self) -> str:
        """The search as it stands."""
        return self.query_one(Input).value.strip()

    def sorting(self, name: str) -> tuple[str, bool]:
        """The column that a list of this screen was last sorted by, and whether the other way round."""
        kept: dict[str, tuple[str, bool]] = getattr(self.app, "sorting", {})
        column, backwards = kept.get(f"{type(self).__name__} {name}", ("", False))
        return column, backwards

    def keep_sorting(self, name: str, ranking: tuple[str, bool]) -> None:
        """Keep that, for the next time and the next start."""
        kept: dict[str, tuple[str, bool]] = getattr(self.app, "sorting", {})
        kept[f"{type(self).__name__} {name}"] = ranking
        self.post_message(Tell("keep_sorting", dict(kept)))

    @property
    def asked(self) -> Hashable:
        """What an answer is to; to be overridden."""
        raise NotImplementedError

    def question(self) -> Callable[[], object]:
        """How to answer it, in a thread; to be overridden."""
        raise NotImplementedError

    def list_answer(self, answer: Any) -> None:
        """Show what was found; to be overridden."""
        raise NotImplementedError

    def ask(self) -> None:
        """Look for what is to be shown."""
        if self.is_mounted:
            self.look_up(self.asked, self.question())

    def on_screen_resume(self) -> None:
        """Look for changes made while the screen was away."""
        self.ask()

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot; a library that has grown is read again."""
        super().show(snapshot)
        if snapshot.tracks != self._library_size:
            self._library_size = snapshot.tracks
            self.ask()

    def on_input_changed(self) -> None:
        """Search as one types."""
        self.ask()

    def action_save_search(self) -> None:
        """Ask for the name of the playlist that the search becomes."""
        from player.tui.screens.picker import NameForm  # noqa: PLC0415 - for those who save one

        if query := self.query_text:
            self.app.push_screen(NameForm("Save the search", query, "", partial(Tell, "save_search", query)))
        else:
            self.complain("There is no search to save; / begins one.")

    def on_answer_found(self, message: AnswerFound) -> None:
        """Show what was found, unless something else has been asked since."""
        if message.asked == self.asked:
            self.list_answer(message.answer)

    def on_answer_failed(self, message: AnswerFailed) -> None:
        """Say beside the search what is wrong with it, while it is being typed."""
        if message.asked is not None:
            message.stop()
        if message.asked == self.asked:
            self.query_one(Heading).show("Library", message.problem, "")
