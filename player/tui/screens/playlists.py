"""The listener's playlists and saved searches, and the tracks of the selected one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Horizontal
from textual.widgets import Input, Static

from player.tui.keys import IN_PLAYLISTS, PLAYLISTS_BAR, bindings
from player.tui.messages import Tell
from player.tui.screens.browse import AlbumTrackList, BrowseScreen, NameList, Shelf, ShelfHeads
from player.tui.screens.picker import NameForm
from player.tui.text import count
from player.tui.widgets.status_lines import Heading, PlainLine
from player.tui.widgets.styled_text import Ink

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.integrations.playlists import KeptPlaylist
    from player.library.tracks import TrackRow

_HINT = """\
No playlists yet.

B puts what is selected into one: a track in any list, a whole album in the library.
^s in the library keeps a search, which is then always up to date.
player playlist import FILE takes in M3U, PLS, XSPF and JSPF.\
"""


class PlaylistsScreen(BrowseScreen):
    """Names and tracks. Enter plays a playlist from its beginning, or from the selected track on."""

    AUTO_FOCUS = "#groups"
    COLUMNS: ClassVar[Sequence[str]] = ("groups", "tracks")
    KEYS = PLAYLISTS_BAR
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_PLAYLISTS)]
    _lists: Sequence[KeptPlaylist] = ()

    def body(self) -> ComposeResult:
        """The search and the two columns."""
        yield Heading(id="heading")
        with Horizontal(id="search-line"):
            yield Static("/ ", id="search-sign", markup=False)
            yield Input(placeholder="narrows the tracks – title, artist, album, year:1990..1999", compact=True)
        yield ShelfHeads(id="heads")
        with Horizontal(id="shelves"):
            yield NameList(id="groups", classes="-front")
            yield AlbumTrackList(id="tracks")
        yield Static(_HINT, id="hint", markup=False)
        yield PlainLine(id="about")

    def renew(self) -> None:
        """Look again, for a key may have changed them."""
        self.ask()

    @property
    def asked(self) -> Hashable:
        """The search."""
        return self.query_text

    def question(self) -> Callable[[], object]:
        """The playlists, with what the search leaves of each."""
        return partial(self._look, self.query_text)

    def _look(self, query: str) -> tuple[Sequence[KeptPlaylist], Shelf]:
        player, tracks = self._player, self._player.catalogue()
        kept = set(player.search(query)) if query else None
        places = {track.id: index for index, track in enumerate(tracks)}
        lists, groups = player.playlists(), dict[str, list[int]]()
        for one in lists:
            listed = (places.get(track, -1) for track in one.tracks or ())
            found = player.search(one.query) if one.query is not None else listed
            groups[one.name] = [at for at in found if 0 <= at < len(tracks) and (kept is None or at in kept)]
        return lists, Shelf(tracks, groups, tuple(groups), album=lambda _: "")

    def list_answer(self, answer: Any) -> None:
        """List the names; the cursor stays."""
        groups = self.query_one("#groups", NameList)
        groups.noun = "playlist"
        lists, self._shelf = answer
        self._lists = groups.ranked(lists, tracks=lambda one: -len(self._shelf.groups[one.name]))
        names = [one.name for one in self._lists]
        shown = [f"{one.name} ⌕" if one.query is not None else one.name for one in self._lists]
        self.query_one(Heading).show("Playlists", count(len(names), "playlist"), "⌕ a saved search" if names else "")
        self.set_class(not names, "-none")
        sizes = [len(self._shelf.groups[name]) for name in names]
        groups.show(shown, sizes, groups.cursor)
        self.query_one(ShelfHeads).refresh()
        self._open_group()

    def _open_group(self) -> None:
        one = self._list
        found = self._shelf.groups[one.name] if one is not None else ()
        tracks = self.query_one(AlbumTrackList)
        tracks.show([self._shelf.tracks[index] for index in found], tracks.cursor if tracks.has_focus else 0)
        about = "" if one is None else f"finds {one.query}" if one.query is not None else ""
        if one is not None and one.missing:
            about = f"{count(len(one.missing), 'track')} of it not in your library: {', '.join(one.missing)}"
        self.query_one("#about", PlainLine).show("", about, Ink.DIM)

    @property
    def _list(self) -> KeptPlaylist | None:
        at = self.query_one("#groups", NameList).cursor
        return self._lists[at] if at < len(self._lists) else None

    @property
    def chosen(self) -> TrackRow | None:
        """The track at the cursor, where one is selected."""
        return super().chosen if self.query_one(AlbumTrackList).has_focus else None

    def action_station(self) -> None:
        """Make a station that is based on the playlist, or on the selected track."""
        one, track = self._list, self.chosen
        if track is not None:
            self.post_message(Tell("more_like", track.id))
        elif one is not None:
            self.post_message(Tell("play_station_of", ("query", one.search)))

    def action_kind(self, number: int | None = None) -> None:
        """Playlists go by their names alone."""
        del number
        self.complain("Playlists are listed by name; l opens the library by artist, genre, year, folder or age.")

    def action_take_out(self) -> None:
        """Take the selected track out of the playlist."""
        one, tracks = self._list, self.query_one(AlbumTrackList)
        if one is None or not tracks.has_focus or not tracks.tracks:
            self.complain("Select a track with → first; ^d deletes the whole playlist.")
        elif self.query_text or tracks.ranking not in {("", False), ("in order", False)}:
            self.complain("Clear the search first, and sort in order (o), so that it is clear which track is meant.")
        else:
            self.post_message(Tell("take_from_playlist", one.name, tracks.cursor))

    def action_rename(self) -> None:
        """Ask for another name of the selected playlist."""
        if (one := self._list) is not None:
            self.app.push_screen(NameForm("Rename", one.name, one.name, partial(Tell, "rename_playlist", one.name)))

    def action_remove(self) -> None:
        """Delete the selected playlist; that can be taken back."""
        if (one := self._list) is not None:
            self.post_message(Tell("remove_playlist", one.name))
