"""The list of stations that is read before anything else says what the log says."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.stations.snapshot import NEUTRAL_DIAL
from player.stations.station_list import list_stations
from player.storage.event_kinds import Kind, Origin
from player.storage.models import Event
from recommender.ranking.dial import NEUTRAL

TOLD = st.tuples(
    st.sampled_from([Kind.UP, Kind.UP, Kind.DOWN, Kind.CLEAR, Kind.NEVER, Kind.UNDO]),
    st.integers(1, 2),
    st.sampled_from([1, 1, 2, None]),
    st.sampled_from([Origin.TUI, Origin.IMPORT, Origin.SURVEY]),
    st.integers(1, 9),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TOLD, max_size=14))
def test_thumbs_are_those_that_the_log_gives(database, told):
    with database.session() as session:
        session.execute(delete(Event))
    events = []
    for kind, track, station, origin, at in told:
        undoes = events[at % len(events)].id if kind == Kind.UNDO and events else None
        if kind != Kind.UNDO or undoes is not None:
            new = NewEvent(kind, track, station, at_us=at * 1_000_000, undoes_id=undoes)
            events.append(EventStore(database, origin).append(new))
    thumbs = load_history(database, ()).state.thumbs
    for row, _ in list_stations(database):
        here = list(thumbs.get(row.id, {}).values())
        assert (row.thumbs_up, row.thumbs_down) == (here.count(1), here.count(-1))


def test_a_station_is_listed_with_its_seeds_in_words(demo):
    row = demo.rows[0]
    made = demo.station("Third", f"track:{row.id}", "genre:Rock")
    ((listed, seeds),) = list_stations(demo.database)
    assert (listed.id, listed.name, seeds) == (made.id, "Third", made.seeds)
    assert listed.seeds == f"“{row.title}”, genre Rock"
    assert listed.dial == NEUTRAL_DIAL == NEUTRAL
