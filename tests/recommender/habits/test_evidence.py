"""Evidence for the weights of feedback: runs of skips, the next calm hearing, and effects that were put into plays are found."""

import numpy as np
import pytest

from recommender.habits.evidence import REFERENCE, effects, in_runs, surprises
from tests.support.histories import listening


def test_runs_are_three_skips_in_a_row_within_a_session(plays):
    run, verdict, session = in_runs(plays), plays.verdict.tolist(), plays.session.tolist()
    for row in range(len(plays)):
        first = last = row
        while first and verdict[first - 1] < 0 and session[first - 1] == session[row]:
            first -= 1
        while last + 1 < len(plays) and verdict[last + 1] < 0 and session[last + 1] == session[row]:
            last += 1
        assert run[row] == (verdict[row] < 0 and last - first + 1 >= 3)


def test_a_surprise_is_of_a_later_session_and_surprises_cancel_out(plays):
    found = surprises(plays, in_runs(plays))
    assert np.isnan(found[plays.session == plays.session[-1]]).all()
    assert abs(np.nanmean(found)) < 1e-9


@pytest.mark.slow
def test_what_was_heard_out_is_heard_out_again_and_what_was_skipped_is_not():
    found = {row.kind: row for row in effects([listening(seed=seed, sessions=150, taste=4.0) for seed in range(3)])}
    assert found["heard out"].effect > 0.02
    assert found[REFERENCE].effect < 0
    assert found[REFERENCE].relative == 1.0
    assert found["heard out"].people == 3
    assert found["heard out"].low <= found["heard out"].effect <= found["heard out"].high


def test_nothing_is_told_of_what_hardly_happened(plays):
    assert all(row.effect is None and row.people == 0 for row in effects([plays.until(20)]))
