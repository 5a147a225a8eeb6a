"""Bringing a history along from another player: whose, which file, and what it would come to before anything is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from player.tui.keys import SOURCE_BAR
from player.tui.messages import Tell
from player.tui.screens.add_music import AddMusic
from player.tui.screens.picker import Menu
from player.tui.widgets.choice_list import Choice, ChoiceList
from player.tui.widgets.status_lines import Heading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from player.library.folder_offers import FolderOffer
    from player.playback.controller import Controller
    from player.tui.messages import RowChosen

SOURCES = {
    "spotify": ("Spotify", "my_spotify_data.zip, or its folder"),
    "apple": ("Apple Music", "Apple Music - Play Activity.csv"),
    "listenbrainz": ("ListenBrainz", "its export, a zip archive"),
    "lastfm": ("Last.fm", "scrobbles as CSV, JSON or .log"),
    "mpd": ("MPD", "sticker.sql, or its log"),
    "navidrome-json": ("Navidrome", "its songs as JSON"),
    "itunes": ("iTunes", "Library.xml"),
    "rhythmbox": ("Rhythmbox", "rhythmdb.xml"),
    "quodlibet": ("Quod Libet", "its file “songs”"),
    "tags": ("Ratings in the tags", "a folder of music"),
}
"""By the names that ``player import`` takes."""


class ImportSource(Menu):
    """Whose history it is.

    Args:
        player: who reads it.
    """

    KEYS = SOURCE_BAR

    def __init__(self, player: Controller) -> None:
        super().__init__()
        self._player = player

    def on_mount(self) -> None:
        """All there are."""
        self.query_one(Heading).show("Bring your history along", "", "nothing is recorded yet")
        self.query_one(ChoiceList).show([Choice("", *words, "") for words in SOURCES.values()])

    def on_row_chosen(self, message: RowChosen) -> None:
        """Ask for the file."""
        message.stop()
        source = list(SOURCES)[message.index]
        self.dismiss(None)
        self.app.push_screen(ImportFile(self._player, source))


class ImportFile(AddMusic):
    """The file or folder of a history; it is read through and counted first.

    Args:
        player: who knows the files.
        source: a key of :data:`SOURCES`.
    """

    def __init__(self, player: Controller, source: str) -> None:
        super().__init__(player)
        self._source = source
        name, file = SOURCES[source]
        self._title, self._note = f"Where is the history of {name}?", file

    def offered(self, text: str) -> Sequence[FolderOffer]:
        """Files and folders."""
        return self._player.offered_files(text)

    def chosen(self, path: str) -> Tell:
        """Read it through, and count."""
        return Tell("import_history", self._source, path)
