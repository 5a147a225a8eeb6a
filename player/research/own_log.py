"""The listener's own log as a data set like any other."""

from player.errors import PlayerError
from player.learning.retraining import load_material
from player.storage.database import Database
from recommender.datasets.dataset import Dataset
from recommender.datasets.opening import dataset_of

NAME = "log"
"""What the player's own log is called where others are ``KIND:PATH``."""


def own_log(database: Database, limit: int | None = None) -> Dataset:
    """The whole history over the whole library, with the vectors of the tracks where they are embedded.

    Args:
        database: the listener's.
        limit: only so many of the oldest rows; what was logged later is left out.

    Raises:
        PlayerError: there is no like or no dislike in it.
    """
    material = load_material(database)
    log = material.log if limit is None else material.log.first(limit)
    if not log.positives or not log.negatives:
        raise PlayerError(
            f"Your own log holds {log.positives} likes and {log.negatives} dislikes, and an experiment compares the two: "
            "listen, skip and thumb some more, or name a data set with --dataset KIND:PATH."
        )
    collection = material.collection
    return dataset_of(
        log,
        name=NAME,
        listeners=("you",),
        tracks=tuple(f"{row.artist} – {row.title}" for row in collection.rows),
        content=material.catalogue.vectors if collection.embedded else None,
    )
