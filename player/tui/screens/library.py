"""The library: every track, searched as one types, in one of several orders that are sorted once each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeAlias

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from player.tui.keys import IN_LIBRARY, LIBRARY_BAR, bindings
from player.tui.screens.playing import SearchedLibraryScreen
from player.tui.text import count
from player.tui.widgets.status_lines import Heading
from player.tui.widgets.track_list import ColumnHeads, TrackList

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from player.library.tracks import TrackRow
    from player.playback.controller import Controller
    from player.tui.messages import ColumnClicked

_Key: TypeAlias = "tuple[str | int | float, ...]"
_NO_YEAR = 10_000
"""Tracks without a year come last."""


class SortOrder(NamedTuple):
    """One way to sort."""

    name: str
    key: Callable[[TrackRow], _Key]


def _as_it_is(_track: TrackRow) -> _Key:
    return ()


def _by_title(track: TrackRow) -> _Key:
    return (track.title.casefold(),)


def _by_album(track: TrackRow) -> _Key:
    return (track.album.casefold(),)


def _by_year(track: TrackRow) -> _Key:
    return (track.year or _NO_YEAR,)


def _by_genre(track: TrackRow) -> _Key:
    return (not track.genre, track.genre.casefold())


def _by_length(track: TrackRow) -> _Key:
    return (track.duration,)


ORDERS = (
    SortOrder("artist", _as_it_is),
    SortOrder("title", _by_title),
    SortOrder("album", _by_album),
    SortOrder("genre", _by_genre),
    SortOrder("year", _by_year),
    SortOrder("length", _by_length),
)
"""The catalogue comes by artist, album and track number; sorts are stable, so each order keeps that within equals."""


class SortedCatalogue:
    """A catalogue with its sorted orders, each made when first asked for."""

    def __init__(self, tracks: Sequence[TrackRow]) -> None:
        self.tracks = tracks
        self._sorted: dict[int, list[int]] = {}
        self._ranks: dict[int, list[int]] = {}

    def all(self, order: int) -> list[int]:
        """Indices of all tracks, sorted."""
        if order not in self._sorted:
            keys = [ORDERS[order].key(track) for track in self.tracks]
            self._sorted[order] = sorted(range(len(keys)), key=keys.__getitem__)
        return self._sorted[order]

    def some(self, indices: Sequence[int], order: int) -> list[int]:
        """The given indices, sorted; those beyond the catalogue are left out."""
        if order not in self._ranks:
            ranks = [0] * len(self.tracks)
            for rank, index in enumerate(self.all(order)):
                ranks[index] = rank
            self._ranks[order] = ranks
        known = (index for index in indices if index < len(self.tracks))
        return sorted(known, key=self._ranks[order].__getitem__)


class LibraryScreen(SearchedLibraryScreen):
    """A search, a list, and the playing track above them."""

    AUTO_FOCUS = "#tracks"
    KEYS = LIBRARY_BAR
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(IN_LIBRARY),
        Binding("down", "to_list", "to the list", show=False),
    ]

    def __init__(self, player: Controller, clock: Callable[[], float]) -> None:
        super().__init__(player, clock)
        self._order, self._backwards = 0, False
        self._sorted = SortedCatalogue(())
        self._shown: tuple[str, int, bool] = ("", 0, False)
        self._search_first = False

    @property
    def chosen(self) -> TrackRow | None:
        """The track at the cursor."""
        return self.query_one(TrackList).selected

    def body(self) -> ComposeResult:
        """The search and its rows."""
        yield Heading(id="heading")
        with Horizontal(id="search-line"):
            yield Static("/ ", id="search-sign", markup=False)
            yield Input(
                placeholder="words, artist:bjork year:1990..1999 -live plays:0 tag:mellow (a or b)",
                compact=True,
                id="search",
            )
        yield ColumnHeads(id="heads")
        yield TrackList(id="tracks")

    def on_mount(self) -> None:
        """Take the cursor to the search when that was asked for."""
        name, self._backwards = self.sorting("tracks")
        self._order = next((at for at, order in enumerate(ORDERS) if order.name == name), 0)
        self.show(self._player.snapshot())
        if self._search_first:
            self.query_one(Input).focus()

    def search(self) -> None:
        """Put the cursor into the search."""
        if self.is_mounted:
            self.query_one(Input).focus()
        else:
            self._search_first = True

    def on_input_submitted(self) -> None:
        """Enter in the search plays the first row found."""
        self.query_one(TrackList).action_choose()

    def list_answer(self, answer: tuple[SortedCatalogue, list[int]]) -> None:
        """List the rows that were found."""
        keep, self._shown = self.asked == self._shown, self.asked
        self._sorted, indices = answer
        total = len(self._sorted.tracks)
        self.query_one(TrackList).show(self._sorted.tracks, indices, keep=keep)
        found = f"{len(indices):,} of {count(total, 'track')}" if self.query_text else count(total, "track")
        self.query_one(Heading).show("All tracks", found, f"by {ORDERS[self._order].name}")
        self.query_one(ColumnHeads).show(ORDERS[self._order].name, backwards=self._backwards)

    def action_to_list(self) -> None:
        """From the search down to the rows."""
        self.query_one(TrackList).focus()

    def action_order(self) -> None:
        """Sort by the next order."""
        self._sort((self._order + 1) % len(ORDERS), backwards=self._backwards)

    def action_backwards(self) -> None:
        """Sort the other way round."""
        self._sort(self._order, backwards=not self._backwards)

    def _sort(self, order: int, *, backwards: bool) -> None:
        self._order, self._backwards = order, backwards
        self.keep_sorting("tracks", (ORDERS[order].name, backwards))
        self.ask()

    def on_column_clicked(self, message: ColumnClicked) -> None:
        """Sort by a column; again, the other way round."""
        names = [order.name for order in ORDERS]
        if message.column == names[self._order]:
            self.action_backwards()
        else:
            self._sort(names.index(message.column), backwards=False)

    def action_leave(self) -> None:
        """Out of the search; clear it; back to the station – one step at a time."""
        search = self.query_one(Input)
        if search.value:
            search.value = ""
            self.query_one(TrackList).focus()
        else:
            self.app.pop_screen()

    @property
    def asked(self) -> tuple[str, int, bool]:
        """The search and the order."""
        return self.query_text, self._order, self._backwards

    def question(self) -> Callable[[], object]:
        """The rows that the search finds, in that order."""
        return partial(self._find, *self.asked)

    def _find(self, query: str, order: int, backwards: bool) -> tuple[SortedCatalogue, list[int]]:  # noqa: FBT001 - of the question
        tracks = self._player.catalogue()
        rows = self._sorted if tracks is self._sorted.tracks else SortedCatalogue(tracks)
        found = rows.some(self._player.search(query), order) if query else rows.all(order)
        return rows, found[::-1] if backwards else found
