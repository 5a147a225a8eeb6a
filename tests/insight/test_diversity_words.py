"""The panel's sentence: only what the plays bear out."""

import numpy as np
import pytest

from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.insight.diversity_panel import DiversityCourse
from player.insight.diversity_words import WINDOW, half_of, panel_sentence
from player.stations.collection import load_collection
from player.stations.station_queue import Listening, rank_station
from player.stations.station_scoring import StationScorer
from recommender.ranking.diversity import RECENT_PLAYS, Pool
from tests.support.library import settings

ARTISTS = 60
ALL = Pool(np.zeros((ARTISTS, 2), np.float32), np.arange(ARTISTS), np.ones(ARTISTS, np.bool_))


def plays(*kinds):
    rng = np.random.default_rng(0)
    return np.concatenate([rng.integers(0, kind, WINDOW) for kind in kinds])


def test_now_is_as_many_plays_as_the_panels_figures_look_at():
    assert WINDOW == RECENT_PLAYS


@pytest.mark.parametrize(
    ("counts", "half"), [([], 0), ([0, 0], 0), ([5], 1), ([1, 1, 1, 1], 2), ([3, 1, 1, 1], 1), ([1, 1, 1], 2)]
)
def test_half_is_made_by_the_fewest_artists_that_can(counts, half):
    assert half_of(np.array(counts, np.int64)) == half


def test_a_narrower_station_is_told_how_it_widens():
    said = panel_sentence(ALL, plays(ARTISTS, 6), dial=50)
    assert said.startswith("Narrower than the 100 plays before: ")
    assert said.endswith(" artists made half of your last 100 plays; > widens it.")


def test_a_dial_at_its_end_cannot_widen_any_more():
    assert ">" not in panel_sentence(ALL, plays(ARTISTS, 6), dial=100)


def test_a_wider_station_is_told_so():
    assert panel_sentence(ALL, plays(6, ARTISTS), dial=50).startswith("Wider than the 100 plays before: ")


def test_chance_is_no_change():
    said = panel_sentence(ALL, plays(ARTISTS, ARTISTS), dial=50)
    assert said.startswith("About as varied as the 100 plays before: ")


def test_before_there_are_two_hundred_plays_nothing_is_compared():
    said = panel_sentence(ALL, plays(ARTISTS, 6)[1:], dial=50)
    assert said.endswith("made half of your last 100 plays.")
    assert said[0].isdigit()


@pytest.mark.parametrize("count", [0, 19])
def test_a_few_plays_say_nothing(count):
    assert panel_sentence(ALL, plays(6)[:count], dial=50) == ""


def test_artists_that_may_not_be_played_any_more_do_not_count_and_none_at_all_is_no_error():
    banned = Pool(ALL.vectors, np.where(np.arange(ARTISTS) < 6, -1, ALL.artist), np.zeros(ARTISTS, np.bool_))
    assert panel_sentence(banned, plays(ARTISTS, 6), dial=50).startswith("About as varied as")


def test_tracks_without_an_artist_are_one_artist():
    nameless = Pool(ALL.vectors, np.full(ARTISTS, -1), ALL.eligible)
    assert panel_sentence(nameless, plays(ARTISTS), dial=50) == "1 artist made half of your last 100 plays."


def test_the_panels_measures_come_with_the_sentence_of_the_stations_plays(demo):
    station = demo.station("Evening")
    EventStore(demo.database, "headless").append_all(
        [NewEvent("finish", track, station.id, 60.0, "end") for track in 2 * demo.track_ids]
    )
    collection = load_collection(demo.database)
    history = load_history(demo.database, collection.rows)
    scorer = StationScorer(collection, [station], station, None)
    queue = rank_station(scorer, Listening(history.state, history.labels, 0.0), settings().station, 5)
    course = DiversityCourse(scorer)
    assert course.sentence == ""
    course.measure(queue, history.state)
    artists = len({row.artist for row in collection.rows})
    assert course.sentence.endswith("artists made half of your last 48 plays.")
    assert 1 < int(course.sentence.split()[0]) <= artists
