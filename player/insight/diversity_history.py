"""How varied listening was over a period: who was played, the course of the Gini index, and what changed since the period before.

Plays are those that ended here, skips among them; what another player's history tells is none of this player's choices.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from player.errors import PlayerError
from player.feedback.event_store import EventStore
from player.feedback.events import MICROSECONDS, ListeningState, LoggedEvent, standing
from player.insight.diversity_panel import MEASURES
from player.insight.diversity_words import FEWEST_PLAYS, SAME, artists_make_half, verdict_of
from player.insight.permutation_test import Change, shuffled_changes
from player.insight.timespec import length_in_words
from player.stations.collection import Collection, load_collection
from player.stations.stations import StationInfo, Stations
from player.storage.database import Database
from player.storage.event_kinds import Kind, Origin
from player.storage.models import Decision
from recommender.evaluation.bootstrap import resampling_units
from recommender.ranking.diversity import (
    RECENT_PLAYS,
    DiversityReport,
    Pool,
    coverage,
    entropy,
    gini,
    intra_list_distance,
    plays_per_artist,
    report,
)
from recommender.ranking.rules import open_tracks, standing_rules

WINDOWS = (RECENT_PLAYS, 50, 25)
"""Plays of the rolling Gini index: the first of these that leaves a course, as few as there may be."""
COURSE_POINTS = 400
"""More points than a picture has room for."""
SHOWN_ARTISTS = 10
TESTED = ("gini", "artist_entropy", "intra_list_distance", "coverage", "repeat_rate")
"""Figures that chance is reckoned for. What was never played at all can only fall, so it has none."""
NO_NAME = "(no artist)"


@dataclass(frozen=True, slots=True)
class Plays:
    """Plays in time order; m of them.

    Attributes:
        row: (m,) of the collection.
        time: (m,) seconds since 1970 at which each ended.
    """

    row: NDArray[np.int64]
    time: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.row)

    def between(self, start: float, end: float) -> slice:
        """The places of the plays from ``start`` up to, not at, ``end``."""
        first, last = np.searchsorted(self.time, [start, end])
        return slice(int(first), int(last))


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure over the period.

    Attributes:
        key, name: as scripts and people call it.
        value: over all plays of the period.
        change: since the period before, over equally many plays; None where that has too few, or chance is not reckoned.
    """

    key: str
    name: str
    value: float
    change: Change | None


@dataclass(frozen=True, slots=True)
class ArtistPlays:
    """An artist and their plays in the period."""

    artist: str
    plays: int


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """The Gini index of the last plays at a moment, in seconds since 1970."""

    time: float
    gini: float


@dataclass(frozen=True, slots=True)
class ModelMark:
    """The moment, in seconds since 1970, from which on a version chose."""

    time: float
    version: str


@dataclass(frozen=True, slots=True)
class DiversityHistory:
    """How varied a period was.

    Attributes:
        since, until: the period.
        station: its name; None for all together.
        plays, artists_played: in the period.
        artists, tracks: how many the station may play.
        before: plays in the period before, which is as long.
        compared: plays on each side of the changes.
        figures: in the order of the panel.
        lorenz: (points, 2) shares of the artists, from the least played on, and of the plays that these have.
        window: plays of each point of the course.
        course: the rolling Gini index.
        models: what chose at the beginning, and each version from when it began to.
        top: the most played artists.
        sentence: all of it in one.
    """

    since: datetime
    until: datetime
    station: str | None
    plays: int
    artists_played: int
    artists: int
    tracks: int
    before: int
    compared: int
    figures: tuple[Figure, ...]
    lorenz: NDArray[np.float64]
    window: int
    course: tuple[CoursePoint, ...]
    models: tuple[ModelMark, ...]
    top: tuple[ArtistPlays, ...]
    sentence: str

    def figure(self, key: str) -> Figure:
        """The figure of that key."""
        return next(figure for figure in self.figures if figure.key == key)


def diversity_history(database: Database, since: datetime, until: datetime, station: str | None) -> DiversityHistory:
    """Look at a period, and at the one before it.

    Args:
        database: the listener's.
        since: the beginning of the period, with a time zone.
        until: its end, likewise.
        station: its name; all stations together when absent.

    Raises:
        PlayerError: the station is unknown, or there are too few plays to say anything.
    """
    info = None if station is None else Stations(database).find(station)
    collection = load_collection(database)
    events = standing(EventStore(database, Origin.CLI).read())
    plays = plays_of(events, collection, info)
    period = plays.between(since.timestamp(), until.timestamp())
    count = period.stop - period.start
    if count < FEWEST_PLAYS:
        raise PlayerError(_too_few(count, len(plays), since, info))
    pool = eligible_pool(collection, events, info)
    before = plays.between((since - (until - since)).timestamp(), since.timestamp())
    compared, changes = _changes(pool, plays, before, period)
    whole = report(pool, plays.row[: period.stop], count)
    counts = plays_per_artist(pool, plays.row[period])
    window = next((size for size in WINDOWS if period.stop >= size + FEWEST_PLAYS), FEWEST_PLAYS)
    return DiversityHistory(
        since=since,
        until=until,
        station=None if info is None else info.name,
        plays=count,
        artists_played=int(np.count_nonzero(counts)),
        artists=len(counts),
        tracks=int(np.count_nonzero(pool.eligible)),
        before=before.stop - before.start,
        compared=compared,
        figures=_figures(whole, changes),
        lorenz=lorenz(counts),
        window=window,
        course=_course(pool, plays, period, window),
        models=_models(database, info, since, until),
        top=_top(collection, plays.row[period]),
        sentence=_sentence(pool, plays.row[period], changes, compared, until - since, before.stop - before.start),
    )


def plays_of(events: Sequence[LoggedEvent], collection: Collection, station: StationInfo | None) -> Plays:
    """The plays that ended on a station, or on any; the very plays that the panel beside the queue counts.

    Args:
        events: those that stand, in time order.
        collection: the library.
        station: the one, or None for all.
    """
    kept = [
        (collection.index[event.track_id], event.seconds)
        for event in events
        if event.kind in {Kind.FINISH, Kind.SKIP}
        and event.origin != Origin.IMPORT
        and event.track_id in collection.index
        and (station is None or event.station_id == station.id)
    ]
    return Plays(np.array([row for row, _ in kept], np.int64), np.array([moment for _, moment in kept], np.float64))


def eligible_pool(collection: Collection, events: Sequence[LoggedEvent], station: StationInfo | None) -> Pool:
    """What may be played as things stand now: bans, thumbs and rests of today hold for the whole picture."""
    state = ListeningState()
    for event in events:
        state.apply(event)
    thumbs, now = state.thumbs_on(None if station is None else station.id), time.time()
    rules = standing_rules(
        never=_mask(collection, list(state.never)),
        thumbed_down=_mask(collection, [track for track, thumb in thumbs.items() if thumb < 0]),
        resting=_mask(collection, [track for track, until in state.resting_until.items() if until > now]),
    )
    return Pool(collection.space.vectors, collection.catalogue.artist, open_tracks(collection.playable, rules))


def _mask(collection: Collection, tracks: Sequence[int]) -> NDArray[np.bool_]:
    mask = np.zeros(len(collection), np.bool_)
    mask[[collection.index[track] for track in tracks if track in collection.index]] = True
    return mask


def lorenz(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(points, 2) the Lorenz curve (1905): share of the artists, the least played first, against their share of the plays.

    The area between it and the diagonal, doubled, is the Gini index.
    """
    ordered = np.concatenate([[0.0], np.cumsum(np.sort(counts))])
    kept = np.unique(np.linspace(0, len(counts), min(len(counts), COURSE_POINTS) + 1).astype(np.int64))
    return np.stack([kept / max(1, len(counts)), ordered[kept] / max(1.0, float(ordered[-1]))], axis=1)


def _changes(pool: Pool, plays: Plays, before: slice, period: slice) -> tuple[int, dict[str, Change]]:
    """How many plays a side were compared, and the changes; none where either side has too few."""
    compared = min(before.stop - before.start, period.stop - period.start)
    if compared < FEWEST_PLAYS:
        return 0, {}
    # The newest of each side: they are nearest to what the listener would call now and before.
    places = np.concatenate([np.arange(side.stop - compared, side.stop) for side in (before, period)])
    rows, times = plays.row[places], plays.time[places]
    repeated = _repeats(plays.row[: period.stop])[places]

    def measure(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        counts = plays_per_artist(pool, rows[chosen])
        return np.array(
            [
                gini(counts),
                entropy(counts),
                intra_list_distance(pool.vectors[rows[chosen]]),
                coverage(pool.eligible, rows[chosen]),
                repeated[chosen].mean(),
            ],
            np.float64,
        )

    units = resampling_units(np.zeros(len(rows), np.int64), times)
    return compared, dict(zip(TESTED, shuffled_changes(units, measure), strict=True))


def _repeats(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(m,) whether the track of each play had been played before."""
    repeated = np.ones(len(rows), np.bool_)
    repeated[np.unique(rows, return_index=True)[1]] = False
    return repeated


def _figures(whole: DiversityReport, changes: dict[str, Change]) -> tuple[Figure, ...]:
    return tuple(Figure(kind.key, kind.name, kind.of(whole), changes.get(kind.key)) for kind in MEASURES)


def _course(pool: Pool, plays: Plays, period: slice, window: int) -> tuple[CoursePoint, ...]:
    """The Gini index of the last ``window`` plays after the plays of the period; plays before it fill the first windows."""
    first = max(period.start + 1, window)
    ends = np.unique(np.linspace(first, period.stop, min(COURSE_POINTS, period.stop - first + 1)).astype(np.int64))
    return tuple(
        CoursePoint(float(plays.time[end - 1]), gini(plays_per_artist(pool, plays.row[end - window : end])))
        for end in ends.tolist()
    )


def _models(database: Database, station: StationInfo | None, since: datetime, until: datetime) -> tuple[ModelMark, ...]:
    """Which version chose, and from when on. In a trial of two arms they take turns, so its choices mark nothing."""
    query = (
        select(Decision.time_us, Decision.model_version)
        .where(Decision.trial_id.is_(None), Decision.time_us < round(until.timestamp() * MICROSECONDS))
        .order_by(Decision.time_us, Decision.id)
    )
    if station is not None:
        query = query.where(Decision.station_id == station.id)
    with database.reader() as session:
        chosen = session.execute(query).all()
    start = since.timestamp()
    marks: list[ModelMark] = []
    for time_us, version in chosen:
        if marks and marks[-1].version == version:
            continue
        mark = ModelMark(max(time_us / MICROSECONDS, start), version)
        # Of all that chose before the period only the last still did at its beginning.
        marks = [mark] if mark.time == start else [*marks, mark]
    return tuple(marks)


def _top(collection: Collection, rows: NDArray[np.int64]) -> tuple[ArtistPlays, ...]:
    """The most played artists, by name where they are level."""
    codes = np.maximum(collection.catalogue.artist[rows], -1)
    found, first, counts = np.unique(codes, return_index=True, return_counts=True)
    named = [
        ArtistPlays(NO_NAME if code < 0 else collection.rows[int(rows[place])].artist, int(count))
        for code, place, count in zip(found.tolist(), first.tolist(), counts.tolist(), strict=True)
    ]
    return tuple(sorted(named, key=lambda each: (-each.plays, each.artist.casefold()))[:SHOWN_ARTISTS])


def _sentence(
    pool: Pool, rows: NDArray[np.int64], changes: dict[str, Change], compared: int, span: timedelta, before: int
) -> str:
    codes = np.maximum(pool.artist[rows], -1)
    made = f"{artists_make_half(np.unique(codes, return_counts=True)[1])} of {len(rows):,} plays"
    length = length_in_words(span)
    if not changes:
        heard = _tracks(before)
        return f"{made}; {heard[0].lower()}{heard[1:]} played in the {length} before, too little to compare with."
    change = changes["gini"]
    verdict = verdict_of(change)
    sureness = "no more than chance gives" if verdict is SAME else "more than chance gives"
    figures = f"Gini {change.now:.2f} after {change.before:.2f}, over {compared:,} plays each"
    return f"{verdict.start} the {length} before ({figures}: {sureness}): {made}."


def _too_few(count: int, ever: int, since: datetime, station: StationInfo | None) -> str:
    where = "" if station is None else f" on “{station.name}”"
    if ever < FEWEST_PLAYS:
        return f"{_tracks(ever)} played here{where} so far; from {FEWEST_PLAYS} on there is something to show."
    return (
        f"{_tracks(count)} played{where} since {since:%d %b %Y, %H:%M}, and {FEWEST_PLAYS} are needed; "
        "look further back with --since."
    )


def _tracks(count: int) -> str:
    return f"Only {count} {'track was' if count == 1 else 'tracks were'}" if count else "No track was"
