"""Runs of the baselines: the same figures as the protocol's own averaging, interrupted or not, and never NaN."""

import json
from dataclasses import replace

import numpy as np
import pytest

from recommender.baselines import BASELINES, TrackFacts, build
from recommender.datasets.opening import dataset_of
from recommender.evaluation.bootstrap import Difference
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.metric_runner import Candidates
from recommender.evaluation.protocol import EvaluationPlan, measured
from recommender.evaluation.query_states import MOST_ROWS, State
from recommender.evaluation.report_builder import average, tabulate
from recommender.evaluation.splits import split_listener_last, split_random
from recommender.evaluation.statistics import Pair
from recommender.experiments.json_values import json_object
from recommender.experiments.measurements import BOOTSTRAP_SEED, from_bytes, pooled_auc, to_bytes
from recommender.experiments.model_comparison import _judgement, compare_models
from recommender.experiments.records import ExperimentError, configuration_as
from recommender.experiments.run_config import ExperimentConfig, SplitName, configure, is_seeded
from recommender.experiments.store import RunStore

MODELS = "random,like-rate,biased-mf"


def table(record):
    return {(row["model"], row["metric"]): row for row in record.results["results"]}


@pytest.mark.slow
@pytest.mark.parametrize("ordered", [True, False])
def test_figures_are_those_of_the_protocols_own_averaging_over_seeds(store, make_ratings, ordered):
    dataset = make_ratings(ordered=ordered)
    question = configure(dataset, models=MODELS, seeds=3)
    found = table(compare_models(store, dataset, question))
    plan = EvaluationPlan(candidates=Candidates.UNHEARD, seed=BOOTSTRAP_SEED)
    runs = [
        measured(
            [build(name, seed=seed) for name in question.models],
            split_listener_last(dataset.log) if ordered else split_random(dataset.log, seed),
            plan,
        )
        for seed in question.seeds
    ]
    expected = tabulate(average(runs)).report
    assert {(row.model, row.metric.key) for row in expected.rows} == {key for key in found if key[1] != "auc_pooled"}
    for row in expected.rows:
        own = found[row.model, row.metric.key]
        assert own["seeds"] == 3
        for bound in ("mean", "low", "high"):
            wanted = getattr(row, bound)
            assert own[bound] == (None if wanted is None else pytest.approx(wanted, abs=1e-12)), (row, own)


def slow_auc(scores, liked):
    pairs = [(a > b) + (a == b) / 2 for a, x in zip(scores, liked, strict=True) if x
             for b, y in zip(scores, liked, strict=True) if not y]  # fmt: skip
    return float(np.mean(pairs))


@pytest.mark.parametrize("model", ["random", "like-rate", "popularity"])
def test_the_auc_of_all_rows_compares_every_like_with_every_dislike(make_ratings, model):
    dataset = make_ratings(seed=3, ordered=False)
    split = split_random(dataset.log, 1)
    recommender = build(model, seed=4)
    recommender.fit(split.past)
    from recommender.evaluation.query_states import States

    scores, liked = [], []
    for own in States(split, State.FROZEN, None, MOST_ROWS, 0):
        (context,) = own.contexts
        scores += recommender.score(context)[own.track].tolist()
        liked += (own.label > 0).tolist()
    pooled = pooled_auc(recommender, split, len(dataset.listeners), None, 0)
    assert pooled.estimate == pytest.approx(slow_auc(scores, liked))
    assert np.quantile(pooled.resampled, 0.025) < pooled.estimate < np.quantile(pooled.resampled, 0.975)


def test_one_resample_of_the_auc_of_all_rows_repeats_listeners_rows(make_ratings):
    from recommender.experiments.measurements import _Rows

    rng = np.random.default_rng(2)
    scores, liked, who = rng.integers(6, size=40), rng.random(40) < 0.5, rng.integers(5, size=40)
    order = np.argsort(scores, kind="stable")
    rows = _Rows(liked[order], who[order], np.flatnonzero(np.diff(scores[order], prepend=-1) > 0))
    counts = rng.integers(3, size=(4, 5)).astype(np.float64)
    for drawn, found in zip(counts, rows.auc(counts), strict=True):
        repeated = np.repeat(np.arange(40), drawn[who].astype(int))
        assert found == pytest.approx(slow_auc(scores[repeated], liked[repeated]))


class StopError(Exception):
    pass


@pytest.mark.slow
def test_an_interrupted_run_measures_only_what_is_missing_and_ends_with_the_same_figures(store, make_ratings, tmp_path):
    dataset = make_ratings()
    question = configure(dataset, models=MODELS, seeds=2)
    whole = compare_models(RunStore(tmp_path / "other"), dataset, question)
    begun = []

    def until_the_third(step):
        if step.within == 0.0:
            begun.append(step.stage)
        if len(begun) == 3:
            raise StopError

    with pytest.raises(StopError):
        compare_models(store, dataset, question, on_progress=until_the_third)
    begun.clear()
    continued = compare_models(
        store, dataset, question, on_progress=lambda step: begun.append(step.stage) if step.within == 0.0 else None
    )
    assert begun == ["biased-mf, seed 0", "random, seed 1", "biased-mf, seed 1"]
    assert json.dumps(continued.results) == json.dumps(whole.results)
    assert len(store.listing().records) == 1


@pytest.mark.slow
def test_a_damaged_part_is_measured_again(store, make_ratings):
    dataset = make_ratings()
    question = configure(dataset, models="like-rate", seeds=1)
    parts = []

    def spoil(step):
        if step.within == 1.0:
            parts.append(step)

    first = compare_models(store, dataset, question, on_progress=spoil)
    deep = b'{"__metadata__":' + b"[" * 100_000
    deep_inside = json.dumps({"__metadata__": {"header": "[" * 100_000}}).encode()
    nested = [len(each).to_bytes(8, "little") + each for each in (deep, deep_inside)]
    for content in (b"", b"x" * 50, b"\xff" * 8 + b"{}", (2).to_bytes(8, "little") + b"{}", *nested):
        assert from_bytes(content) is None
    assert parts
    assert first.finished


def test_a_measurement_comes_back_to_the_last_bit(make_ratings):
    from recommender.evaluation.protocol import evaluate
    from recommender.experiments.measurements import ModelMeasurement, Pooled

    dataset = make_ratings(listeners=3, rows=80)
    evaluation = evaluate([build("random", seed=1)], split_listener_last(dataset.log))
    part = ModelMeasurement("random", 1, evaluation, Pooled(1 / 3, np.array([0.1, np.nan])))
    back = from_bytes(to_bytes(part))
    assert (back.model, back.seed, back.evaluation.report) == ("random", 1, evaluation.report)
    for cell, figure in evaluation.figures.items():
        own = back.evaluation.figures[cell]
        assert (own.mean, own.low, own.high) == (figure.mean, figure.low, figure.high)
        np.testing.assert_array_equal(own.values, figure.values)
        assert (own.resampled is None) == (figure.resampled is None)
    np.testing.assert_array_equal(back.pooled.resampled, part.pooled.resampled)


@pytest.mark.slow
def test_the_same_question_gives_the_same_figures_and_pictures_to_the_last_byte(store, make_ratings):
    dataset = make_ratings()
    question = configure(dataset, models="random,like-rate,bpr,als,vb-mf", seeds=1)
    first, second = compare_models(store, dataset, question), compare_models(store, dataset, question)
    assert first.id != second.id
    assert json.dumps(first.results) == json.dumps(second.results)
    pictures = [[store.figure_path(each, figure).read_bytes() for figure in each.figures] for each in (first, second)]
    assert pictures[0] == pictures[1]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures[0])


def test_models_said_to_be_without_a_random_number_are(make_ratings):
    dataset = make_ratings(listened_again=True)
    facts = TrackFacts(np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32), np.arange(30) // 2)
    split = split_listener_last(dataset.log)
    from recommender.baselines import Context

    context = Context(1, 0, 1e9, split.past.where(split.past.listener == 1))
    unseeded = [name for name in BASELINES if not is_seeded(name)]
    assert len(unseeded) == 11
    for name in unseeded:
        scores = []
        for seed in (0, 7):
            recommender = build(name, facts, seed=seed)
            recommender.fit(split.past)
            scores.append(recommender.score(context))
        np.testing.assert_array_equal(*scores)


@pytest.mark.slow
def test_the_conclusion_names_the_best_its_lead_over_like_rate_and_how_sure_that_is(store, make_ratings):
    dataset = make_ratings(listeners=40, rows=1200)
    record = compare_models(store, dataset, configure(dataset, models="random,popularity,like-rate", seeds=1))
    auc = {model: row["mean"] for (model, metric), row in table(record).items() if metric == "auc"}
    assert auc["like-rate"] > 0.6 > auc["random"]
    assert max(auc, key=auc.get) in record.results["conclusion"].split(";")[0]
    assert "Holm" in record.results["conclusion"]
    assert record.results["friedman"]["blocks"] > 20
    assert {row["pair"] for row in record.results["wilcoxon"]} == {
        "random vs popularity", "random vs like-rate", "popularity vs like-rate",
    }  # fmt: skip
    assert all(row["p"] <= row["p_holm"] for row in record.results["wilcoxon"])


@pytest.mark.slow
def test_with_few_listeners_the_missing_tests_are_said_and_nothing_is_nan(store, make_ratings):
    dataset = make_ratings(listeners=1, tracks=60, rows=60)
    question = configure(dataset, models="all", seeds=2)
    assert (question.split, question.state) == (SplitName.GLOBAL_TIME, State.WALKING)
    record = compare_models(store, dataset, question)
    assert record.results["friedman"] is None
    assert any("Friedman" in note for note in record.results["notes"])
    assert all(row["mean"] is not None for row in record.results["results"])
    json.dumps(record.results, allow_nan=False)


@pytest.mark.slow
def test_constant_scores_have_defined_values(store, make_ratings):
    dataset = make_ratings(listeners=8, tracks=40, rows=200)
    record = compare_models(store, dataset, configure(dataset, models="personal-most-played", seeds=1))
    assert table(record)["personal-most-played", "auc"]["mean"] == 0.5
    assert table(record)["personal-most-played", "auc_pooled"]["mean"] == 0.5


@pytest.mark.slow
def test_a_walk_forward_measures_every_fold(store, make_ratings):
    dataset = make_ratings(listened_again=True)
    question = configure(dataset, models="like-rate,random", seeds=2, split=SplitName.WALK_FORWARD, state=State.WALKING)
    record = compare_models(store, dataset, question)
    assert question.candidates is Candidates.CATALOGUE
    assert record.results["split"]["folds"] == 5
    # All but the first sixth of the rows is a test once.
    assert record.results["split"]["test"] == pytest.approx(len(dataset.log) * 5 / 6, rel=0.02)
    assert table(record)["random", "ndcg@10_repeat"]["seeds"] == 2
    assert ("like-rate", "auc_pooled") not in table(record)


@pytest.mark.slow
def test_every_measure_that_was_promised_is_there(store, make_ratings):
    dataset = make_ratings(listened_again=True)
    found = table(compare_models(store, dataset, configure(dataset, models="random", seeds=1)))
    promised = (
        "auc", "auc_pooled", "mrr_positive", "mrr_negative", "ndcg@10", "hr@10", "recall@10", "ndcg@10_repeat",
        "ndcg@10_explore", "gini", "coverage", "entropy", "novelty",
    )  # fmt: skip
    assert {metric for _, metric in found} >= set(promised)
    assert {measure.key for measure in Measure} >= set(promised) - {"auc_pooled"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"split": SplitName.GLOBAL_TIME}, "no clock"),
        ({"state": State.WALKING}, "cannot be walked"),
        ({"models": "nope"}, "There is no model .nope."),
        ({"models": ","}, "No model is named"),
        ({"models": "content-knn"}, "content vectors"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(make_ratings, options, says):
    with pytest.raises(ExperimentError, match=says) as refused:
        configure(make_ratings(ordered=False), **options)
    assert str(refused.value).endswith(".")


def test_a_log_of_a_single_moment_has_nothing_to_measure_on(store, make_ratings):
    log = make_ratings().log
    dataset = dataset_of(replace(log, time=np.zeros(len(log))), name="csv:moment")
    with pytest.raises(ExperimentError, match="nothing to measure on in csv:moment"):
        compare_models(store, dataset, configure(dataset, models="random"))
    assert store.listing().records == ()


def test_a_question_is_read_back_from_its_record_and_a_damaged_one_refused(make_ratings):
    question = replace(
        configure(make_ratings(), models="random", seeds=2), columns=(("listener", "user"),), limit=10, music="/m"
    )
    document = json.loads(json.dumps(json_object(question)))
    assert configuration_as(ExperimentConfig, document) == question
    assert isinstance(question, ExperimentConfig)
    with pytest.raises(ExperimentError, match="split"):
        configuration_as(ExperimentConfig, {**document, "split": "by-hand"})


def test_the_fingerprint_changes_with_any_value_and_with_nothing_else(make_ratings):
    from recommender.experiments.records import fingerprint_of_dataset

    dataset = make_ratings()
    label = dataset.log.label.copy()
    label[17] = -label[17]
    others = [
        replace(dataset, log=replace(dataset.log, label=label)),
        replace(dataset, ordered=False),
        replace(dataset, tracks=np.array([f"t{name}" for name in dataset.tracks])),
        replace(dataset, content=np.zeros((30, 2), np.float32)),
        make_ratings(seed=1),
    ]
    prints = {fingerprint_of_dataset(each) for each in (dataset, *others)}
    assert len(prints) == 6
    assert fingerprint_of_dataset(replace(make_ratings(), name="csv:elsewhere")) == fingerprint_of_dataset(dataset)


def pair(p_holm):
    return Pair("a", "b", statistic=1.0, p=p_holm, p_holm=p_holm, effect=0.5, blocks=20, zeros=0)


@pytest.mark.parametrize(
    ("better", "tested", "says"),
    [
        (0.99, pair(0.01), "holds"),
        (0.99, None, "holds"),
        (0.90, pair(0.20), "may be chance"),
        (0.90, None, "may be chance"),
        (0.90, pair(0.01), "do not agree"),
        (0.99, pair(0.20), "do not agree"),
        (None, None, "too little"),
    ],
)
def test_a_difference_is_claimed_only_where_interval_and_test_agree(better, tested, says):
    assert says in _judgement(Difference(0.01, 0.0, 0.02, better), tested)
