"""The order of embedding: first what the open station is about to play, then what its seeds are by their tags.

The player keeps the station and its queue in the database whenever they change; whoever embeds – a child of the screen, or
a ``player embed`` in another terminal – reads them before every file. So the order follows the listener from one
station to the next.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from player.library.tracks import GENRE_SEPARATOR
from player.library.vectors import PendingTrack
from player.storage.database import Database
from player.storage.key_value import keep_fact, read_fact
from player.storage.models import StationSeed, Track

KEY = "wishes"
NEAR, KINDRED, OTHER = range(3)
"""Closeness of a track to the station by its tags: of a seed's artist or album; of a seed's genre; neither."""


@dataclass(frozen=True, slots=True)
class EmbedPriority:
    """The wishes of the station that was open last: the tracks it wants to know more about.

    Attributes:
        upcoming: ids of its queue, in order.
        artists: of its seeds, without case.
        albums: likewise.
        genres: likewise, one by one.
    """

    upcoming: tuple[int, ...] = ()
    artists: frozenset[str] = frozenset()
    albums: frozenset[str] = frozenset()
    genres: frozenset[str] = frozenset()

    def closeness(self, track: PendingTrack) -> int:
        """``NEAR``, ``KINDRED`` or ``OTHER``."""
        if track.artist.casefold() in self.artists or track.album.casefold() in self.albums:
            return NEAR
        return KINDRED if self.genres and self.genres & _genres(track.genre) else OTHER

    def seeds_are_those_of(self, other: "EmbedPriority") -> bool:
        """True where both put tracks that are not in the queue in the same order."""
        return (self.artists, self.albums, self.genres) == (other.artists, other.albums, other.genres)


class PriorityKeeper:
    """Keeps what the open station is about to play, whenever it is another thing than before.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: tuple[int, tuple[int, ...]] | None = None

    def keep(self, station_id: int, upcoming: Sequence[int]) -> None:
        """Keep these tracks of this station, in order."""
        priority = (station_id, tuple(upcoming))
        if priority != self._kept:
            with self._database.session() as session:
                keep_fact(session, KEY, {"station": station_id, "upcoming": list(upcoming)})
            self._kept = priority


def load_priority(session: Session) -> EmbedPriority:
    """The priority of the station that was open last; none where none was, or it is gone."""
    match read_fact(session, KEY):
        case {"station": int(station), "upcoming": list(upcoming)}:
            ids: list[object] = list(upcoming)
            return _of_station(session, station, tuple(track for track in ids if isinstance(track, int)))
        case _:
            return EmbedPriority()


def _of_station(session: Session, station: int, upcoming: tuple[int, ...]) -> EmbedPriority:
    seeds = session.execute(select(StationSeed.kind, StationSeed.value).where(StationSeed.station_id == station)).all()
    named = {kind: [value for seed_kind, value in seeds if seed_kind == kind] for kind in ("artist", "album", "genre")}
    numbers = [int(value) for kind, value in seeds if kind == "track" and value.isdecimal()]
    tracks = session.execute(select(Track.artist, Track.album, Track.genre).where(Track.id.in_(numbers))).all()
    return EmbedPriority(
        upcoming=upcoming,
        artists=_folded([*named["artist"], *(artist for artist, _, _ in tracks)]),
        albums=_folded([*named["album"], *(album for _, album, _ in tracks)]),
        genres=_folded(named["genre"]).union(*(_genres(genre) for _, _, genre in tracks)),
    )


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names if name)


def _genres(tagged: str) -> frozenset[str]:
    return _folded(tagged.split(GENRE_SEPARATOR))


class WaitingTracks:
    """The tracks still to be listened to, handed out one by one in the order that is wanted at that moment.

    First the station's queue, then what is of its seeds' artists and albums, then of their genres, then the rest; newest
    first among equals.

    Args:
        tracks: newest first.
        priority: asked before each track.
    """

    def __init__(self, tracks: Iterable[PendingTrack], priority: Callable[[], EmbedPriority]) -> None:
        self._left = {track.track_id: track for track in tracks}
        self._ask = priority
        self._priority = EmbedPriority()
        self._order = deque(self._left)

    def __len__(self) -> int:
        return len(self._left)

    def add(self, tracks: Iterable[PendingTrack]) -> None:
        """More of them, newer than all others."""
        self._left = {track.track_id: track for track in tracks} | self._left
        self._sort()

    def take(self) -> PendingTrack | None:
        """The next one; None when none is left."""
        priority = self._ask()
        changed = not priority.seeds_are_those_of(self._priority)
        self._priority = priority
        if changed:
            self._sort()
        for track_id in priority.upcoming:
            if track_id in self._left:
                return self._left.pop(track_id)
        while self._order:
            if (track := self._left.pop(self._order.popleft(), None)) is not None:
                return track
        return None

    def _sort(self) -> None:
        # Stable, so what is equally close stays newest first.
        self._order = deque(sorted(self._left, key=lambda track_id: self._priority.closeness(self._left[track_id])))
