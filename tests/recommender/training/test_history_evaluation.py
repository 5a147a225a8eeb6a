"""One listener's log from figures to a conclusion: nothing, little, one-sided, enough, and scores that are all alike."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.baselines import BASELINES
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.verdict import Standing, log_facts
from recommender.events import Outcome, empty_log
from recommender.models.content_space import ContentSpace
from recommender.models.station_scorer import UNTRAINED
from recommender.training.history_evaluation import ONE_LISTENER, evaluate_listener, split_with_pairs


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(events=300, stations=1)


def all_numbers(report):
    for row in report.evaluation.report.rows:
        yield from (row.mean, row.low, row.high)
    for each in report.comparisons:
        yield from (each.own, each.theirs, each.p, each.p_holm)
        yield from (each.difference.mean, each.difference.low, each.difference.high, each.difference.probability_better)


def assert_finite(report):
    assert all(number is None or np.isfinite(number) for number in all_numbers(report))
    assert "nan" not in " ".join([report.conclusion.sentence, *report.conclusion.details]).casefold()


@pytest.mark.parametrize("events", [0, 1, 5, 12])
def test_too_little_feedback_says_so(world, events):
    report = evaluate_listener(None, world.log.first(events), world.catalogue)
    assert report.conclusion.standing in (Standing.NO_FEEDBACK, Standing.TOO_LITTLE)
    assert "othing can be concluded" in report.conclusion.sentence
    assert report.facts.events == events
    assert_finite(report)


def test_an_empty_log_has_no_figures(world):
    report = evaluate_listener(None, empty_log(80), world.catalogue)
    assert (report.evaluation.report.rows, report.comparisons, report.test_from) == ((), (), None)
    assert report.conclusion.standing is Standing.NO_FEEDBACK


@pytest.mark.slow
@pytest.mark.parametrize("label", [1, -1])
def test_a_one_sided_log_has_figures_but_no_conclusion(world, label):
    report = evaluate_listener(None, world.log.where(world.log.label == label), world.catalogue)
    assert report.conclusion.standing is Standing.TOO_LITTLE
    assert report.evaluation.report.rows
    assert not [each for each in report.comparisons if each.measure is Measure.PAIR_AUC]
    assert_finite(report)


@pytest.mark.slow
def test_enough_feedback_is_concluded_upon(world):
    report = evaluate_listener(None, world.log, world.catalogue, np.arange(80) % 9)
    assert report.subject == UNTRAINED
    assert report.evaluation.models == (*ONE_LISTENER, UNTRAINED)
    assert [each.rival for each in report.comparisons if each.measure is Measure.PAIR_AUC] == list(ONE_LISTENER)
    assert "The untrained player orders" in report.conclusion.sentence
    assert report.evaluation.report.mean(UNTRAINED, Measure.PAIR_AUC) > 0.8  # the taste follows from the vectors
    for measure in (Measure.ECE, Measure.ARTIST_SPREAD, Measure.INTRA_LIST_DISTANCE, Measure.ENTROPY, Measure.NOVELTY):
        assert report.evaluation.report.mean(UNTRAINED, measure) is not None
    assert report.test_from >= split_with_pairs(world.log).gate.time[0]
    assert_finite(report)


@pytest.mark.slow
def test_scores_that_are_all_alike_are_chance_and_called_so(world):
    unknown = np.full_like(world.catalogue.vectors, np.nan)
    nobody = np.full(80, -1, np.int64)
    silent = replace(world.catalogue, vectors=unknown, space=ContentSpace.fit(unknown, nobody, nobody))
    report = evaluate_listener(None, world.log, silent)
    assert report.evaluation.report.mean(UNTRAINED, Measure.PAIR_AUC) == 0.5
    assert report.evaluation.report.mean("content-knn", Measure.PAIR_AUC) == 0.5
    alike = next(c for c in report.comparisons if c.rival == "content-knn" and c.measure is Measure.PAIR_AUC)
    assert (alike.difference.mean, alike.difference.probability_better, alike.p_holm) == (0.0, 0.5, 1.0)
    assert any("no order at all" in detail for detail in report.conclusion.details)
    assert_finite(report)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report(world):
    first, again = (evaluate_listener(None, world.log, world.catalogue, seed=3) for _ in range(2))
    assert first.conclusion == again.conclusion
    assert first.comparisons == again.comparisons


def test_every_baseline_of_the_registry_is_there_or_said_to_be_left_out(world):
    named = replace(world.catalogue, artist=np.arange(len(world.catalogue.track_ids)) % 9)
    report = evaluate_listener(None, world.log.first(30), named)
    for name in BASELINES:
        assert (name in report.evaluation.models) != (name in report.left_out.split(":")[0].split(", "))


def test_a_log_is_counted_as_a_slow_count_does(make_random_log):
    log = make_random_log(7, rows=200, listeners=1, moments=90)
    facts = log_facts(log)
    rows = list(zip(log.track, log.outcome, log.label, log.judged, log.station, strict=True))
    judged = [row for row in rows if row[3]]
    assert facts.events == len(rows)
    assert facts.likes == sum(row[2] > 0 for row in judged)
    assert facts.dislikes == sum(row[2] < 0 for row in judged)
    assert facts.unjudged == len(rows) - len(judged)
    assert facts.repeats == pytest.approx(sum(row[0] in log.track[:i] for i, row in enumerate(rows)) / len(rows))
    assert sum(facts.outcomes.values()) == len(rows)
    assert facts.outcomes[Outcome.FINISH] == sum(row[1] == Outcome.FINISH for row in rows)
    agree = np.mean([a[4] == b[4] for a in judged for b in judged])
    assert facts.station_agreement == pytest.approx(agree)
    assert facts.sessions == 1 + sum(b - a > 1800 for a, b in zip(log.time, log.time[1:], strict=False))
