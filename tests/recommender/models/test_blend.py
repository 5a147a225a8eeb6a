from dataclasses import replace

import numpy as np
import pytest

from recommender.models.blend import (
    NON_NEGATIVE,
    PRIOR_BLEND,
    PRIOR_WEIGHTS,
    RIDGES,
    Blend,
    Component,
    Scale,
    assemble,
    fit_blend,
    repetition,
)


def rows_with(truth, count=3000, seed=0):
    """Columns, and labels that follow from them by a logistic model with the given weights."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(count, len(Component))).astype(np.float32)
    odds = columns @ np.array(truth)
    label = np.where(rng.random(count) < 1 / (1 + np.exp(-odds)), 1, -1).astype(np.int8)
    return columns, label, np.ones(count, np.float32)


def test_repetition_equals_a_walk_through_the_history(make_world):
    log = make_world(events=120, tracks=60).log
    log = replace(
        log, label=np.where(np.arange(120) % 5, log.label, 0).astype(np.int8)
    )  # what has no label says nothing
    now = float(log.time[-1]) + 1000.0
    columns = repetition(log, now)
    for track in range(60):
        rows = [row for row in range(120) if log.track[row] == track]
        plus, minus = sum(log.label[row] > 0 for row in rows), sum(log.label[row] < 0 for row in rows)
        rest = (now - log.time[rows[-1]]) / 86400 if rows else 0.0
        expected = [np.log((plus + 1) / (minus + 1)), float(bool(rows)), np.log1p(rest), np.log1p(len(rows))]
        assert columns[track] == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_the_fit_finds_the_weights_that_made_the_labels():
    truth = [0.5, 1.0, 0.0, 1.5, -0.7, 0.3, 0.0, 0.8, 0.6]
    blend = fit_blend(*rows_with(truth, 15_000))
    recovered = np.array(blend.weights) / np.array(blend.spreads)
    assert recovered == pytest.approx(truth, abs=0.15)
    assert blend.rows == 15_000


def test_the_fit_is_the_same_in_whatever_units_the_columns_are():
    columns, label, weight = rows_with([0.5, 1.0, 0.3, 1.5, 0.7, 0.3, 0.0, 0.5, 0.6], 400)
    means, spreads = np.linspace(-2.0, 2.0, len(Component)), np.linspace(0.25, 4.0, len(Component))
    scale = Scale(tuple(means.tolist()), tuple(spreads.tolist()))
    scaled = fit_blend((columns * spreads + means).astype(np.float32), label, weight, scale)
    assert scaled.weights == pytest.approx(fit_blend(columns, label, weight).weights, abs=1e-3)
    assert (scaled.means, scaled.spreads) == (scale.means, scale.spreads)


def test_the_fit_is_the_optimum_of_its_objective():
    columns, label, weight = rows_with([0.5, 1.0, 0.8, 1.5, -0.7, 0.3, 0.4, 0.9, 0.6], count=80)
    weight = np.random.default_rng(1).random(80).astype(np.float32)
    blend = fit_blend(columns, label, weight)

    def objective(weights):
        logits = replace(blend, weights=tuple(weights)).score(columns).astype(np.float64)
        loss = (weight * np.log1p(np.exp(-label * logits))).sum()
        return loss + 0.5 * (np.array(RIDGES) * (np.array(weights) - PRIOR_WEIGHTS) ** 2).sum()

    best = objective(blend.weights)
    for column in Component:
        for step in (-0.05, 0.05):
            moved = np.array(blend.weights)
            moved[column] += step
            if column not in NON_NEGATIVE or moved[column] >= 0:
                assert objective(moved) >= best - 1e-4


def test_the_blend_is_calibrated_on_rows_it_has_not_seen():
    truth = [0.5, 1.0, 0.3, 1.5, -0.7, 0.3, 0.0, 0.5, 0.6]
    blend = fit_blend(*rows_with(truth))
    columns, label, _ = rows_with(truth, seed=9)
    probability = 1 / (1 + np.exp(-blend.score(columns)))
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        inside = (probability >= low) & (probability < low + 0.2)
        assert np.mean(label[inside] > 0) == pytest.approx(probability[inside].mean(), abs=0.08)


def test_a_component_that_misleads_is_dropped_and_never_turned_round():
    blend = fit_blend(*rows_with([-1.0, -1.0, -1.0, 2.0, 0.0, 0.0, 0.0, -1.0, -1.0]))
    misleading = (Component.SEED, Component.CLEP, Component.SEQUENCE, Component.HEAD, Component.HABIT)
    assert [blend.weights[column] for column in misleading] == [0.0] * len(misleading)


@pytest.mark.parametrize("count", [0, 1, 19])
def test_too_few_rows_leave_the_prior_weights(count):
    columns, label, weight = rows_with([0.0] * len(Component), count=count)
    blend = fit_blend(columns, label, weight)
    assert blend.weights == PRIOR_WEIGHTS
    assert blend.rows == 0
    assert np.isfinite(blend.score(rows_with([0.0] * len(Component), 5)[0])).all()


def test_one_kind_of_feedback_leaves_the_prior_weights():
    columns, _, weight = rows_with([0.0] * len(Component), count=50)
    assert fit_blend(columns, np.ones(50, np.int8), weight).rows == 0


def test_contributions_add_up_to_the_score_and_stand_nan():
    columns = rows_with([0.0] * len(Component), 6)[0]
    columns[2, Component.SEED] = np.nan
    blend = Blend(0.25, PRIOR_WEIGHTS, (0.1,) * len(Component), (2.0,) * len(Component), 9)
    assert blend.score(columns) == pytest.approx(blend.contributions(columns).sum(axis=1) + 0.25)
    assert np.isfinite(blend.score(columns)).all()


def test_assemble_puts_each_component_in_its_column(make_world):
    log = make_world(events=30, tracks=9).log
    repeated = repetition(log, float(log.time[-1]))
    columns = assemble(np.full(9, 1.0), np.full(9, 2.0), np.full(9, 3.0), repeated)
    assert columns[:, : Component.LIKING].tolist() == [[1.0, 2.0, 3.0]] * 9
    assert np.array_equal(columns[:, Component.LIKING : Component.HEAD], repeated)
    assert not columns[:, Component.HEAD].any()
    assert PRIOR_BLEND.score(columns).shape == (9,)


def test_the_models_are_scaled_over_the_library_and_nothing_else_is():
    rng = np.random.default_rng(0)
    clep, sequence = rng.normal(3.0, 2.0, 5000).astype(np.float32), rng.normal(-1.0, 5.0, (4, 5000)).astype(np.float32)
    scale = Scale.of_models(clep, sequence)
    assert scale.means[Component.CLEP] == pytest.approx(3.0, abs=0.1)
    assert scale.spreads[Component.SEQUENCE] == pytest.approx(5.0, abs=0.2)
    others = [column for column in Component if column not in {Component.CLEP, Component.SEQUENCE}]
    assert [scale.means[column] for column in others] == [0.0] * len(others)
    assert [scale.spreads[column] for column in others] == [1.0] * len(others)


def test_a_column_that_hardly_varies_in_a_short_history_does_not_rule_the_library():
    columns = np.zeros((40, len(Component)), np.float32)
    columns[0, Component.LIKING] = 0.01
    label = np.where(np.arange(40) % 2, -1, 1).astype(np.int8)
    blend = fit_blend(columns, label, np.ones(40, np.float32), Scale())
    assert blend.rows == 40
    assert abs(blend.weights[Component.LIKING] - PRIOR_WEIGHTS[Component.LIKING]) < 0.01


def test_with_nothing_fitted_a_model_serves_what_the_running_update_says():
    columns = rows_with([0.0] * len(Component), 6)[0]
    assert PRIOR_BLEND.score(columns) == pytest.approx(columns[:, Component.HEAD])


def test_a_louder_blend_orders_alike():
    blend = fit_blend(*rows_with([0.5, 1.0, 0.3, 1.5, -0.7, 0.3, 0.0, 0.5, 0.6], 300))
    columns = rows_with([0.0] * len(Component), 20)[0]
    louder = blend.louder(2.5)
    assert louder.contributions(columns) == pytest.approx(2.5 * blend.contributions(columns), rel=1e-5)
    assert np.array_equal(np.argsort(louder.score(columns)), np.argsort(blend.score(columns)))


def test_constant_scores_are_only_centred():
    scale = Scale.of_models(np.full(7, 2.0, np.float32), np.zeros((0, 7), np.float32))
    assert scale.means[Component.CLEP] == 2.0
    assert scale.spreads[Component.CLEP] == scale.spreads[Component.SEQUENCE] == 1.0
