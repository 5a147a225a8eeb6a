"""Finding tracks: a query's conditions looked up in the search index, the library's rows, and what was heard of them."""

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from player.library.query import (
    NOTHING,
    All,
    Either,
    Not,
    Query,
    QueryError,
    Span,
    Thumbed,
    WordIndex,
    Words,
    in_index,
    leaves,
    parse_query,
    phrase,
    vocabulary,
)
from player.library.sound_tags import SoundTags
from player.library.tracks import TrackRow
from player.storage.database import Database
from player.storage.folding import normalise, words_of

MICROSECONDS = 1e6
LAST_MOMENT = 1e12
"""Seconds since 1970, far behind any date: SQLite compares with no infinity."""
PATHS_KEPT = 16
"""Words of paths whose rows are kept: as many as are typed in a word or two."""
Mask = NDArray[np.bool_]
Heard = Callable[[str], Mapping[int, float]]
"""What the log adds up to: from "plays", "skips", "played" (seconds since 1970), "up" or "down" to track id → value."""


def heard_nothing(_name: str) -> Mapping[int, float]:
    """The log of somebody who never heard a track."""
    return {}


def _no_tags() -> SoundTags | None:
    return None


@dataclass(frozen=True)
class TrackIndex:
    """The library as queries see it.

    Attributes:
        database: where the search index is.
        rows: the tracks, in the order in which they are found.
        tags: gives what was heard in them, row for row, or None; called when a query asks for tags.
    """

    database: Database
    rows: Sequence[TrackRow]
    tags: Callable[[], SoundTags | None] = _no_tags
    _numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict[str, NDArray[np.float64]], init=False)
    paths: dict[str, Mask] = field(default_factory=dict[str, Mask], init=False)
    """The last words of paths that were looked up, in FTS5's language, and the rows that have them."""

    def search(self, query: str, limit: int | None = None, heard: Heard = heard_nothing) -> list[int]:
        """The indices into ``rows`` that meet a query, ascending; all of them when it is empty.

        Args:
            query: as one writes it.
            limit: at most so many, the first.
            heard: gives what the log adds up to; called when the query asks for it.

        Raises:
            QueryError: the query means nothing.
        """
        return np.flatnonzero(self.meeting(parse_query(query), heard))[:limit].tolist()

    def meeting(self, query: Query, heard: Heard = heard_nothing) -> Mask:
        """(n,) which rows meet a query; the arguments are those of :meth:`search`."""
        with self.database.look_up() as connection:
            return _Search(self, connection, heard, WordIndex(connection, lambda: self.vocabulary)).mask(query)

    @cached_property
    def vocabulary(self) -> list[str]:
        """Every word of the library."""
        with self.database.look_up() as connection:
            return vocabulary(connection)

    @property
    def ids(self) -> NDArray[np.int64]:
        """(n,) the tracks' ids."""
        return self._places[0]

    def places(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of those of the ids that are here."""
        table = self._places[1]
        found = table[ids[(ids >= 0) & (ids < len(table))]]
        return found[found >= 0]

    def number(self, name: str) -> NDArray[np.float64]:
        """(n,) the rows' years or lengths, NaN where unknown."""
        if name not in self._numbers:
            values = (row.duration if name == "length" else row.year for row in self.rows)
            self._numbers[name] = np.array([np.nan if value is None else value for value in values], np.float64)
        return self._numbers[name]

    @cached_property
    def tracks_of_files(self) -> NDArray[np.int64]:
        """The track's id by the file's; −1 for no file. Looking up each in the database takes the most of a search for a path."""
        with self.database.look_up() as connection:
            both = "SELECT id || ' ' || track_id FROM track_file"
            files, tracks = _integers(connection, both).reshape(-1, 2).T
        table = np.full(int(files.max(initial=0)) + 1, -1, np.int64)
        table[files] = tracks
        return table

    @cached_property
    def _places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        ids = np.fromiter((row.id for row in self.rows), np.int64, len(self.rows))
        table = np.full(int(ids.max(initial=0)) + 1, -1, np.int64)
        table[ids] = np.arange(len(ids))
        return ids, table


@dataclass(frozen=True, slots=True)
class _Search:
    """One query being answered.

    Attributes:
        index: over which library.
        connection: reads the search index.
        heard: gives what the log adds up to.
        words: the search index.
        within: names of the smart playlists this one is part of.
    """

    index: TrackIndex
    connection: sqlite3.Connection
    heard: Heard
    words: WordIndex
    within: tuple[str, ...] = ()

    def mask(self, query: Query) -> Mask:
        """(n,) which rows meet it."""
        match query:
            case All(parts):
                mask = self._all(parts)
            case Either(parts):
                mask = np.logical_or.reduce([self.mask(part) for part in parts])
            case Not(part):
                mask = ~self.mask(part)
            case Words("tag", name):
                tags = self.index.tags()
                mask = np.zeros(len(self.index.rows), np.bool_) if tags is None else tags.holding(name)
            case Words("path"):
                mask = self._in_path(phrase(query))
            case Words("playlist"):
                mask = self._in_playlist(query)
            case Words():
                mask = self._all((query,))
            case Span():
                mask = self._between(query)
            case Thumbed(way):
                mask = self._thumbed(way)
        return mask

    def _all(self, parts: Sequence[Query]) -> Mask:
        """Words are looked up together: the index meets them faster than masks can."""
        mask = np.ones(len(self.index.rows), np.bool_)
        if expression := self.words.together(parts):
            mask &= self._matching(expression)
        for part in parts:
            if not in_index(part):
                mask &= self.mask(part)
            elif not words_of(part.text):
                mask &= self._signs(part)
        return mask

    def _matching(self, expression: str) -> Mask:
        if expression == NOTHING:
            return np.zeros(len(self.index.rows), np.bool_)
        return self._ids("SELECT rowid FROM track_words WHERE track_words MATCH ?", expression)

    def _in_path(self, expression: str) -> Mask:
        """Kept while more is typed behind it: what most files lie under takes the index longer than all the rest of a query."""
        kept = self.index.paths
        if expression == NOTHING:
            return np.zeros(len(self.index.rows), np.bool_)
        if expression not in kept:
            found = _integers(self.connection, "SELECT rowid FROM file_words WHERE file_words MATCH ?", expression)
            tracks = self.index.tracks_of_files
            if len(kept) >= PATHS_KEPT:
                kept.clear()
            kept[expression] = self._placed(tracks[found[found < len(tracks)]])
        return kept[expression].copy()

    def _ids(self, rows: str, *values: object) -> Mask:
        """(n,) the rows whose ids a statement selects."""
        return self._placed(_integers(self.connection, rows, *values))

    def _placed(self, ids: NDArray[np.int64]) -> Mask:
        mask = np.zeros(len(self.index.rows), np.bool_)
        mask[self.index.places(ids)] = True
        return mask

    def _of(self, values: Mapping[int, float]) -> Mask:
        return self._placed(np.fromiter(values, np.int64, len(values)))

    def _signs(self, words: Words) -> Mask:
        """A name of nothing but signs ("!!!"), which are no words, is looked for row by row."""
        fields = (
            (words.field,) if words.field in {"title", "artist", "album", "genre"} else ("title", "artist", "album")
        )
        wanted = normalise(words.text.strip())
        return np.fromiter(
            (any(wanted in normalise(getattr(row, name)) for name in fields) for row in self.index.rows),
            np.bool_,
            len(self.index.rows),
        )

    def _thumbed(self, way: str) -> Mask:
        if way == "none":
            return ~(self._thumbed("up") | self._thumbed("down"))
        return self._of(self.heard(way))

    def _between(self, span: Span) -> Mask:
        low, high = (time.time() - span.high, time.time() - span.low) if span.ago else (span.low, span.high)
        if span.field == "added":
            ends = (max(low, 0.0) * MICROSECONDS, min(high, LAST_MOMENT) * MICROSECONDS)
            return self._ids("SELECT id FROM track WHERE added_us BETWEEN ? AND ?", *ends)
        if span.field == "id":
            values = self.index.ids.astype(np.float64)
        elif span.field in {"year", "length"}:
            values = self.index.number(span.field)
        else:
            values = np.full(len(self.index.rows), np.nan if span.field == "played" else 0.0)
            known = self.heard(span.field)
            ids = np.fromiter(known, np.int64, len(known))
            there = self.index.places(ids)
            values[there] = [known[track] for track in self.index.ids[there].tolist()]
        return (values >= low) & (values <= high)

    def _in_playlist(self, words: Words) -> Mask:
        """The tracks of the playlists that are meant; a smart one's are those that its query finds now."""
        mask = np.zeros(len(self.index.rows), np.bool_)
        for number, called, query in self.connection.execute("SELECT id, name, query FROM playlist").fetchall():
            if not means_playlist(words, called):
                continue
            if query is None:
                mask |= self._ids("SELECT track_id FROM playlist_entry WHERE playlist_id = ?", number)
            elif called not in self.within:  # one that asks for itself adds nothing
                mask |= replace(self, within=(*self.within, called)).mask(parse_query(query))
        return mask


def _integers(connection: sqlite3.Connection, rows: str, *values: object) -> NDArray[np.int64]:
    """What a statement selects, joined by SQLite: fetching rows one by one takes three times as long."""
    every = f"WITH found(number) AS ({rows}) SELECT group_concat(number, ' ') FROM found"  # noqa: S608 - statements of our own
    (joined,) = connection.execute(every, values).fetchone()
    return np.fromstring(joined or "", np.int64, sep=" ")


def means_playlist(words: Words, called: str) -> bool:
    """True where a condition on playlists means that of a name: one that begins so, in quotes that very one."""
    name, asked = (" ".join(words_of(text)) or normalise(text) for text in (called, words.text))
    return name == asked if words.whole else name.startswith(asked)


def tags_asked(query: str) -> list[str]:
    """The tags that a query names, as in ``tag:mellow``."""
    return [
        normalise(leaf.text) for leaf in leaves(parse_query(query)) if isinstance(leaf, Words) and leaf.field == "tag"
    ]


def asks_what_was_heard(query: str) -> bool:
    """True where what meets a query that is kept may change with every track that is heard."""
    try:
        asked = leaves(parse_query(query))
    except QueryError:
        return False
    return any(isinstance(leaf, Thumbed) or leaf.field in {"plays", "skips", "played", "playlist"} for leaf in asked)
