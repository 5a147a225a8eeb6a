"""MovieLens in its four spellings: ``.inter`` (RecBole), ``.dat``, ``ratings.csv`` and ``u.data``.

A rating of 4 or more is a thumb up, of 2 or less a thumb down; what lies between is history without a label.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from recommender.datasets.dataset_spec import checked_options
from recommender.datasets.rows import Batch, Fault, Rows, Source, Taste
from recommender.datasets.text import Layout, read_batches

POSITIVE, NEGATIVE = 4.0, 2.0
LOWEST, HIGHEST = 0.5, 5.0
_ROLES = ("listener", "track", "rating", "time")


def _untyped(name: str) -> str:
    """``user_id`` of RecBole's ``user_id:token``."""
    return name.strip().partition(":")[0]


_RECBOLE = Layout(
    wanted={"listener": "user_id", "track": "item_id", "rating": "rating", "time": "timestamp"},
    separator="\t",
    quoted=False,
    canonical=_untyped,
)
_DAT = Layout(wanted={role: role for role in _ROLES}, separator="::", quoted=False, names=_ROLES)
_CSV = Layout(wanted={"listener": "userId", "track": "movieId", "rating": "rating", "time": "timestamp"})
_PLAIN = Layout(wanted={role: role for role in _ROLES}, separator="\t", quoted=False, names=_ROLES)


def movielens(path: Path, options: Mapping[str, str]) -> Source:
    """The ratings in a MovieLens file, known by its name's end; any other than the first three is read as ``u.data``."""
    checked_options("movielens", dict(options), ())
    layout = {".inter": _RECBOLE, ".dat": _DAT, ".csv": _CSV}.get(Path(path.name.removesuffix(".gz")).suffix, _PLAIN)

    def read() -> Iterator[Rows]:
        return (_rows(batch) for batch in read_batches(path, layout))

    return Source(
        kind="movielens",
        read=read,
        ordered=True,
        notes=(
            "These are films, not tracks.",
            "The time is that of the rating, not of the watching: many were rated in one sitting.",
        ),
    )


def _rows(batch: Batch) -> Rows:
    columns = batch.columns
    rating = columns["rating"].numbers()
    time = columns["time"].moments()
    return Rows(
        batch=batch,
        listener=columns["listener"],
        track=columns["track"],
        time=time,
        taste=Taste.of_ratings(rating, positive=POSITIVE, negative=NEGATIVE),
        faults=(
            Fault(~((rating >= LOWEST) & (rating <= HIGHEST)), "rating {} is not between 0.5 and 5", columns["rating"]),
            Fault(np.isnan(time), "timestamp {} is not a time", columns["time"]),
        ),
    )
