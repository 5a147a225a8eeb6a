"""How a station plays: endlessly near its seeds, album by album, loved and long unheard tracks, or new arrivals.

A mode says which tracks it plays at all, what it adds to their scores, and what has to follow on a track. All the rest –
rules, variety, noise, propensities – is the ranking's and holds in every mode. A mode that finds nothing says so, and the
station plays as usual, so that the music goes on.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from player.errors import UsageError
from player.feedback.events import MICROSECONDS, ListeningState
from player.feedback.labels import Labels
from player.library.albums import NO_ALBUM, Albums, load_albums
from player.stations.collection import Collection
from player.stations.seeds import Seed
from player.stations.station_queue import Listening
from player.storage.database import Database
from player.storage.models import Track
from recommender.models.content_space import seed_similarity
from recommender.ranking.rules import Spacing

ModeName = Literal["station", "stay", "vibe", "artist", "deep", "shuffle", "albums", "rediscover", "new"]
MODES: tuple[str, ...] = get_args(ModeName)
MODE_WORDS = {
    "station": "on and on, near what it is based on",
    "stay": "only what is closest to what it is based on",
    "vibe": "follows what you let play to the end",
    "artist": "only the artists it is based on",
    "deep": "deep cuts: what you seldom played of its artists",
    "shuffle": "all it is based on in random order; nothing again before four fifths were heard",
    "albums": "whole albums, in order",
    "rediscover": "loved, and unheard for a month",
    "new": "added last, unheard first",
}
_SCORED_HIGHER = re.compile(r"track(?=s? scored higher)")
SECONDS_PER_DAY, SECONDS_PER_HOUR = 86_400.0, 3600.0
CLOSEST, FEWEST_CLOSE = 0.1, 50
"""Staying on its seeds, a station plays this share of the library, and at least so many tracks."""
VIBE_TRACKS, VIBE_HOURS = 5, 3.0
"""So many tracks that were let play, of the last hours, are what a station follows."""
VIBE_PULL = 3.0
"""Logits a standard deviation of likeness to them: as much as to the seeds (``STATION_PULL``), so it goes half way."""
DEEP_SHARE = 0.5
"""Deep cuts are this share of an artist's tracks, those played least."""
SHUFFLED = Spacing(artist=2, track=1 << 30, album=0, most=0.8)
"""Shuffling, a track comes again when four fifths of the others were heard, and an artist after two others as long as any
other is left: with all to be heard, the last places would be known beforehand, and their artists stand together."""
SHRINKAGE = 3.0
"""An album's score is the mean of its tracks' and of so many average ones: one good track makes no good album."""
ALBUM_SPACING = 0.5
"""The share of a library's albums that has to be heard before one comes back."""
UNHEARD_DAYS = 30.0
"""A loved track unheard for so long is rediscovered."""
OFTEN = 3
"""Finished so often, and twice as often as skipped, a track is loved though nobody said so."""
DECAY = 0.5
"""d of ACT-R's base-level activation, as in ``recommender.baselines.counts``."""
FADED = 0.5
"""Logits that a track gains for each unit of activation it has lost: between two that were loved alike, the one more forgotten."""
NEW_DAYS = 30.0
NEWEST = 50
"""New are the tracks added in the last month, and the newest so many where those are more."""
UNHEARD_FIRST = 4.0
"""Logits for a new track that was never heard: e⁴ to 1 against one that was."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a mode makes of the present state.

    Attributes:
        candidates: (n,) bool, what it plays at all; everything when absent.
        bonus: (n,) logits it adds; none when absent.
        note: a sentence for the listener; empty when the mode is as its name says.
        words: from a row and its reason as a station the reason as the listener reads it.
        spacing: its own; the usual one when absent.
        even: all candidates are as likely, whatever their scores.
    """

    candidates: NDArray[np.bool_] | None = None
    bonus: NDArray[np.float64] | None = None
    note: str = ""
    words: Callable[[int, str], str] = lambda _row, reason: reason
    spacing: Spacing | None = None
    even: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """The state of things as a mode sees it.

    Attributes:
        collection: the library, n rows.
        listening: what a ranking is made from.
        within: (n,) bool, the rows open to the station.
        totals: (n,) logits, what the station thinks of every row.
        seeds: the station's.
    """

    collection: Collection
    listening: Listening
    within: NDArray[np.bool_]
    totals: NDArray[np.float64]
    seeds: tuple[Seed, ...] = ()


class Mode(Protocol):
    """A way to play a station."""

    def offer(self, moment: Moment) -> Offer:
        """What it plays now."""
        ...

    def after(self, row: int) -> tuple[int, ...]:
        """The rows that have to follow on a row."""
        ...


def mode_named(name: str, collection: Collection, database: Database) -> Mode:
    """The mode of that name over a library; one that a later version wrote plays as a station.

    Args:
        name: as a station keeps it.
        collection: the library.
        database: where albums and dates are read, for the modes that need them.
    """
    if name == "albums":
        return AlbumMode(load_albums(database, collection.rows))
    if name == "new":
        return NewMode(load_added(database, collection))
    simple: dict[str, Callable[[], Mode]] = {
        "stay": StayMode,
        "vibe": VibeMode,
        "artist": lambda: ArtistMode(deep=False),
        "deep": lambda: ArtistMode(deep=True),
        "shuffle": ShuffleMode,
        "rediscover": RediscoverMode,
    }
    return simple.get(name, StationMode)()


def check_mode(name: str) -> str:
    """The mode's name as it is kept.

    Raises:
        UsageError: there is no such mode.
    """
    folded = name.strip().casefold()
    if folded not in MODES:
        raise UsageError(f"There is no mode “{name}”; the modes are {', '.join(MODES)}.")
    return folded


class StationMode:
    """Everything, near the seeds."""

    def offer(self, moment: Moment) -> Offer:
        """No restriction beyond the station's own."""
        del moment
        return Offer()

    def after(self, row: int) -> tuple[int, ...]:
        """Nothing."""
        del row
        return ()


class StayMode(StationMode):
    """What is closest to the seeds, and never anything else."""

    def offer(self, moment: Moment) -> Offer:
        """The tracks that the seeds name and the closest of the others."""
        seeds = [content for _, content in moment.collection.seeds(moment.seeds)]
        likeness = np.where(moment.within, seed_similarity(moment.collection.space, seeds), -np.inf)
        if not np.isfinite(likeness).any() or np.ptp(likeness[moment.within]) == 0:
            return Offer(note="The whole library is as close to this station, so it plays as usual.")
        count = min(int(moment.within.sum()), max(FEWEST_CLOSE, round(CLOSEST * len(likeness))))
        candidates = moment.within & (likeness >= np.partition(likeness, -count)[-count])
        return Offer(candidates | (moment.within & moment.collection.named(moment.seeds)))


class VibeMode(StationMode):
    """Near the seeds at first, then near what was let play to the end."""

    def offer(self, moment: Moment) -> Offer:
        """More of what the last tracks that were let play sound like; the latest count most."""
        columns, index = moment.listening.labels.columns, moment.collection.index
        fresh = (columns.label > 0) & (columns.time >= moment.listening.now - VIBE_HOURS * SECONDS_PER_HOUR)
        rows = [index[track] for track in columns.track[fresh].tolist() if track in index][-VIBE_TRACKS:]
        vectors = moment.collection.space.vectors
        wanted = np.array([2.0**-ago for ago in range(len(rows), 0, -1)]) @ vectors[rows] if rows else np.zeros(1)
        if not wanted.any():
            return Offer(note="It follows what you let play; until a track ends, it plays as usual.")
        likeness = (vectors @ wanted).astype(np.float64)
        spread = float(likeness.std()) or 1.0
        last = moment.collection.rows[rows[-1]].title
        return Offer(
            bonus=VIBE_PULL * (likeness - likeness.mean()) / spread,
            words=lambda row, reason: f"like “{last}”" if likeness[row] > likeness.mean() + spread else reason,
        )


class ArtistMode(StationMode):
    """The seeds' artists alone.

    Args:
        deep: what was seldom played of them.
    """

    def __init__(self, *, deep: bool) -> None:
        self._deep = deep

    def offer(self, moment: Moment) -> Offer:
        """Their tracks; the least played half of each artist's where it is deep."""
        catalogue, named = moment.collection.catalogue, moment.collection.named(moment.seeds)
        artists = _artists_named(moment.seeds, moment.collection) or set(catalogue.artist[named].tolist())
        guests = [row for row, others in catalogue.guests.items() if artists.intersection(others)]
        candidates = np.isin(catalogue.artist, [artist for artist in artists if artist >= 0])
        candidates[guests] = True
        candidates &= moment.within
        if not candidates.any():
            return Offer(note="None of its artists has a track that may be played; the station plays as usual.")
        spacing = Spacing(artist=min(Spacing().artist, len(artists) - 1))
        if not self._deep:
            return Offer(candidates, spacing=spacing)
        tallies = moment.listening.state.tallies
        plays = np.array([tallies[track].plays if track in tallies else 0 for track in catalogue.ids.tolist()])
        for artist in artists:
            own = np.flatnonzero(candidates & (catalogue.artist == artist))
            kept = own[np.argsort(plays[own], kind="stable")[: max(1, round(DEEP_SHARE * len(own)))]]
            often = own[plays[own] > plays[kept].max(initial=0)]  # all that are as seldom stay
            candidates[often] = False
        return Offer(
            candidates,
            -np.log1p(plays),
            spacing=spacing,
            words=lambda row, _reason: f"deep cut, heard {plays[row]} ×" if plays[row] else "deep cut, never heard",
        )


def _artists_named(seeds: Sequence[Seed], collection: Collection) -> set[int]:
    """The codes of the artists that are seeds themselves: a guest of theirs is not meant."""
    names = {seed.value.casefold() for seed in seeds if seed.kind == "artist"}
    if not names or any(seed.kind != "artist" for seed in seeds):
        return set()
    found: set[int] = set()
    for row, track in enumerate(collection.rows):
        codes = (int(collection.catalogue.artist[row]), *collection.catalogue.guests.get(row, ()))
        found |= {code for name, code in zip(track.all_artists, codes, strict=False) if name.casefold() in names}
    return found


class ShuffleMode(StationMode):
    """Everything the seeds name in random order: see ``SHUFFLED``."""

    def offer(self, moment: Moment) -> Offer:
        """All of it, as likely."""
        named = moment.within & moment.collection.named(moment.seeds)
        if not named.any():
            return Offer(note="What this station is based on names no track that may be played; it plays as usual.")
        artists = len(np.unique(moment.collection.catalogue.artist[named]))
        spacing = replace(SHUFFLED, artist=min(SHUFFLED.artist, artists - 1))
        return Offer(named, words=lambda _row, _reason: "shuffled", spacing=spacing, even=True)


class AlbumMode:
    """Whole albums.

    The ranking chooses among the albums' first tracks, each with the score of its album, so its propensity is that of the
    album; the others follow in their order and have none.
    """

    def __init__(self, albums: Albums) -> None:
        self._albums = albums
        self._rows = np.array([row for tracks in albums.members for row in tracks], np.int64)
        """Album after album."""
        self._album = albums.of[self._rows]

    def offer(self, moment: Moment) -> Offer:
        """The first open track of each album that was not heard of late."""
        within = moment.within
        late = np.zeros(len(self._albums.members), np.bool_)
        late[list(self._heard_of_late(moment.collection, moment.listening))] = True
        due = within[self._rows] & ~late[self._album]
        rows, album = self._rows[due], self._album[due]
        starts = np.flatnonzero(np.diff(album, prepend=NO_ALBUM))
        if not len(starts):
            return Offer(
                note="No album here has two tracks that may be played; the station plays as usual (v changes that)."
            )
        candidates = np.zeros(len(within), np.bool_)
        candidates[rows[starts]] = True
        sizes = np.diff(starts, append=len(rows))
        tracks = np.zeros(len(within), np.int64)
        tracks[rows[starts]] = sizes

        def words(row: int, reason: str) -> str:
            if not tracks[row]:
                return reason
            # What was ranked here are albums.
            return f"album of {tracks[row]} · {_SCORED_HIGHER.sub('album', reason)}"

        return Offer(candidates, _album_bonus(moment.totals, rows, starts, sizes), words=words)

    def after(self, row: int) -> tuple[int, ...]:
        """The rest of the album."""
        return self._albums.after(row)

    def _heard_of_late(self, collection: Collection, listening: Listening) -> set[int]:
        """The albums that were on last, as many as have to be heard before one comes back."""
        most = int(ALBUM_SPACING * len(self._albums.members))
        late: dict[int, None] = {}
        if listening.playing is not None:
            late[int(self._albums.of[listening.playing])] = None
        for _, track in reversed(listening.state.plays):
            if len(late) >= most:
                break
            if track in collection.index:
                late[int(self._albums.of[collection.index[track]])] = None
        return set(list(late)[:most])


def _album_bonus(
    totals: NDArray[np.float64], rows: NDArray[np.int64], starts: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(n,) what lifts each album's first row from its own score to its album's shrunk mean.

    Args:
        totals: (n,) the scores.
        rows: (m,) of the albums' tracks, album after album.
        starts: (a,) where each album begins in ``rows``.
        sizes: (a,) how many tracks it has.
    """
    scores = totals[rows]
    means = (np.add.reduceat(scores, starts) + SHRINKAGE * scores.mean()) / (sizes + SHRINKAGE)
    bonus = np.zeros(len(totals))
    bonus[rows[starts]] = means - scores[starts]
    return bonus


class RediscoverMode(StationMode):
    """What was loved and has not been heard for long, the more forgotten the sooner.

    What a track is expected to give is the station's score, its thumb and how often it was heard to the end; how present it
    still is, is its base-level activation log Σ t^-d over its listens (Anderson & Schooler 1991), t in days.
    """

    def offer(self, moment: Moment) -> Offer:
        """Loved tracks that nobody heard for ``UNHEARD_DAYS``."""
        listening, within, index = moment.listening, moment.within, moment.collection.index
        thumbed = _thumbed_up(listening.state)
        loved = thumbed | _often_finished(listening.state)
        silent = _days_unheard(listening.state, loved, listening.now)
        rows = {
            index[track]: track
            for track in loved
            if track in index and within[index[track]] and silent.get(track, 0.0) >= UNHEARD_DAYS
        }
        if not rows:
            return Offer(
                note=f"Nothing that you love was unheard for {UNHEARD_DAYS:.0f} days yet, so the station plays as usual; "
                "thumbs up and finished tracks come back here later."
            )
        candidates = np.zeros(len(within), np.bool_)
        candidates[list(rows)] = True
        bonus = np.zeros(len(within))
        listens = _listens(listening.labels, set(rows.values()), listening.now)
        for row, track in rows.items():
            ago = np.array(listens.get(track) or [silent[track]])
            activation = float(np.log((np.maximum(ago, 1.0) ** -DECAY).sum()))
            bonus[row] = float(track in thumbed) + np.log1p(len(ago)) - FADED * activation

        def words(row: int, reason: str) -> str:
            track = rows.get(row)
            if track is None:
                return reason
            return f"{'loved' if track in thumbed else 'often finished'}, unheard for {silent[track]:.0f} days"

        return Offer(candidates, bonus, words=words)


class NewMode(StationMode):
    """What was added last.

    Args:
        added: (n,) seconds since 1970 at which each row was added.
    """

    def __init__(self, added: NDArray[np.float64]) -> None:
        self._added = added

    def offer(self, moment: Moment) -> Offer:
        """The month's arrivals, or the newest ``NEWEST``; those never heard first."""
        listening, within = moment.listening, moment.within
        open_rows = np.flatnonzero(within)
        newest = open_rows[np.argsort(-self._added[open_rows], kind="stable")[:NEWEST]]
        candidates = within & (self._added >= listening.now - NEW_DAYS * SECONDS_PER_DAY)
        candidates[newest] = True
        if not candidates.any():
            return Offer()
        ids = moment.collection.catalogue.ids
        unheard = candidates & ~np.isin(ids, list(listening.state.tallies))

        def words(row: int, reason: str) -> str:
            if not candidates[row]:
                return reason
            days = int((listening.now - self._added[row]) // SECONDS_PER_DAY)
            when = "today" if days < 1 else "yesterday" if days == 1 else f"{days} days ago"
            return f"added {when}{', unheard' if unheard[row] else ''}"

        return Offer(candidates, np.where(unheard, UNHEARD_FIRST, 0.0), words=words)


def load_added(database: Database, collection: Collection) -> NDArray[np.float64]:
    """(n,) when each row came into the library, in seconds since 1970."""
    added = np.zeros(len(collection), np.float64)
    with database.reader() as session:
        for track, at_us in session.execute(select(Track.id, Track.added_us)):
            if track in collection.index:
                added[collection.index[track]] = at_us / MICROSECONDS
    return added


def _thumbed_up(state: ListeningState) -> set[int]:
    """Tracks with a thumb up on any station, or everywhere."""
    said = [*state.thumbs.values(), state.everywhere]
    return {track for thumbs in said for track, value in thumbs.items() if value > 0}


def _often_finished(state: ListeningState) -> set[int]:
    return {track for track, tally in state.tallies.items() if tally.plays >= OFTEN and tally.plays >= 2 * tally.skips}


def _days_unheard(state: ListeningState, tracks: set[int], now: float) -> dict[int, float]:
    """Track id → days since it was last heard, for those of the tracks that ever were."""
    tallies = {track: state.tallies[track] for track in tracks if track in state.tallies}
    return {
        track: (now - tally.last_played) / SECONDS_PER_DAY
        for track, tally in tallies.items()
        if tally.last_played is not None
    }


def _listens(labels: Labels, tracks: set[int], now: float) -> dict[int, list[float]]:
    """Track id → days since each time it was heard with liking."""
    listens: dict[int, list[float]] = defaultdict(list)
    columns = labels.columns
    liked = (columns.label > 0) & np.isin(columns.track, np.array(list(tracks), np.int64))
    for track, time in zip(columns.track[liked].tolist(), columns.time[liked].tolist(), strict=True):
        listens[track].append((now - time) / SECONDS_PER_DAY)
    return listens
