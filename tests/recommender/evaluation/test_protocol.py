import numpy as np
import pytest

from recommender.baselines import LikeRate, PersonalMostPlayed, Popularity, RandomOrder
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.metrics import coverage, gini
from recommender.evaluation.protocol import count_pairs, evaluate
from recommender.evaluation.query_states import State
from recommender.evaluation.splits import split_at
from recommender.events import empty_log

LARGEST = {Measure.ENTROPY: np.log2(80), Measure.NOVELTY: 20.0}


def walk(recommenders, log, moment, **how):
    return evaluate(recommenders, split_at(log, moment), state=State.WALKING, **how)


def test_nothing_of_an_event_is_known_before_it(make_world, oracle):
    log = make_world().log
    seen = oracle(np.zeros(log.tracks))
    gate_from = float(log.time[180])
    walk([seen], log, gate_from)
    assert seen.fitted.time.max() < gate_from
    assert len(seen.contexts) == 60
    for row, context in zip(range(180, 240), seen.contexts, strict=True):
        assert len(context.history) == row
        assert context.history.time.max() < context.time == log.time[row]


def test_events_of_one_moment_do_not_know_each_other(make_log, oracle):
    log = make_log([(0, 0, 0, 0, 1), (0, 0, 1, 5, 1), (0, 0, 2, 5, -1), (0, 0, 3, 5, 1)], tracks=4)
    seen = oracle(np.zeros(4))
    walk([seen], log, 5.0)
    assert [len(context.history) for context in seen.contexts] == [1, 1, 1]


def test_an_oracle_wins_all_pairs_its_opposite_none_and_chance_half(make_log, oracle):
    rng = np.random.default_rng(0)
    rows = [(0, t % 2, track, t, 1 if track < 10 else -1) for t, track in enumerate(rng.integers(20, size=120))]
    log = make_log(rows, tracks=20)
    table = -np.arange(20.0)
    evaluation = walk([oracle(table, "right"), oracle(-table, "wrong"), oracle(0 * table, "mute")], log, 40.0)
    means = [evaluation.report.mean(name, Measure.PAIR_AUC) for name in ("right", "wrong", "mute")]
    assert means == [1.0, 0.0, 0.5]
    assert evaluation.report.pairs == count_pairs(log.where(log.time >= 40.0))


def test_pairs_are_of_one_listener_and_one_station(make_log, oracle):
    log = make_log([(0, 0, 0, 0, 1), (0, 1, 1, 1, -1), (1, 0, 2, 2, -1), (0, 0, 3, 3, -1), (0, 0, 4, 4, -1)], tracks=5)
    assert count_pairs(log) == 2
    assert walk([oracle(np.zeros(5))], log, 0.0).report.pairs == 2


def test_pair_auc_is_the_mean_over_listeners_whatever_their_number_of_pairs(make_log, oracle):
    heavy = [(0, 0, t % 10, t, 1 if t % 10 < 5 else -1) for t in range(50)]
    light = [(1, 0, 0, 60, -1), (1, 0, 9, 61, 1)]
    report = walk([oracle(-np.arange(10.0))], make_log(heavy + light, tracks=10), 0.0).report
    assert report.mean("oracle", Measure.PAIR_AUC) == pytest.approx(0.5)


def test_ranks_and_exposures_equal_their_definitions(make_world, oracle):
    log = make_world().log
    table = np.random.default_rng(0).permutation(log.tracks).astype(np.float32)
    gate = log.where(np.arange(240) >= 200)
    report = walk([oracle(table)], log, float(log.time[200])).report
    rank = np.array([1 + np.sum(table > table[track]) for track in gate.track])
    exposures = np.where(table >= log.tracks - 10, 40, 0)
    gain = np.where(rank <= 10, 1 / np.log2(1 + rank), 0)
    for measure, expected in {
        Measure.MRR_POSITIVE: np.mean(1 / rank[gate.label > 0]),
        Measure.MRR_NEGATIVE: np.mean(1 / rank[gate.label < 0]),
        Measure.NDCG: np.mean(gain[gate.label > 0]),
        Measure.GINI: gini(exposures),
        Measure.COVERAGE: coverage(exposures),
    }.items():
        assert report.mean("oracle", measure) == pytest.approx(expected, rel=1e-5)


def test_every_figure_is_a_number_within_its_bounds(make_world, oracle):
    log = make_world().log
    recommenders = [RandomOrder(), Popularity(), LikeRate(), PersonalMostPlayed()]
    report = walk(recommenders, log, float(log.time[180])).report
    assert {row.metric for row in report.rows if row.model == "like-rate"} >= {
        *Measure,
    } - {Measure.INTRA_LIST_DISTANCE, Measure.ARTIST_SPREAD, Measure.ECE, Measure.BRIER}
    for row in report.rows:
        assert np.isfinite([row.mean, row.low, row.high]).all()
        assert 0.0 <= row.low <= row.mean + 1e-6
        assert row.mean - 1e-6 <= row.high <= LARGEST.get(row.metric, 1.0)


def test_the_same_seed_gives_the_same_report(make_world, oracle):
    log = make_world().log
    reports = [walk([RandomOrder()], log, float(log.time[180]), seed=seed).report for seed in (0, 0, 1)]
    assert reports[0] == reports[1] != reports[2]


@pytest.mark.parametrize(("label", "reason"), [(1, "no dislike"), (-1, "no like")])
def test_what_cannot_be_measured_is_left_out_with_the_reason(make_log, label, reason):
    log = make_log([(0, 0, t % 4, t, label) for t in range(30)], tracks=4)
    report = walk([Popularity()], log, 20.0).report
    assert report.mean("popularity", Measure.PAIR_AUC) is None
    assert any(reason in line for line in report.omitted)
    assert all(np.isfinite(row.mean) for row in report.rows)


@pytest.mark.parametrize("tracks", [0, 1, 5])
def test_an_empty_log_gives_an_empty_report_that_says_why(tracks):
    report = walk([Popularity(), RandomOrder()], empty_log(tracks), 0.0).report
    assert report.rows == ()
    assert len(report.omitted) == 1
    assert "no judged feedback" in report.omitted[0]


def test_only_the_newest_rows_are_walked_through(make_world, oracle):
    log = make_world().log
    seen = oracle(np.zeros(log.tracks))
    report = walk([seen], log, 0.0, most_rows=25).report
    assert [context.time for context in seen.contexts] == log.time[-25:].tolist()
    assert report.positives + report.negatives == 25
