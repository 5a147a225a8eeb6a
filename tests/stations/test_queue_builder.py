"""A programme placed in one pass is the one that ranking anew behind each album gives, row by row and propensity by propensity."""

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import update

from player.config import StationSettings
from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.stations.collection import load_collection
from player.stations.modes import Moment, mode_named
from player.stations.queue_builder import Programme
from player.stations.station_queue import Listening, rank_station, served
from player.stations.station_scoring import StationScorer
from player.stations.stations import Stations
from player.storage.models import Track

pytestmark = pytest.mark.slow

NOW = 1_800_000_000.0


@pytest.fixture
def albums(demo):
    """The demo library as eight albums of three, on a station that plays albums."""
    with demo.database.session() as session:
        for place, track_id in enumerate(demo.track_ids):
            values = {
                "album_id": None,
                "album": f"Album {place % 8}",
                "album_artist": "Everyone",
                "track_number": 10 - place // 8,
            }
            session.execute(update(Track).where(Track.id == track_id).values(**values))
    demo.station()
    station = Stations(demo.database).find("Evening")
    Stations(demo.database).set_mode(station.id, "albums")
    return demo


def ranked_anew(scorer, mode, listening, places, thread):
    """The obvious way: what follows is pinned, and all that is behind it ranked from the start.

    Returns:
        (row, row of its ranking, the queue it is ranked in, its place there) of each place; the last two None where
        nothing was chosen.
    """
    bare = rank_station(scorer, replace(listening, pinned=()), StationSettings(), 0)
    offer = mode.offer(Moment(scorer.collection, listening, bare.open, bare.scores.total))
    own = replace(listening, candidates=offer.candidates, bonus=offer.bonus)
    taken = list(listening.pinned)
    if thread is not None:
        taken += [row for row in mode.after(thread) if bare.open[row] and row not in taken]
    found = [(row, None, None) for row in taken[:places]]
    while len(found) < places:
        pinned = tuple(row for row, _, _ in found)
        queue = rank_station(scorer, replace(own, pinned=pinned), StationSettings(), len(found) + 1)
        if len(queue.ranking.rows) <= len(found):
            break
        place = len(found)
        chosen = queue.ranking.rows[place].track
        found.append((chosen, queue, place))
        rest = [row for row in mode.after(chosen) if bare.open[row] and row not in {row for row, _, _ in found}]
        found += [(row, None, None) for row in rest[: places - len(found)]]
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("commit_first", [0, 3])
def test_one_pass_equals_ranking_anew_behind_each_album(albums, seed, commit_first):
    rng = np.random.default_rng(seed)
    told = [
        NewEvent(str(rng.choice(["up", "down", "finish", "not-now"])), int(rng.choice(albums.track_ids)), 1)
        for _ in range(seed)
    ]
    if told:
        EventStore(albums.database, "tui").append_all(told)
    stations = Stations(albums.database)
    station = replace(stations.find("Evening"), noise_seed=seed)
    collection = load_collection(albums.database)
    scorer = StationScorer(collection, stations.all(), station, None)
    mode = mode_named("albums", collection, albums.database)
    history = load_history(albums.database, collection.rows)
    pinned = tuple(rng.permutation(len(collection))[: seed % 3].tolist())
    listening = Listening(history.state, history.labels, NOW, pinned=pinned)
    open_now = rank_station(scorer, listening, StationSettings(), 0).open
    listening = replace(listening, pinned=tuple(row for row in pinned if open_now[row]))
    thread = None if seed % 2 else int(rng.integers(len(collection)))

    queue = Programme(scorer, mode).rank(listening, StationSettings(), 15, thread=thread, commit_first=commit_first)
    anew = ranked_anew(scorer, mode, listening, 15, thread)

    assert list(queue.ranked.track_rows) == [row for row, _, _ in anew]
    assert sum(row.commitment is not None for row in queue.ranked.ranking.rows) <= commit_first
    for place, (_, alone, place_there) in enumerate(anew):
        assert queue.ranked.ranking.rows[place].pinned == (alone is None)
        if alone is not None:
            ours, theirs = served(queue.ranked, scorer, place), served(alone, scorer, place_there)
            assert (ours.track_id, ours.slot, ours.rank) == (theirs.track_id, theirs.slot, theirs.rank)
            assert ours.propensity == pytest.approx(theirs.propensity, rel=1e-6)
            assert ours.eligible_ids.tolist() == theirs.eligible_ids.tolist()
