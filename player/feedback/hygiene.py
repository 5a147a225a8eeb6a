"""Taste hygiene: tracks that no station plays by itself, and times that count for nothing; from neither is anything learned.

An exclusion is a query, for all stations or one, all year or outside a season. A private session and a time forgotten in
hindsight are spans of time: what was logged within stays in the log and counts for nothing. While a private session goes on, what is
said in it has its effect on the queue and on nothing else.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, select, update

from player.errors import PlayerError
from player.feedback.events import MICROSECONDS, ListeningState, now_us
from player.feedback.unlearned_times import ExcludedTracks, Hygiene, UnlearnedTime, load_times
from player.library.query import QueryError, leaves, parse_query
from player.library.search import TrackIndex
from player.storage.database import Database
from player.storage.models import Exclusion, UnlearnedSpan

QUEUE_TRACKS = 20
"""A private session "for the queue" ends with so many tracks: about what the screen shows as coming."""
PRIVATE_SECONDS = {"hour": 3600.0, "day": 86_400.0}
_SEASON = re.compile(r"(\d\d)-(\d\d)\.\.(\d\d)-(\d\d)")
_LAST_MONTH, _LAST_DAY = 12, 31


def load_hygiene(database: Database, index: TrackIndex, state: ListeningState) -> Hygiene:
    """Times and tracks.

    Args:
        database: the listener's.
        index: finds what exclusions exclude.
        state: what queries about plays and thumbs go by.
    """
    hygiene = load_times(database)
    groups = [
        ExcludedTracks(frozenset(_found(index, query, state)), station_id, parse_season(season))
        for _, query, station_id, season in _rows(database)
    ]
    return replace(hygiene, excluded=tuple(groups))


def _rows(database: Database) -> list[tuple[int, str, int | None, str | None]]:
    with database.look_up() as connection:
        return connection.execute("SELECT id, query, station_id, season FROM exclusion ORDER BY id").fetchall()


def _found(index: TrackIndex, query: str, state: ListeningState) -> Sequence[int]:
    try:
        return index.ids[index.meeting(parse_query(query), state.heard)].tolist()
    except QueryError:  # of another version
        return ()


def parse_season(text: str | None) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """First and last day of "12-01..12-26"; None for none.

    Raises:
        PlayerError: it is no season.
    """
    if text is None:
        return None
    found = _SEASON.fullmatch(text.strip())
    ends = [int(part) for part in found.groups()] if found else []
    if (
        not ends
        or not all(1 <= month <= _LAST_MONTH for month in ends[::2])
        or not all(1 <= day <= _LAST_DAY for day in ends[1::2])
    ):
        raise PlayerError(f"“{text}” is no season; write first and last day, as in 12-01..12-26.")
    return (ends[0], ends[1]), (ends[2], ends[3])


@dataclass(frozen=True, slots=True)
class KeptExclusion:
    """An exclusion as it is kept."""

    id: int
    query: str
    station_id: int | None
    season: str | None


def exclusions(database: Database) -> list[KeptExclusion]:
    """Every exclusion, the oldest first."""
    return [KeptExclusion(*row) for row in _rows(database)]


def add_exclusion(database: Database, query: str, station_id: int | None, season: str | None) -> KeptExclusion:
    """Keep an exclusion; the same query for the same station replaces the one there is.

    Raises:
        PlayerError: the query or the season means nothing.
    """
    parse_season(season)
    if not leaves(parse_query(query)):  # "genre:" alone would exclude everything
        raise PlayerError("An exclusion needs a query, as in genre:audiobook or path:Kids.")
    with database.session() as session:
        session.execute(delete(Exclusion).where(Exclusion.query == query, Exclusion.station_id.is_(station_id)))
        row = Exclusion(query=query, station_id=station_id, season=season, created_us=now_us())
        session.add(row)
        session.flush()
        return KeptExclusion(row.id, query, station_id, season)


def remove_exclusion(database: Database, number: int) -> None:
    """Let an exclusion hold no more.

    Raises:
        PlayerError: there is none of that number.
    """
    with database.session() as session:
        if session.scalar(delete(Exclusion).where(Exclusion.id == number).returning(Exclusion.id)) is None:
            raise PlayerError(f"There is no exclusion {number}; `player library exclude --list` shows them.")


def begin_private(database: Database, length: str | None = None) -> None:
    """Begin a private session, in place of one that goes on: for an hour, a day, the queue, or until it is ended.

    Raises:
        PlayerError: there is no such length.
    """
    if length not in {None, "queue", *PRIVATE_SECONDS}:
        raise PlayerError(f"A private session lasts an hour, a day or the queue, not “{length}”.")
    end_private(database)
    now = now_us()
    until = None if length not in PRIVATE_SECONDS else now + round(PRIVATE_SECONDS[length] * MICROSECONDS)
    with database.session() as session:
        session.add(
            UnlearnedSpan(
                since_us=now, until_us=until, tracks=QUEUE_TRACKS if length == "queue" else None, private=True
            )
        )


def end_private(database: Database) -> bool:
    """End the private session; whether there was one."""
    span = load_times(database).private
    if span is not None:
        with database.session() as session:
            session.execute(update(UnlearnedSpan).where(UnlearnedSpan.id == span.id).values(until_us=now_us()))
    return span is not None


def forget(database: Database, since_us: int, until_us: int) -> int:
    """Let what was logged in a time count for nothing; returns the span's number, by which it is taken back."""
    with database.session() as session:
        row = UnlearnedSpan(since_us=since_us, until_us=until_us, tracks=None, private=False)
        session.add(row)
        session.flush()
        return row.id


def remember(database: Database, number: int | None = None) -> UnlearnedTime:
    """Let a time count again: the one of that number, or the last that was forgotten.

    Raises:
        PlayerError: there is none.
    """
    with database.session() as session:
        query = select(UnlearnedSpan).where(UnlearnedSpan.lifted_us.is_(None), UnlearnedSpan.until_us <= now_us())
        query = (
            query.where(UnlearnedSpan.id == number)
            if number is not None
            else query.where(UnlearnedSpan.private.is_(False))
        )
        row = session.scalar(query.order_by(UnlearnedSpan.id.desc()).limit(1))
        if row is None:
            raise PlayerError("There is no such time that was forgotten; `player forget --list` shows them.")
        row.lifted_us = now_us()
        return UnlearnedTime(row.id, row.since_us, row.until_us, row.tracks, row.private)
