"""What is claimed of a difference: only what both the interval and the test bear out."""

import pytest

from recommender.evaluation.bootstrap import Difference
from recommender.evaluation.statistics import Pair
from recommender.experiments.conclusion import _judgement


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
