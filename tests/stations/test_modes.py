"""Modes over the real demo library: what each plays, in which order, and what it says of it."""

import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from sqlalchemy import update

from player.config import StationSettings
from player.errors import PlayerError
from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent, now_us
from player.feedback.labels import NOTHING_SAID
from player.library.albums import NO_ALBUM, Release, group_albums, load_albums
from player.library.name_normalisation import find_versions
from player.library.tracks import TrackRow
from player.playback.headless import serve_next, what_the_dial_does
from player.stations import modes
from player.stations.collection import load_collection
from player.stations.modes import SHUFFLED, UNHEARD_DAYS, check_mode, mode_named
from player.stations.pins import Pins, save_pins
from player.stations.queue_builder import Programme, last_heard
from player.stations.seeds import Seed, SignedSeed
from player.stations.station_queue import Listening, served
from player.stations.station_scoring import StationScorer
from player.stations.stations import Stations
from player.storage.models import Station, Track, TrackFile
from recommender.ranking.rank import Request, Settings, TrackTable
from recommender.ranking.rank import rank as ranking
from recommender.ranking.rules import Gate, Spacing
from tests.support.library import CARD, settings

DAY_US = 86_400_000_000


def track(number, title="T", artist="A", album="", missing=False):
    return TrackRow(number, "/x", title, artist, album, "Folk", None, 60.0, missing)


def programme(home, name, mode=None):
    stations = Stations(home.database)
    station = stations.find(name)
    if mode is not None:
        stations.set_mode(station.id, mode)
        station = stations.find(name)
    collection = load_collection(home.database)
    scorer = StationScorer(collection, stations.all(), station, None)
    return Programme(scorer, mode_named(station.mode, collection, home.database)), scorer


def rank(home, name, mode=None, places=20, **listening):
    made, scorer = programme(home, name, mode)
    history = load_history(home.database, scorer.collection.rows)
    state = Listening(history.state, history.labels, time.time(), **listening)
    thread = last_heard(history.state, scorer.station.id, scorer.collection.index)
    return made.rank(state, StationSettings(), places, thread=thread), scorer


def tell(home, kind, track_id, days_ago=0.0, station=1, **more):
    at = now_us() - int(days_ago * DAY_US)
    return EventStore(home.database, "tui").append(NewEvent(kind, track_id, station, at_us=at, **more))


# --- albums


def test_albums_come_by_disc_and_number_whatever_the_titles_say():
    rows = [track(n, title=f"{9 - n}", album="Box") for n in range(1, 6)]
    places = [(2, 1), (1, 2), (1, 1), (None, 3), (2, None)]
    releases = {n: Release(disc, number) for n, (disc, number) in enumerate(places, 1)}
    assert group_albums(rows, releases).members == ((2, 1, 3, 0, 4),)


def test_a_compilation_is_one_album_and_a_single_is_none():
    hits = [replace(track(n, artist=artist, album="Hits"), album_id="hits") for n, artist in ((1, "A"), (2, "B"))]
    rows = [*hits, track(3, album="Alone"), track(4)]
    releases = {
        1: Release(1, 1),
        2: Release(1, 2),
        3: Release(1, 1),
        4: Release(None, None),
    }
    albums = group_albums(rows, releases)
    assert albums.members == ((0, 1),)
    assert albums.of.tolist() == [0, 0, NO_ALBUM, NO_ALBUM]
    assert albums.after(0) == (1,)
    assert albums.after(1) == albums.after(3) == ()


@pytest.fixture
def shelved(demo):
    """The demo library as four albums of six."""
    ids = demo.track_ids
    with demo.database.session() as session:
        for place, track_id in enumerate(ids):
            values = {
                "album_id": None,
                "album": f"Album {place % 4}",
                "album_artist": "Everyone",
                "track_number": 10 - place // 4,
            }
            session.execute(update(Track).where(Track.id == track_id).values(**values))
    demo.station()
    return demo


@pytest.mark.slow
def test_album_radio_plays_whole_albums_in_their_order(shelved):
    queue, scorer = rank(shelved, "Evening", "albums")
    albums = load_albums(shelved.database, scorer.collection.rows)
    rows = [row.track for row in queue.ranked.ranking.rows]
    assert len(rows) == 20
    for start in range(0, 18, 6):
        assert tuple(rows[start : start + 6]) == albums.members[albums.of[rows[start]]]


def test_only_an_albums_first_track_has_a_propensity_and_they_sum_to_one_over_the_albums(shelved):
    queue, scorer = rank(shelved, "Evening", "albums")
    chosen = [not row.pinned for row in queue.ranked.ranking.rows]
    assert [place for place, one in enumerate(chosen) if one] == [0, 6, 12, 18]
    made = served(queue.ranked, scorer, 6)
    utilities = np.array(made.eligible_utilities, np.float64) / made.temperature
    assert made.eligible_count == 3
    assert np.exp(utilities - made.log_partition).sum() == pytest.approx(1.0, abs=1e-5)


def test_the_slots_of_album_radio_are_those_that_are_served_later(shelved):
    """What is queued behind an album is what comes once that album has been heard: nothing moves by itself."""
    queue, scorer = rank(shelved, "Evening", "albums")
    rows = [scorer.collection.rows[row.track].id for row in queue.ranked.ranking.rows]
    assert [row.slot for row in queue.ranked.ranking.rows] == list(range(20))
    for heard in rows[:3]:
        tell(shelved, "start", heard)
        tell(shelved, "stop", heard, action="station")
        tell(shelved, "skip", heard, action="previous", position=29.9)
    queue, _ = rank(shelved, "Evening", "albums", places=3)
    assert [scorer.collection.rows[row.track].id for row in queue.ranked.ranking.rows] == rows[3:6]
    assert [queue.reason(row.track, "x") for row in queue.ranked.ranking.rows] == ["next on the album"] * 3


def test_a_banned_track_is_left_out_of_its_album(shelved):
    queue, scorer = rank(shelved, "Evening", "albums")
    first, second = (scorer.collection.rows[row.track].id for row in queue.ranked.ranking.rows[:2])
    tell(shelved, "never", first)
    tell(shelved, "down", second)
    queue, scorer = rank(shelved, "Evening", "albums", places=24)
    rows = [scorer.collection.rows[row.track].id for row in queue.ranked.ranking.rows]
    assert len(rows) == 22
    assert not {first, second} & set(rows)


def test_an_album_is_not_queued_again_while_it_plays(shelved):
    queue, scorer = rank(shelved, "Evening", "albums")
    last = scorer.collection.rows[queue.ranked.ranking.rows[5].track].id
    for row in queue.ranked.ranking.rows[:6]:
        tell(shelved, "finish", scorer.collection.rows[row.track].id, action="end")
    albums = load_albums(shelved.database, scorer.collection.rows)
    queue, scorer = rank(shelved, "Evening", "albums", places=6)
    assert albums.of[scorer.collection.index[last]] not in {albums.of[row.track] for row in queue.ranked.ranking.rows}


def test_without_albums_the_station_plays_as_usual_and_says_so(tones):
    with tones.database.session() as session:
        session.execute(update(Track).values(album=""))
    tones.station()
    queue, _ = rank(tones, "Evening", "albums", places=5)
    assert len(queue.ranked.ranking.rows) == 5
    assert "No album here has two tracks" in queue.offer.note


# --- rediscover


def test_rediscover_plays_what_was_loved_and_long_unheard(demo):
    demo.station()
    loved, often, fresh, plain, skipped = demo.track_ids[:5]
    tell(demo, "up", loved, 300)
    tell(demo, "finish", loved, 214, action="end")
    for days in (60, 70, 80):
        tell(demo, "finish", often, days, action="end")
    tell(demo, "up", fresh, 5)
    tell(demo, "finish", fresh, UNHEARD_DAYS - 1, action="end")
    tell(demo, "finish", plain, 100, action="end")
    for days in (90, 91, 92, 93):
        tell(demo, "finish", skipped, days, action="end")
        tell(demo, "skip", skipped, days + 0.5, action="next", position=2.0)
    queue, scorer = rank(demo, "Evening", "rediscover")
    rows = {scorer.collection.rows[row.track].id: row.track for row in queue.ranked.ranking.rows}
    assert set(rows) == {loved, often}
    assert queue.reason(rows[loved], "x") == "loved, unheard for 214 days"
    assert queue.reason(rows[often], "x") == "often finished, unheard for 60 days"


def test_of_two_loved_alike_the_more_forgotten_gains_more(demo):
    demo.station()
    near, far = demo.track_ids[:2]
    for days, track_id in ((40, near), (400, far)):
        tell(demo, "up", track_id, days)
        tell(demo, "finish", track_id, days, action="end")
    queue, scorer = rank(demo, "Evening", "rediscover")
    bonus = queue.offer.bonus
    assert bonus[scorer.collection.index[far]] > bonus[scorer.collection.index[near]] > 0


def test_with_nothing_to_rediscover_the_music_goes_on_with_a_sentence(demo):
    demo.station()
    queue, _ = rank(demo, "Evening", "rediscover", places=6)
    assert len(queue.ranked.ranking.rows) == 6
    assert "unheard for 30 days" in queue.offer.note


# --- new arrivals


def test_new_arrivals_are_the_months_unheard_first(demo):
    demo.station()
    ids = demo.track_ids
    for number, track_id in enumerate(ids):
        with demo.database.session() as session:
            added = now_us() - int((3 if number < 8 else 400) * DAY_US)
            session.execute(update(Track).where(Track.id == track_id).values(added_us=added))
    for heard in ids[:2]:
        tell(demo, "finish", heard, 1, action="end")
    queue, scorer = rank(demo, "Evening", "new", places=24)
    row = scorer.collection.index[ids[5]]
    assert queue.reason(row, "x") == "added 3 days ago, unheard"
    assert queue.reason(scorer.collection.index[ids[0]], "x") == "added 3 days ago"
    bonus = queue.offer.bonus
    assert bonus[row] > bonus[scorer.collection.index[ids[0]]]
    assert queue.offer.candidates.sum() == 24, "a library of fewer than fifty is all among its newest"


def test_with_more_than_the_newest_fifty_only_the_months_and_those_are_played():
    from player.feedback.events import ListeningState
    from player.stations.modes import NEWEST, Moment, NewMode

    class Shelf:
        class catalogue:  # noqa: N801 - stands for an attribute
            ids = np.arange(80)

    now = 1e9
    added = now - np.arange(80) * 86_400.0 * 10
    moment = Moment(Shelf, Listening(ListeningState(), NOTHING_SAID, now), np.ones(80, bool), np.zeros(80))
    candidates = NewMode(added).offer(moment).candidates
    assert candidates.sum() == NEWEST
    assert candidates[:NEWEST].all()
    young = NewMode(now - np.arange(80) * 86_400.0 / 10).offer(moment).candidates
    assert young.all()


# --- searches


def test_a_station_made_of_a_search_plays_what_it_finds_and_follows_the_library(demo):
    genre = demo.rows[0].genre
    demo.station("Found", f'query:genre:"{genre}"')
    expected = {row.id for row in demo.rows if row.genre == genre}
    queue, scorer = rank(demo, "Found", places=24)
    assert {scorer.collection.rows[row.track].id for row in queue.ranked.ranking.rows} == expected
    added = next(row.id for row in demo.rows if row.genre != genre)
    with demo.database.session() as session:
        session.execute(update(Track).where(Track.id == added).values(genre=genre))
    queue, scorer = rank(demo, "Found", places=24)
    assert {scorer.collection.rows[row.track].id for row in queue.ranked.ranking.rows} == expected | {added}


def test_a_search_beside_other_seeds_only_pulls(demo):
    first = demo.rows[0]
    demo.station("Mixed", f'query:title:"{first.title}"', "library")
    queue, _ = rank(demo, "Mixed", places=10)
    assert len(queue.ranked.ranking.rows) == 10


def test_a_search_that_finds_nothing_any_more_plays_the_whole_library_and_says_so(demo):
    first = demo.rows[0]
    demo.station("Lost", f'query:title:"{first.title}"')
    with demo.database.session() as session:
        session.execute(update(Track).values(title="renamed"))
    queue, _ = rank(demo, "Lost", places=10)
    assert len(queue.ranked.ranking.rows) == 10
    assert any("whole library" in note for note in queue.notes)


# --- all of them


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["station", "albums", "rediscover", "new"])
@pytest.mark.parametrize("left", [0, 1, 3])
def test_no_mode_fails_on_a_tiny_library(demo, mode, left):
    demo.station()
    with demo.database.session() as session:
        gone = demo.track_ids[left:]
        session.execute(update(TrackFile).where(TrackFile.track_id.in_(gone)).values(missing=True))
    queue, _ = rank(demo, "Evening", mode)
    assert len(queue.ranked.ranking.rows) == left
    assert bool(queue.ranked.shortfall)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["station", "albums", "rediscover", "new"])
def test_the_same_state_gives_the_same_queue_in_every_mode(shelved, mode):
    one, _ = rank(shelved, "Evening", mode)
    other, _ = rank(shelved, "Evening", mode)
    assert one.ranked.track_rows == other.ranked.track_rows


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["station", "albums", "rediscover", "new"])
def test_pins_lead_in_every_mode(shelved, mode):
    save_pins(shelved.database, 1, Pins(tuple(shelved.track_ids[7:9])))
    Stations(shelved.database).set_mode(1, mode)
    listed = serve_next(shelved.database, shelved.paths, settings(), "Evening", 8)
    assert [row.track.id for row in listed.queue[:2]] == shelved.track_ids[7:9]
    assert [row.pinned for row in listed.queue] == [True, True, *[False] * 6]
    assert {row.reason for row in listed.queue[:2]} == {"pinned by you"}
    assert all(row.propensity is None for row in listed.queue[:2])


def test_an_unknown_mode_is_refused_with_those_there_are():
    assert check_mode(" Albums ") == "albums"
    with pytest.raises(PlayerError, match="shuffle, albums, rediscover, new"):
        check_mode("random")


def test_a_mode_of_a_later_version_plays_as_a_station(demo):
    demo.station()
    with demo.database.session() as session:
        session.execute(update(Station).values(mode="karaoke"))
    queue, _ = rank(demo, "Evening", places=4)
    assert len(queue.ranked.ranking.rows) == 4


# --- the dial


def test_the_dial_says_what_it_did_and_nothing_in_its_middle(demo):
    demo.station()
    for heard in demo.track_ids[:10]:
        tell(demo, "finish", heard, 1, action="end")
    stations = Stations(demo.database)
    assert what_the_dial_does(demo.database, demo.paths, settings(), "Evening") == ("", len(demo.track_ids))
    stations.turn_dial(1, 100)
    effect, _ = what_the_dial_does(demo.database, demo.paths, settings(), "Evening")
    assert "% new to you" in effect


def test_the_dial_keeps_to_its_ends(demo):
    station = demo.station()
    stations = Stations(demo.database)
    assert (stations.turn_dial(station.id, 140), stations.find("Evening").dial) == (100, 100)
    assert (stations.turn_dial(station.id, -3), stations.find("Evening").dial) == (0, 0)


def test_tags_in_a_search_are_those_that_are_heard(demo):
    demo.station("Heard", f"query:tag:{CARD.tag_names[0]}")
    _, scorer = rank(demo, "Heard", places=1)
    collection = scorer.collection
    assert (
        collection.search(f"tag:{CARD.tag_names[0]}")
        == np.flatnonzero(collection.heard.holding(CARD.tag_names[0])).tolist()
    )


# --- asked for by people


def ids(queue, scorer):
    return [int(scorer.collection.catalogue.ids[row]) for row in queue.ranked.track_rows]


@pytest.mark.slow
def test_only_the_artist_plays_where_that_is_asked_and_nobody_says_that_artists_follow_each_other(demo):
    rows = load_collection(demo.database).rows
    artist = rows[0].artist
    Stations(demo.database).create("One", [Seed("artist", artist)], rows, ())
    queue, scorer = rank(demo, "One", "artist", places=500)
    assert {scorer.collection.index[track] for track in ids(queue, scorer)} == {
        row for row, track in enumerate(rows) if artist in track.all_artists
    }
    assert not queue.notes


@pytest.mark.slow
def test_deep_cuts_are_the_least_played_half(demo):
    rows = load_collection(demo.database).rows
    artist, count = Counter(row.artist for row in rows).most_common(1)[0]
    own = [row.id for row in rows if row.artist == artist]
    Stations(demo.database).create("Deep", [Seed("artist", artist)], rows, ())
    often = own[: count // 2]
    for track_id in often:
        tell(demo, "finish", track_id, days_ago=90, action="end")
    queue, scorer = rank(demo, "Deep", "deep", places=500)
    assert set(ids(queue, scorer)) == set(own) - set(often)


@pytest.mark.slow
def test_what_a_station_is_not_to_play_never_plays_and_what_it_leans_to_comes_sooner(demo):
    rows = load_collection(demo.database).rows
    artist = Counter(row.artist for row in rows).most_common(1)[0][0]
    leaning = SignedSeed("not", Seed("artist", artist))
    made = Stations(demo.database).create("Apart", [Seed("library")], rows, (), leanings=[leaning])
    assert made.leanings == (leaning,)
    assert made.seeds == (Seed("library"),)
    for mode in ("station", "shuffle", "new", "albums"):
        queue, scorer = rank(demo, "Apart", mode, places=len(rows))
        assert artist not in {scorer.collection.rows[row].artist for row in queue.ranked.track_rows}, mode
    towards = SignedSeed("more", Seed("track", str(rows[3].id)))
    Stations(demo.database).change(made.id, "Apart", [Seed("library"), towards], rows, (), "station")
    scorer = programme(demo, "Apart")[1]
    likeness = scorer.collection.likeness(scorer.station)
    assert likeness.argmax() == 3
    assert scorer.collection.likeness(replace(scorer.station, leanings=(replace(towards, sign="less"),))).argmin() == 3


@pytest.mark.slow
def test_staying_on_the_seed_leaves_out_what_is_far_from_it(demo, monkeypatch):
    monkeypatch.setattr(modes, "FEWEST_CLOSE", 6)
    rows = load_collection(demo.database).rows
    Stations(demo.database).create("Near", [Seed("track", str(rows[0].id))], rows, ())
    queue, scorer = rank(demo, "Near", "stay", places=500)
    likeness = scorer.collection.likeness(scorer.station)
    played = list(queue.ranked.track_rows)
    assert 0 < len(played) < len(rows)
    assert likeness[played].min() >= np.delete(likeness, played).max()


@pytest.mark.slow
def test_the_vibe_follows_what_was_let_play(demo):
    rows = load_collection(demo.database).rows
    Stations(demo.database).create("Vibe", [Seed("library")], rows, ())
    assert "until a track ends" in rank(demo, "Vibe", "vibe")[0].notes[0]
    tell(demo, "finish", rows[0].id, action="end")
    queue, scorer = rank(demo, "Vibe", "vibe")
    assert queue.offer.bonus.argmax() == 0
    vectors = scorer.collection.space.vectors
    assert np.corrcoef(queue.offer.bonus, vectors @ vectors[0])[0, 1] == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
@given(st.integers(2, 40), st.integers(1, 6), st.integers(0, 2**32))
@settings_of_hypothesis(max_examples=40, deadline=None)
def test_shuffling_keeps_what_it_promises_over_restarts(tracks, artists, seed):
    """Every draw is a ranking anew from what was heard, as after a restart: nothing is remembered but the log."""
    random = np.random.default_rng(seed)
    table = TrackTable(
        np.arange(tracks) + 1,
        np.zeros((tracks, 2), np.float32),
        artist := random.integers(0, artists, tracks),
        np.full(tracks, -1, np.int64),
    )
    heard: list[int] = []
    for slot in range(3 * tracks):
        last = list(dict.fromkeys(reversed(heard)))[::-1]
        request = Request(
            np.zeros(tracks), np.ones(tracks, np.bool_), recent=tuple(last), first_slot=slot, places=1, noise_seed=seed,
            settings=Settings(1.0, diversity=0, calibration=0, artist_penalty=0, album_penalty=0, spacing=SHUFFLED),
        )  # fmt: skip
        (row,) = ranking(table, request).rows
        gap = int(tracks * SHUFFLED.most)
        assert row.track not in heard[-gap:] or gap == 0
        free = set(range(tracks)) - set(heard[-gap:] if gap else ())
        near = {int(artist[track]) for track in heard[-SHUFFLED.artist :]}
        if any(int(artist[track]) not in near for track in free):
            assert int(artist[row.track]) not in near
        heard.append(row.track)


def test_versions_of_a_song_are_one_to_the_ears_memory():
    rows = [
        track(1, "Song"),
        track(2, "Song (Live at Home)", album="Live"),
        track(3, "Song - 2011 Remaster", album="Best"),
        track(4, "Songs"),
        track(5, "Song", artist="B"),
    ]
    found = find_versions(rows, [0, 0, 0, 0, 1])
    assert found == {0: (1, 2), 1: (0, 2), 2: (0, 1)}
    gate = Gate(np.ones(5, np.bool_), (), np.full(5, -1), Spacing(0, 2, 0), versions=found)
    assert np.flatnonzero(gate.eligible([1], []).mask).tolist() == [3, 4]


@pytest.mark.slow
def test_a_work_begins_at_its_beginning_and_its_movements_follow(shelved):
    rows = load_collection(shelved.database).rows
    album = next(row.album for row in rows if sum(other.album == row.album for other in rows) > 2 and row.album)
    own = [row.id for row in rows if row.album == album][:3]
    with shelved.database.session() as session:
        for number, track_id in enumerate(own, 1):
            values = {"work": "Sonata", "movement_number": number}
            session.execute(update(Track).where(Track.id == track_id).values(values))
    everything = sorted(row.id for row in rows if not row.missing)
    Stations(shelved.database).create("Works", [Seed("library")], rows, ())
    queue, scorer = rank(shelved, "Works", places=len(everything))
    played = ids(queue, scorer)
    first = played.index(own[0])
    assert played[first : first + 3] == own
    assert sorted(played) == everything
