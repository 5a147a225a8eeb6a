"""Retraining on 10,000 events over 10,000 tracks, in full and then incrementally: seconds and peak memory, one thread.

The budget is 60 s. The second training finds 500 events more than the first.
"""

import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.synthetic import synthetic_library
from player.cli.learning.model_versions import lineage_words
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.folders import Paths, locate
from player.jobs import JobProgress
from player.learning.retraining import Retrained, retrain
from player.library.tracks import load_catalogue
from player.stations.stations import Stations
from player.storage.database import Database
from player.storage.event_kinds import Origin
from recommender.configuration import ClepConfig, TrainingConfig
from recommender.models.registry import Registry

EVENTS = 10_000
MORE = 500
TRACKS = 10_000


def main() -> None:
    """Print the time of each stage and the whole, of both trainings."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        database = synthetic_library(folder, TRACKS, EVENTS)
        paths = locate(folder)
        first = timed(database, paths)
        if first.card is not None:
            Registry(paths.models).promote(
                first.card.version
            )  # random events may be refused; the second goes on from it
        tell_more(database)
        timed(database, paths)
        database.close()


def timed(database: Database, paths: Paths) -> Retrained:
    """Train and print what it took."""
    stages: dict[str, float] = {}

    def note(progress: JobProgress) -> None:
        stages.setdefault(progress.stage, time.perf_counter())

    started = time.perf_counter()
    done = retrain(database, paths, TrainingConfig(clep=ClepConfig.best()), note, lambda: False)
    taken = time.perf_counter() - started
    begins = [*stages.values(), started + taken]
    for (stage, begin), end in zip(stages.items(), begins[1:], strict=True):
        print(f"  {stage:<26} {end - begin:6.1f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    how = "nothing" if done.card is None else lineage_words(done.card.lineage)
    print(
        f"{done.result.positives + done.result.negatives} labels, {TRACKS} tracks: {taken:.1f} s, {peak:.0f} MB at the most; {how}"
    )
    return done


def tell_more(database: Database) -> None:
    """Some hundred events more, as random as those before."""
    rng = np.random.default_rng(1)
    with database.reader() as session:
        tracks = [row.id for row in load_catalogue(session)]
    station = Stations(database).all()[0].id
    EventStore(database, Origin.CLI).append_all(
        [NewEvent(("finish", "skip")[int(rng.integers(2))], int(rng.choice(tracks)), station, 5.0) for _ in range(MORE)]
    )
