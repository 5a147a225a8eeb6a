"""What a listener takes away from a station, and thumbs that one station overrules."""

import numpy as np
import pytest

from recommender.events import EventLog, Outcome
from recommender.models.station_scorer import LiveScorer, Muted, head_labels
from recommender.ranking.explain import ScorePart

EVERYWHERE = 9


@pytest.fixture(scope="module")
def world(make_world):
    return make_world()


def history(tracks, rows):
    """Explicit rows of (track, outcome, label, station)."""
    track, outcome, label, station = (np.array(column) for column in zip(*rows, strict=True))
    count = len(rows)
    return EventLog(
        listener=np.zeros(count, np.int64),
        station=station.astype(np.int64),
        track=track.astype(np.int64),
        time=np.arange(count, dtype=np.float64),
        outcome=outcome.astype(np.int8),
        label=label.astype(np.int8),
        weight=np.ones(count, np.float32),
        explicit=np.ones(count, np.bool_),
        tracks=tracks,
    )


def test_a_thumb_of_this_station_overrules_the_one_for_everywhere_here_and_only_here(world):
    count = len(world.catalogue.track_ids)
    rows = [
        (1, Outcome.THUMB_UP, 1, EVERYWHERE),
        (1, Outcome.THUMB_DOWN, -1, 0),
        (2, Outcome.THUMB_UP, 1, EVERYWHERE),
        (2, Outcome.FINISH, 1, 0),
        (3, Outcome.NEVER, -1, EVERYWHERE),
        (3, Outcome.THUMB_UP, 1, 0),
    ]
    here = head_labels(history(count, rows), 0, EVERYWHERE)
    assert list(zip(here.track.tolist(), here.label.tolist(), strict=True)) == [
        (1, -1),
        (2, 1),
        (2, 1),
        (3, -1),
        (3, 1),
    ]
    elsewhere = head_labels(history(count, rows), 1, EVERYWHERE)
    assert len(elsewhere.track) == len(rows)


def test_a_muted_track_leaves_the_running_update_with_all_its_labels(world):
    rows = [(1, Outcome.THUMB_UP, 1, 0), (2, Outcome.SKIP_EARLY, -1, 0), (1, Outcome.FINISH, 1, 0)]
    log = history(len(world.catalogue.track_ids), rows)
    scorer = LiveScorer(world.catalogue, None)
    muted = scorer.scores(log, 0, 9.0, Muted(labels=frozenset({1})))
    assert muted.labels.track.tolist() == [2]
    alone = LiveScorer(world.catalogue, None).scores(history(log.tracks, rows[1:2]), 0, 9.0)
    assert muted.head.pulls[0] * alone.head.pulls[0] > 0


def test_a_muted_part_is_gone_before_the_running_update_is_fitted(world):
    log = history(len(world.catalogue.track_ids), [(1, Outcome.THUMB_UP, 1, 0), (4, Outcome.THUMB_DOWN, -1, 0)])
    scorer = LiveScorer(world.catalogue, None)
    without = scorer.scores(log, 0, 9.0, Muted(parts=frozenset({ScorePart.SEED})))
    index = without.parts.parts.index(ScorePart.SEED)
    assert not without.parts.logits[index].any()
    np.testing.assert_allclose(without.parts.logits.sum(axis=0), without.total)
    silent = scorer.scores(log, 0, 9.0, Muted(parts=frozenset({ScorePart.HEAD})))
    assert len(silent.labels.track) == 0
    assert not silent.head.contribution(world.catalogue.space.vectors).any()
