"""The listener's playlists while the music plays: what is in them, and changing them in ways that "undo" takes back."""

from collections.abc import Sequence
from dataclasses import replace

from player.errors import PlayerError
from player.integrations.playlists import (
    KeptPlaylist,
    find_playlist,
    playlists,
    put_playlist,
    remove_playlist,
    rename_playlist,
    save_query,
)
from player.playback.commands import Commands, command


class PlaylistCommands(Commands):
    """Playlists are kept by name; a smart one is a search and has no tracks to add or take out."""

    def playlists(self) -> list[KeptPlaylist]:
        """All of them, by name."""
        return playlists(self._session.database)

    @command
    def add_to_playlist(self, name: str, track_ids: Sequence[int]) -> None:
        """Put tracks at the end of a playlist, which is made where there is none of that name.

        Raises:
            PlayerError: it is a smart one, or the name is empty.
        """
        rows = [row for track in track_ids if (row := self._session.known.playable_track(track)) is not None]
        known = {one.name.casefold(): one for one in self.playlists()}
        before = known.get(name.strip().casefold(), KeptPlaylist(name.strip(), None))
        if before.query is not None:
            raise PlayerError(f"“{before.name}” is the search {before.query}, so no track can be added; choose a list.")
        put_playlist(
            self._session.database, replace(before, entries=(*before.entries, *((row.id, row.path) for row in rows)))
        )
        more = f"“{rows[0].title}”" if len(rows) == 1 else f"{len(rows)} tracks"
        self._changed(before, before.name, f"Added {more} to the playlist “{before.name}”")

    @command
    def take_from_playlist(self, name: str, place: int) -> None:
        """Take the track at a place out of a playlist, counted among those that the library has."""
        before = find_playlist(self._session.database, name)
        there = [at for at, (track, _) in enumerate(before.entries) if track is not None]
        if before.query is not None or place >= len(there):
            raise PlayerError(f"“{name}” is a search, so no track can be taken out; -title:… in the search does.")
        entries = before.entries[: there[place]] + before.entries[there[place] + 1 :]
        put_playlist(self._session.database, replace(before, entries=entries))
        self._changed(before, name, f"Taken out of “{name}”")

    @command
    def save_search(self, query: str, name: str) -> None:
        """Keep a search as a smart playlist.

        Raises:
            PlayerError: the name is taken or empty, or the search means nothing.
        """
        if any(one.name.casefold() == name.strip().casefold() for one in self.playlists()):
            raise PlayerError(f"There is a playlist “{name}” already; choose another name.")
        save_query(self._session.database, name, query)
        self._changed(None, name, f"Saved the search as the playlist “{name}”")

    @command
    def rename_playlist(self, name: str, new: str) -> None:
        """Give a playlist another name.

        Raises:
            PlayerError: the name is empty or taken.
        """
        before = find_playlist(self._session.database, name)
        kept = rename_playlist(self._session.database, name, new)
        self._changed(before, kept, f"The playlist is called “{kept}” now")

    @command
    def remove_playlist(self, name: str) -> None:
        """Delete a playlist; no track is touched."""
        before = find_playlist(self._session.database, name)
        asking = remove_playlist(self._session.database, before.name)
        still = f", still used by {', '.join(asking)}" if asking else ""
        self._changed(before, "", f"Deleted the playlist “{before.name}”{still}")

    def _changed(self, before: KeptPlaylist | None, now: str, words: str) -> None:
        """Say what was done, and let "undo" bring back the playlist as it was ``before`` in place of what it is called ``now``."""
        session = self._session

        def take_back() -> str:
            if before is not None and now not in {"", before.name}:
                rename_playlist(session.database, now, before.name)
            elif now and any(one.name == now for one in self.playlists()):
                remove_playlist(session.database, now)
            if before is not None and (before.entries or before.query is not None):
                put_playlist(session.database, before)
            if self._loop.look_again():
                self._loop.rerank()
            return "The playlists are as they were before."

        if self._loop.look_again():
            self._loop.rerank()
        session.take_back = take_back
        session.show(notice=f"{words}; z takes it back.")
