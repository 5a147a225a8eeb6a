"""Simulated reactions as rows, held against the player's own feedback rules."""

import numpy as np
import pytest

from bench.simulation.listener import DURATION, Reaction
from bench.simulation.log import GrowingLog, rows_of
from player.feedback.signals import played_share, signal_of
from recommender.events import Outcome

STARTED = 1000.0


@pytest.mark.parametrize("share", [0.02, 0.1, 0.142, 0.143, 0.3, 0.7, 0.89, 0.9, 1.0])
def test_an_end_of_a_play_is_the_row_that_the_player_would_write(share):
    kind = "finish" if share == 1.0 else "skip"
    position = share * DURATION
    theirs = signal_of(kind, position=position, duration=DURATION, action="next")
    (row,) = rows_of(Reaction(likes=True, thumb=0, share=share), STARTED)
    assert (row.outcome, row.label, row.explicit) == (theirs.outcome, theirs.label, theirs.explicit)
    assert row.weight == pytest.approx(theirs.weight)
    if theirs.outcome is not Outcome.FINISH:
        assert row.share == pytest.approx(played_share(kind, position, DURATION))
    assert row.time == pytest.approx(STARTED + position)


@pytest.mark.parametrize(("thumb", "kind", "share"), [(1, "up", 1.0), (-1, "down", 0.05)])
def test_a_thumb_is_the_row_that_the_player_would_write(thumb, kind, share):
    theirs = signal_of(kind, position=None, duration=DURATION, action=None)
    row = rows_of(Reaction(likes=thumb > 0, thumb=thumb, share=share), STARTED)[0]
    assert (row.outcome, row.label, row.weight, row.explicit) == (theirs.outcome, theirs.label, 1.0, True)
    assert np.isnan(row.share)
    assert np.isnan(played_share(kind, None, DURATION))


def test_a_thumb_up_is_followed_by_the_end_of_the_play_and_a_thumb_down_ends_it():
    up = rows_of(Reaction(likes=True, thumb=1, share=1.0), STARTED)
    down = rows_of(Reaction(likes=False, thumb=-1, share=0.05), STARTED)
    assert [row.outcome for row in up] == [Outcome.THUMB_UP, Outcome.FINISH]
    assert [row.outcome for row in down] == [Outcome.THUMB_DOWN]
    assert STARTED < up[0].time < up[1].time


def test_the_log_grows_in_time_order_and_of_two_thumbs_only_the_last_stays():
    growing = GrowingLog(tracks=5, plays=10)
    up, down = Reaction(likes=True, thumb=1, share=1.0), Reaction(likes=False, thumb=-1, share=0.05)
    growing.add(3, rows_of(up, 0.0))
    growing.add(1, rows_of(up, 300.0))
    growing.add(3, rows_of(down, 600.0))
    log = growing.log()
    assert log.track.tolist() == [3, 1, 1, 3]
    assert log.outcome.tolist() == [Outcome.FINISH, Outcome.THUMB_UP, Outcome.FINISH, Outcome.THUMB_DOWN]
    assert np.all(np.diff(log.time) > 0)
    assert growing.thumb.tolist() == [0, 1, 0, -1, 0]
