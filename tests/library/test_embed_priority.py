"""What is listened to first: the open station's queue, then what is near its seeds, then the newest."""

import pytest

from player.library.embed_priority import KEY, EmbedPriority, PriorityKeeper, WaitingTracks, load_priority
from player.library.vectors import any_pending, newest_track_id, pending_tracks, store_embedding
from player.storage.key_value import keep_fact, read_fact
from player.storage.models import PlayerState, Station, StationSeed, Track, TrackFile
from tests.support.library import new_database

TRACKS = (
    # id, artist, album, genre, when it was added
    (1, "Anna", "Firsts", "Folk; Pop", 10),
    (2, "Anna", "Seconds", "Rock", 20),
    (3, "Bert", "Firsts", "Jazz", 30),
    (4, "Cleo", "", "pop", 40),
    (5, "Dora", "", "Rock", 50),
    (6, "Emil", "", "", 60),
)
FRONTEND, VERSION = "musicnn", "1"


def add(session, number, artist, album, genre, when):
    session.add(
        Track(
            id=number, fingerprint=f"print {number}", title=f"Title {number}", artist=artist, album=album,
            album_artist="", genre=genre, duration=200.0, codec="opus", sample_rate=48_000, channels=2, added_us=when,
        )
    )  # fmt: skip
    session.flush()
    session.add(TrackFile(track_id=number, path=f"/m/{number}.opus", root="/m", size=1, mtime_ns=1))


@pytest.fixture
def database(tmp_path):
    """Six tracks without vectors; station 1 has track 1 as its seed, station 2 the genre rock, station 3 everything."""
    opened = new_database(tmp_path / "player.db")
    with opened.session() as session:
        for track in TRACKS:
            add(session, *track)
        session.add_all(Station(id=n, name=f"Station {n}", noise_seed=n, created_us=n) for n in (1, 2, 3))
        session.flush()
        session.add_all(
            StationSeed(station_id=n, kind=kind, value=value)
            for n, kind, value in ((1, "track", "1"), (2, "genre", "ROCK"), (3, "library", ""))
        )
    yield opened
    opened.close()


def pending(database):
    with database.reader() as session:
        return pending_tracks(session, FRONTEND, VERSION)


def priority(database):
    with database.reader() as session:
        return load_priority(session)


def waiting(database):
    return WaitingTracks(pending(database), lambda: priority(database))


def rest(tracks):
    ids = []
    while (track := tracks.take()) is not None:
        ids.append(track.track_id)
    return ids


def test_without_a_station_the_newest_come_first(database):
    assert priority(database) == EmbedPriority()
    assert rest(waiting(database)) == [6, 5, 4, 3, 2, 1]


def test_the_queue_comes_first_then_the_seeds_artist_and_album_then_their_genres_then_the_newest(database):
    PriorityKeeper(database).keep(1, [6, 99])
    # 3 is of the seed's album, 1 and 2 are of its artist, 4 of one of its genres.
    assert rest(waiting(database)) == [6, 3, 2, 1, 4, 5]


def test_the_order_follows_the_listener_from_one_station_to_the_next(database):
    keeper, tracks = PriorityKeeper(database), waiting(database)
    keeper.keep(1, [4])
    assert [tracks.take().track_id, tracks.take().track_id] == [4, 3]
    keeper.keep(2, [1])
    assert rest(tracks) == [1, 5, 2, 6]


def test_the_order_follows_the_queue_of_the_same_station(database):
    keeper, tracks = PriorityKeeper(database), waiting(database)
    keeper.keep(2, [1, 3])
    assert tracks.take().track_id == 1
    keeper.keep(2, [4, 3])
    assert rest(tracks) == [4, 3, 5, 2, 6]


def test_a_station_of_everything_or_one_that_is_gone_leaves_the_newest_first(database):
    for station in (3, 77):
        PriorityKeeper(database).keep(station, [2])
        assert rest(waiting(database)) == [2, 6, 5, 4, 3, 1]


@pytest.mark.parametrize("kept", ["no JSON", "[]", '{"station": "1"}', '{"station": 1, "upcoming": 3}', "null"])
def test_wishes_that_cannot_be_read_are_none(database, kept):
    with database.session() as session:
        session.add(PlayerState(key=KEY, value=kept))
    assert priority(database) == EmbedPriority()


def test_of_a_queue_with_nonsense_in_it_the_ids_count(database):
    with database.session() as session:
        keep_fact(session, KEY, {"station": 3, "upcoming": ["a", 2, None]})
    assert priority(database).upcoming == (2,)


def test_the_same_wishes_are_written_once(database):
    keeper = PriorityKeeper(database)
    keeper.keep(1, [4])
    with database.session() as session:
        keep_fact(session, KEY, None)
    keeper.keep(1, [4])
    with database.reader() as session:
        assert read_fact(session, KEY) is None
    keeper.keep(1, [5])
    assert priority(database).upcoming == (5,)


def test_tracks_added_meanwhile_come_before_older_ones_as_close(database):
    tracks = waiting(database)
    PriorityKeeper(database).keep(2, [])
    assert tracks.take().track_id == 5
    with database.reader() as session:
        newest = newest_track_id(session)
    with database.session() as session:
        add(session, 7, "Fred", "", "Rock", 70)
        add(session, 8, "Gina", "", "", 70)
    with database.reader() as session:
        tracks.add(pending_tracks(session, FRONTEND, VERSION, above_id=newest))
    assert len(tracks) == 7
    assert rest(tracks) == [7, 2, 8, 6, 4, 3, 1]


def test_what_failed_or_is_missing_waits_for_nothing(database):
    with database.session() as session:
        for number in range(1, 6):
            store_embedding(session, number, FRONTEND, VERSION, vector=None, tags=None, error="damaged")
    assert [track.track_id for track in pending(database)] == [6]
    with database.reader() as session:
        assert any_pending(session, FRONTEND, VERSION)
    with database.session() as session:
        session.query(TrackFile).filter_by(track_id=6).update({"missing": True})
    assert pending(database) == []
    with database.reader() as session:
        assert not any_pending(session, FRONTEND, VERSION)
        assert len(pending_tracks(session, FRONTEND, VERSION, retry_failed=True)) == 5
