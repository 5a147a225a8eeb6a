"""Stations: named mixes of seeds, kept in the database and resolved against the library."""

import difflib
import secrets
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

from sqlalchemy import Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from player.errors import PlayerError
from player.feedback.events import now_us
from player.library.query import QueryError, Words, leaves, parse_query
from player.library.search import TrackIndex
from player.library.tracks import GENRE_SEPARATOR, TrackRow
from player.stations.seeds import SEEDS_TO_WRITE, Seed, SignedSeed, apart, signed, written
from player.storage.database import Database
from player.storage.models import Station, StationSeed
from recommender.ranking.dial import DISCOVER, FAMILIAR, NEUTRAL

SUGGESTED_FIRST = {"genre": 0, "tag": 1, "artist": 2, "album": 3}


@dataclass(frozen=True, slots=True)
class StationInfo:
    """A station as it is kept."""

    id: int
    name: str
    noise_seed: int
    seeds: tuple[Seed, ...]
    mode: str = "station"
    """How it plays, as ``modes.MODES`` names it."""
    dial: int = NEUTRAL
    """From 0, familiar, to 100, discover."""
    leanings: tuple[SignedSeed, ...] = ()
    """What it is not to play, or to have more or less of."""


def genres_of(row: TrackRow) -> tuple[str, ...]:
    """The genres a track is tagged with."""
    return _genres(row.genre)


@lru_cache(maxsize=1 << 12)
def _genres(tagged: str) -> tuple[str, ...]:
    """The genres in a tag; a library has a hundred thousand tracks and a few hundred of these."""
    return tuple(genre for genre in tagged.split(GENRE_SEPARATOR) if genre)


@lru_cache(maxsize=1 << 12)
def _folded_genres(tagged: str) -> frozenset[str]:
    """The same, blind to case."""
    return frozenset(map(str.casefold, _genres(tagged)))


def tracks_of_seed(seed: Seed, rows: Sequence[TrackRow], search: Callable[[str], list[int]] | None = None) -> list[int]:
    """Indices into ``rows`` of the tracks a seed names; empty for ``tag`` and ``library``, which name none.

    Args:
        seed: the seed.
        rows: the tracks.
        search: finds rows for a query; without it none are found.
    """
    if seed.kind == "query":
        return search(seed.value) if search is not None else []
    wanted = seed.value.casefold()
    matches: dict[str, Callable[[TrackRow], bool]] = {
        "track": lambda row: row.id == int(seed.value),
        "artist": lambda row: wanted in (name.casefold() for name in (row.artist, *row.artists)),
        "album": lambda row: row.album.casefold() == wanted,
        "genre": lambda row: wanted in _folded_genres(row.genre),
    }
    match = matches.get(seed.kind)
    return [] if match is None else [index for index, row in enumerate(rows) if match(row)]


def check_seed(
    seed: Seed, rows: Sequence[TrackRow], tag_names: Sequence[str], search: Callable[[str], list[int]] | None = None
) -> None:
    """Make sure that a seed names something; the arguments are those of :func:`tracks_of_seed`.

    Raises:
        PlayerError: it does not; close names are suggested.
    """
    if seed.kind == "library":
        return
    if seed.kind == "tag":
        _check_tag(seed.value, tag_names)
        return
    if seed.kind == "query":
        _check_query(seed.value, tag_names, search)
        return
    if tracks_of_seed(seed, rows):
        return
    if seed.kind == "track":
        raise PlayerError(f"There is no track {seed.value}; `player tracks` lists them.")
    known = {
        "artist": {name for row in rows for name in (row.artist, *row.artists)},
        "album": {row.album for row in rows},
        "genre": {genre for row in rows for genre in genres_of(row)},
    }[seed.kind]
    folded = {name.casefold(): name for name in sorted(known, reverse=True)}
    close = [folded[name] for name in difflib.get_close_matches(seed.value.casefold(), list(folded), n=3)]
    hint = f"did you mean {' or '.join(close)}?" if close else "`player tracks` shows what there is."
    raise PlayerError(f"No track in the library has the {seed.kind} “{seed.value}”; {hint}")


def _check_tag(name: str, tag_names: Sequence[str]) -> None:
    if name.casefold() not in (known.casefold() for known in tag_names):
        raise PlayerError(f"There is no tag “{name}”; the tags are: {', '.join(sorted(tag_names, key=str.casefold))}.")


def _check_query(query: str, tag_names: Sequence[str], search: Callable[[str], list[int]] | None) -> None:
    """Make sure that a search says something and finds something; which tracks have a tag or were heard is left to time."""
    try:
        asked = leaves(parse_query(query))
    except QueryError as error:
        raise PlayerError(str(error)) from error
    if not asked:
        raise PlayerError(
            f"The search “{query}” says nothing; write it as in the library: query:genre:jazz year:1990-1999."
        )
    changing = False
    for leaf in asked:
        if isinstance(leaf, Words) and leaf.field == "tag":
            _check_tag(leaf.text, tag_names)
        changing |= not isinstance(leaf, Words) or leaf.field in {"tag", "playlist"}
    if not changing and search is not None and not search(query):
        raise PlayerError(f"No track in the library meets “{query}”; `player search '{query}'` tries it out.")


class SeedNames:
    """Everything a station can be seeded with, ready to be searched as someone types.

    Args:
        rows: the library.
        tag_names: the tags' names.
    """

    def __init__(self, rows: Sequence[TrackRow], tag_names: Sequence[str]) -> None:
        counts: Counter[tuple[str, str]] = Counter()
        for tagged, tracks in Counter(row.genre for row in rows).items():
            for genre in _genres(tagged):
                counts["genre", genre] += tracks
        counts.update(("artist", name) for row in rows for name in row.all_artists)
        counts.update(("album", row.album) for row in rows if row.album)
        names = [(kind, value, tracks) for (kind, value), tracks in counts.items()]
        names += [("tag", name, 0) for name in tag_names]
        names.sort(key=lambda name: (SUGGESTED_FIRST[name[0]], -name[2], name[1].casefold()))
        self._names = [("library", "", len(rows)), *names] if rows else []
        self._folded = [value.casefold() for _, value, _ in self._names]

    def search(self, text: str, limit: int = 40) -> list[tuple[str, str, int]]:
        """(kind, value, tracks) of seeds whose name contains ``text``, those that begin with it first.

        Tags count no tracks. Without text, the best proposals: everything, then genres by their size, tags, artists.
        """
        wanted = text.casefold().strip()
        beginning = [place for place, name in enumerate(self._folded) if name.startswith(wanted)]
        inside = [place for place, name in enumerate(self._folded) if wanted in name and not name.startswith(wanted)]
        return [self._names[place] for place in (beginning + inside)[:limit]]


class Stations:
    """Creates and finds stations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, *, removed: bool = False) -> list[StationInfo]:
        """Every station, in the order they were made; those that were deleted too, where the log is to be understood."""
        asked = _with_seeds().order_by(Station.id)
        with self._database.reader() as session:
            return [
                _info(row) for row in session.scalars(asked if removed else asked.where(Station.removed_us.is_(None)))
            ]

    def find(self, name: str) -> StationInfo:
        """The station of that name, by exact or else case-blind match.

        Raises:
            PlayerError: there is none; close names are suggested.
        """
        everything = self.all()
        for same in (str, str.casefold):
            for station in everything:
                if same(station.name) == same(name):
                    return station
        names = [station.name for station in everything]
        close = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names[:5]
        hint = (
            f"there are: {', '.join(close)}." if close else "make one with `player station create NAME --seed library`."
        )
        raise PlayerError(f"There is no station “{name}”; {hint}")

    def with_seeds(self, seeds: Sequence[Seed]) -> StationInfo | None:
        """The first station that grows from exactly these seeds, in whatever order, and leans nowhere."""
        return next((one for one in self.all() if set(one.seeds) == set(seeds) and not one.leanings), None)

    def turn_dial(self, station_id: int, dial: int) -> int:
        """Keep how adventurous a station is, within 0…100; returns what was kept."""
        dial = max(FAMILIAR, min(dial, DISCOVER))
        with self._database.session() as session:
            session.execute(update(Station).where(Station.id == station_id).values(dial=dial))
        return dial

    def set_mode(self, station_id: int, mode: str) -> None:
        """Keep how a station plays."""
        with self._database.session() as session:
            session.execute(update(Station).where(Station.id == station_id).values(mode=mode))

    def change(
        self,
        station_id: int,
        name: str,
        kept: Sequence[Seed | SignedSeed],
        rows: Sequence[TrackRow],
        tag_names: Sequence[str],
        mode: str,
    ) -> str:
        """Let a station have this name and mode, and these seeds and leanings alone; returns the name as kept.

        The arguments are those of :meth:`create`; where one of them is refused, nothing is changed.

        Raises:
            PlayerError: the name is empty or taken, a seed names nothing, or all are leanings.
        """
        name = _checked_name(name)
        self._check(kept, rows, tag_names)
        with _unique(name), self._database.session() as session:
            station = session.get_one(Station, station_id)
            station.name, station.mode, station.seeds = name, mode, _kept(kept)
        return name

    def _check(self, kept: Sequence[Seed | SignedSeed], rows: Sequence[TrackRow], tag_names: Sequence[str]) -> None:
        if not any(isinstance(one, Seed) for one in kept):
            raise PlayerError(f"A station needs a seed: {SEEDS_TO_WRITE}.")
        search = TrackIndex(self._database, rows).search
        for one in kept:
            check_seed(one.seed if isinstance(one, SignedSeed) else one, rows, tag_names, search)

    def rename(self, station_id: int, name: str) -> str:
        """Give a station another name; returns it as kept.

        Raises:
            PlayerError: the name is empty or taken.
        """
        name = _checked_name(name)
        with _unique(name), self._database.session() as session:
            session.execute(update(Station).where(Station.id == station_id).values(name=name))
        return name

    def remove(self, station_id: int) -> None:
        """Delete a station: it is listed no more and its name is free; what was told on it stays in the log."""
        with self._database.session() as session:
            row = session.get_one(Station, station_id)
            row.name, row.removed_us = f"{row.name}{_REMOVED}{station_id}", now_us()

    def restore(self, station_id: int) -> str:
        """Bring a deleted station back under its name, or the next free one; returns that."""
        with self._database.reader() as session:
            name = session.get_one(Station, station_id).name
        name = self.free_name(name.removesuffix(f"{_REMOVED}{station_id}"))
        with self._database.session() as session:
            session.execute(update(Station).where(Station.id == station_id).values(name=name, removed_us=None))
        return name

    def free_name(self, name: str) -> str:
        """The name, or with the first number behind it that makes it one of its own."""
        taken = {station.name for station in self.all()}
        return next(wanted for wanted in _numbered(name) if wanted not in taken)

    def create(
        self,
        name: str,
        seeds: Sequence[Seed],
        rows: Sequence[TrackRow],
        tag_names: Sequence[str],
        mode: str = "station",
        leanings: Sequence[SignedSeed] = (),
    ) -> StationInfo:
        """Make a station.

        Args:
            name: what to call it.
            seeds: what it grows from.
            rows: the library.
            tag_names: the tags' names.
            mode: how it plays.
            leanings: what it is not to play, or to have more or less of.

        Raises:
            PlayerError: the name is empty or taken, or a seed names nothing.
        """
        name = _checked_name(name)
        self._check([*seeds, *leanings], rows, tag_names)
        with _unique(name), self._database.session() as session:
            return _insert(session, name, [*seeds, *leanings], mode)


_REMOVED = "\n"
"""Between the name and the number of a deleted station: no name of another has it."""


def _checked_name(name: str) -> str:
    """A name without needless spaces.

    Raises:
        PlayerError: it is empty or not printable.
    """
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise PlayerError("A station needs a name of printable characters.")
    return name


@contextmanager
def _unique(name: str) -> Generator[None]:
    """Say so where another station has the name."""
    try:
        yield
    except IntegrityError as error:
        raise PlayerError(f"There is already a station “{name}”; choose another name.") from error


def _with_seeds() -> Select[Station]:
    return select(Station).options(selectinload(Station.seeds))


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name} {number}" for number in count(2))


def _kept(seeds: Iterable[Seed | SignedSeed]) -> list[StationSeed]:
    """Rows for seeds, each once; the sign of a leaning stands before the kind."""
    return [StationSeed(kind=kind, value=value) for kind, value in map(written, dict.fromkeys(seeds))]


def _insert(session: Session, name: str, seeds: Sequence[Seed | SignedSeed], mode: str) -> StationInfo:
    row = Station(name=name, noise_seed=secrets.randbits(62), created_us=now_us(), mode=mode, dial=NEUTRAL)
    row.seeds = _kept(seeds)
    session.add(row)
    session.flush()
    return _info(row)


def _info(row: Station) -> StationInfo:
    seeds, leanings = apart(signed(seed.kind, seed.value) for seed in row.seeds)
    return StationInfo(row.id, row.name, row.noise_seed, seeds, row.mode, row.dial, leanings)
