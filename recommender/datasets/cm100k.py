"""CM100k (Cañamares & Castells 2018): ratings of randomly chosen tracks by randomly assigned listeners.

1 ("I don't like it", or no music at all) is a thumb down, 3 and 4 are thumbs up, 2 ("so-so") is history without a label.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from recommender.datasets.dataset_spec import checked_options
from recommender.datasets.rows import Batch, Fault, Rows, Source, Taste
from recommender.datasets.text import Layout, read_batches

POSITIVE, NEGATIVE = 3.0, 1.0
RATINGS = (1.0, 2.0, 3.0, 4.0)
_LAYOUT = Layout(
    wanted={"listener": "user_id", "track": "track_id", "rating": "rating", "known": "known"},
    separator="\t",
    quoted=False,
)


def cm100k(path: Path, options: Mapping[str, str]) -> Source:
    """The ratings in CM100k's ``ratings.tsv``."""
    checked_options("cm100k", dict(options), ())

    def read() -> Iterator[Rows]:
        return (_rows(batch) for batch in read_batches(path, _LAYOUT))

    return Source(
        kind="cm100k",
        read=read,
        ordered=False,
        notes=(
            "The set has no clock: its rows have no order, and time counts them.",
            "Listeners were given tracks at random, so any concentration in recommendations comes from the model.",
            "A rating of 1 also stands for flawed audio.",
        ),
    )


def _rows(batch: Batch) -> Rows:
    columns = batch.columns
    rating, known = columns["rating"].numbers(), columns["known"].numbers()
    unsaid = ~np.isin(known, (0.0, 1.0))
    return Rows(
        batch=batch,
        listener=columns["listener"],
        track=columns["track"],
        taste=Taste.of_ratings(rating, positive=POSITIVE, negative=NEGATIVE),
        known=np.where(unsaid, -1, known).astype(np.int8),
        faults=(
            Fault(~np.isin(rating, RATINGS), "rating {} is not 1, 2, 3 or 4", columns["rating"]),
            Fault(unsaid, "known {} is neither 0 nor 1", columns["known"]),
        ),
    )
