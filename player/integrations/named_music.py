"""Music that a listener names to be played: files, folders, playlists and searches become tracks, in the order given.

A file that is not in the library is read and gets a track, so that its plays can be logged, but it stays marked as missing:
no station, search or list has it. A later scan of its folder finds it, and its plays with it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from player.errors import PlayerError
from player.integrations.playlist_files import FORMATS, entry_path, read_playlist
from player.library.file_reader import FailedReading, Reading, read_file
from player.library.files import FoundFile, Walker, is_sheet
from player.library.paths import file_of, span_of
from player.library.tagging.cue_sheets import sheet_files
from player.library.track_writer import KnownFile, TrackWriter, load_known, mark_missing, rows_by_file
from player.library.tracks import TrackRow, load_catalogue
from player.storage.database import Database
from player.text import printable

Search = Callable[[str], list[TrackRow]]
_NUMBERED = re.compile(r"(\D*)(\d{0,18})")
BATCH = 256
"""Files a transaction."""
SHOWN_FAILURES = 3


@dataclass(frozen=True, slots=True)
class NamedMusic:
    """The tracks that were named.

    Attributes:
        tracks: in their order, at least one; a file's own path where it was named.
        failures: (path, why) of files that cannot be played.
    """

    tracks: tuple[TrackRow, ...]
    failures: tuple[tuple[str, str], ...]


def find_music(database: Database, words: Sequence[str], search: Search) -> NamedMusic:
    """The tracks that ``words`` name.

    Args:
        database: the listener's data.
        words: each the path of a file, folder or playlist, or else a search; where none is a path, one search together.
        search: finds tracks of the library.

    Raises:
        PlayerError: a path leads nowhere, a playlist cannot be read, or nothing is found.
    """
    paths = [Path(word).expanduser().absolute() for word in words]
    named = {word: list(_files(path)) for word, path in zip(words, paths, strict=True) if _is_there(path)}
    if not named:
        return NamedMusic(tuple(_search(search, " ".join(words))), ())
    ids, failures = _register(database, [file for files in named.values() for file in files])
    with database.reader() as session:
        rows = {row.id: row for row in load_catalogue(session)}
    tracks: list[TrackRow] = []
    for word in words:
        if word in named:
            tracks += [replace(rows[track], path=path) for file in named[word] for path, track in ids[file.path]]
        else:
            tracks += _search(search, word)
    if not tracks:
        raise PlayerError(_sentence(failures) or f"There is no music in {', '.join(words)}.")
    return NamedMusic(tuple(tracks), tuple(failures))


def _sentence(failures: Sequence[tuple[str, str]]) -> str:
    more = f" and {len(failures) - SHOWN_FAILURES} more" if len(failures) > SHOWN_FAILURES else ""
    shown = "; ".join(f"{path}: {error}" for path, error in failures[:SHOWN_FAILURES])
    return f"Nothing can be played: {shown}{more}." if failures else ""


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a search may be longer than any name, or hold what no name can
        return False


def _search(search: Search, query: str) -> list[TrackRow]:
    found = search(query) if query.strip() else []
    if not found:
        raise PlayerError(f"“{printable(query)}” is no file or folder here, and no track of the library matches it.")
    return found


def _files(path: Path) -> Iterator[FoundFile]:
    """The files of a folder by their names, of a playlist or cue sheet, or the file itself; lists in a list are passed over."""
    folders: Iterable[Path] = [path]
    if path.is_file() and is_sheet(path.name):
        folders = sheet_files(path)
    elif path.is_file() and path.suffix[1:].lower() in FORMATS:
        folders = _entries(path)
    for folder in folders:
        yield from sorted(Walker().walk(folder), key=lambda file: _natural(file.path))


def _natural(path: str) -> list[tuple[str, int]]:
    """A key by which "2" stands before "10", and a folder's files together."""
    return [(text, int(number or 0)) for text, number in _NUMBERED.findall(path.casefold())]


def _entries(playlist: Path) -> Iterator[Path]:
    """The files that a playlist names; network addresses are passed over."""
    for entry in read_playlist(playlist)[1]:
        if "://" not in entry.written or entry.written.lower().startswith("file:"):
            yield entry_path(entry.written, playlist.parent)


def _register(
    database: Database, files: Sequence[FoundFile]
) -> tuple[Mapping[str, Sequence[tuple[str, int]]], list[tuple[str, str]]]:
    """By file (path, track) of all it holds, and the files that cannot be read with the reason.

    What is not in the library gets a track.
    """
    roots = sorted({file.root for file in files})
    with database.reader() as session:
        known = load_known(session, roots)
    rows = rows_by_file(known.values())
    unread = iter(dict.fromkeys(file for file in files if not _unchanged(file, rows.get(file.path, ()))))
    writer = TrackWriter(roots, frozenset(file.path for file in files), known, set())
    failures: list[tuple[str, str]] = []
    while batch := [one for file in islice(unread, BATCH) for one in read_file(file)]:
        failures += [(one.file.path, one.error) for one in batch if isinstance(one, FailedReading)]
        readings = [one for one in batch if isinstance(one, Reading)]
        with database.session() as session:
            writer.put(session, readings)
            guests = {one.file.path for one in readings} - {path for path, file in known.items() if not file.missing}
            there = load_known(session, roots)
            mark_missing(session, [there[path].id for path in guests])
    with database.reader() as session:
        kept = load_known(session, roots)
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    unplayable = {path for path, _error in failures}
    for path in sorted(kept, key=span_of):
        row = kept[path]
        if file_of(path) not in unplayable and row.id not in writer.vanished:
            found[file_of(path)].append((path, row.track_id))
    return found, failures


def _unchanged(file: FoundFile, rows: Sequence[KnownFile]) -> bool:
    there = [row for row in rows if not row.missing] or rows
    return bool(there) and all(row.is_of(file) for row in there)
