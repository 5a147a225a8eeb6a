"""The protocol on logs of several listeners, against a twin that follows the definitions row by row."""

import numpy as np
import pytest

from recommender.baselines import Context
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.metric_runner import Candidates
from recommender.evaluation.metrics import (
    BINS,
    artist_spread,
    bin_of,
    full_ranks,
    gini,
    intra_list_distance,
    ndcg_of_ranks,
    pair_auc,
    unit_vectors,
)
from recommender.evaluation.protocol import EvaluationPlan, evaluate, measured
from recommender.evaluation.query_states import State
from recommender.evaluation.report_builder import average, tabulate
from recommender.evaluation.splits import Part, split_at, split_listener_last, split_random

TRACKS = 30


class Hashed:
    """Scores that depend on everything a context holds, with ties."""

    def __init__(self, name="hashed", seed=0):
        self.name, self.seed = name, seed

    def fit(self, log):
        self.tracks = log.tracks

    def score(self, context):
        key = (self.seed, context.listener, context.station, len(context.history), int(context.time))
        return np.random.default_rng(key).integers(12, size=self.tracks).astype(np.float32)

    def explain(self, context, track):
        return ""


def ranked(scores, track):
    places = [1 + np.sum(scores > scores[track]), np.sum(scores >= scores[track])]
    return np.mean(places)


def mean(values):
    return np.mean(values) if len(values) else np.nan


def the_slow_way(model, split, state, artist, units):
    """Per listener, per measure, by the definitions alone."""
    log = split.log
    model.fit(split.past)
    base = np.mean(split.past.label[split.past.judged] > 0)
    people = np.unique(log.listener[(split.part == Part.TEST) & log.judged])
    return {int(who): one_listener(model, split, state, int(who), base, artist, units) for who in people}


def scored_in_its_state(model, split, state, own, row):
    """The scores of all tracks before a row, and the tracks heard by then."""
    log = split.log
    if state is State.WALKING:
        history, when = [other for other in own if log.time[other] < log.time[row]], log.time[row]
    else:
        history = [other for other in own if split.is_past[other]]
        when = min(log.time[other] for other in own if split.part[other] == Part.TEST)
    known = log.where(np.isin(np.arange(len(log)), history))
    context = Context(int(log.listener[row]), int(log.station[row]), float(when), known)
    return model.score(context), known.track


def wins_of(scored, track, liked, may_pair):
    """Of each (+, -) pair that may be one: whether the positive wins, scored before the earlier of the two."""
    pairs = [
        (i, j) for i in range(len(track)) for j in range(len(track)) if liked[i] and not liked[j] and may_pair(i, j)
    ]
    return [pair_auc(scored[min(i, j)][[track[i]]], scored[min(i, j)][[track[j]]]) for i, j in pairs]


def one_listener(model, split, state, who, base, artist, units):
    log = split.log
    own = np.flatnonzero((log.listener == who) & (split.part != Part.UNUSED))
    rows = [row for row in own if split.part[row] == Part.TEST and log.judged[row]]
    labels = [log.label[row] for row in own if split.is_past[row] and log.judged[row]]
    share = np.mean(np.array(labels) > 0) if labels else base
    scored, known = zip(*[scored_in_its_state(model, split, state, own, row) for row in rows], strict=True)
    track, station, explicit = log.track[rows].tolist(), log.station[rows].tolist(), log.explicit[rows]
    liked = log.label[rows] > 0
    heard = np.array([t in tracks for t, tracks in zip(track, known, strict=True)])
    rank = np.array([ranked(scores, t) for scores, t in zip(scored, track, strict=True)])
    called = rank <= share * TRACKS
    every = range(len(rows))
    asked = [station.index(each) for each in dict.fromkeys(station)] if state is State.FROZEN else every

    def relevant(at, mask):
        inside = [at] if state is State.WALKING else [i for i in every if station[i] == station[at]]
        return np.array(sorted({track[i] for i in inside if liked[i] and mask[i]}), int)

    def over_states(function, mask):
        return mean([function(scored[at], relevant(at, mask)) for at in asked if len(relevant(at, mask))])

    def hits(scores, tracks):
        return [ranked(scores, t) <= 10 for t in tracks]

    pairs = [(i, j) for i in every for j in every if liked[i] > liked[j]]
    crossed = [pair_auc(scored[i][[track[i]]], scored[j][[track[j]]]) for i, j in pairs]
    session = np.concatenate([[0], np.cumsum(np.diff(log.time[rows]) > 1800)])
    lists = [sorted(range(TRACKS), key=lambda t, s=scored[at]: (-s[t], t))[:10] for at in asked]
    anything = np.ones(len(rows), bool)
    return {
        Measure.PAIR_AUC: mean(wins_of(scored, track, liked, lambda i, j: station[i] == station[j])),
        Measure.PAIR_AUC_SESSION: mean(
            [
                mean(own)
                for one in np.unique(session)
                if (own := [win for (i, j), win in zip(pairs, crossed, strict=True) if session[i] == session[j] == one])
            ]
        ),
        Measure.PAIR_AUC_EXPLICIT: mean(
            wins_of(scored, track, liked, lambda i, j: station[i] == station[j] and explicit[i] and explicit[j])
        ),
        Measure.PAIR_AUC_IMPLICIT: mean(
            wins_of(scored, track, liked, lambda i, j: station[i] == station[j] and not explicit[i] and not explicit[j])
        ),
        Measure.AUROC: mean(crossed),
        Measure.MRR_POSITIVE: mean(1 / rank[liked]),
        Measure.MRR_NEGATIVE: mean(1 / rank[~liked]),
        Measure.NDCG: over_states(ndcg, anything),
        Measure.NDCG_REPEAT: over_states(ndcg, heard),
        Measure.NDCG_EXPLORE: over_states(ndcg, ~heard),
        Measure.HIT_RATE: over_states(lambda scores, tracks: any(hits(scores, tracks)), anything),
        Measure.HIT_RATE_REPEAT: over_states(lambda scores, tracks: any(hits(scores, tracks)), heard),
        Measure.HIT_RATE_EXPLORE: over_states(lambda scores, tracks: any(hits(scores, tracks)), ~heard),
        Measure.RECALL: over_states(lambda scores, tracks: np.mean(hits(scores, tracks)), anything),
        Measure.RECALL_REPEAT: over_states(lambda scores, tracks: np.mean(hits(scores, tracks)), heard),
        Measure.RECALL_EXPLORE: over_states(lambda scores, tracks: np.mean(hits(scores, tracks)), ~heard),
        Measure.INTRA_LIST_DISTANCE: mean([intra_list_distance(units, np.array(each)) for each in lists]),
        Measure.ARTIST_SPREAD: mean([artist_spread(artist, np.array(each)) for each in lists]),
        Measure.ACCURACY: mean(called == liked),
        Measure.PRECISION: mean(liked[called]),
        Measure.TRUE_POSITIVE_RATE: mean(called[liked]),
        Measure.FALSE_POSITIVE_RATE: mean(called[~liked]),
        "lists": lists,
    }


@pytest.mark.slow
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("listeners", [1, 3, 8])
def test_every_measure_of_every_listener_equals_its_definition(make_random_log, state, listeners):
    log = make_random_log(11, rows=150, listeners=listeners, tracks=TRACKS, moments=90, stations=3)
    rng = np.random.default_rng(0)
    content = rng.normal(size=(TRACKS, 4)).astype(np.float32)
    content[3] = np.nan
    artist = rng.integers(-1, 6, size=TRACKS)
    split = split_listener_last(log, 0.4, 0.2)
    expected = the_slow_way(Hashed(), split, state, artist, unit_vectors(content))
    evaluation = evaluate([Hashed()], split, state=state, content=content, artist=artist)
    assert evaluation.listeners.tolist() == sorted(expected)
    for measure in next(iter(expected.values())):
        if measure == "lists":
            continue
        values = np.array([expected[who][measure] for who in sorted(expected)])
        figure = evaluation.figure("hashed", measure)
        if not np.isfinite(values).any():
            assert figure is None
            continue
        assert figure.values == pytest.approx(values, nan_ok=True), measure
        assert figure.mean == pytest.approx(np.nanmean(values))
    exposed = np.bincount(
        np.concatenate([each for who in expected.values() for each in who["lists"]]).astype(int), minlength=TRACKS
    )
    assert evaluation.report.mean("hashed", Measure.GINI) == pytest.approx(gini(exposed))


def test_each_listener_and_station_is_scored_once_in_the_state_at_the_cut(make_random_log, oracle):
    log = make_random_log(2, rows=200, listeners=6, tracks=TRACKS, moments=150)
    split = split_listener_last(log)
    seen = oracle(np.zeros(TRACKS))
    evaluate([seen], split)
    asked = [(context.listener, context.station) for context in seen.contexts]
    test = split.test.where(split.test.judged)
    assert sorted(asked) == sorted(set(zip(test.listener.tolist(), test.station.tolist(), strict=True)))
    for context in seen.contexts:
        own = split.past.where(split.past.listener == context.listener)
        assert context.history.track.tolist() == own.track.tolist()
        assert context.history.time.max(initial=-1) < context.time
        assert context.time == split.test.time[split.test.listener == context.listener].min()


def test_unheard_candidates_exclude_what_the_listener_knows(make_log, oracle):
    rows = [(0, 0, track, track, 1) for track in range(4)] + [(0, 0, 2, 10, 1), (0, 0, 5, 11, 1), (0, 0, 6, 12, -1)]
    log = make_log(rows, tracks=20)
    evaluation = evaluate([oracle(-np.arange(20.0))], split_at(log, 9.0), candidates=Candidates.UNHEARD)
    assert evaluation.report.mean("oracle", Measure.MRR_POSITIVE) == pytest.approx(1 / 2)  # 4 is before 5; 2 was heard
    assert evaluation.report.mean("oracle", Measure.COVERAGE) == pytest.approx(10 / 20)
    assert evaluation.report.mean("oracle", Measure.NDCG_REPEAT) is None
    assert evaluation.report.mean("oracle", Measure.PAIR_AUC) == 1.0


def ndcg(scores, relevant):
    return ndcg_of_ranks(full_ranks(scores, np.asarray(relevant, np.int64)))


def calibration_error(p, liked):
    """Naeini et al. 2015, eq. 3."""
    inside = [bin_of(p) == each for each in range(BINS)]
    return sum(rows.mean() * abs(p[rows].mean() - liked[rows].mean()) for rows in inside if rows.any())


def test_those_who_state_probabilities_are_calibrated_and_called_at_a_half(make_random_log, forecaster, oracle):
    log = make_random_log(4, rows=300, listeners=7, tracks=TRACKS, moments=200)
    split = split_listener_last(log, 0.4)
    table = np.random.default_rng(1).random(TRACKS)
    evaluation = evaluate([forecaster(table, "certain"), oracle(table, "plain")], split)
    test = split.test.where(split.test.judged)
    p, liked = np.float32(table)[test.track].astype(float), test.label > 0
    assert evaluation.report.mean("certain", Measure.ECE) == pytest.approx(calibration_error(p, liked))
    row = evaluation.report.row("certain", Measure.ECE)
    assert 0 <= row.low < row.high <= 1
    assert sum(each.rows for each in evaluation.report.reliability[0].bins) == len(test)
    fpr = [np.mean(p[(test.listener == who) & ~liked] >= 0.5) for who in np.unique(test.listener[~liked])]
    assert evaluation.report.mean("certain", Measure.FALSE_POSITIVE_RATE) == pytest.approx(np.mean(fpr))
    brier = [np.mean((p - liked)[test.listener == who] ** 2) for who in np.unique(test.listener)]
    assert evaluation.report.mean("certain", Measure.BRIER) == pytest.approx(np.mean(brier))
    assert any("ECE of plain" in line and "no probabilities" in line for line in evaluation.report.omitted)


def test_constant_scores_have_defined_figures_and_no_nan(make_random_log, oracle):
    log = make_random_log(6, rows=200, listeners=8, tracks=TRACKS, moments=120)
    report = evaluate([oracle(np.zeros(TRACKS))], split_listener_last(log)).report
    assert report.mean("oracle", Measure.PAIR_AUC) == 0.5
    assert report.mean("oracle", Measure.MRR_POSITIVE) == pytest.approx(1 / ((TRACKS + 1) / 2))
    assert all(np.isfinite([row.mean, row.low or 0, row.high or 0]).all() for row in report.rows)


def test_accuracy_by_share_of_likes_covers_everybody_once(make_random_log):
    log = make_random_log(8, rows=900, listeners=40, tracks=TRACKS, moments=800)
    evaluation = evaluate([Hashed()], split_listener_last(log, 0.5))
    report = evaluation.report
    assert report.share_unit == "listener"
    assert sum(each.count for each in report.positive_shares) <= report.listeners
    assert sum(row.count for row in report.by_positive_share) <= report.listeners_with_pairs
    split = split_listener_last(log, 0.5)
    past = split.past.where(split.past.judged)
    auc = dict(zip(evaluation.listeners, evaluation.figure("hashed", Measure.PAIR_AUC).values, strict=True))
    for row in report.by_positive_share:
        inside = [
            auc[who]
            for who in auc
            if np.isfinite(auc[who])
            and (past.listener == who).any()
            and min(4, int(np.mean(past.label[past.listener == who] > 0) * 5)) == round(row.share_low * 5)
        ]
        assert row.count == len(inside)
        assert row.mean == pytest.approx(np.mean(inside))


def test_one_listener_is_told_apart_by_station(make_world, oracle):
    log = make_world(events=300).log
    report = evaluate([oracle(np.arange(80.0))], split_at(log, float(log.time[150])), state=State.WALKING).report
    assert report.share_unit == "station"
    assert sum(each.count for each in report.positive_shares) == 2


@pytest.mark.slow
def test_seeds_are_averaged_per_listener_before_anything_else(make_random_log):
    log = make_random_log(9, rows=300, listeners=9, tracks=TRACKS, moments=200)
    split = split_listener_last(log, 0.4)
    alone = [evaluate([Hashed(seed=seed)], split) for seed in (0, 1, 2)]
    together = tabulate(average([measured([Hashed(seed=seed)], split, EvaluationPlan()) for seed in (0, 1, 2)]))
    for measure in (Measure.PAIR_AUC, Measure.NDCG, Measure.NOVELTY):
        stacked = np.stack([each.figure("hashed", measure).values for each in alone])
        assert together.figure("hashed", measure).values == pytest.approx(stacked.mean(axis=0), nan_ok=True)
    ginis = [each.report.mean("hashed", Measure.GINI) for each in alone]
    assert together.report.mean("hashed", Measure.GINI) == pytest.approx(np.mean(ginis))
    assert {row.seeds for row in together.report.rows} == {3}
    width = [
        row.high - row.low
        for row in (alone[0].report.row("hashed", Measure.PAIR_AUC), together.report.row("hashed", Measure.PAIR_AUC))
    ]
    assert width[1] < width[0]


@pytest.mark.slow
def test_a_split_may_be_drawn_anew_for_each_seed(make_random_log):
    log = make_random_log(10, rows=300, listeners=9, tracks=TRACKS, moments=200)
    drawn = [split_random(log, seed) for seed in (0, 1)]
    together = tabulate(average([measured([Hashed(seed=seed)], drawn[seed], EvaluationPlan()) for seed in (0, 1)]))
    for who, value in zip(together.listeners, together.figure("hashed", Measure.MRR_POSITIVE).values, strict=True):
        own = []
        for seed in (0, 1):
            one = evaluate([Hashed(seed=seed)], drawn[seed])
            own += one.figure("hashed", Measure.MRR_POSITIVE).values[one.listeners == who].tolist()
        assert value == pytest.approx(np.nanmean(own)) or (np.isnan(own).all() and np.isnan(value))


@pytest.mark.slow
def test_two_models_are_compared_on_the_same_listeners_and_draws(make_random_log, oracle):
    log = make_random_log(12, rows=400, listeners=20, tracks=TRACKS, moments=300)
    table = np.arange(float(TRACKS))
    evaluation = evaluate([oracle(table, "a"), oracle(table, "b"), oracle(-table, "c")], split_listener_last(log, 0.4))
    same, other = (evaluation.difference("a", rival, Measure.PAIR_AUC) for rival in ("b", "c"))
    assert (same.mean, same.low, same.high, same.probability_better) == (0.0, 0.0, 0.0, 0.5)
    back = evaluation.difference("c", "a", Measure.PAIR_AUC)
    assert back.mean == -other.mean
    assert back.probability_better == pytest.approx(1 - other.probability_better)
    assert evaluation.paired(Measure.PAIR_AUC, ["a", "c"]).shape == (evaluation.report.listeners_with_pairs, 2)
    assert evaluation.difference("a", "nobody", Measure.PAIR_AUC) is None


def test_a_sample_of_listeners_is_seeded_and_stated(make_random_log, oracle):
    log = make_random_log(13, rows=400, listeners=20, tracks=TRACKS, moments=300)
    split = split_listener_last(log)
    runs = [evaluate([oracle(np.arange(float(TRACKS)))], split, most_listeners=7, seed=seed) for seed in (0, 0, 1)]
    assert [run.report.listeners for run in runs] == [7, 7, 7]
    assert runs[0].listeners.tolist() == runs[1].listeners.tolist() != runs[2].listeners.tolist()
    assert any(note.startswith("Measured on 7 of") for note in runs[0].report.notes)


def test_what_would_mislead_is_refused(make_random_log, oracle):
    log = make_random_log(0, tracks=TRACKS)
    split = split_listener_last(log)
    with pytest.raises(ValueError, match="same name"):
        evaluate([oracle(np.zeros(TRACKS)), oracle(np.zeros(TRACKS))], split)
    with pytest.raises(ValueError, match="not finite, for track 3"):
        evaluate([oracle(np.where(np.arange(TRACKS) == 3, np.nan, 0.0))], split)
    with pytest.raises(ValueError, match=r"shape \(2,\) for 30 tracks"):
        evaluate([oracle(np.zeros(2))], split)
    with pytest.raises(ValueError, match="without order"):
        evaluate([oracle(np.zeros(TRACKS))], split_random(log, 0), state=State.WALKING)


def test_what_is_input_and_how_the_log_was_cut_stands_in_the_report(make_random_log, oracle):
    log = make_random_log(0, tracks=TRACKS)
    report = evaluate([oracle(np.zeros(TRACKS))], split_listener_last(log)).report
    assert (report.split.name, report.split.state, report.split.ordered) == ("listener-last", State.FROZEN, True)
    assert report.split.train + report.split.validation + report.split.test == len(log)
    assert any("no test row is input" in note for note in report.notes)
    unordered = evaluate([oracle(np.zeros(TRACKS))], split_random(log, 0)).report
    assert not unordered.split.ordered
