"""Taste hygiene: what happened in a private session, in a time forgotten, or with an excluded track, teaches nothing."""

import time
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from player.errors import PlayerError
from player.feedback import hygiene
from player.feedback.event_history import EventHistory, load_history
from player.feedback.event_store import EventStore
from player.feedback.events import MICROSECONDS, NewEvent, now_us
from player.feedback.unlearned_times import ExcludedTracks, Hygiene, UnlearnedTime
from tests.feedback.test_event_history import DURATIONS, event, said

SPAN = UnlearnedTime(1, 10 * MICROSECONDS, 20 * MICROSECONDS, None, private=True)


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["up", "down", "finish", "skip", "never", "replay"]), st.integers(1, 3), st.integers(0, 30)
        ),
        max_size=12,
    )
)
def test_a_time_that_is_over_is_as_if_nothing_had_happened_in_it(drawn):
    events = [
        event(number, kind, track, at=at)
        for number, (kind, track, at) in enumerate(sorted(drawn, key=lambda one: one[2]), 1)
    ]
    kept, clean = EventHistory([], DURATIONS), Hygiene((SPAN,))
    kept.keep_clean(clean)
    for one in events:
        kept.add([one])
    without = EventHistory([one for one in events if not SPAN.holds(one.time_us)], DURATIONS)
    assert said(kept) == said(without)
    assert (kept.state.thumbs, kept.state.never, dict(kept.state.tallies)) == (
        without.state.thumbs, without.state.never, dict(without.state.tallies)
    )  # fmt: skip
    kept.keep_clean(Hygiene())
    assert said(kept) == said(EventHistory(events, DURATIONS))


def test_while_a_private_session_goes_on_a_thumb_has_its_effect_and_says_nothing():
    kept = EventHistory([], DURATIONS)
    assert kept.keep_clean(Hygiene((SPAN,), private=SPAN))
    assert not kept.keep_clean(Hygiene((SPAN,), private=SPAN)), "no news"
    kept.add([event(1, "down", at=12), event(2, "up", 2, at=25)])
    assert kept.state.thumbs[1] == {1: -1, 2: 1}
    assert [number for number, _ in said(kept)] == [2]


def test_an_excluded_track_teaches_nothing_where_and_when_it_is_excluded():
    kept = EventHistory([event(1, "up", 1, 1, at=1), event(2, "up", 1, 2, at=2), event(3, "up", 2, 1, at=3)], DURATIONS)
    kept.keep_clean(Hygiene(excluded=(ExcludedTracks(frozenset({1}), station_id=1),)))
    assert [number for number, _ in said(kept)] == [2, 3]
    assert kept.state.off_stations(1, 0.0) == {1}
    assert kept.state.off_stations(2, 0.0) == set()


@pytest.mark.parametrize(
    ("season", "day", "holds"),
    [
        ("12-01..12-26", "2026-12-24T12:00", False),
        ("12-01..12-26", "2026-11-30T12:00", True),
        ("12-20..01-06", "2026-01-02T12:00", False),
        ("12-20..01-06", "2026-07-01T12:00", True),
    ],
)
def test_an_exclusion_holds_outside_its_season(season, day, holds):
    group = ExcludedTracks(frozenset({1}), None, hygiene.parse_season(season))
    assert group.holds(None, moment(day)) is holds


@pytest.mark.parametrize("season", ["december", "13-01..14-01", "12-01", "12-00..12-26"])
def test_what_is_no_season_is_refused(season):
    with pytest.raises(PlayerError, match=r"12-01\.\.12-26"):
        hygiene.parse_season(season)


def test_a_session_for_the_queue_ends_with_its_tracks(demo):
    tracks = demo.track_ids
    store = EventStore(demo.database, "tui")
    hygiene.begin_private(demo.database, "queue")
    for played in range(hygiene.QUEUE_TRACKS):
        assert load_history(demo.database, demo.rows).hygiene.private is not None, played
        store.append(NewEvent("finish", tracks[played], position=1.0, action="end"))
    store.append(NewEvent("up", tracks[0]))
    history = load_history(demo.database, demo.rows)
    assert history.hygiene.private is None
    assert [item.event.kind for item in history.labels] == ["up"]


def test_forgetting_is_taken_back(demo):
    EventStore(demo.database, "cli").append(NewEvent("up", demo.track_ids[0]))
    number = hygiene.forget(demo.database, now_us() - 60 * MICROSECONDS, now_us())
    assert len(load_history(demo.database, demo.rows).labels) == 0
    hygiene.remember(demo.database, number)
    assert len(load_history(demo.database, demo.rows).labels) == 1
    with pytest.raises(PlayerError, match="no such time"):
        hygiene.remember(demo.database, number)


def test_an_exclusion_follows_its_query(demo):
    row = demo.rows[0]
    hygiene.add_exclusion(demo.database, f'title:"{row.title}"', None, None)
    assert row.id in load_history(demo.database, demo.rows).state.off_stations(None, time.time())
    (kept,) = hygiene.exclusions(demo.database)
    hygiene.remove_exclusion(demo.database, kept.id)
    assert load_history(demo.database, demo.rows).hygiene == Hygiene()
    for nothing in ("", "genre:", " - "):
        with pytest.raises(PlayerError, match="needs a query"):
            hygiene.add_exclusion(demo.database, nothing, None, None)
