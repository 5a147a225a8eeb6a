"""The log kept as columns says the same as one made anew from all events, whatever happens and in whatever order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.feedback.event_history import ONE_BY_ONE, EventHistory
from player.feedback.events import MICROSECONDS, LoggedEvent
from player.feedback.labels import FEWEST_ROWS, GrowingLabels, InteractionRows, Labels, build_log
from recommender.events import EventLog

DURATIONS = dict.fromkeys(range(1, 6), 200.0)
INDEX = {1: 2, 2: 0, 3: 1, 5: 3}
"""Track 4 is not in the library any more."""
STATIONS = {1: 0, 3: 1}
"""Station 2 is gone."""
YEARS = 10_000_000


def event(number, kind, track=1, station=1, *, at, position=None, action=None, origin="tui", undoes=None):
    return LoggedEvent(number, round(at * MICROSECONDS), kind, track, station, position, action, origin, None, undoes)


TOLD = st.tuples(
    st.sampled_from(["start", "finish", "skip", "stop", "up", "up", "down", "clear", "replay", "not-now", "never"]),
    st.integers(1, 5),
    st.sampled_from([1, 2, 3, None]),
    st.sampled_from([0, 1, 3, 60, 7200, -40]),  # seconds after the event before: also out of order
    st.none() | st.floats(0, 210),
    st.sampled_from([None, "next", "chose", "down"]),
    st.sampled_from(["tui", "cli"]),
)
UNDO = st.integers(0, 30)
"""Which of the events so far is taken back."""
BURST = st.tuples(st.just("burst"), st.integers(2, 5), st.integers(1, 5))
"""So many skips a second apart, from this track on."""
IMPORT = st.tuples(
    st.just("import"), st.lists(st.tuples(st.sampled_from(["finish", "skip", "up"]), st.integers(1, 5)), max_size=5)
)
"""Old events from elsewhere."""
PORTIONS = st.lists(st.lists(st.one_of(TOLD, TOLD, UNDO, BURST, IMPORT), max_size=4), max_size=12)


class Teller:
    """Writes events as they come."""

    def __init__(self) -> None:
        self.events: list[LoggedEvent] = []
        self.time = float(YEARS)

    def write(self, kind, track, station, *, at=None, **more) -> LoggedEvent:
        written = event(len(self.events) + 1, kind, track, station, at=self.time if at is None else at, **more)
        self.events.append(written)
        return written

    def take(self, step) -> list[LoggedEvent]:
        if isinstance(step, int):
            targets = [one for one in self.events if one.kind != "undo"]
            if not targets:
                return []
            target = targets[step % len(targets)]
            return [self.write("undo", target.track_id, target.station_id, undoes=target.id)]
        if step[0] == "burst":
            return [self._skip((step[2] + number) % 5 + 1) for number in range(step[1])]
        if step[0] == "import":
            return [
                self.write(kind, track, None, at=1000.0 + 300.0 * len(self.events), origin="import")
                for kind, track in step[1]
            ]
        kind, track, station, gap, position, action, origin = step
        self.time += gap
        return [self.write(kind, track, station, position=position, action=action, origin=origin)]

    def _skip(self, track) -> LoggedEvent:
        self.time += 1.0
        return self.write("skip", track, 1, position=2.0, action="next")


def obvious(kept: EventHistory) -> list[tuple]:
    """The recommender's rows, one by one as they are meant."""
    return [
        (
            STATIONS.get(item.event.station_id, len(STATIONS)),
            INDEX[item.event.track_id],
            item.event.time_us / MICROSECONDS,
            int(item.signal.outcome),
            item.signal.label,
            float(np.float32(item.signal.weight)),
            item.signal.explicit,
            -1.0 if np.isnan(item.share) else float(np.float32(item.share)),
        )
        for item in kept.labels
        if item.event.track_id in INDEX
    ]


def rows(log: EventLog) -> list[tuple]:
    share = np.where(np.isnan(log.share), np.float32(-1.0), log.share)
    columns = (log.station, log.track, log.time, log.outcome, log.label, log.weight, log.explicit, share)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(PORTIONS)
def test_columns_kept_up_event_by_event_equal_those_made_anew(portions):
    told, kept, interactions = Teller(), EventHistory([], DURATIONS), InteractionRows(INDEX, STATIONS)
    for portion in portions:
        kept.add([written for step in portion for written in told.take(step)])
        anew = EventHistory(told.events, DURATIONS)
        log = interactions.of(kept.labels)
        assert rows(log) == rows(build_log(anew.labels, INDEX, STATIONS)) == obvious(anew)
        assert kept.labels == anew.labels
        assert kept.state == anew.state


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(PORTIONS)
def test_what_was_handed_out_stays_as_it_was(portions):
    told, kept = Teller(), EventHistory([], DURATIONS)
    handed_out: list[tuple[Labels, list, list]] = []
    interactions = InteractionRows(INDEX, STATIONS)
    for portion in portions:
        kept.add([written for step in portion for written in told.take(step)])
        handed_out.append((kept.labels, list(kept.labels), rows(interactions.of(kept.labels))))
    for labels, items, log in handed_out:
        assert list(labels) == items
        assert rows(interactions.of(labels)) == log


def test_what_came_after_the_catalogue_was_made_is_left_out_and_a_new_station_is_none_of_those():
    told = [event(number, "finish", track=track, station=9, at=number) for number, track in enumerate(range(5, 12), 1)]
    told += [event(20 + station, "finish", track=5, station=station, at=YEARS * station) for station in range(3, 9)]
    log = build_log(EventHistory(told, dict.fromkeys(range(1, 12), 200.0)).labels, INDEX, STATIONS)
    assert log.track.tolist() == [INDEX[5]] * 7
    assert log.station.tolist() == [len(STATIONS), STATIONS[3], *[len(STATIONS)] * 5]


def test_nothing_new_is_the_same_object_and_something_new_another():
    kept = EventHistory([event(1, "up", at=1)], DURATIONS)
    before = kept.labels
    kept.add([event(2, "start", at=2)])
    assert kept.labels is before
    kept.add([event(3, "finish", at=3)])
    assert kept.labels is not before
    assert (len(before), len(kept.labels)) == (1, 2)


@pytest.mark.parametrize("count", [1, FEWEST_ROWS, FEWEST_ROWS + 1, 20 * FEWEST_ROWS])
def test_an_event_in_order_is_written_without_touching_the_others(count):
    kept = EventHistory([event(number, "finish", at=number) for number in range(1, count + 1)], DURATIONS)
    assert len(kept.labels) == count  # asked once: from here on there are columns
    kept.add([event(count + 1, "finish", at=count + 1)])
    before = kept.labels.columns
    kept.add([event(count + 2, "finish", at=count + 2)])
    after = kept.labels.columns
    assert np.shares_memory(before.time, after.time)
    assert after.time.tolist() == [float(number) for number in range(1, count + 3)]


def test_many_events_at_once_are_written_like_few():
    events = [
        event(number, "up" if number % 3 else "down", number % 5 + 1, at=number) for number in range(1, 4 * ONE_BY_ONE)
    ]
    kept = EventHistory(events[:1], DURATIONS)
    assert len(kept.labels) == 1
    kept.add(events[1:])
    assert kept.labels == EventHistory(events, DURATIONS).labels


def test_an_event_that_is_not_there_can_be_neither_replaced_nor_removed():
    (item,) = EventHistory([event(7, "up", at=1)], DURATIONS).labels
    grown = GrowingLabels([])
    with pytest.raises(KeyError):
        grown.remove(7)
    with pytest.raises(KeyError):
        grown.replace(item)


def test_it_reads_like_a_list():
    labels = EventHistory([event(number, "finish", at=number) for number in (1, 2, 3)], DURATIONS).labels
    assert [item.event.id for item in labels[1:]] == [2, 3]
    assert labels[-1].event.id == 3
    assert labels == list(labels)
    assert labels != list(labels)[:2]
    assert labels != "abc"
    with pytest.raises(IndexError):
        labels[3]
    assert Labels.of(labels[:2]) == labels[:2]


@pytest.mark.parametrize(("index", "stations"), [({}, {}), ({9: 0}, {}), ({}, {1: 0})])
def test_a_library_without_the_tracks_makes_an_empty_log(index, stations):
    log = build_log(EventHistory([event(1, "up", at=1)], DURATIONS).labels, index, stations)
    assert (len(log), log.tracks) == (0, len(index))
