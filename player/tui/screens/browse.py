"""The library by artist, genre or year, then album, then track: three columns that a search narrows together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from player.tui.keys import BROWSE_BAR, IN_BROWSE, bindings
from player.tui.messages import Tell
from player.tui.screens.playing import SearchedLibraryScreen
from player.tui.text import clock, column, count, fit, right
from player.tui.widgets.row_list import RowList
from player.tui.widgets.status_lines import Heading
from player.tui.widgets.styled_text import Ink, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence  # noqa: TC004 - annotations are never evaluated

    from textual.app import ComposeResult

    from player.library.tracks import TrackRow  # noqa: TC004 - as above
    from player.playback.controller import Controller
    from player.tui.messages import RowChosen, RowHighlighted

COLUMNS = ("groups", "albums", "tracks")
ALL = ""
"""The name of the row that stands for all artists, genres, years or albums."""
_COUNT = 6
_TIME = 7
_ARTIST_FROM = 56
GENRE_SEPARATOR = "; "
Names: TypeAlias = "Callable[[TrackRow], Iterable[str]]"


@dataclass(frozen=True, slots=True)
class GroupKind:
    """One way to begin: what the first column lists, under which names a track is there, and the seed a name makes."""

    noun: str
    names: Names
    seed: Callable[[str], tuple[str, str]]
    newest_first: bool = False


def _genres(track: TrackRow) -> Iterable[str]:
    return [genre for genre in track.genre.split(GENRE_SEPARATOR) if genre] or ("no genre",)


def _years(track: TrackRow) -> Iterable[str]:
    return (str(track.year) if track.year is not None and track.year > 0 else "no year",)


KINDS = (
    GroupKind("artist", lambda track: (track.artist,), lambda name: ("artist", name)),
    GroupKind("genre", _genres, lambda name: ("genre", name)),
    GroupKind("year", _years, lambda name: ("query", f"year:{name}"), newest_first=True),
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Some of the catalogue, by the names of one kind of group; made once for each search.

    Attributes:
        tracks: the catalogue, by artist, album and number.
        groups: name → indices of its tracks, in the catalogue's order.
        names: the groups as they are listed, ``ALL`` before them.
        found: all the indices.
    """

    tracks: Sequence[TrackRow]
    groups: dict[str, list[int]] = field(default_factory=dict[str, "list[int]"])
    names: tuple[str, ...] = ()
    found: Sequence[int] = ()

    @staticmethod
    def of(tracks: Sequence[TrackRow], found: Sequence[int], kind: GroupKind) -> Shelf:
        """The tracks ``found`` under the names of a kind."""
        groups: dict[str, list[int]] = defaultdict(list)
        for index in found:
            for name in kind.names(tracks[index]):
                groups[name].append(index)
        names = sorted(groups, key=str.casefold, reverse=kind.newest_first)
        return Shelf(tracks, dict(groups), (ALL, *names) if names else (), found)

    def albums(self, group: str) -> dict[str, list[int]]:
        """Album → indices, those of one group, in the catalogue's order; what is on none comes last."""
        albums: dict[str, list[int]] = defaultdict(list)
        for index in self.found if group == ALL else self.groups.get(group, ()):
            albums[self.tracks[index].album].append(index)
        loose = albums.pop("", None)
        return {**albums, "": loose} if loose else dict(albums)


class NameList(RowList):
    """Names with the number of their tracks."""

    _names: Sequence[str] = ()
    _counts: Sequence[int] = ()

    def show(self, names: Sequence[str], counts: Sequence[int], cursor: int) -> None:
        """Show other names."""
        self._names, self._counts = names, counts
        self.set_length(len(names), cursor)

    def row(self, index: int, width: int, *, selected: bool) -> Line:
        """A name and a number."""
        ink = Ink.STRONG if selected else Ink.TEXT
        name = column(self._names[index], width - _COUNT)
        return [(name, ink), (right(f"{self._counts[index]:,}", _COUNT), Ink.DIM)]


class AlbumTrackList(RowList):
    """The tracks of an album, of several, or of what was found."""

    _tracks: Sequence[TrackRow] = ()

    @property
    def tracks(self) -> Sequence[TrackRow]:
        """All of them."""
        return self._tracks

    def show(self, tracks: Sequence[TrackRow], cursor: int) -> None:
        """Show other tracks."""
        self._tracks = tracks
        self.set_length(len(tracks), cursor)

    def row(self, index: int, width: int, *, selected: bool) -> Line:
        """Title, artist where there is room, and length."""
        track = self._tracks[index]
        ink = Ink.DIM if track.missing else Ink.STRONG if selected else Ink.TEXT
        artist = width * 2 // 5 if width >= _ARTIST_FROM else 0
        return [
            (column(track.title, width - _TIME - artist), ink),
            (column(fit(track.artist, max(artist - 1, 0)), artist), Ink.DIM),
            (right("missing" if track.missing else clock(track.duration), _TIME), Ink.DIM),
        ]


class BrowseScreen(SearchedLibraryScreen):
    """Groups, albums, tracks. Enter plays what is selected in order, from the selected track on."""

    AUTO_FOCUS = "#albums"
    KEYS = BROWSE_BAR
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(IN_BROWSE),
        Binding("left,h", "column(-1)", "left", show=False),
        Binding("right,l", "column(1)", "right", show=False),
        Binding("down", "column(0)", "to the columns", show=False),
    ]

    def __init__(self, player: Controller, clock: Callable[[], float]) -> None:
        super().__init__(player, clock)
        self._kind = KINDS[0]
        self._shelf = Shelf(())
        self._albums: dict[str, list[int]] = {}
        self._place: TrackRow | None = None
        """The track to open at."""

    @property
    def chosen(self) -> TrackRow | None:
        """The track at the cursor, or the first of the selected album or group."""
        tracks = self.query_one(AlbumTrackList)
        if not tracks.tracks:
            return None
        return tracks.tracks[tracks.cursor if tracks.has_focus else 0]

    def body(self) -> ComposeResult:
        """The search and the three columns."""
        yield Heading(id="heading")
        with Horizontal(id="search-line"):
            yield Static("/ ", id="search-sign", markup=False)
            yield Input(placeholder="narrows all three columns – title, artist, album, year:1990-1999", compact=True)
        with Horizontal(id="shelves"):
            yield NameList(id="groups")
            yield NameList(id="albums", classes="-front")
            yield AlbumTrackList(id="tracks")

    def on_mount(self) -> None:
        """Open at the playing track's album."""
        now = self._player.snapshot().now
        self._place = None if now is None else now.track
        self.show(self._player.snapshot())

    def on_input_submitted(self) -> None:
        """Enter in the search plays what was found, in order."""
        self._play(self.query_one(AlbumTrackList).tracks, 0)

    @property
    def asked(self) -> Hashable:
        """The search and what the groups are."""
        return self.query_text, self._kind.noun

    def question(self) -> Callable[[], object]:
        """The groups of what the search finds."""
        return partial(self._find, self.query_text, self._kind)

    def _find(self, query: str, kind: GroupKind) -> Shelf:
        tracks = self._player.catalogue()
        found = self._player.search(query) if query else range(len(tracks))
        return Shelf.of(tracks, [index for index in found if index < len(tracks)], kind)

    def list_answer(self, answer: Shelf) -> None:
        """List the groups; a search opens at all that it found."""
        self._shelf = shelf = answer
        query = self.query_text
        total = count(len(shelf.tracks), "track")
        facts = f"{len(shelf.found):,} of {total}" if query else total
        self.query_one(Heading).show("Library", facts, f"by {self._kind.noun}")
        place = None if query else self._place
        group = next(iter(self._kind.names(place)), ALL) if place is not None else ALL
        sizes = [len(shelf.groups[name]) if name != ALL else len(shelf.found) for name in shelf.names]
        shown = [name if name != ALL else f"All {self._kind.noun}s" for name in shelf.names]
        cursor = shelf.names.index(group) if group in shelf.names else 0
        self.query_one("#groups", NameList).show(shown, sizes, cursor)
        self._open_group()

    def on_row_highlighted(self, message: RowHighlighted) -> None:
        """Another group has other albums, another album other tracks."""
        message.stop()
        if message.list_id == "groups":
            self._open_group()
        elif message.list_id == "albums":
            self._open_album()

    def _open_group(self) -> None:
        names, at = self._shelf.names, self.query_one("#groups", NameList).cursor
        self._albums = albums = self._shelf.albums(names[at]) if names else {}
        listed = [ALL, *albums] if albums else []
        sizes = [sum(map(len, albums.values())), *map(len, albums.values())] if albums else []
        shown = ["All albums", *(name or "no album" for name in albums)] if albums else []
        wanted = self._place.album if self._place is not None else None
        cursor = listed.index(wanted, 1) if wanted in albums else 0
        self.query_one("#albums", NameList).show(shown, sizes, cursor)
        self._open_album()

    def _open_album(self) -> None:
        at, albums = self.query_one("#albums", NameList).cursor, list(self._albums.values())
        indices = albums[at - 1] if 0 < at <= len(albums) else [index for some in albums for index in some]
        tracks = [self._shelf.tracks[index] for index in indices]
        self.query_one(AlbumTrackList).show(tracks, 0)

    # What is done with what is selected

    def on_row_chosen(self, message: RowChosen) -> None:
        """Play in order, from the selected track on."""
        message.stop()
        tracks = self.query_one(AlbumTrackList)
        self._play(tracks.tracks, tracks.cursor if tracks.has_focus else 0)

    def _play(self, tracks: Sequence[TrackRow], first: int) -> None:
        if tracks:
            self.post_message(Tell("play_in_order", tuple(track.id for track in tracks[first:])))

    @property
    def _selected(self) -> tuple[int, ...]:
        """The selected track, or all of the selected album or group."""
        tracks = self.query_one(AlbumTrackList)
        some = tracks.tracks[tracks.cursor : tracks.cursor + 1] if tracks.has_focus else tracks.tracks
        return tuple(track.id for track in some)

    def action_queue(self) -> None:
        """Put what is selected behind the pins."""
        self.post_message(Tell("pin_all", self._selected))

    def action_station(self) -> None:
        """Make a station that is based on what is selected, and play it."""
        track, at = self.chosen, self.query_one("#albums", NameList).cursor
        if track is None:
            return
        if self.query_one(AlbumTrackList).has_focus:
            self.post_message(Tell("more_like", track.id))
            return
        group = self._shelf.names[self.query_one("#groups", NameList).cursor]
        on_album = at > 0 and not self.query_one("#groups", NameList).has_focus and bool(track.album)
        seed = ("album", track.album) if on_album else ("library", "") if group == ALL else self._kind.seed(group)
        self.post_message(Tell("play_station_of", seed))

    def action_column(self, steps: int) -> None:
        """Move between the columns; from the search, down to the albums."""
        focused = self.focused.id if self.focused is not None else None
        at = COLUMNS.index(focused) + steps if focused in COLUMNS else 1
        self._focus(COLUMNS[min(max(at, 0), len(COLUMNS) - 1)])

    def _focus(self, name: str) -> None:
        for each in COLUMNS:
            self.query_one(f"#{each}").set_class(each == name, "-front")
        self.query_one(f"#{name}").focus()

    def action_kind(self) -> None:
        """Begin with artists, genres or years."""
        self._kind = KINDS[(KINDS.index(self._kind) + 1) % len(KINDS)]
        self.ask()

    def action_leave(self) -> None:
        """Out of the search; clear it; back to the station – one step at a time."""
        search = self.query_one(Input)
        if search.value:
            search.value = ""
            self._focus("albums")
        elif search.has_focus:
            self._focus("albums")
        else:
            self.app.pop_screen()
