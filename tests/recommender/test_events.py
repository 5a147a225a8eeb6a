"""The log's columns: what belongs together, what may be left out, and in which order rows must come."""

from dataclasses import replace

import numpy as np
import pytest

from recommender import events
from recommender.events import EventLog, Outcome


def make(times, **columns):
    count = len(times)
    return EventLog(
        listener=np.zeros(count, np.int64),
        station=np.zeros(count, np.int64),
        track=np.zeros(count, np.int64),
        time=np.array(times, np.float64),
        outcome=np.full(count, Outcome.FINISH, np.int8),
        label=np.ones(count, np.int8),
        weight=np.ones(count, np.float32),
        explicit=np.zeros(count, np.bool_),
        tracks=1,
        **columns,
    )


@pytest.mark.parametrize("late", range(1, 8))
def test_a_row_out_of_order_is_found_wherever_the_pieces_that_are_checked_meet(late, monkeypatch):
    monkeypatch.setattr(events, "CHECKED_AT_A_TIME", 3)
    times = [float(row) for row in range(8)]
    make(times)
    times[late] = times[late - 1] - 1.0
    with pytest.raises(ValueError, match="time order"):
        make(times)


def test_what_nobody_said_about_a_row_is_unknown():
    log = make([0.0, 1.0])
    assert np.isnan(log.share).all()
    assert (log.known == -1).all()


def test_a_column_of_another_length_is_named():
    with pytest.raises(ValueError, match="share"):
        make([0.0, 1.0], share=np.ones(3, np.float32))


def test_parts_of_a_log_keep_every_column():
    log = make([0.0, 1.0, 2.0], share=np.array([0.1, 0.2, 0.3], np.float32), known=np.array([1, 0, 1], np.int8))
    assert log.first(2).share.tolist() == pytest.approx([0.1, 0.2])
    assert log.where(np.array([False, True, True])).known.tolist() == [0, 1]


def test_the_end_of_a_play_is_not_measured_on_once_a_thumb_has_foretold_it():
    rows = [  # listener, track, outcome, whether it is measured on
        (0, 3, Outcome.THUMB_UP, True),
        (1, 3, Outcome.FINISH, True),  # another listener's
        (0, 3, Outcome.FINISH, False),
        (0, 3, Outcome.FINISH, True),  # played once more
        (0, 4, Outcome.THUMB_DOWN, True),
        (0, 5, Outcome.FINISH, True),  # another track
        (1, 6, Outcome.THUMB_UP, True),
        (1, 6, Outcome.SKIP_EARLY, False),
        (1, 6, Outcome.SKIP_LATE, False),  # never measured on
    ]
    log = replace(
        make([float(row) for row in range(len(rows))]),
        listener=np.array([row[0] for row in rows]),
        track=np.array([row[1] for row in rows]),
        outcome=np.array([row[2] for row in rows], np.int8),
        tracks=7,
    )
    assert log.judged.tolist() == [row[3] for row in rows]
