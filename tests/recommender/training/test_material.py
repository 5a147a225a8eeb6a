"""Incremental training: the rule, the rows, and the weights it begins with."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.models.model_card import Kind, check_arrays
from recommender.models.model_scorer import ModelScorer
from recommender.models.station_scorer import AsServed
from recommender.training.material import FULL_GROWTH, STRETCH, plan_training, remembered, replay, starting_weights
from recommender.training.retraining import retrain
from recommender.training.sequential_recommender import ESASREC

pytestmark = pytest.mark.slow

CONFIG = TrainingConfig(ClepConfig.best(), SequentialConfig(width=16, length=16, epochs=3))


def train(log, world, live=None, config=CONFIG, *, full=False):
    return retrain(log, world.catalogue, config, live, lambda _: None, lambda: False, full=full).model


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(events=460)


@pytest.fixture(scope="module")
def parent(world):
    first = train(world.log.first(400), world)
    return replace(first, card=replace(first.card, version="parent"))


@pytest.fixture(scope="module")
def child(world, parent):
    """The parent gone on with to the end of the log."""
    return train(world.log, world, parent)


def test_the_first_training_is_full_and_says_why(parent):
    lineage = parent.card.lineage
    assert (lineage.kind, lineage.why, lineage.parent) == (Kind.FULL, "no model to go on from", "")
    assert (lineage.full_rows, lineage.log_rows, lineage.replayed_rows) == (400, 400, 0)


def test_little_new_is_learned_incrementally_with_the_old_replayed(world, parent, child):
    lineage = child.card.lineage
    assert (lineage.kind, lineage.parent, lineage.full_rows) == (Kind.INCREMENTAL, "parent", 400)
    assert "grew by 15%" in lineage.why
    assert lineage.new_rows > 0
    assert lineage.replayed_rows > lineage.new_rows
    assert lineage.trained_until > parent.card.lineage.trained_until
    check_arrays(child)
    served = AsServed(world.catalogue, ModelScorer(child, world.catalogue), "child")
    served.fit(world.log)


def test_a_log_that_grew_by_a_fifth_is_learned_in_full(world, parent):
    assert len(world.log) / 400 - 1 < FULL_GROWTH
    short = replace(parent, card=replace(parent.card, lineage=replace(parent.card.lineage, full_rows=380)))
    plan = plan_training(world.log, world.log.first(300), CONFIG, short)
    assert (plan.kind, plan.why) == (Kind.FULL, "the log grew by 21%")


def test_full_on_request_and_with_other_settings(world, parent):
    asked = plan_training(world.log, world.log.first(300), CONFIG, parent, full=True)
    assert (asked.kind, asked.why) == (Kind.FULL, "asked for")
    other = replace(CONFIG, sequential=replace(CONFIG.sequential, p_hard=0.0))
    assert plan_training(world.log, world.log.first(300), other, parent).why == "other settings than the model in use"


def test_a_replay_is_whole_stretches_of_bounded_number_newer_ones_likelier():
    count, wanted = 100 * STRETCH, 20 * STRETCH
    drawn = np.zeros(100)
    for seed in range(200):
        rows = replay(count, wanted, seed)
        assert len(rows) == wanted
        stretches = rows.reshape(-1, STRETCH)
        assert np.array_equal(stretches, stretches[:, :1] + np.arange(STRETCH))
        assert np.all(np.diff(rows) > 0)
        drawn[stretches[:, 0] // STRETCH] += 1
    assert drawn[75:].sum() > 1.3 * drawn[50:75].sum() > 1.3 * 1.3 * drawn[25:50].sum()
    assert drawn[:25].sum() > 0


@pytest.mark.parametrize("count", [0, 1, 63, 64, 1000])
def test_what_fits_is_replayed_whole(count):
    assert np.array_equal(replay(count, 1000, 0), np.arange(count))


def test_an_odd_end_is_never_overrun():
    for seed in range(50):
        rows = replay(1001, 200, seed)
        assert len(rows) <= 200
        assert rows.max() <= 1000


def test_weights_begin_as_the_parents_and_strangers_afresh(world, parent):
    start = starting_weights(parent, world.catalogue, world.log)
    heard = np.flatnonzero(np.bincount(world.log.track, minlength=world.log.tracks))
    known = parent.arrays["track_ids"].tolist()
    for row, track in enumerate(heard, start=1):
        lasting = int(world.catalogue.track_ids[track])
        if lasting in known:
            assert np.array_equal(start["sequence.own"][row], parent.arrays["sequence.own"][known.index(lasting) + 1])
        else:
            assert np.isnan(start["sequence.own"][row]).all()
    assert np.array_equal(start["sequence.tower"], parent.arrays["sequence.tower"])


def test_what_the_parent_knew_of_tracks_that_were_not_replayed_is_kept(world, parent):
    ids = parent.arrays["track_ids"]
    few = {**parent.arrays, "track_ids": ids[:5], "sequence.own": parent.arrays["sequence.own"][:6] * 2}
    kept = remembered(few, parent, world.catalogue)
    assert kept["track_ids"].tolist() == ids.tolist()
    assert np.array_equal(kept["sequence.own"][6:], parent.arrays["sequence.own"][6:])
    assert np.array_equal(kept["sequence.own"][:6], few["sequence.own"])


def test_tracks_that_left_the_library_are_let_go(world, parent):
    ids = parent.arrays["track_ids"]
    few = {**parent.arrays, "track_ids": ids[:5], "sequence.own": parent.arrays["sequence.own"][:6]}
    gone = replace(
        world.catalogue, track_ids=np.where(world.catalogue.track_ids == ids[-1], -7, world.catalogue.track_ids)
    )
    assert remembered(few, parent, gone)["track_ids"].tolist() == ids[:-1].tolist()


def test_every_configuration_goes_on(world, child):
    """Gated blocks have more arrays than plain ones; all find their rows."""
    best = replace(ESASREC, width=16, heads=2, length=16, epochs=1, refit=False)
    config = replace(CONFIG, sequential=best)
    for model in (child, train(world.log, world, train(world.log.first(400), world, config=config), config)):
        assert model.card.lineage.kind is Kind.INCREMENTAL
        check_arrays(model)
        assert np.isfinite(ModelScorer(model, world.catalogue).sequence.items).all()


def test_going_on_keeps_what_was_learned(world, parent):
    """One epoch from the parent's weights is nearer to the parent than one from scratch."""
    one = replace(CONFIG, sequential=replace(CONFIG.sequential, epochs=1))
    going_on = replace(parent, card=replace(parent.card, configuration=one))
    child, stranger = train(world.log, world, going_on, one), train(world.log, world, going_on, one, full=True)
    tower = parent.arrays["sequence.tower"]
    assert np.linalg.norm(child.arrays["sequence.tower"] - tower) < 0.5 * np.linalg.norm(
        stranger.arrays["sequence.tower"] - tower
    )
