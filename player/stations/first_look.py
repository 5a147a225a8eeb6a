"""A first look at the listener's data: what the screen shows while library, log and model are being read."""

from dataclasses import dataclass, replace

from player.feedback.events import state_of
from player.feedback.log_reader import read_events
from player.library.tracks import read_catalogue
from player.stations.resume import ResumePoint, load_resume_point
from player.stations.snapshot import NowPlaying, Snapshot, StationRow
from player.stations.station_list import list_stations
from player.storage.database import Database

OPENING = Snapshot(revision=0, notice="Opening the library …")
"""Shown while nothing is known yet."""
_PLAYABLE = "SELECT count(*) FROM track_file WHERE missing = 0"
"""From the index alone; a track with two files counts twice until the library is read."""


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What is known before anything large was read.

    Attributes:
        snapshot: the station that is on and its track, as they will go on.
        stations: what there is to choose from.
    """

    snapshot: Snapshot = OPENING
    stations: tuple[StationRow, ...] = ()


def look_at(database: Database, name: str | None = None) -> FirstLook | None:
    """Look at a database, and what a named station is like; None where there is no such station."""
    stations = tuple(row for row, _ in list_stations(database))
    point = load_resume_point(database)
    if name is not None:
        named = next((row.id for row in stations if row.name.casefold() == name.casefold()), None)
        if named is None:
            return None
        point = point if point.station_id == named else ResumePoint(named, volume=point.volume)
    station = next((row for row in stations if row.id == point.station_id), None)
    with database.look_up() as connection:
        (tracks,) = connection.execute(_PLAYABLE).fetchone()
    now = None if station is None and point.station_id is not None else _track(database, point)
    # How many were analysed takes long to count; that some were not is said when the library was read.
    known = replace(OPENING, tracks=tracks, embedded=tracks, first_look=True)
    snapshot = replace(known, station=station, now=now, volume=point.volume)
    return FirstLook(snapshot, stations)


def _track(database: Database, point: ResumePoint) -> NowPlaying | None:
    if point.track_id is None:
        return None
    with database.look_up() as connection:
        rows = read_catalogue(connection, [point.track_id])
    if not rows or rows[0].missing:
        return None
    thumb = state_of(read_events(database, tracks=[point.track_id])).thumbs_on(point.station_id).get(point.track_id, 0)
    return NowPlaying(rows[0], point.position, rows[0].duration, playing=False, thumb=thumb, reason=point.reason)
