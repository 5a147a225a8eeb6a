"""The listener's playlists and smart playlists; what the library lacks of one is kept by its name."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from player.errors import PlayerError
from player.feedback.events import now_us
from player.integrations.history.entries import TrackName
from player.integrations.library_tracks import load_tracks
from player.integrations.matching import Matcher, Status, words_in_use
from player.integrations.playlist_files import entry_path, read_playlist
from player.library.paths import path_to_text
from player.library.query import Words, parse_query, playlist_query, point_elsewhere
from player.library.search import means_playlist
from player.library.tracks import TrackRow
from player.storage.database import Database
from player.storage.models import Exclusion, Playlist, PlaylistEntry, StationSeed
from player.text import clean_text


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a playlist that was read.

    Attributes:
        name: as it is kept.
        matched: how many entries are tracks of the library.
        missing: the others, as written.
    """

    name: str
    matched: int
    missing: tuple[str, ...]


def take_in(database: Database, path: Path, name: str = "") -> Taken:
    """Read a playlist's file and keep it; one of the same name is replaced.

    Args:
        database: the listener's.
        path: M3U, PLS, XSPF or JSPF.
        name: what to call it; else its own title, else the file's name.

    Raises:
        PlayerError: it is no playlist, or the library is empty.
    """
    title, entries = read_playlist(path)
    tracks = load_tracks(database)
    if not tracks:
        raise PlayerError("The library is empty, so nothing can be matched; add music first: player scan FOLDER.")
    by_path = {known: track.id for track in tracks for known in track.paths}
    names = [
        TrackName(one.artist, one.title, one.album, path=_tail(one.written), seconds=one.seconds) for one in entries
    ]
    matcher = Matcher(tracks, words_in_use(names))
    found: list[int | None] = []
    for one, named in zip(entries, names, strict=True):
        track = by_path.get(path_to_text(entry_path(one.written, path.absolute().parent)))
        if track is None:
            match = matcher.match(named)
            track = match.tracks[0].id if match.status is Status.MATCHED else None
        found.append(track)
    called = clean_text(name) or title or clean_text(path.stem)
    _keep(database, called, None, [(track, clean_text(one.written)) for one, track in zip(entries, found, strict=True)])
    missing = tuple(clean_text(one.written) for one, track in zip(entries, found, strict=True) if track is None)
    return Taken(called, len(entries) - len(missing), missing)


def _tail(written: str) -> str:
    """The end of a path that another machine's library shares with this one: folder and name, of Windows too."""
    plain = unquote(urlsplit(written).path) if written.lower().startswith("file:") else written
    return "/".join(PurePosixPath(plain.replace("\\", "/")).parts[-2:])


def save_query(database: Database, name: str, query: str) -> None:
    """Keep a search as a smart playlist; one of the same name is replaced.

    Raises:
        PlayerError: it says nothing.
    """
    if not query.strip():
        raise PlayerError("A smart playlist needs a query, as in: player playlist save Unheard plays:0 -genre:jazz.")
    parse_query(query)
    _keep(database, name, query, [])


def keep_tracks(database: Database, name: str, rows: Iterable[TrackRow]) -> None:
    """Keep tracks as a playlist; one of the same name is replaced."""
    _keep(database, name, None, [(row.id, row.path) for row in rows])


def _keep(database: Database, name: str, query: str | None, entries: Sequence[tuple[int | None, str]]) -> None:
    name = _checked(name)
    with database.session() as session:
        _remove(session, name)
        made = Playlist(name=name, query=query, created_us=now_us())
        session.add(made)
        session.flush()
        if entries:
            places = [
                {"playlist_id": made.id, "place": place, "track_id": track, "written": written}
                for place, (track, written) in enumerate(entries)
            ]
            session.execute(insert(PlaylistEntry), places)


def _checked(name: str) -> str:
    if not (kept := clean_text(name)):
        raise PlayerError("A playlist needs a name of printable characters.")
    return kept


def _remove(session: Session, name: str) -> bool:
    number = session.scalar(select(Playlist.id).where(Playlist.name == name))
    if number is not None:
        session.execute(delete(PlaylistEntry).where(PlaylistEntry.playlist_id == number))
        session.execute(delete(Playlist).where(Playlist.id == number))
    return number is not None


def remove_playlist(database: Database, name: str) -> list[str]:
    """Remove a playlist; no track is touched. Returns what asked for it, by its kind and name.

    Raises:
        PlayerError: there is none of that name.
    """
    with database.session() as session:
        names = session.scalars(select(Playlist.name)).all()
        meant = partial(_means, name, names)
        kept = [(query, said) for _, _, query, said in _kept_queries(session) if said]
        asking = [said for query, said in kept if point_elsewhere(query, meant, "") != query]
        if not _remove(session, name):
            raise PlayerError(f"There is no playlist “{name}”; `player playlist list` shows what there is.")
    return asking


def rename_playlist(database: Database, name: str, new: str) -> str:
    """Give a playlist another name, by which all searches that are kept ask for it now; returns that as it is kept.

    Raises:
        PlayerError: the new name is empty or taken.
    """
    kept = _checked(new)
    with database.session() as session:
        if session.scalar(select(Playlist.id).where(Playlist.name == kept, Playlist.name != name)) is not None:
            raise PlayerError(f"There is a playlist “{kept}” already; choose another name.")
        names = session.scalars(select(Playlist.name)).all()
        session.execute(update(Playlist).where(Playlist.name == name).values(name=kept))
        for row, column, query, _ in _kept_queries(session):
            setattr(row, column, point_elsewhere(query, partial(_means, name, names), kept))
    return kept


def _kept_queries(session: Session) -> Iterator[tuple[StationSeed | Playlist | Exclusion, str, str, str]]:
    """Every search that is kept: its row and column, itself, and the thing that asks it (empty for a deleted station)."""
    for seed in session.scalars(select(StationSeed).where(StationSeed.kind.endswith("query"))):
        said = "" if seed.station.removed_us else f"the station “{seed.station.name}”"
        yield seed, "value", seed.value, said
    for smart in session.scalars(select(Playlist).where(Playlist.query.is_not(None))):
        yield smart, "query", smart.query or "", f"the playlist “{smart.name}”"
    for exclusion in session.scalars(select(Exclusion)):
        yield exclusion, "query", exclusion.query, f"exclusion {exclusion.id}"


def _means(name: str, names: Sequence[str], words: Words) -> bool:
    """True where a condition means the playlist of that name and, unless it is written out, no other."""
    meant = [one for one in names if means_playlist(words, one)]
    return name in meant and (len(meant) == 1 or means_playlist(replace(words, whole=True), name))


@dataclass(frozen=True, slots=True)
class KeptPlaylist:
    """A playlist as it is kept.

    Attributes:
        query: of a smart one, which is what it finds; else None.
        entries: a track's id, or None where the library lacks it, and how it was written.
    """

    name: str
    query: str | None
    entries: tuple[tuple[int | None, str], ...] = ()

    @property
    def search(self) -> str:
        """The query that finds its tracks."""
        return playlist_query(self.name) if self.query is None else self.query

    @property
    def tracks(self) -> tuple[int, ...] | None:
        """Those that the library has; None for a smart playlist."""
        return None if self.query is not None else tuple(track for track, _ in self.entries if track is not None)

    @property
    def missing(self) -> tuple[str, ...]:
        """The others, as written."""
        return tuple(written for track, written in self.entries if track is None)


def put_playlist(database: Database, playlist: KeptPlaylist) -> None:
    """Keep a playlist as it is given; one of the same name is replaced."""
    _keep(database, playlist.name, playlist.query, playlist.entries)


def playlists(database: Database) -> list[KeptPlaylist]:
    """All of them, by name."""
    with database.look_up() as connection:
        listed = connection.execute("SELECT id, name, query FROM playlist ORDER BY lower(name)").fetchall()
        entries = connection.execute(
            "SELECT playlist_id, track_id, written FROM playlist_entry ORDER BY 1, place"
        ).fetchall()
    found: dict[int, list[tuple[int | None, str]]] = {}
    for playlist, track, written in entries:
        found.setdefault(playlist, []).append((track, written))
    return [KeptPlaylist(name, query, tuple(found.get(number, ()))) for number, name, query in listed]


def find_playlist(database: Database, name: str) -> KeptPlaylist:
    """The playlist of that name, blind to case.

    Raises:
        PlayerError: there is none.
    """
    for one in playlists(database):
        if one.name.casefold() == name.casefold():
            return one
    raise PlayerError(f"There is no playlist “{name}”; `player playlist list` shows what there is.")
