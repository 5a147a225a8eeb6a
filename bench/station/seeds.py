"""What a station plays from one track as its seed: the share of its first 20 tracks from the seed's group.

Needs the development data beside the repository, which is scanned and embedded first (a minute or two).
"""

import csv
from collections.abc import Sequence

import numpy as np

from bench.library_insight import SHARED
from bench.station.material import options, real_music
from player.config import StationSettings
from player.feedback.event_history import EventHistory
from player.feedback.labels import NOTHING_SAID
from player.stations.seeds import Seed
from player.stations.station_queue import Listening, rank_station
from player.stations.station_scoring import StationScorer
from player.stations.stations import StationInfo

SEEDS, PLACES = 12, 20
"""Seeds a group, and places of each queue."""


def main(arguments: Sequence[str] = ()) -> None:
    """Print the mean share for each group."""
    asked = options("station seeds").parse_args(arguments)
    collection = real_music(asked.data)
    if collection is None:
        return
    with (SHARED / "music.csv").open(newline="") as file:
        group_of = {str(SHARED / "music" / row["path"]): row["group"] for row in csv.DictReader(file)}
    groups = [group_of[row.path] for row in collection.rows]
    rng, listening = np.random.default_rng(0), Listening(EventHistory([], {}).state, NOTHING_SAID, now=0.0)
    for group in sorted(set(groups)):
        members = [row for row, name in enumerate(groups) if name == group]
        shares = []
        for row in rng.choice(members, SEEDS, replace=False):
            station = StationInfo(1, group, int(rng.integers(2**60)), (Seed("track", str(collection.rows[row].id)),))
            queue = rank_station(
                StationScorer(collection, [station], station, None), listening, StationSettings(), PLACES
            )
            shares.append(np.mean([groups[track] == group for track in queue.track_rows]))
        print(f"{group:<12} {np.mean(shares):.2f} of {PLACES} (chance {len(members) / len(groups):.2f}), {SEEDS} seeds")
