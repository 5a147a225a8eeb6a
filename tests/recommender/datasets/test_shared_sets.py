"""The real files: their published counts, and counts worked out here with nothing but the csv module."""

import csv
from collections import Counter, defaultdict

import numpy as np
import pytest

from recommender.datasets.opening import open_dataset
from recommender.datasets.stream import stream_dataset
from recommender.datasets.summary import statistics
from recommender.events import Outcome

pytestmark = pytest.mark.shared


def test_movielens_100k_has_its_published_counts(shared_feedback):
    dataset = open_dataset(f"movielens:{shared_feedback}/ml100k/ml-100k.inter")
    figures = statistics(dataset)
    assert (figures.listeners, figures.tracks, figures.events) == (943, 1682, 100_000)
    assert (figures.positive, figures.negative) == (34174 + 21201, 6110 + 11370)
    assert dataset.ordered
    assert (figures.first_time, figures.last_time) == (874724710.0, 893286638.0)


def test_cm100k_has_its_published_counts_and_no_clock(shared_feedback):
    dataset = open_dataset(f"cm100k:{shared_feedback}/cm100k/ratings.tsv")
    figures = statistics(dataset)
    assert (figures.listeners, figures.tracks, figures.events) == (632, 1084, 62_096)
    assert (figures.positive, figures.negative) == (11088 + 2837 + 2428 + 1477, 24221 + 743)
    assert not dataset.ordered
    assert figures.first_time is None
    assert Counter(dataset.log.known.tolist()) == {0: 24221 + 17526 + 11088 + 2428, 1: 2837 + 1776 + 1477 + 743}
    np.testing.assert_array_equal(dataset.log.time, np.arange(62_096))


def test_emotify_counts_each_pseudo_listener_once_a_track_and_drops_conflicts(shared_feedback):
    path = shared_feedback / "emotify" / "annotations.csv"
    said = defaultdict(set)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            key = (" · ".join(row[name] for name in ("age", "gender", "mother_tongue")), row["track_id"])
            said[key] |= {side for side, name in ((1, "liked"), (-1, "disliked")) if row[name] == "1"}
    expected = {key: sides.pop() for key, sides in said.items() if len(sides) == 1}

    dataset = open_dataset(f"emotify:{path}")
    log = dataset.log
    names = zip(dataset.listeners[log.listener].tolist(), dataset.tracks[log.track].tolist(), strict=True)
    assert dict(zip(names, log.label.tolist(), strict=True)) == expected
    assert len(log) == len(expected)
    assert dataset.reading.rows == 4941
    assert dataset.reading.rows - dataset.reading.excluded == len(log)
    assert any("both likes and dislikes" in note and "140" in note for note in dataset.notes)


@pytest.mark.parametrize(
    "name", ["movielens:{}/ml100k/ml-100k.inter", "cm100k:{}/cm100k/ratings.tsv", "emotify:{}/emotify/annotations.csv"]
)
def test_a_stream_is_described_as_the_data_set_is(name, shared_feedback):
    name = name.format(shared_feedback)
    assert statistics(stream_dataset(name)) == statistics(open_dataset(name))


def test_a_middling_rating_is_history_without_a_label(shared_feedback):
    log = open_dataset(f"movielens:{shared_feedback}/ml100k/ml-100k.inter").log
    middling = log.label == 0
    assert np.count_nonzero(middling) == 27145
    assert set(log.outcome[middling].tolist()) == {Outcome.CHOSEN}
    assert not log.judged[middling].any()
    assert not log.weight[middling].any()
