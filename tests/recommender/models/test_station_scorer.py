from dataclasses import replace

import numpy as np
import pytest

from recommender.baselines import Context
from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.events import EventLog, Outcome
from recommender.models.blend import Component
from recommender.models.model_scorer import ModelScorer
from recommender.models.station_scorer import (
    EVERYWHERE_SHARE,
    HALF_LIFE,
    HEAD_ROWS,
    OTHER_STATION_SHARE,
    STATION_PULL,
    UNTRAINED,
    AsServed,
    LiveScorer,
    head_labels,
)
from recommender.ranking.explain import ScorePart
from recommender.training.retraining import retrain
from recommender.training.tuning import with_blend


@pytest.fixture(scope="module")
def world(make_world):
    return make_world()


def history(tracks, rows):
    """Rows of (track, outcome, label, station)."""
    track, outcome, label, station = (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 4
    count = len(rows)
    return EventLog(
        listener=np.zeros(count, np.int64),
        station=np.array(station, np.int64),
        track=np.array(track, np.int64),
        time=np.arange(count, dtype=np.float64),
        outcome=np.array(outcome, np.int8),
        label=np.array(label, np.int8),
        weight=np.ones(count, np.float32),
        explicit=np.ones(count, np.bool_),
        tracks=tracks,
    )


def test_without_history_the_seeds_alone_decide(world):
    catalogue = world.catalogue
    similarity = np.random.default_rng(0).standard_normal(catalogue.seed_similarity.shape).astype(np.float32)
    seeded = type(catalogue)(
        catalogue.track_ids, catalogue.station_ids, catalogue.vectors, catalogue.frontend, similarity, catalogue.space
    )
    scores = LiveScorer(seeded, None).scores(history(len(catalogue.track_ids), []), 0, 0.0)
    np.testing.assert_allclose(scores.total, STATION_PULL * similarity[0], rtol=1e-6)


def test_one_thumb_down_lowers_the_track_and_those_that_sound_like_it(world):
    count = len(world.catalogue.track_ids)
    down = history(count, [(3, Outcome.THUMB_DOWN, -1, 0)])
    total = LiveScorer(world.catalogue, None).scores(down, 0, 1.0).total
    likeness = world.catalogue.space.vectors @ world.catalogue.space.vectors[3]
    nearest = np.argsort(-likeness)[1]
    furthest = np.argmin(likeness)
    assert total[3] < total[nearest] < total[furthest]
    assert total[3] < 0


def test_a_label_counts_less_on_another_station_but_never_counts_everywhere(world):
    rows = [(1, Outcome.THUMB_UP, 1, 0), (2, Outcome.THUMB_UP, 1, 1), (4, Outcome.NEVER, -1, 1)]
    labels = head_labels(history(len(world.catalogue.track_ids), rows), 0)
    np.testing.assert_allclose(labels.weight, [1.0, OTHER_STATION_SHARE, 1.0], rtol=0.02)


def test_a_label_fades_by_what_was_said_since_on_this_station(world):
    half_life = round(HALF_LIFE)
    here = [(1, Outcome.THUMB_UP, 1, 0)] + [(2, Outcome.FINISH, 1, 0)] * half_life
    elsewhere = [(1, Outcome.THUMB_UP, 1, 0)] + [(2, Outcome.FINISH, 1, 1)] * half_life
    count = len(world.catalogue.track_ids)
    assert head_labels(history(count, here), 0).weight[0] == pytest.approx(0.5)
    assert head_labels(history(count, elsewhere), 0).weight[0] == pytest.approx(0.5**OTHER_STATION_SHARE)
    assert head_labels(history(count, here), 0).weight[-1] == 1.0


def test_a_thumb_given_on_no_station_counts_on_every_one_and_a_skip_there_does_not(world):
    count = len(world.catalogue.track_ids)
    rows = [(1, Outcome.THUMB_UP, 1, 9), (2, Outcome.SKIP_EARLY, -1, 9), (3, Outcome.THUMB_DOWN, -1, 1)]
    log = history(count, rows)
    log = replace(log, explicit=np.array([True, False, True]))
    labels = head_labels(log, 0, everywhere=9)
    np.testing.assert_allclose(labels.weight, [EVERYWHERE_SHARE, OTHER_STATION_SHARE, OTHER_STATION_SHARE], rtol=0.02)
    assert labels.everywhere.tolist() == [True, False, False]
    assert not head_labels(log, 0).everywhere.any(), "in a log without such a place, it is a station like any other"


def test_a_taste_for_what_is_far_from_the_seeds_does_not_pull_a_station_away_from_them(world):
    """Liked everywhere, track 5 lies far from this station's seeds: that is no surprise to be explained by the head."""
    catalogue = world.catalogue
    similarity = np.zeros(catalogue.seed_similarity.shape, np.float32)
    similarity[0, 5] = -3.0
    seeded = replace(catalogue, seed_similarity=similarity, everywhere=1)
    unseeded = replace(catalogue, everywhere=1)
    likes = history(len(catalogue.track_ids), [(5, Outcome.THUMB_UP, 1, 1)])
    head = LiveScorer(seeded, None).scores(likes, 0, 1.0).head
    np.testing.assert_allclose(head.weights, LiveScorer(unseeded, None).scores(likes, 0, 1.0).head.weights, atol=1e-8)
    here = history(len(catalogue.track_ids), [(5, Outcome.THUMB_UP, 1, 0)])
    surprised = LiveScorer(seeded, None).scores(here, 0, 1.0).head
    assert np.linalg.norm(surprised.weights) > 1.2 * np.linalg.norm(head.weights)


def test_the_head_sees_the_newest_labels_and_no_unlabelled_row(world):
    rows = [(i % 5, Outcome.FINISH, 1 if i % 2 else 0, 0) for i in range(3 * HEAD_ROWS)]
    labels = head_labels(history(len(world.catalogue.track_ids), rows), 0)
    assert len(labels.track) == HEAD_ROWS
    assert (labels.label == 1).all()


@pytest.mark.slow
def test_the_parts_sum_to_the_score_with_a_model_too(world):
    config = TrainingConfig(
        clep=ClepConfig(epochs=2, head_epochs=2), sequential=SequentialConfig(epochs=1, width=16, length=8)
    )
    result = retrain(world.log, world.catalogue, config, None, lambda _progress: None, lambda: False)
    assert result.model is not None
    every = replace(result.model.card.blend, weights=(0.5,) * len(Component))
    model = with_blend(result.model, every)
    scorer = LiveScorer(world.catalogue, ModelScorer(model, world.catalogue))
    now = float(world.log.time[-1]) + 1
    scores = scorer.scores(world.log, 0, now)
    blended = every.contributions(scorer.columns(world.log, 0, now)).sum(axis=1)
    np.testing.assert_allclose(scores.total - scores.parts.logits[0], blended, rtol=1e-4, atol=1e-4)
    assert scores.head_weight == 0.5
    np.testing.assert_allclose(scores.parts.logits.sum(axis=0), scores.total, rtol=1e-6, atol=1e-6)
    used = {part for part, row in zip(scores.parts.parts, scores.parts.logits, strict=True) if row.any()}
    assert {ScorePart.HEAD, ScorePart.CLEP, ScorePart.SEQUENCE} <= used


def test_what_is_measured_is_what_is_served(world):
    recommender = AsServed(world.catalogue, None, UNTRAINED)
    recommender.fit(world.log)
    now = float(world.log.time[-1]) + 1
    served = LiveScorer(world.catalogue, None).scores(world.log, 1, now).total
    measured = recommender.score(Context(0, 1, now, world.log))
    np.testing.assert_allclose(measured, served, rtol=1e-5, atol=1e-5)
    assert recommender.explain(Context(0, 1, now, world.log), 0)


def test_a_log_about_another_catalogue_is_refused(world):
    with pytest.raises(ValueError, match="catalogue"):
        AsServed(world.catalogue, None, UNTRAINED).fit(history(3, []))
