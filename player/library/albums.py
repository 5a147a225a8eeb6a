"""Albums as they are heard: their tracks by disc and number."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from player.library.tracks import TrackRow
from player.storage.database import Database
from player.storage.models import Track

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NO_ALBUM = -1
FEWEST_TRACKS = 2
"""A single in the library is a track, not an album."""
AT_THE_END = 1 << 30
"""The place of a track without a number: behind those that have one."""


@dataclass(frozen=True, slots=True)
class Albums:
    """The albums of a library.

    Attributes:
        members: for each album the rows of its tracks, in order.
        of: (n,) the album of each row, ``NO_ALBUM`` where it is on none.
    """

    members: tuple[tuple[int, ...], ...]
    of: NDArray[np.int64]

    def after(self, row: int) -> tuple[int, ...]:
        """The rows that follow on the row's album."""
        album = int(self.of[row])
        if album == NO_ALBUM:
            return ()
        tracks = self.members[album]
        return tracks[tracks.index(row) + 1 :]


@dataclass(frozen=True, slots=True)
class Release:
    """The place of one track on its album, as tagged."""

    disc: int | None
    number: int | None


def load_albums(database: Database, rows: list[TrackRow]) -> Albums:
    """The albums of ``rows``; a row's place in the list is its number.

    Tracks are on one album when they share its identity, which a compilation of many artists has too (``tags.album_key``).
    """
    with database.reader() as session:
        columns = (Track.id, Track.disc_number, Track.track_number)
        releases = {track: Release(disc, number) for track, disc, number in session.execute(select(*columns))}
    return group_albums(rows, releases)


def load_works(session: "Session", rows: list[TrackRow]) -> Albums:
    """Works of several movements, as tagged, each by its movements' numbers; of one recording, which is on one album."""
    columns = (Track.id, Track.work, Track.disc_number, Track.movement_number, Track.track_number)
    found: dict[tuple[str, str], list[tuple[tuple[int, int, int], int]]] = defaultdict(list)
    index = {track.id: row for row, track in enumerate(rows)}
    for track, work, disc, movement, number in session.execute(select(*columns).where(Track.work != "")):
        if track in index and rows[row := index[track]].album:
            place = _order(Release(disc, movement or number), row)
            found[rows[row].album_key, work.casefold()].append((place, row))
    members = tuple(
        tuple(row for _, row in sorted(tracks)) for tracks in found.values() if len(tracks) >= FEWEST_TRACKS
    )
    return Albums(members, _codes(members, len(rows)))


def group_albums(rows: list[TrackRow], releases: dict[int, Release]) -> Albums:
    """The albums of ``rows``, given where each track id stands."""
    found: dict[str, list[int]] = defaultdict(list)
    for row, track in enumerate(rows):
        if track.album:
            found[track.album_key].append(row)
    members = tuple(
        tuple(sorted(tracks, key=lambda row: _order(releases[rows[row].id], row)))
        for tracks in found.values()
        if len(tracks) >= FEWEST_TRACKS
    )
    return Albums(members, _codes(members, len(rows)))


def album_tracks(database: Database, track_id: int) -> list[int]:
    """The tracks of a track's album, in order; the track alone where it is on none."""
    with database.reader() as session:
        track = session.get(Track, track_id)
        if track is None or not track.album:
            return [track_id]
        artist = func.lower(func.coalesce(func.nullif(Track.album_artist, ""), Track.artist))
        same = (
            func.lower(Track.album) == func.lower(track.album),
            artist == func.lower(track.album_artist or track.artist),
        )
        one = (Track.album_id == track.album_id,) if track.album_id is not None else same
        order = (
            func.coalesce(Track.disc_number, 1),
            func.coalesce(Track.track_number, AT_THE_END),
            Track.title,
            Track.id,
        )
        return list(session.scalars(select(Track.id).where(*one).order_by(*order)))


def _order(release: Release, row: int) -> tuple[int, int, int]:
    number = AT_THE_END if release.number is None else release.number
    return release.disc or 1, number, row


def _codes(members: Iterable[tuple[int, ...]], count: int) -> NDArray[np.int64]:
    of = np.full(count, NO_ALBUM, np.int64)
    for album, tracks in enumerate(members):
        of[list(tracks)] = album
    return of
