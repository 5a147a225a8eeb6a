"""A data set in figures, in constant memory where it comes from files."""

from player.errors import PlayerError
from player.jobs import JobProgress
from player.research.datasets import Desk, Source, open_source
from player.research.own_log import NAME
from recommender.datasets.dataset import DatasetError
from recommender.datasets.stream import stream_dataset
from recommender.datasets.summary import statistics
from recommender.experiments.json_values import JsonObject, json_object
from recommender.experiments.runner import dataset_facts


def describe(desk: Desk, wanted: Source) -> JsonObject:
    """Statistics, and how the reading went.

    Raises:
        PlayerError: it cannot be read.
    """
    desk.progress(JobProgress("Reading"))
    if wanted.dataset == NAME:
        return dataset_facts(open_source(desk, wanted))
    try:
        stream = stream_dataset(wanted.dataset, columns=dict(wanted.columns), limit=wanted.limit)
        figures = statistics(stream)
    except DatasetError as error:
        raise PlayerError(str(error)) from error
    return json_object(
        {
            "name": wanted.dataset,
            "kind": stream.kind,
            "ordered": stream.ordered,
            **json_object(figures),
            "reading": stream.reading,
            "notes": stream.notes,
        }
    )
