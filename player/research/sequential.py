"""The sequential model and its ablations on a named data set; the machinery is that of the baselines."""

from player.research import baselines
from player.research.datasets import Desk, Source
from recommender.experiments.records import Record
from recommender.experiments.sequential_models import SEQUENTIAL


def measure(desk: Desk, wanted: Source, wishes: baselines.Wishes, jobs: int) -> Record:
    """Open the data set, train and measure the models, keep the record.

    Raises:
        PlayerError: the data set cannot be read, the wishes do not fit it, or the record cannot be stored.
    """
    return baselines.measure(desk, wanted, wishes, SEQUENTIAL, jobs)


def repeat(desk: Desk, record: Record) -> Record:
    """Train and measure what a record says once more, from its configuration alone.

    Raises:
        PlayerError: the record cannot be used, or the data are no longer those it was made on.
    """
    return baselines.repeat(desk, record, SEQUENTIAL)
