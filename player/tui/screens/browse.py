"""The library by artist, genre, year, folder or age, then album, then track: three columns that a search narrows together."""

from __future__ import annotations

import os.path
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from player.tui.keys import BROWSE_BAR, IN_BROWSE, bindings
from player.tui.keys import KINDS as KIND_KEYS
from player.tui.messages import Tell
from player.tui.screens.playing import SearchedLibraryScreen
from player.tui.text import clock, column, count, fit, right
from player.tui.widgets.row_list import MARGINS, RowList
from player.tui.widgets.status_lines import Heading, KeyBar
from player.tui.widgets.styled_text import Ink, Inked, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence  # noqa: TC004 - annotations are never evaluated

    from textual import events
    from textual.app import ComposeResult

    from player.library.tracks import TrackRow  # noqa: TC004 - as above
    from player.playback.controller import Controller  # noqa: TC004 - as above
    from player.tui.messages import RowChosen, RowHighlighted

T = TypeVar("T")
MANY = 5_000
"""Tracks of a group whose albums take more than a few milliseconds to sort out."""
ALL = ""
"""The name of the row that stands for all artists, genres, years or albums."""
_TIME = 7
_ARTIST_FROM = 56
GENRE_SEPARATOR = "; "
BESIDE = "(no folder)"
AGES = {
    "today": "added:<1d",
    "the last 7 days": "added:<7d",
    "the last 30 days": "added:<30d",
    "the last year": "added:<1y",
    "earlier": "",
}
"""What came lately, and the search for it; each holds what those before it do not."""
Albums: TypeAlias = "dict[str, tuple[int, ...]]"
"""Album → indices of its tracks."""
Names: TypeAlias = "Callable[[TrackRow], Iterable[str]]"
Places: TypeAlias = "tuple[Names, Callable[[TrackRow], str]]"
"""Under which names of the first column a track is, and under which of the second."""


@dataclass(frozen=True, slots=True)
class GroupKind:
    """One way to begin.

    Attributes:
        noun: what the first column lists.
        places: made of the player and its catalogue.
        seed: what a station of such a group is based on.
        rank: what the names are sorted by.
    """

    noun: str
    places: Callable[[Controller, Sequence[TrackRow]], Places]
    seed: Callable[[str], tuple[str, str]]
    rank: Callable[[str], object] = str.casefold


def _album(track: TrackRow) -> str:
    return track.album


def _genres(track: TrackRow) -> Iterable[str]:
    return [genre for genre in track.genre.split(GENRE_SEPARATOR) if genre] or ("no genre",)


def _years(track: TrackRow) -> Iterable[str]:
    return (str(track.year) if track.year is not None and track.year > 0 else "no year",)


def _folders(_player: Controller, tracks: Sequence[TrackRow]) -> Places:
    """Folders within the one that holds all the music, then what lies within those."""
    folders = {folder for track in tracks if (folder := _folder(track))}
    begin = len(os.path.commonpath([min(folders), max(folders)])) + 1 if folders else 0
    return lambda track: (_folder(track)[begin:].partition("/")[0] or BESIDE,), lambda track: _folder(track)[
        begin:
    ].partition("/")[2]


def _folder(track: TrackRow) -> str:
    return track.path.rpartition("/")[0]


def _ages(player: Controller, tracks: Sequence[TrackRow]) -> Places:
    """How long ago tracks were added: one search an age, the youngest last."""
    ages = {
        tracks[index].id: name
        for name, query in reversed(AGES.items())
        for index in (player.search(query) if query else range(len(tracks)))
        if index < len(tracks)
    }
    return lambda track: (ages.get(track.id, "earlier"),), _album


def _newest_first(year: str) -> int:
    return -int(year) if year.isdigit() else 1


KINDS = (
    GroupKind("artist", lambda *_: (lambda track: track.all_artists, _album), lambda name: ("artist", name)),
    GroupKind("genre", lambda *_: (_genres, _album), lambda name: ("genre", name)),
    GroupKind("year", lambda *_: (_years, _album), lambda name: ("query", f"year:{name}"), _newest_first),
    GroupKind("folder", _folders, lambda name: ("query", f'path:"{name}"')),
    GroupKind("recently added", _ages, lambda name: ("query", AGES[name]), list(AGES).index),
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Some of the catalogue, by the names of one kind of group; made once for each search.

    Attributes:
        tracks: the catalogue, by artist, album and number.
        groups: name → indices of its tracks, in the catalogue's order.
        names: the groups as they are listed, ``ALL`` before them.
        found: all the indices.
        album: what the second column lists of a track.
    """

    tracks: Sequence[TrackRow]
    groups: Mapping[str, Sequence[int]] = field(default_factory=dict[str, "Sequence[int]"])
    names: tuple[str, ...] = ()
    found: Sequence[int] = ()
    album: Callable[[TrackRow], str] = _album
    place: str = ALL
    """The group to open at."""
    opened: dict[str, Albums] = field(default_factory=dict[str, "Albums"])
    """The albums of large groups, which are sorted out beforehand, off the screen's thread: at 100,000 tracks it would stand still."""

    @staticmethod
    def of(
        tracks: Sequence[TrackRow], found: Sequence[int], kind: GroupKind, places: Places, place: TrackRow | None = None
    ) -> Shelf:
        """The tracks ``found`` at the ``places`` of a kind, to be opened at the place of a track."""
        names, album = places
        groups: dict[str, list[int]] = defaultdict(list)
        for index in found:
            for name in names(tracks[index]):
                groups[name].append(index)
        listed = sorted(groups, key=kind.rank)  # pyright: ignore[reportArgumentType, reportCallIssue] - of one kind, all alike
        here = ALL if place is None else next(iter(names(place)), ALL)
        # In tuples of numbers the collector of cycles has nothing to walk through; in lists it held the screen up.
        kept = {name: tuple(indices) for name, indices in groups.items()}
        shelf = Shelf(tracks, kept, (ALL, *listed) if listed else (), found, album, here)
        large = [name for name in listed if len(groups[name]) > MANY] + ([ALL] if len(found) > MANY else [])
        shelf.opened.update({name: shelf.albums(name) for name in large})
        return shelf

    def albums(self, group: str) -> Albums:
        """Album → indices, those of one group, in the catalogue's order; what is on none comes last."""
        if group in self.opened:
            return self.opened[group]
        albums: dict[str, list[int]] = defaultdict(list)
        for index in self.found if group == ALL else self.groups.get(group, ()):
            albums[self.album(self.tracks[index])].append(index)
        if loose := albums.pop("", None):
            albums[""] = loose
        return {name: tuple(indices) for name, indices in albums.items()}


class SortedList(RowList):
    """Rows under heads, which sort them."""

    COLUMNS: ClassVar[Sequence[str]] = ()
    """What it can be sorted by; the first is the order that the rows come in."""
    ranking: tuple[str, bool] = ("", False)
    """The column that it is sorted by, and whether the other way round."""

    def heads(self, width: int) -> list[tuple[str, str, int]]:
        """Column, its name on the screen and its cells; what stands at the right has a negative number. To be overridden."""
        raise NotImplementedError

    def ranked(self, rows: Iterable[T], **keys: Callable[[T], Any]) -> list[T]:
        """The rows by the column that was chosen, as they come where it has no key."""
        column, backwards = self.ranking
        rows = sorted(rows, key=keys[column]) if column in keys else list(rows)
        return rows[::-1] if backwards else rows


class ShelfHeads(Inked):
    """The heads of the lists below it, each over its list; a click sorts by a column, another the other way round."""

    def _cells(self) -> Iterable[tuple[int, SortedList, str, str]]:
        """Where each begins, of which list it is, which column, and its text."""
        for one in self.screen.query(SortedList):
            x = one.region.x - self.region.x + 1
            for column_, name, room in one.heads(one.size.width - MARGINS) if one.display else ():
                chosen, backwards = one.ranking
                sign = ("↑" if backwards else "↓") if column_ == (chosen or one.COLUMNS[0]) else ""
                yield x, one, column_, right(name + sign, -room) if room < 0 else column(name + sign, room)
                x += abs(room)

    def line(self, y: int, width: int) -> Line:
        """The one line."""
        pieces, end = list[tuple[str, Ink]](), 0
        for x, _, _, text in () if y else self._cells():
            pieces += [(" " * (x - end), Ink.TEXT), (text, Ink.ACCENT if text.strip()[-1:] in {"↓", "↑"} else Ink.DIM)]
            end = x + len(text)
        del width
        return pieces

    def on_click(self, event: events.Click) -> None:
        """Sort by the column under the pointer."""
        under = [(one, column_) for x, one, column_, text in self._cells() if x <= event.x < x + len(text)]
        if under and isinstance(self.screen, BrowseScreen):
            self.screen.sort(*under[0])


class NameList(SortedList):
    """Names with the number of their tracks."""

    COLUMNS = ("name", "tracks")
    noun = "name"
    _names: Sequence[str] = ()
    _counts: Sequence[int] = ()
    _room = 0

    def show(self, names: Sequence[str], counts: Sequence[int], cursor: int) -> None:
        """Show other names."""
        self._names, self._counts = names, counts
        self._room = len(f"{max(counts, default=0):,}") + 1
        self.set_length(len(names), cursor)

    def heads(self, width: int) -> list[tuple[str, str, int]]:
        """Over the names and the numbers."""
        return [("name", self.noun, width - _TIME), ("tracks", "tracks", -_TIME)]

    def row(self, index: int, width: int, *, selected: bool) -> Line:
        """A name and a number."""
        ink = Ink.STRONG if selected else Ink.TEXT
        name = column(self._names[index], width - self._room)
        return [(name, ink), (right(f"{self._counts[index]:,}", self._room), Ink.DIM)]


class AlbumTrackList(SortedList):
    """The tracks of an album, of several, or of what was found."""

    COLUMNS = ("in order", "title", "artist", "length")
    _tracks: Sequence[TrackRow] = ()

    @property
    def tracks(self) -> Sequence[TrackRow]:
        """All of them."""
        return self._tracks

    def show(self, tracks: Sequence[TrackRow], cursor: int) -> None:
        """Show other tracks."""
        self._tracks = self.ranked(
            tracks,
            title=lambda track: track.title.casefold(),
            artist=lambda track: track.artist.casefold(),
            length=lambda track: track.duration,
        )
        self.set_length(len(tracks), cursor)

    def heads(self, width: int) -> list[tuple[str, str, int]]:
        """Over title, artist where there is room, and length."""
        artist = width * 2 // 5 if width >= _ARTIST_FROM else 0
        by_artist = [("artist", "artist", artist)] if artist else []
        return [("title", "title", width - _TIME - artist), *by_artist, ("length", "length", -_TIME)]

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
    COLUMNS: ClassVar[Sequence[str]] = ("groups", "albums", "tracks")
    KEYS = BROWSE_BAR
    COUNTS = False
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
        self._names: Sequence[str] = ()
        """The groups as they are listed."""
        self._albums: Albums = {}
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
            yield Input(placeholder="narrows all three columns – title, artist, album, year:1990..1999", compact=True)
        yield KeyBar(KIND_KEYS, (), id="kinds")
        yield ShelfHeads(id="heads")
        with Horizontal(id="shelves"):
            yield NameList(id="groups")
            yield NameList(id="albums", classes="-front")
            yield AlbumTrackList(id="tracks")

    def on_mount(self) -> None:
        """Open at the playing track's album."""
        now = self._player.snapshot().now
        self._place = None if now is None else now.track
        for one in self.query(SortedList):
            one.ranking = self.sorting(str(one.id))
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
        there = [index for index in found if index < len(tracks)]
        return Shelf.of(tracks, there, kind, kind.places(self._player, tracks), None if query else self._place)

    def list_answer(self, answer: Any) -> None:
        """List the groups; a search opens at all that it found."""
        self._shelf = shelf = answer
        query = self.query_text
        total = count(len(shelf.tracks), "track") if shelf.tracks else "no tracks yet"
        facts = f"{len(shelf.found):,} of {total}" if query else total
        self.query_one(Heading).show("Library", facts, f"by {self._kind.noun}")
        self.query_one("#kinds", KeyBar).choose(KIND_KEYS[KINDS.index(self._kind)])
        self._list_groups("Everything")

    def _list_groups(self, everything: str) -> None:
        shelf = self._shelf
        groups = self.query_one("#groups", NameList)
        listed = groups.ranked(shelf.names[1:], tracks=lambda name: -len(shelf.groups[name]))
        self._names = names = [*shelf.names[:1], *listed]
        sizes = [len(shelf.groups[name]) if name != ALL else len(shelf.found) for name in names]
        shown = [name if name != ALL else everything for name in names]
        groups.noun = self._kind.noun
        groups.show(shown, sizes, names.index(shelf.place) if shelf.place in names else 0)
        self.query_one(ShelfHeads).refresh()
        self._open_group()

    def on_row_highlighted(self, message: RowHighlighted) -> None:
        """Another group has other albums, another album other tracks."""
        message.stop()
        if message.list_id == "groups":
            self._open_group()
        elif message.list_id == "albums":
            self._open_album()

    def _open_group(self) -> None:
        names, at = self._names, self.query_one("#groups", NameList).cursor
        listing = self.query_one("#albums", NameList)
        found = self._shelf.albums(names[at]) if names else {}
        self._albums = albums = dict(listing.ranked(found.items(), tracks=lambda album: -len(album[1])))
        listed = [ALL, *albums] if albums else []
        sizes = [sum(map(len, albums.values())), *map(len, albums.values())] if albums else []
        rest = "(here)" if self._kind.noun == "folder" else "no album"
        shown = ["All of it", *(name or rest for name in albums)] if albums else []
        wanted = self._shelf.album(self._place) if self._place is not None else None
        cursor = listed.index(wanted, 1) if wanted in albums else 0
        listing.noun = "folder" if self._kind.noun == "folder" else "album"
        listing.show(shown, sizes, cursor)
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
    def selection(self) -> Sequence[TrackRow]:
        """The selected track, or all of the selected album or group."""
        tracks = self.query_one(AlbumTrackList)
        return tracks.tracks[tracks.cursor : tracks.cursor + 1] if tracks.has_focus else tracks.tracks

    def action_queue(self) -> None:
        """Put what is selected behind the pins."""
        self.post_message(Tell("pin_all", tuple(track.id for track in self.selection)))

    def action_station(self) -> None:
        """Make a station that is based on what is selected, and play it."""
        track, at = self.chosen, self.query_one("#albums", NameList).cursor
        if track is None:
            return
        if self.query_one(AlbumTrackList).has_focus:
            self.post_message(Tell("more_like", track.id))
            return
        group = self._names[self.query_one("#groups", NameList).cursor]
        on_album = (
            at > 0
            and not self.query_one("#groups", NameList).has_focus
            and self._shelf.album(track) == track.album != ""
        )
        seed = ("album", track.album) if on_album else ("library", "") if group == ALL else self._kind.seed(group)
        self.post_message(Tell("play_station_of", seed))

    def action_column(self, steps: int) -> None:
        """Move between the columns; from the search, down to the albums."""
        focused = self.focused.id if self.focused is not None else None
        columns = self.COLUMNS
        at = columns.index(focused) + steps if focused in columns else 1
        self._focus(columns[min(max(at, 0), len(columns) - 1)])

    def _focus(self, name: str) -> None:
        for each in self.COLUMNS:
            self.query_one(f"#{each}").set_class(each == name, "-front")
        self.query_one(f"#{name}").focus()
        self.call_after_refresh(self.query_one(ShelfHeads).refresh)

    def sort(self, one: SortedList, wanted: str) -> None:
        """Sort a list by a column; by the one it is sorted by already, the other way round."""
        chosen, backwards = one.ranking
        one.ranking = wanted, (chosen or one.COLUMNS[0]) == wanted and not backwards
        self.keep_sorting(str(one.id), one.ranking)
        self.ask()

    def action_order(self) -> None:
        """Sort the column with the cursor by the next of what it shows."""
        one = self.focused if isinstance(self.focused, SortedList) else self.query_one("#tracks", SortedList)
        at = one.COLUMNS.index(one.ranking[0] or one.COLUMNS[0])
        self.sort(one, one.COLUMNS[(at + 1) % len(one.COLUMNS)])

    def action_backwards(self) -> None:
        """Sort the column with the cursor the other way round."""
        one = self.focused if isinstance(self.focused, SortedList) else self.query_one("#tracks", SortedList)
        self.sort(one, one.ranking[0] or one.COLUMNS[0])

    def action_kind(self, number: int | None = None) -> None:
        """Begin with artists, genres, years, folders or ages; without a number with the next of them."""
        following = (KINDS.index(self._kind) + 1) % len(KINDS)
        self._kind = KINDS[following if number is None else number]
        self.ask()

    def action_leave(self) -> None:
        """Out of the search; clear it; back to the station – one step at a time."""
        search = self.query_one(Input)
        if search.value:
            search.value = ""
            self._focus(self.COLUMNS[-2])
        elif search.has_focus:
            self._focus(self.COLUMNS[-2])
        else:
            self.app.pop_screen()
