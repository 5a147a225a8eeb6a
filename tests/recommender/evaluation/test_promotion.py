import numpy as np
import pytest

from recommender.evaluation.promotion import judge
from recommender.evaluation.protocol import evaluate
from recommender.evaluation.query_states import State
from recommender.evaluation.splits import split_at


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
    verdict = judge(graded(make_log, oracle, {"new": RIGHT, "old": NOISE, "base": NOISE}), "new", "old", ["base"])
    assert verdict.promoted


@pytest.mark.parametrize("worse_than", ["old", "base"])
def test_a_model_surely_worse_than_the_live_one_or_a_baseline_is_refused(make_log, oracle, worse_than):
    tables = {"new": NOISE, "old": NOISE, "base": NOISE} | {worse_than: RIGHT}
    verdict = judge(graded(make_log, oracle, tables), "new", "old", ["base"])
    assert not verdict.promoted
    assert worse_than in verdict.reason


def test_an_equal_model_is_promoted(make_log, oracle):
    assert judge(graded(make_log, oracle, {"new": RIGHT, "old": RIGHT, "base": RIGHT}), "new", "old", ["base"]).promoted


def test_a_model_below_chance_is_refused_even_without_a_rival(make_log, oracle):
    verdict = judge(graded(make_log, oracle, {"new": -RIGHT}), "new", None, [])
    assert not verdict.promoted
    assert "chance" in verdict.reason


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
