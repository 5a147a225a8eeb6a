from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.datasets.opening import dataset_of
from recommender.events import EventLog, Outcome
from recommender.experiments.clep_listeners import Listener, divide, draw_test_tracks, find_listeners
from recommender.experiments.records import ExperimentError

TRACKS = 40
PAUSE = 3600.0


def log_of(events, tracks=TRACKS):
    """From (listener, station, track, time, label)."""
    listener, station, track, time, label = map(np.array, zip(*events, strict=True))
    return EventLog(
        listener=listener,
        station=station,
        track=track,
        time=time.astype(np.float64),
        outcome=np.where(label > 0, Outcome.THUMB_UP, Outcome.THUMB_DOWN).astype(np.int8),
        label=label.astype(np.int8),
        weight=np.full(len(label), 0.5, np.float32),
        explicit=np.ones(len(label), np.bool_),
        tracks=tracks,
    )


def heard(log, ordered=True):
    content = np.random.default_rng(0).normal(size=(log.tracks, 4)).astype(np.float32)
    return replace(dataset_of(log, content=content), ordered=ordered)


def balanced(listener, count, start=0.0, station=0, first=0):
    """``count`` likes and dislikes in turn about tracks in a row."""
    return [(listener, station, first + n, start + n, 1 if n % 2 else -1) for n in range(count)]


def in_order(*events):
    return sorted((event for part in events for event in part), key=lambda event: event[3])


def test_only_listeners_with_enough_of_both_kinds_are_measured_and_all_are_learned_from():
    found = find_listeners(heard(log_of(in_order(balanced(0, 10), balanced(1, 6), [(2, 0, 1, 9.0, 1)]))), fewest=5)
    assert [each.name for each in found.chosen] == ["0"]
    assert [each.name for each in found.everybody] == ["0", "1", "2"]
    assert found.chosen[0].weight == pytest.approx(np.full(10, 0.5))


def test_a_track_whose_sound_is_not_known_does_not_count():
    dataset = heard(log_of(in_order(balanced(0, 10), balanced(1, 10))))
    dataset.content[:2] = np.nan
    found = find_listeners(dataset, fewest=4)
    assert all(not np.isin(each.track, [0, 1]).any() for each in found.everybody)
    assert all(each.fewer == 4 for each in found.chosen)


def test_contradicted_opinions_are_dropped_where_there_is_no_clock():
    events = in_order(balanced(0, 10), balanced(1, 10), [(0, 0, 3, 99.0, -1)])
    (listener, _) = find_listeners(heard(log_of(events), ordered=False), fewest=4).everybody
    assert 3 not in listener.track


def test_the_last_opinion_stands_where_there_is_a_clock():
    events = in_order(balanced(0, 10), balanced(1, 10), [(0, 0, 3, 99.0, -1)])
    (listener, _) = find_listeners(heard(log_of(events)), fewest=4).everybody
    assert not listener.liked[listener.track == 3]
    assert len(listener) == 10


def test_stations_of_a_single_listener_count_as_listeners():
    events = in_order(*(balanced(0, 8, start=100.0 * n, station=n) for n in range(6)))
    found = find_listeners(heard(log_of(events)), fewest=4)
    assert [each.name for each in found.chosen] == ["0", "1", "2", "3", "4", "5"]
    assert "station" in found.unit


def test_sessions_of_a_single_listener_count_where_stations_are_too_few():
    evenings = [balanced(0, 8, start=PAUSE * n, first=4 * n) for n in range(6)]
    found = find_listeners(heard(log_of(in_order(*evenings))), fewest=8)
    assert (
        len(found.chosen) == 2
    )  # eight of each take three evenings, as half of what is heard was heard the evening before
    assert "sessions" in found.unit


def test_no_sound_at_all_says_how_to_name_the_audio():
    dataset = replace(heard(log_of(balanced(0, 20))), content=None)
    with pytest.raises(ExperimentError, match="--music DIR --index CSV"):
        find_listeners(dataset)


def test_nobody_with_enough_opinions_says_so():
    with pytest.raises(ExperimentError, match="8 likes and 8 dislikes"):
        find_listeners(heard(log_of(in_order(balanced(0, 4), balanced(1, 4)))))


def test_a_quarter_of_the_tracks_that_can_be_heard_is_tested_on():
    known = np.arange(100) < 80
    test = draw_test_tracks(known, np.arange(100), np.random.default_rng(0))
    assert test.sum() == 20
    assert not test[~known].any()


def test_no_artist_stands_on_both_sides_of_a_seed():
    artist = np.arange(120) // 3
    for seed in range(5):
        test = draw_test_tracks(np.ones(120, np.bool_), artist, np.random.default_rng(seed))
        assert test.sum() == 30
        assert not set(artist[test]) & set(artist[~test])


@pytest.mark.slow
@given(likes=st.integers(0, 12), dislikes=st.integers(0, 12), seed=st.integers(0, 50))
def test_the_parts_of_a_listener_are_apart_and_both_kinds_are_learned_from(likes, dislikes, seed):
    rng = np.random.default_rng(seed)
    count = likes + dislikes
    listener = Listener("x", np.arange(count), np.arange(count) < likes, np.ones(count, np.float32))
    test = rng.random(max(1, count)) < 0.3
    parts = divide(listener, test, rng)
    left = listener.liked[~test[:count]]
    if parts is None:
        assert left.all() or not left.any() or not test[:count].any()
        return
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(together) == list(range(count))
    assert test[listener.track[parts.test]].all()
    assert not test[listener.track[parts.past]].any()
    assert set(listener.liked[parts.train]) == {True, False}
