"""What was played, kept up play by play, equals what a reading of the whole log says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.feedback.event_history import EventHistory
from player.feedback.events import MICROSECONDS, LoggedEvent
from player.feedback.play_counts import StationPlays, TimesPlayed
from player.storage.event_kinds import Origin

INDEX = {1: 0, 2: 2, 3: 1}
"""Track 4 is not in the library."""
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["finish", "skip", "up", "undo"]),
        st.integers(1, 4),
        st.sampled_from([1, 2, None]),
        st.sampled_from([None, "next", "down"]),
        st.sampled_from(["tui", Origin.IMPORT]),
        st.sampled_from([0, 5, -50]),  # seconds after the event before: also out of order
    ),
    max_size=25,
)


def history(steps) -> list[LoggedEvent]:
    events, time = [], 1000
    for number, (kind, track, station, action, origin, gap) in enumerate(steps, 1):
        undoes = None
        if kind == "undo":
            earlier = [one for one in events if one.kind != "undo" and one.track_id == track]
            if not earlier:
                continue
            undoes = earlier[-1].id
        else:
            time += gap
        events.append(
            LoggedEvent(number, time * MICROSECONDS, kind, track, station, None, action, origin, None, undoes)
        )
    return events


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_plays_and_their_counts_follow_the_log(steps):
    kept = EventHistory([], {})
    plays, times = StationPlays(INDEX, 1), TimesPlayed(INDEX)
    events = history(steps)
    for count, one in enumerate(events, 1):
        kept.add([one])
        anew = EventHistory(events[:count], {}).state
        assert plays.of(kept.state).tolist() == [INDEX[t] for s, t in anew.plays if s == 1 and t in INDEX]
        counted = [0] * len(INDEX)
        for track, tally in anew.tallies.items():
            if track in INDEX:
                counted[INDEX[track]] = max(tally.plays + tally.skips, 1)
        assert times.of(kept.state).tolist() == counted


def test_counts_handed_out_stay_as_they_were():
    kept, times = EventHistory([], {}), TimesPlayed(INDEX)
    first = times.of(kept.state)
    kept.add([LoggedEvent(1, 1, "finish", 1, 1, None, None, "tui", None, None)])
    second = times.of(kept.state)
    assert (first.tolist(), second.tolist()) == ([0, 0, 0], [1, 0, 0])
