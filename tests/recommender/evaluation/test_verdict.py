"""What is concluded from figures: each standing, the sentences, and how much more it takes."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.evaluation.bootstrap import Difference
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.query_states import State
from recommender.evaluation.report import Comparison, Evaluation, Figure, MetricRow, Report, SplitFacts, compare
from recommender.evaluation.verdict import (
    FEWEST_BLOCKS,
    Standing,
    conclude,
    events_for_pairs,
    log_facts,
    roughly,
)
from recommender.events import empty_log

PLENTY = 40
RESAMPLES = 1000


def figures(models, seed=0):
    """Pair AUC of models given as name → (mean, standard error); errors are independent between models."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, (mean, error) in models.items():
        resampled = mean + error * rng.standard_normal(RESAMPLES)
        low, high = np.quantile(resampled, [0.025, 0.975])
        found[name, Measure.PAIR_AUC] = Figure(np.array([mean]), resampled, mean, float(low), float(high))
    return found


def evaluation(models, positives=60, negatives=40, pairs=900):
    found = figures(models)
    rows = tuple(MetricRow(name, measure, each.mean, each.low, each.high) for (name, measure), each in found.items())
    facts = SplitFacts("at-moment", State.WALKING, True, 300, 50, positives + negatives, 0.0, 0.0)
    report = Report(rows, positives, negatives, pairs, 1, int(pairs > 0), facts, (), (), "station", (), (), (), seeds=1)
    return Evaluation(report, np.array([0]), found)


@pytest.fixture
def facts(make_log):
    return log_facts(make_log([(0, 0, k % 7, 4000.0 * k, 1 if k % 3 else -1) for k in range(300)], 7))


def concluded(facts, model, baseline, blocks=PLENTY, **counts):
    models = {"model": model, "random": (0.5, 0.02), "like-rate": baseline}
    return conclude(evaluation(models, **counts), "model", facts, blocks)


@pytest.mark.parametrize(
    ("model", "baseline", "standing", "words"),
    [
        ((0.80, 0.01), (0.70, 0.01), Standing.BETTER, "better than the best baseline (like-rate, 70 %) by 10 points"),
        ((0.71, 0.04), (0.66, 0.02), Standing.PROBABLY_BETTER, "certainty; that is not yet sure"),
        ((0.71, 0.02), (0.69, 0.03), Standing.UNDECIDED, "cannot be told apart from the best baseline"),
        ((0.66, 0.02), (0.71, 0.04), Standing.PROBABLY_WORSE, "worse than the best baseline (like-rate, 71 %) with"),
        ((0.60, 0.01), (0.70, 0.01), Standing.WORSE, "worse than the best baseline (like-rate, 70 %) by 10 points"),
    ],
)
def test_each_standing_has_its_sentence(facts, model, baseline, standing, words):
    conclusion = concluded(facts, model, baseline)
    assert conclusion.standing is standing
    assert words in conclusion.sentence
    assert conclusion.sentence.startswith(f"The model orders a liked above a disliked track in {100 * model[0]:.0f} %")
    assert conclusion.sentence.endswith(".")
    assert conclusion.best == "like-rate"
    assert (conclusion.more_events is None) == (standing in (Standing.BETTER, Standing.WORSE))


def test_chance_is_never_the_best_baseline_however_lucky(facts):
    models = {"model": (0.6, 0.01), "random": (0.9, 0.01), "like-rate": (0.55, 0.01)}
    assert conclude(evaluation(models), "model", facts, PLENTY).best == "like-rate"


def test_nothing_is_sure_on_a_few_blocks_of_listening(facts):
    conclusion = concluded(facts, (0.9, 0.01), (0.6, 0.01), blocks=FEWEST_BLOCKS - 1)
    assert conclusion.standing is Standing.PROBABLY_BETTER
    assert "more than 99 % certainty; that is not yet sure" in conclusion.sentence
    assert any("too narrow" in detail for detail in conclusion.details)
    assert not any("surely" in detail for detail in conclusion.details)
    assert conclusion.more_events > 0


def test_a_figure_that_may_be_chance_is_said_to_be_so(facts):
    assert any("is not shown" in detail for detail in concluded(facts, (0.53, 0.05), (0.5, 0.05)).details)
    assert any("it is above that" in detail for detail in concluded(facts, (0.8, 0.01), (0.7, 0.01)).details)
    assert any("it is below that" in detail for detail in concluded(facts, (0.3, 0.01), (0.7, 0.01)).details)


def test_recommenders_that_score_all_alike_are_undecided_and_called_no_order(facts):
    conclusion = concluded(facts, (0.5, 0.0), (0.5, 0.0))
    assert conclusion.standing is Standing.UNDECIDED
    assert any("no order at all" in detail for detail in conclusion.details)
    assert any("take them as equal" in detail for detail in conclusion.details)
    assert conclusion.more_events is None


def test_figures_that_round_alike_show_a_decimal(facts):
    assert "in 70.4 % of pairs" in concluded(facts, (0.704, 0.05), (0.702, 0.05)).sentence


def test_an_empty_log_says_what_makes_a_beginning():
    conclusion = conclude(evaluation({}, 0, 0, 0), "untrained", log_facts(empty_log(9)), 0)
    assert conclusion.standing is Standing.NO_FEEDBACK
    assert "nothing can be concluded" in conclusion.sentence
    assert conclusion.more_events == 30  # nine judged rows make 20 pairs, and are three tenths of thirty


def test_feedback_that_the_model_has_all_seen_says_to_listen_on(facts):
    conclusion = conclude(evaluation({}, 0, 0, 0), "model", facts, 0)
    assert conclusion.standing is Standing.NO_FEEDBACK
    assert "newer" in conclusion.sentence


def test_too_few_pairs_say_how_many_there_are_and_how_many_more_events_it_takes(make_log):
    few = log_facts(make_log([(0, 0, k, 4000.0 * k, 1 if k % 2 else -1) for k in range(6)], 7))
    conclusion = conclude(evaluation({"model": (0.5, 0.1)}, 2, 1, 2), "model", few, 1)
    assert conclusion.standing is Standing.TOO_LITTLE
    assert "holds 2 likes and 1 dislike, which make 2 of the 20 pairs" in conclusion.sentence
    assert conclusion.more_events >= events_for_pairs(few) - few.events
    assert any("likes so far are 3 of 6 clear answers (50 %)" in detail for detail in conclusion.details)


@pytest.mark.parametrize(("label", "missing", "deed"), [(1, "dislike", "thumb down or skip"), (-1, "like", "thumb up")])
def test_a_one_sided_log_asks_for_the_other_side(make_log, label, missing, deed):
    one_sided = log_facts(make_log([(0, 0, k % 7, 4000.0 * k, label) for k in range(60)], 7))
    counts = (9, 0) if label > 0 else (0, 9)
    conclusion = conclude(evaluation({"model": (0.5, 0.1)}, *counts, 0), "model", one_sided, 5)
    assert conclusion.standing is Standing.TOO_LITTLE
    assert f"without any {missing} there is nothing to compare" in conclusion.sentence
    assert deed in conclusion.sentence
    assert "about 5 more" in conclusion.sentence


def test_the_events_asked_for_do_make_the_pairs(make_log):
    for share in (0.5, 0.8, 0.95):
        few = log_facts(make_log([(0, 0, 0, 4000.0 * k, 1 if k < 40 * share else -1) for k in range(40)], 1))
        rows = 0.3 * events_for_pairs(few)
        smoothed = (few.likes + 1) / (few.judged + 2)
        assert rows * smoothed * rows * (1 - smoothed) == pytest.approx(20, rel=0.15)


def test_stations_that_divide_the_feedback_make_more_of_it_necessary(make_log):
    rows = [(0, k % 2, 0, 4000.0 * k, 1 if k % 4 < 2 else -1) for k in range(40)]
    one = log_facts(make_log([(0, 0, *row[2:]) for row in rows], 1))
    assert events_for_pairs(log_facts(make_log(rows, 1))) > events_for_pairs(one)


def test_the_events_to_be_sure_are_what_a_smaller_error_takes(facts):
    conclusion = concluded(facts, (0.71, 0.04), (0.66, 0.03))
    error = 0.05  # of the difference: independent errors add up in squares
    expected = facts.events * ((2.8 * error / 0.05) ** 2 - 1)
    assert 0.9 * expected < conclusion.more_events < 1.4 * expected  # it is rounded up roughly


@pytest.mark.parametrize(("count", "said"), [(0, 10), (-5, 10), (11, 15), (15, 15), (61, 65), (101, 150), (1201, 1500)])
def test_rough_numbers_are_round_and_never_too_small(count, said):
    assert roughly(count) == said


def test_comparisons_are_corrected_together_and_agree_with_a_slow_count():
    models = {"model": (0.7, 0.02), "random": (0.5, 0.02), "a": (0.66, 0.02), "b": (0.69, 0.02)}
    measured = evaluation(models)
    found = compare(measured, "model", ["random", "a", "b"], Measure.PAIR_AUC)
    ps = []
    for each in found:
        own, theirs = measured.resampled("model", Measure.PAIR_AUC), measured.resampled(each.rival, Measure.PAIR_AUC)
        against = sum(t > o for o, t in zip(own, theirs, strict=True))
        ps.append(min(1.0, 2 * (min(against, RESAMPLES - against) + 1) / (RESAMPLES + 1)))
    assert [each.p for each in found] == pytest.approx(ps)
    order = np.argsort(ps)
    slow, largest = [0.0] * 3, 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, ps[place] * (3 - rank)))
        slow[place] = largest
    assert [each.p_holm for each in found] == pytest.approx(slow)
    assert [each.surely_better for each in found] == [True, False, False]
    assert not any(each.surely_worse for each in found)


def test_a_comparison_knows_the_measure_s_direction():
    difference = Difference(-0.1, -0.12, -0.08, 1.0)
    brier = Comparison("a", Measure.BRIER, 0.1, 0.2, difference, 0.002, 0.002)
    assert brier.surely_better
    assert replace(brier, difference=replace(difference, probability_better=0.0)).surely_worse
    assert not replace(brier, p_holm=None).surely_better
