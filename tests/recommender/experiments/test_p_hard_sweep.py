"""The experiment over ``p_hard``: its figures against slow versions, interruption, processes and repetition."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.baselines import LikeRate, Popularity
from recommender.configuration import Negatives
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.protocol import evaluate
from recommender.evaluation.query_states import State, States
from recommender.evaluation.splits import split_listener_last
from recommender.experiments.json_values import json_object, same
from recommender.experiments.measurements import ModelMeasurement, averaged, by_popularity, from_bytes, tenths, to_bytes
from recommender.experiments.p_hard_config import PAPER, PHardConfig, Tracks, configure_p_hard, parse_p_hard
from recommender.experiments.p_hard_results import mean_over_seeds, p_hard_shares, positive_shares, share_bins
from recommender.experiments.p_hard_sweep import p_hard_study, run_p_hard
from recommender.experiments.p_hard_trends import PHardDifference, PHardRow, PopularityRow, TrendVerdict, trends_of
from recommender.experiments.records import ExperimentError, configuration_as
from recommender.experiments.runner import RunProgress, _measured, _Task
from recommender.training.sequential_recommender import FAITHFUL

QUICK = replace(FAITHFUL, width=8, length=16, epochs=2, patience=2)
CONTRACT = {"auc", "gini", "mrr_positive", "mrr_negative", "epochs", "ndcg@10", "coverage"}


@pytest.fixture(scope="module")
def dataset(make_ratings):
    return make_ratings()


@pytest.fixture(scope="module")
def question(dataset):
    return configure_p_hard(dataset, QUICK, p_hard=(0.0, 1.0), seeds=2)


@pytest.mark.parametrize(
    ("text", "values"),
    [("0,.4", (0.0, 0.4)), ("1, 0.5 ,0,-0", (0.0, 0.5, 1.0)), (",".join(map(str, PAPER)), PAPER)],
)
def test_values_are_read_in_rising_order_without_repeats(text, values):
    assert parse_p_hard(text) == values


@pytest.mark.parametrize("text", ["", "x", "0,1.1", "-.1", "nan", "0,,1"])
def test_what_is_no_share_is_refused_in_a_sentence(text):
    with pytest.raises(ExperimentError, match=r"p_hard is a share between 0 and 1, not .*\.$"):
        parse_p_hard(text)


def test_a_question_survives_its_record(question):
    assert configuration_as(PHardConfig, json_object(question)) == question
    with pytest.raises(ExperimentError, match="cannot be used"):
        configuration_as(PHardConfig, {**json_object(question), "seeds": "many"})


def test_what_the_data_lack_is_refused_in_a_sentence(dataset):
    with pytest.raises(ExperimentError, match=r"no implicit negatives: use --negatives both\.$"):
        configure_p_hard(dataset, QUICK, negatives=Negatives.IMPLICIT)
    with pytest.raises(ExperimentError, match="no content vectors"):
        configure_p_hard(dataset, QUICK, tracks=Tracks.CONTENT)


@pytest.mark.slow
def test_a_run_has_every_figure_of_the_contract_with_like_rate_beside(store, dataset, question):
    record = run_p_hard(store, dataset, question)
    results = record.results["results"]
    assert {row["p_hard"] for row in results} == {0.0, 1.0}
    for p_hard in (0.0, 1.0):
        assert {row["metric"] for row in results if row["p_hard"] == p_hard} >= CONTRACT
    assert all(row.keys() == {"p_hard", "metric", "mean", "low", "high", "seeds"} for row in results)
    auc = next(row for row in record.results["baselines"] if (row["model"], row["metric"]) == ("like-rate", "auc"))
    alone = evaluate([LikeRate()], split_listener_last(dataset.log), measures=[Measure.PAIR_AUC])
    assert auc["mean"] == alone.report.mean("like-rate", Measure.PAIR_AUC)
    shares = {row["p_hard"]: row["realised"] for row in record.results["negatives"]}
    assert shares == {0.0: 0.0, 1.0: 1.0}
    assert {figure.file for figure in record.figures} == {"figure-1.png", "figure-2.png", "popularity.png"}
    assert all(store.figure_path(record, figure).stat().st_size > 5000 for figure in record.figures)
    assert sum(row["count"] for row in record.results["positive_shares"]) == 16
    assert [len(row["validation_auc"]) for row in record.results["courses"]] == [2, 2, 2, 2]
    again = run_p_hard(store, dataset, question, resume=False, repeats=record.id)
    assert same(again.results, record.results)


@pytest.mark.slow
def test_an_interrupted_run_goes_on_with_what_it_has(store, dataset, question):
    whole = run_p_hard(store, dataset, question, resume=False)

    def interrupted(step):
        if step.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_p_hard(store, dataset, question, on_progress=interrupted)
    steps: list[RunProgress] = []
    resumed = run_p_hard(store, dataset, question, on_progress=steps.append)
    assert (steps[0].done, steps[0].total, steps[0].computed) == (3, 6, 0)
    assert (steps[-1].done, steps[-1].total, steps[-1].computed) == (5, 6, 2)  # and the last in progress
    assert same(resumed.results, whole.results)


@pytest.mark.slow
def test_two_processes_find_what_one_finds(store, dataset, question):
    brief = replace(question, seeds=(0,), config=replace(question.config, epochs=1))
    assert same(run_p_hard(store, dataset, brief, jobs=2).results, run_p_hard(store, dataset, brief).results)


@pytest.mark.slow
def test_a_set_without_a_clock_is_divided_anew_for_each_seed_for_the_beside_too(store, make_ratings):
    dataset = make_ratings(ordered=False)
    question = configure_p_hard(dataset, replace(QUICK, epochs=1), p_hard=(0.5,), seeds=2)
    steps: list[RunProgress] = []
    record = run_p_hard(store, dataset, question, on_progress=steps.append)
    assert record.results["split"]["name"] == "random"
    assert steps[-1].total == 2 * 3
    assert record.results["trends"] == []


def test_a_set_with_nothing_to_predict_is_refused_in_a_sentence(store, dataset):
    likes_first = dataset.log.where((dataset.log.label < 0) | (np.arange(len(dataset.log)) == 0))
    poor = replace(dataset, log=likes_first)
    with pytest.raises(ExperimentError, match=r"cannot be trained on csv:made-up: .*\.$"):
        run_p_hard(store, poor, configure_p_hard(poor, QUICK, p_hard=(0.0,)))


@pytest.mark.slow
def test_a_training_survives_the_disk_and_a_damaged_one_is_made_again(dataset, question):
    study = p_hard_study(dataset, question)
    part = _measured(study, _Task("sequential p_hard=1", 0, 0), study.splits(0)[0], None)
    content = to_bytes(part)
    again = from_bytes(content)
    assert again is not None
    assert part.training is not None
    assert part.popularity is not None
    assert (again.training, again.popularity) == (part.training, part.popularity)
    one, other = (averaged([each]).figures[Measure.PAIR_AUC] for each in (part, again))
    assert (one.mean, one.low, one.high) == (other.mean, other.low, other.high)
    assert from_bytes(content[:-5]) is None
    assert from_bytes(content.replace(b"best_epoch", b"west_epoch")) is None


def test_places_by_popularity_equal_a_count_by_hand(dataset):
    split = split_listener_last(dataset.log)
    model = Popularity()
    model.fit(split.past)
    found = by_popularity(model, split)
    rows = [sum(split.past.track == track) for track in range(30)]
    order = sorted(range(30), key=lambda track: (rows[track], track))
    place, listed, states = np.zeros(10), np.zeros(10), 0
    for own in States(split, State.FROZEN, None, 1000, 0):
        for context in own.contexts:
            scores = model.score(context)
            ranks = [(np.sum(scores > s) + (np.sum(scores == s) - 1) / 2) / 29 for s in scores]
            top = sorted(range(30), key=lambda track: (-scores[track], track))[:10]
            for tenth in range(10):
                tracks = order[3 * tenth : 3 * tenth + 3]
                place[tenth] += np.mean([ranks[track] for track in tracks])
                listed[tenth] += len(set(tracks) & set(top)) / 10
            states += 1
    assert found.place == pytest.approx(place / states)
    assert found.listed == pytest.approx(listed / states)
    assert sum(found.listed) == pytest.approx(1.0)


def test_tenths_are_equally_large_and_rise_with_the_count():
    counts = np.random.default_rng(0).integers(50, size=1000)
    tenth = tenths(counts)
    assert np.bincount(tenth).tolist() == [100] * 10
    assert all(counts[tenth == i].max() <= counts[tenth == i + 1].min() for i in range(9))


def test_accuracy_by_share_of_likes_equals_a_count_by_hand(dataset):
    split = split_listener_last(dataset.log)
    evaluation = evaluate([LikeRate()], split)
    found = averaged([ModelMeasurement("like-rate", 0, evaluation)])
    share = positive_shares([split], found.listeners)
    past = split.past
    slow = [np.mean(past.label[past.listener == who] > 0) for who in found.listeners]
    assert share == pytest.approx(slow)
    values = found.figures[Measure.PAIR_AUC].values
    rows = p_hard_shares("like-rate", None, found, share)
    for row in rows:
        own = [v for v, s in zip(values, slow, strict=True) if row.share_low <= s < row.share_high and np.isfinite(v)]
        assert (row.count, row.mean) == (len(own), pytest.approx(np.mean(own)))
    assert sum(row.count for row in rows) == np.isfinite(values).sum()
    assert sum(each.count for each in share_bins(share)) == 16


def test_epochs_have_students_interval_and_none_with_one_seed():
    mean, low, high = mean_over_seeds([10.0, 12.0, 14.0])
    assert mean == 12.0
    assert (low, high) == pytest.approx((12 - 4.302652 * 2 / np.sqrt(3), 12 + 4.302652 * 2 / np.sqrt(3)), rel=1e-5)
    assert mean_over_seeds([7.0]) == (7.0, None, None)


def curve(**metrics):
    return [
        PHardRow(p_hard, metric.replace("_at_10", "@10"), mean, None, None, 1)
        for metric, means in metrics.items()
        for p_hard, mean in means.items()
    ]


def epochs(p_hard, mean, spread):
    return PHardRow(p_hard, "epochs", mean, mean - spread, mean + spread, 3)


def gap(p_hard, metric, mean, low, high):
    return PHardDifference(p_hard, "sequential p_hard=0", metric, mean, low, high, None)


def test_the_papers_own_curve_shows_every_trend():
    rows = curve(
        auc={0.0: 0.6, 0.4: 0.7, 1.0: 0.705},
        gini={0.0: 0.9, 0.4: 0.8, 1.0: 0.95},
        mrr_positive={0.0: 0.05, 0.4: 0.045, 1.0: 0.04},
        mrr_negative={0.0: 0.03, 0.4: 0.02, 1.0: 0.01},
    )
    rows += [epochs(0.0, 20.0, 2.0), epochs(0.4, 14.0, 2.0)]
    gaps = [gap(0.4, "auc", 0.1, 0.08, 0.12), gap(1.0, "auc", 0.105, 0.09, 0.12), gap(0.4, "gini", -0.1, -0.12, -0.08)]
    popular = [PopularityRow("m", p, tenth, place, 0.1) for p, place in ((0.0, 0.1), (1.0, 0.2)) for tenth in (1, 10)]
    trends = trends_of(rows, gaps, popular)
    assert [trend.verdict for trend in trends] == [TrendVerdict.HOLDS] * 6
    assert "-67%" in trends[3].evidence
    assert "(-30%)" in trends[4].evidence


def test_the_opposite_curve_shows_none_and_a_small_gain_decides_nothing():
    rows = curve(
        auc={0.0: 0.7, 0.4: 0.71, 1.0: 0.6},
        gini={0.0: 0.8, 0.4: 0.9, 1.0: 0.95},
        mrr_positive={0.0: 0.05, 1.0: 0.06},
        mrr_negative={0.0: 0.03, 1.0: 0.01},
    )
    rows += [epochs(0.0, 10.0, 1.0), epochs(0.4, 14.0, 1.0)]
    gaps = [gap(0.4, "auc", 0.01, -0.01, 0.03), gap(1.0, "auc", -0.1, -0.12, -0.08)]
    popular = [PopularityRow("m", p, 10, place, 0.1) for p, place in ((0.0, 0.2), (1.0, 0.1))]
    verdicts = [trend.verdict for trend in trends_of(rows, gaps, popular)]
    assert verdicts == [
        TrendVerdict.FAILS,
        TrendVerdict.UNDECIDED,
        *[TrendVerdict.FAILS] * 4,
    ]  # what never rose has no plateau
    assert trends_of(rows, gaps[:1], [])[0].verdict is TrendVerdict.UNDECIDED
    peaked = [gap(0.4, "auc", 0.1, 0.08, 0.12)]
    assert trends_of(curve(auc={0.0: 0.6, 0.4: 0.7, 1.0: 0.6}), peaked, [])[1].verdict is TrendVerdict.FAILS
    assert trends_of(curve(auc={0.2: 0.6, 0.4: 0.7}), [], []) == []


@pytest.mark.slow
def test_one_listeners_log_is_walked_through_and_has_no_second_figure(store, make_ratings):
    dataset = make_ratings(listeners=1, tracks=200, rows=200)
    record = run_p_hard(store, dataset, configure_p_hard(dataset, QUICK, p_hard=(0.0, 0.4)))
    assert (record.results["split"]["name"], record.results["split"]["state"]) == ("global-time", "walking")
    assert {row["metric"] for row in record.results["results"]} >= CONTRACT
    assert record.results["by_positive_share"] == []
    assert any("there is one listener" in sentence for sentence in record.results["omitted"])
    assert {figure.file for figure in record.figures} == {"figure-1.png", "popularity.png"}


def test_epochs_that_vary_more_between_seeds_than_between_values_decide_nothing():
    flat = curve(auc={0.0: 0.6, 0.4: 0.7})
    wide = trends_of([*flat, epochs(0.0, 20.0, 5.0), epochs(0.4, 14.0, 5.0)], [], [])
    once = trends_of([*flat, *curve(epochs={0.0: 20.0, 0.4: 14.0})], [], [])
    assert [trend.verdict for trend in (*wide, *once)] == [TrendVerdict.UNDECIDED] * 2
    assert "20.0 epochs (15.0 to 25.0 over seeds) at 0" in wide[0].evidence
