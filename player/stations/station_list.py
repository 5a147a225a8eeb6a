"""The stations as a list shows them, from the database alone: what there is to choose from before anything else was read."""

import sqlite3
from collections.abc import Iterable

from player.library.tracks import TrackRow, read_catalogue
from player.stations.seeds import Seed, SignedSeed, describe_seeds, signed
from player.stations.snapshot import StationRow
from player.storage.database import Database

_SEEDS = "SELECT station_id, kind, value FROM station_seed ORDER BY id"
_THUMBS = """
WITH last_words AS (
    SELECT station_id, kind, row_number() OVER (
        PARTITION BY station_id, track_id
        ORDER BY origin != 'import' DESC, CASE origin WHEN 'import' THEN time_us END DESC, id DESC
    ) AS place
    FROM event WHERE station_id IS NOT NULL AND kind IN ('up', 'down', 'clear')
    AND id NOT IN (SELECT undoes_id FROM event WHERE undoes_id IS NOT NULL)
)
SELECT station_id, sum(kind = 'up'), sum(kind = 'down') FROM last_words WHERE place = 1 GROUP BY station_id
"""
"""The last word about each track on each station, as ``ListeningState`` has it; a test holds one against the other."""


def list_stations(database: Database) -> list[tuple[StationRow, tuple[Seed | SignedSeed, ...]]]:
    """Every station in the order they were made, with its seeds and what it leans to."""
    with database.look_up() as connection:
        seeds: dict[int, list[Seed | SignedSeed]] = {}
        for station, kind, value in connection.execute(_SEEDS):
            seeds.setdefault(station, []).append(signed(kind, value))
        thumbs = {station: (up, down) for station, up, down in connection.execute(_THUMBS)}
        titles = _tracks(connection, (seed for found in seeds.values() for seed in found))
        stations = connection.execute(
            "SELECT id, name, mode, dial FROM station WHERE removed_us IS NULL ORDER BY id"
        ).fetchall()
    rows: list[tuple[StationRow, tuple[Seed | SignedSeed, ...]]] = []
    for number, name, mode, dial in stations:
        own = tuple(seeds.get(number, ()))
        row = StationRow(number, name, describe_seeds(own, titles), *thumbs.get(number, (0, 0)), mode, dial)
        rows.append((row, own))
    return rows


def _tracks(connection: sqlite3.Connection, kept: Iterable[Seed | SignedSeed]) -> list[TrackRow]:
    seeds = [one.seed if isinstance(one, SignedSeed) else one for one in kept]
    return read_catalogue(connection, {int(seed.value) for seed in seeds if seed.kind == "track"})
