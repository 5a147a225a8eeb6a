from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommender.evaluation.metrics import prequential_wins
from recommender.evaluation.promotion import ALPHA, CHANCE, bet_growth, fresh_differences, judge
from recommender.evaluation.protocol import evaluate
from recommender.evaluation.query_states import State
from recommender.evaluation.sequential_test import FRACTIONS
from recommender.evaluation.splits import split_at
from recommender.models.model_card import NO_EVIDENCE


def walk(recommenders, log):
    return evaluate(recommenders, split_at(log, 0.0), state=State.WALKING)


def graded(make_log, oracle, tables, rows=120):
    rng = np.random.default_rng(0)
    tracks = rng.integers(20, size=rows)
    log = make_log([(0, 0, track, t * 700.0, 1 if track < 10 else -1) for t, track in enumerate(tracks)], tracks=20)
    return walk([oracle(table, name) for name, table in tables.items()], log)


RIGHT = -np.arange(20.0)
NOISE = np.random.default_rng(4).permutation(np.arange(20.0))


def test_a_better_model_is_promoted(make_log, oracle):
    better = graded(make_log, oracle, {"new": RIGHT, "old": NOISE, "base": NOISE})
    verdict = judge(better, "new", "old", ["base"])
    assert verdict.promoted
    assert "first model" not in verdict.reason
    assert "first model, pair AUC 1.000" in judge(better, "new", None, ["base"]).reason


@pytest.mark.parametrize("worse_than", ["old", "base"])
def test_a_model_surely_worse_than_the_live_one_or_a_baseline_is_refused(make_log, oracle, worse_than):
    tables = {"new": NOISE, "old": NOISE, "base": NOISE} | {worse_than: RIGHT}
    verdict = judge(graded(make_log, oracle, tables), "new", "old", ["base"])
    assert not verdict.promoted
    assert worse_than in verdict.reason
    assert verdict.evidence.rounds == 0, "after a refusal the bets start anew"


def test_an_equal_model_is_promoted(make_log, oracle):
    assert judge(graded(make_log, oracle, {"new": RIGHT, "old": RIGHT, "base": RIGHT}), "new", "old", ["base"]).promoted


def test_a_model_below_chance_is_refused_even_without_a_rival(make_log, oracle):
    verdict = judge(graded(make_log, oracle, {"new": -RIGHT}), "new", None, [])
    assert not verdict.promoted
    assert "chance" in verdict.reason


def test_a_tenfold_capital_refuses_and_less_does_not(make_log, oracle):
    found, blurred = [], RIGHT + 30 * np.random.default_rng(1).normal(size=20)
    for rows in range(36, 64, 3):
        evaluation = graded(make_log, oracle, {"new": blurred, "old": RIGHT}, rows)
        verdict = judge(evaluation, "new", "old", [])
        differences, until = fresh_differences(evaluation, "new", ["old", CHANCE], None)
        capital = NO_EVIDENCE.after(np.mean([bet_growth(one) for one in differences.values()], axis=0), until).value
        assert verdict.promoted == (capital < 10.0), capital
        assert (
            f"{'against it' if verdict.promoted else 'trained is'} {capital:.{1 if verdict.promoted else 0}f}"
            in verdict.reason
        )
        assert "the 10 that refuse" in verdict.reason or "and 10 refuse" in verdict.reason
        found.append(capital)
    assert any(5.0 < capital < 10.0 for capital in found)
    assert any(10.0 < capital < 20.0 for capital in found)


def test_rows_that_say_nothing_leave_the_time_from_which_they_count(make_log, oracle):
    evaluation = graded(make_log, oracle, {"new": RIGHT, "old": NOISE})
    last = float(evaluation.prequential.time[-1])
    assert fresh_differences(evaluation, "new", ["old"], last)[1] == last
    assert fresh_differences(graded(make_log, oracle, {"new": RIGHT}, rows=1), "new", [CHANCE], None)[1] == 0.0


def test_with_too_few_pairs_the_live_model_stays_and_a_first_one_may_go_live(make_log, oracle):
    log = make_log([(0, 0, 0, 0, 1), (0, 0, 1, 1, -1)], tracks=3)
    evaluation = walk([oracle(np.zeros(3), "new"), oracle(np.zeros(3), "old")], log)
    stays = judge(evaluation, "new", "old", [])
    assert not stays.promoted
    assert "1 of the 20 pairs" in stays.reason
    assert judge(evaluation, "new", None, []).promoted


def test_a_first_model_without_a_single_pair_is_promoted_and_says_so(make_log, oracle):
    log = make_log([(0, 0, 0, 0, 1)], tracks=3)
    verdict = judge(walk([oracle(np.zeros(3), "new")], log), "new", None, [])
    assert verdict.promoted
    assert "nothing to compare" in verdict.reason


def test_what_would_not_serve_decides_nothing(make_log, oracle):
    blurred = RIGHT + np.random.default_rng(1).normal(0.0, 10.0, 20)
    evaluation = graded(make_log, oracle, {"new": blurred, "content-knn": RIGHT, "base": blurred})
    assert judge(evaluation, "new", None, ["base"]).promoted
    assert not judge(evaluation, "new", None, ["base", "content-knn"]).promoted


def test_a_row_is_judged_within_its_session_and_within_its_station_where_the_session_says_nothing(make_log, oracle):
    evening, morning = 0, 100_000
    log = make_log(
        [(0, 0, 0, evening, 1), (0, 0, 1, evening + 60, -1), (0, 0, 2, morning, 1), (0, 0, 3, morning + 60, -1)],
        tracks=4,
    )
    wins = walk([oracle(np.array([0.0, 1.0, 3.0, 2.0]), "new")], log).prequential.wins["new"]
    assert wins[1:].tolist() == [0.0, 1.0, 1.0], "the third against the station's, the last against the session's alone"


def test_rows_count_once_over_all_retrainings(make_log, oracle):
    evaluation = graded(make_log, oracle, {"new": RIGHT, "old": NOISE})
    first = judge(evaluation, "new", "old", []).evidence
    assert (first.rounds, len(first.capital)) == (1, len(FRACTIONS))
    assert judge(evaluation, "new", "old", [], first).evidence == first, "the same rows say nothing new"
    half = replace(NO_EVIDENCE, until=float(evaluation.prequential.time[59]))
    later = judge(evaluation, "new", "old", [], half).evidence
    assert (later.rounds, later.until) == (1, float(evaluation.prequential.time[-1]))


def test_a_little_harm_at_every_retraining_adds_up_to_a_refusal():
    harm = bet_growth(np.random.default_rng(2).normal(-0.12, 0.3, 40).clip(-1, 1))
    evidence, refused_at = NO_EVIDENCE, None
    for retraining in range(1, 30):
        evidence = evidence.after(harm, float(retraining))
        if refused_at is None and evidence.value >= 1 / ALPHA:
            refused_at = retraining
    assert refused_at is not None
    assert refused_at > 1, "once is too little to tell"


def test_a_long_good_past_does_not_cover_up_a_bad_model():
    evidence = NO_EVIDENCE
    for retraining in range(1, 11):
        evidence = evidence.after(bet_growth(np.full(100, 0.2)), float(retraining))
    assert evidence.value < 0.2
    assert evidence.after(bet_growth(np.full(100, -0.3)), 11.0).value >= 1 / ALPHA


def test_the_evidence_is_that_of_bets_begun_at_every_retraining_with_their_share_of_the_capital():
    rng = np.random.default_rng(5)
    rounds = [bet_growth(rng.normal(-0.05, 0.3, 25).clip(-1, 1)) for _ in range(6)]
    evidence = NO_EVIDENCE
    for number, growth in enumerate(rounds, 1):
        evidence = evidence.after(growth, float(number))
    begun = sum(np.prod(rounds[start - 1 :], axis=0) / (start * (start + 1)) for start in range(1, 7))
    assert evidence.value == pytest.approx(begun.mean() + 1 / 7)


@pytest.mark.slow
def test_a_training_that_makes_nothing_worse_is_hardly_ever_refused():
    refused = 0
    for listener in range(400):
        rng = np.random.default_rng(listener)
        evidence = NO_EVIDENCE
        for retraining in range(20):
            differences = rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], p=[0.1, 0.2, 0.4, 0.2, 0.1], size=30)
            evidence = evidence.after(bet_growth(differences), float(retraining))
            if evidence.value >= 1 / ALPHA:
                refused += 1
                break
    assert refused <= 400 * ALPHA + 3 * (400 * ALPHA * (1 - ALPHA)) ** 0.5


def test_a_bet_never_loses_more_than_it_has_and_gains_nothing_when_nothing_is_worse():
    assert (bet_growth(np.ones(50)) >= 0).all()
    outcomes = np.array([[-1.0], [1.0]])
    assert (bet_growth(outcomes).mean(axis=0) <= 1.0).all()


@pytest.mark.slow
@given(hnp.arrays(np.float32, st.tuples(st.just(7), st.just(7)), elements=st.floats(0, 1, width=16)), st.data())
def test_prequential_wins_are_those_of_a_slow_count(scores, data):
    label = np.array(data.draw(st.lists(st.sampled_from([-1, 1]), min_size=7, max_size=7)), np.int8)
    for event, found in enumerate(prequential_wins(scores, label)):
        wins = []
        for earlier in range(event):
            if label[earlier] != label[event]:
                liked, disliked = (event, earlier) if label[event] > 0 else (earlier, event)
                margin = scores[earlier, liked] - scores[earlier, disliked]
                wins.append(1.0 if margin > 0 else 0.5 if margin == 0 else 0.0)
        assert found == pytest.approx(np.mean(wins)) if wins else np.isnan(found)
