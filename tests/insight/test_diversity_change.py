"""Changes of diversity: permutation tests, and the sentence that the panel shows."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.insight.diversity_change import (
    BLOCK_PLAYS,
    LEVEL,
    WINDOW,
    exact_gini_change,
    ginis,
    half_of,
    panel_sentence,
    shuffled_changes,
)
from player.insight.diversity_panel import DiversityCourse
from player.stations.collection import load_collection
from player.stations.station_queue import Listening, rank_station
from player.stations.station_scoring import StationScorer
from recommender.ranking.diversity import RECENT_PLAYS, Pool, gini
from tests.support.library import settings

PLAYS = 10 * BLOCK_PLAYS


def counted(artist, artists):
    return np.bincount(artist[artist >= 0], minlength=artists)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.integers(0, 20))
def test_the_gini_index_of_many_rows_is_that_of_each_with_its_zeros(counts, zeros):
    row = np.array(counts, np.int64)
    whole = np.concatenate([row, np.zeros(zeros, np.int64)])
    found = ginis(np.stack([row, row[::-1]]), len(whole))
    assert found == pytest.approx([gini(whole)] * 2)


def test_the_exact_test_deals_ten_blocks_in_every_way():
    rng = np.random.default_rng(0)
    artist = rng.integers(-1, 12, PLAYS)
    blocks = artist.reshape(10, BLOCK_PLAYS)
    changes = []
    for deal in combinations(range(10), 5):
        rest = [block for block in range(10) if block not in deal]
        now, before = (counted(blocks[list(side)].ravel(), 15) for side in (deal, rest))
        changes.append(gini(now) - gini(before))
    real = gini(counted(artist[100:], 15)) - gini(counted(artist[:100], 15))
    found = exact_gini_change(artist, 15)
    assert found.difference == pytest.approx(real)
    assert found.p == pytest.approx(np.mean(np.abs(changes) >= abs(real) - 1e-12))


@pytest.mark.slow
def test_without_a_change_the_exact_test_cries_wolf_no_more_often_than_it_says():
    rng = np.random.default_rng(1)
    false = sum(exact_gini_change(rng.integers(0, 40, PLAYS), 40).beyond_chance for _ in range(400))
    # Of 400 at 5 % more than 35 would be a chance of one in a thousand; and a test that never says so is none.
    assert 3 <= false <= 35


def test_a_clear_narrowing_is_beyond_chance_in_both_tests():
    rng = np.random.default_rng(2)
    artist = np.concatenate([rng.integers(0, 60, PLAYS // 2), rng.integers(0, 8, PLAYS // 2)])
    exact = exact_gini_change(artist, 60)
    units = np.arange(PLAYS) // 10

    def measure(places):
        return np.array([gini(counted(artist[places], 60)), 0.0])

    shuffled, constant = shuffled_changes(units, measure)
    for found in (exact, shuffled):
        assert found.beyond_chance
        assert found.difference > found.high > 0
    assert shuffled.difference == pytest.approx(exact.difference)
    assert (constant.p, constant.difference) == (1.0, 0.0)


def test_two_long_evenings_cannot_tell_a_change_from_a_mood():
    artist = np.repeat([0, 1], 50)
    # Two stretches can only be swapped: chance gives the same change half of the time and its opposite else.
    (found,) = shuffled_changes(np.repeat([0, 1], 50), lambda places: np.array([artist[places].mean()]))
    assert found.difference == 1.0
    assert found.p > LEVEL


def test_the_exact_test_wants_its_number_of_plays():
    with pytest.raises(ValueError, match="needs 200 plays, not 199"):
        exact_gini_change(np.zeros(199, np.int64), 3)


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
