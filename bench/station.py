"""What a station plays from one track as its seed: the share of its first 20 tracks from the seed's group.

Needs the development data beside the repository, which is scanned and embedded first (a minute or two).
"""

import csv
import tempfile
from pathlib import Path

import numpy as np

from embeddings.cards import DEFAULT_FRONTEND, frontend_card
from embeddings.weights import ensure_weights
from player.config import StationSettings, locate
from player.library.embed import embed_pending
from player.library.scan import scan
from player.listening.collection import load_collection
from player.listening.journal import Journal
from player.listening.queue import Listening, rank_station
from player.listening.scoring import StationScorer
from player.listening.stations import Seed, StationInfo
from player.storage.database import open_database

SHARED = Path(__file__).resolve().parents[2] / "shared"
SEEDS, PLACES = 12, 20
"""Seeds a group, and places of each queue."""


def main() -> None:
    """Print the mean share for each group."""
    if not (SHARED / "music.csv").is_file():
        print(f"skipped: needs the development data at {SHARED}")
        return
    with (SHARED / "music.csv").open(newline="") as file:
        group_of = {str(SHARED / "music" / row["path"]): row["group"] for row in csv.DictReader(file)}
    with tempfile.TemporaryDirectory() as scratch:
        paths = locate(Path(scratch))
        database = open_database(paths.database)
        scan(database, [SHARED / "music"])
        weights = ensure_weights(frontend_card(DEFAULT_FRONTEND).weights, named=None, cache=locate().cache)
        embed_pending(
            database, paths, frontend=DEFAULT_FRONTEND, weights=weights, workers=2, retry_failed=False,
            report=lambda _progress: None, should_stop=lambda: False,
        )  # fmt: skip
        collection = load_collection(database)
        database.close()
    groups = [group_of[row.path] for row in collection.rows]
    rng, listening = np.random.default_rng(0), Listening(Journal([], {}).state, [], now=0.0)
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
