"""The library: every track, searched as one types."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from player.tui.keys import IN_LIBRARY, LIBRARY_BAR, bindings
from player.tui.messages import AskStory, FindSimilar, MoreLike, PinTrack, RowsFound
from player.tui.screens.playing import PlayingScreen
from player.tui.sorting import ORDERS, SortedCatalogue
from player.tui.text import count
from player.tui.widgets.now_playing import NowPlayingPanel
from player.tui.widgets.position_bar import PositionBar
from player.tui.widgets.status_lines import Heading, JobLine, KeyBar, NoticeLine
from player.tui.widgets.track_list import TrackList

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from player.stations.snapshot import Snapshot
    from player.tui.port import PlayerPort


class LibraryScreen(PlayingScreen):
    """A search, a list, and the playing track above them."""

    AUTO_FOCUS = "#tracks"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(IN_LIBRARY),
        Binding("down", "to_list", "to the list", show=False),
    ]

    def __init__(self, port: PlayerPort, clock: Callable[[], float]) -> None:
        super().__init__()
        self._port = port
        self._clock = clock
        self._order = 0
        self._sorted = SortedCatalogue(())
        self._shown: tuple[str, int] = ("", 0)
        self._tracks = -1
        self._search_first = False

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield NowPlayingPanel(id="now")
        yield PositionBar(self._clock, id="position")
        yield Heading(id="heading")
        with Horizontal(id="search-line"):
            yield Static("/ ", id="search-sign", markup=False)
            yield Input(
                placeholder="title, artist, album, genre – tag:mellow, year:1990-1999", compact=True, id="search"
            )
        yield TrackList(id="tracks")
        yield JobLine(id="job")
        yield NoticeLine(id="notice")
        yield KeyBar(LIBRARY_BAR, id="keys")

    def on_mount(self) -> None:
        """Take the cursor to the search when that was asked for."""
        self.show(self._port.snapshot())
        if self._search_first:
            self.query_one(Input).focus()

    def on_screen_resume(self) -> None:
        """Look for changes made while the screen was away."""
        self._ask()

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot."""
        super().show(snapshot)
        if snapshot.tracks != self._tracks:
            self._tracks = snapshot.tracks
            self._ask()

    def search(self) -> None:
        """Put the cursor into the search."""
        if self.is_mounted:
            self.query_one(Input).focus()
        else:
            self._search_first = True

    def on_input_changed(self) -> None:
        """Search as one types."""
        self._ask()

    def on_input_submitted(self) -> None:
        """Enter in the search plays the first row found."""
        self.query_one(TrackList).action_choose()

    def on_rows_found(self, message: RowsFound) -> None:
        """List what was found, unless something else has been asked since."""
        if message.asked != self._asked:
            return
        keep = message.asked == self._shown
        self._shown = message.asked
        self.query_one(TrackList).show(message.catalogue, message.indices, keep=keep)
        total = len(message.catalogue)
        found = (
            count(total, "track") if not message.asked[0] else f"{len(message.indices):,} of {count(total, 'track')}"
        )
        self.query_one(Heading).show("Library", found, f"by {ORDERS[self._order].name}")

    def action_to_list(self) -> None:
        """From the search down to the rows."""
        self.query_one(TrackList).focus()

    def action_order(self) -> None:
        """Sort by the next order."""
        self._order = (self._order + 1) % len(ORDERS)
        self._ask()

    def action_grow(self) -> None:
        """Start a station from the selected track."""
        track = self.query_one(TrackList).selected
        if track is not None:
            self.post_message(MoreLike(track.id))

    def action_pin_next(self) -> None:
        """Play the selected track next."""
        self._pin("next")

    def action_pin_last(self) -> None:
        """Pin the selected track, or take its pin off."""
        self._pin("last")

    def _pin(self, place: Literal["next", "last"]) -> None:
        track = self.query_one(TrackList).selected
        if track is not None:
            self.post_message(PinTrack(track.id, place))

    def action_story_row(self) -> None:
        """Everything known about the selected track."""
        track = self.query_one(TrackList).selected
        if track is not None:
            self.post_message(AskStory(track))

    def action_similar_row(self) -> None:
        """Tracks that sound like the selected one."""
        track = self.query_one(TrackList).selected
        if track is not None:
            self.post_message(FindSimilar(track))

    def action_leave(self) -> None:
        """Out of the search; clear it; back to the station – one step at a time."""
        search = self.query_one(Input)
        if search.value:
            search.value = ""
            self.query_one(TrackList).focus()
        else:
            self.app.pop_screen()

    @property
    def _asked(self) -> tuple[str, int]:
        return (self.query_one(Input).value.strip(), self._order)

    def _ask(self) -> None:
        if self.is_mounted:
            self.run_worker(partial(self._find, self._asked), group="search", exclusive=True, thread=True)

    def _find(self, asked: tuple[str, int]) -> None:
        query, order = asked
        tracks = self._port.catalogue()
        rows = self._sorted if tracks is self._sorted.tracks else SortedCatalogue(tracks)
        indices = rows.some(self._port.search(query), order) if query else rows.all(order)
        if not get_current_worker().is_cancelled:
            self._sorted = rows
            self.post_message(RowsFound(tracks, indices, asked))
