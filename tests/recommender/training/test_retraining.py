import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.protocol import count_pairs
from recommender.events import empty_log
from recommender.models.content_space import ContentSpace
from recommender.models.model_card import FrontEndId, Model
from recommender.models.model_scorer import Catalogue, ModelScorer, rows_of
from recommender.models.station_scorer import UNTRAINED
from recommender.sequence.batches import BatchSampler
from recommender.training.history_evaluation import MODEL, evaluate_listener, split_with_pairs
from recommender.training.material import Material
from recommender.training.retraining import LIVE, retrain

pytestmark = pytest.mark.slow

QUICK = TrainingConfig(
    ClepConfig(widths=(32, 16, 16, 8), head_widths=(8, 8, 1), epochs=8, head_epochs=15),
    SequentialConfig(width=16, length=16, epochs=8, learning_rate=0.005),
)


def run(world, log=None, config=QUICK, live=None, on_progress=lambda _: None, should_stop=lambda: False):
    return retrain(world.log if log is None else log, world.catalogue, config, live, on_progress, should_stop)


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(events=500)


@pytest.fixture(scope="module")
def result(world):
    return run(world)


def first_rows(log, count):
    return log.where(np.arange(len(log)) < count)


def test_retraining_learns_the_taste_and_promotes_the_model(result):
    assert result.missing == ()
    assert result.promoted
    assert result.model.card.promoted
    assert result.model.card.reason == result.reason
    assert result.report.mean(MODEL, Measure.PAIR_AUC) > 0.75
    assert result.report.mean(MODEL, Measure.PAIR_AUC) > result.report.mean("random", Measure.PAIR_AUC) + 0.15


def test_every_figure_stands_beside_the_baselines(result):
    models = {row.model for row in result.report.rows}
    assert models == {MODEL, "random", "popularity", "like-rate", "personal-most-played", "content-knn", UNTRAINED}
    assert len(result.model.card.metrics) == len(result.report.rows)
    for measure in (Measure.PAIR_AUC, Measure.MRR_NEGATIVE, Measure.NDCG, Measure.GINI, Measure.COVERAGE):
        assert {row.model for row in result.report.rows if row.metric == measure} == models


def test_labels_without_a_cause_are_not_learned(world):
    rng = np.random.default_rng(0)
    shuffled = replace(world.log, label=rng.permutation(world.log.label), outcome=np.full(len(world.log), 3, np.int8))
    assert run(world, shuffled).report.mean(MODEL, Measure.PAIR_AUC) < 0.65


def test_the_same_history_and_seed_give_the_same_model_and_another_seed_does_not(world):
    quick = replace(QUICK, sequential=replace(QUICK.sequential, epochs=2), clep=replace(QUICK.clep, epochs=2))
    first, again, other = (run(world, config=replace(quick, seed=seed)).model for seed in (0, 0, 1))
    assert all(np.array_equal(first.arrays[name], again.arrays[name]) for name in first.arrays)
    assert first.card.blend == again.card.blend
    assert first.card.metrics == again.card.metrics
    assert not np.array_equal(first.arrays["sequence.own"], other.arrays["sequence.own"])


def test_the_gate_slice_has_no_part_in_the_model(world, result):
    gate = world.log.time >= split_with_pairs(world.log).gate.time[0]
    turned = replace(world.log, label=np.where(gate, -world.log.label, world.log.label).astype(np.int8))
    other = run(world, turned).model
    assert other.card.seen_until == result.model.card.seen_until
    assert all(np.array_equal(result.model.arrays[name], other.arrays[name]) for name in other.arrays)
    assert other.card.blend == result.model.card.blend
    assert other.card.metrics != result.model.card.metrics
    assert result.model.card.seen_until < world.log.time[gate].min()


def test_a_history_of_opposite_taste_does_not_pass_the_gate(world):
    before_gate = world.log.time < split_with_pairs(world.log).gate.time[0]
    opposite = np.where(before_gate, -world.log.label, world.log.label).astype(np.int8)
    refused = run(world, replace(world.log, label=opposite))
    assert not refused.promoted
    assert refused.reason.startswith("Refused")


@pytest.mark.parametrize(
    ("label", "count", "sentences"),
    [
        (1, 8, ["12 more thumbs, skips or finished tracks (have 8 of 20)", "at least 5 dislikes or skips (have 0)"]),
        (-1, 30, ["at least 5 likes or finished tracks (have 0)"]),
    ],
)
def test_too_little_history_says_what_is_missing(make_log, world, label, count, sentences):
    log = make_log([(0, 0, t % 80, t, label) for t in range(count)], tracks=80)
    missing = run(world, log)
    assert [line for line in sentences if line not in missing.missing] == []
    assert missing.model is None
    assert not missing.promoted


def test_an_empty_history_is_a_result_and_no_error(world):
    missing = run(world, empty_log(80))
    assert len(missing.missing) == 3


def test_a_library_without_vectors_asks_for_embedding(world):
    blind = replace(world.catalogue, vectors=np.full_like(world.catalogue.vectors, np.nan))
    missing = retrain(world.log, blind, QUICK, None, lambda _: None, lambda: False)
    assert any("embed" in line for line in missing.missing)


def test_likes_first_and_dislikes_only_lately_is_named(make_log, world):
    log = make_log([(0, 0, t % 80, t, 1 if t < 95 else -1) for t in range(100)], tracks=80)
    assert any("disliked track in the older part" in line for line in run(world, log).missing)


@pytest.mark.parametrize("events", [40, 100])
def test_a_hundred_events_or_fewer_run_to_the_end(make_world, events):
    small = make_world(events=events, tracks=240)
    result = run(small)
    assert result.missing == ()
    assert np.isfinite(ModelScorer(result.model, small.catalogue).clep.logits).all()


def test_one_block_of_likes_then_one_of_dislikes_runs_to_the_end(make_log, world):
    log = make_log([(0, 0, t % 80, t, 1 if t < 60 else -1) for t in range(100)], tracks=80)
    result = run(world, log)
    assert result.missing == ()
    assert all(np.isfinite(row.mean) for row in result.report.rows)


def test_progress_names_every_stage_and_counts_up(world):
    seen = []
    run(world, on_progress=seen.append)
    assert list(dict.fromkeys(step.stage for step in seen)) == ["content", "sequence", "update", "blend", "evaluation"]
    for stage in ("content", "sequence", "update", "blend"):
        steps = [step for step in seen if step.stage == stage]
        assert [step.step for step in steps] == list(range(1, len(steps) + 1))
        assert all(step.step <= step.steps and step.seconds_left >= 0 for step in steps)
    assert all(step.metric is not None for step in seen if step.stage == "sequence")


def test_stopping_keeps_and_measures_the_best_so_far(world):
    seen = []
    result = run(world, on_progress=seen.append, should_stop=lambda: True)
    assert result.stopped
    assert result.model is not None
    assert sum(step.stage == "sequence" for step in seen) == 1


def test_the_live_model_is_measured_on_rows_that_neither_has_seen(world):
    live = run(world, first_rows(world.log, 350)).model
    result = run(world, live=live)
    assert live.card.seen_until < split_with_pairs(world.log).gate.time[0]
    assert result.report.mean(LIVE, Measure.PAIR_AUC) is not None


def test_a_live_model_that_has_seen_everything_stays(world, result):
    live = Model(replace(result.model.card, seen_until=float(world.log.time[-1])), result.model.arrays)
    again = run(world, live=live)
    assert not again.promoted
    assert "live model stays" in again.reason


def test_a_live_model_of_other_vectors_is_no_rival(world, result):
    foreign = Model(replace(result.model.card, frontend=FrontEndId("other", "1", 12)), result.model.arrays)
    again = run(world, live=foreign)
    assert again.promoted
    assert again.report.mean(LIVE, Measure.PAIR_AUC) is None


def test_indices_beyond_the_catalogue_are_refused(world, make_log):
    with pytest.raises(ValueError, match="the catalogue has 80"):
        run(world, empty_log(81))
    with pytest.raises(ValueError, match="names station 4"):
        run(world, make_log([(0, 4, 0, 0, 1)], tracks=80))


def test_the_gate_grows_until_it_holds_enough_pairs(make_log):
    rows = [(0, 0, t % 50, t, -1 if 75 <= t < 80 else 1) for t in range(100)]
    log = make_log(rows, tracks=50)
    assert count_pairs(split_with_pairs(log).gate) >= 20
    assert 20 < len(split_with_pairs(log).gate) <= 30
    balanced = make_log([(0, 0, t % 50, t, 1 - 2 * (t % 2)) for t in range(100)], tracks=50)
    assert len(split_with_pairs(balanced).gate) == 15


def test_a_model_scores_a_catalogue_that_grew_and_was_reordered(world, result):
    rng = np.random.default_rng(0)
    place = rng.permutation(90)  # ten new tracks, all in another order
    old = world.catalogue
    ids = np.concatenate([old.track_ids, np.arange(10) + 9000])[place]
    vectors = np.concatenate([old.vectors, rng.normal(size=(10, 12)).astype(np.float32)])[place]
    grown = Catalogue(
        ids,
        old.station_ids[::-1].copy(),
        vectors,
        old.frontend,
        np.zeros((2, 90), np.float32),
        ContentSpace.fit(vectors, np.full(90, -1), np.full(90, -1)),
    )
    before = ModelScorer(result.model, old)
    after = ModelScorer(result.model, grown)
    where = np.argsort(place)[:80]  # new index of each old track
    log = world.log
    moved = replace(log, track=where[log.track], station=1 - log.station, tracks=90)
    now = float(log.time[-1]) + 60.0
    blend = result.model.card.blend
    old_scores, new_scores = blend.score(before.columns(log, 0, now)), blend.score(after.columns(moved, 1, now))
    assert new_scores[where] == pytest.approx(old_scores, abs=1e-4)
    assert np.isfinite(new_scores).all()


def test_rows_of_finds_ids_in_any_order():
    assert rows_of(np.array([5, 9, 1]), np.array([1, 7, 5])).tolist() == [3, 0, 1]
    assert rows_of(np.array([5]), np.empty(0, np.int64)).tolist() == [0]


def test_a_catalogue_whose_arrays_do_not_fit_is_refused(world):
    with pytest.raises(ValueError, match="seed_similarity has shape"):
        replace(world.catalogue, seed_similarity=np.zeros((1, 80), np.float32))
    with pytest.raises(ValueError, match="vectors have shape"):
        replace(world.catalogue, vectors=np.zeros((80, 3), np.float32))


def test_evaluating_a_stored_model_starts_after_what_it_has_seen(world, result):
    report = evaluate_listener(result.model, world.log, world.catalogue).evaluation.report
    assert report.mean(MODEL, Measure.PAIR_AUC) == pytest.approx(result.report.mean(MODEL, Measure.PAIR_AUC))
    late = Model(replace(result.model.card, seen_until=float(world.log.time[-10])), result.model.arrays)
    later = evaluate_listener(late, world.log, world.catalogue).evaluation.report
    assert later.positives + later.negatives == 9


def test_evaluating_without_a_model_or_a_history_gives_the_baselines_or_the_reasons(world):
    assert (
        evaluate_listener(None, world.log, world.catalogue).evaluation.report.mean("like-rate", Measure.PAIR_AUC)
        is not None
    )
    assert evaluate_listener(None, empty_log(80), world.catalogue).evaluation.report.rows == ()


def test_serving_and_evaluating_never_import_torch_or_scipy():
    code = (
        "import sys, recommender.models.model_scorer, recommender.models.registry, recommender.training.history_evaluation;"
        "print([m for m in ('torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_like_that_shares_the_moment_of_another_event_is_one_that_follows_it(make_log, world):
    """Each row of the older part is of another listener but two, which are of one moment: the sequence can learn from them."""
    rows = [(0, 0, t % 80, t if t > 1 else 0, 1 if t % 2 else -1) for t in range(100)]
    rows = [(0 if t < 2 or t > 70 else t, *row[1:]) for t, row in enumerate(rows)]
    material = Material.of(make_log(rows, tracks=80), world.catalogue, 2000)
    assert material.missing() == ()
    assert not BatchSampler(material.split.train, QUICK.sequential).empty
