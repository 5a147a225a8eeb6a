"""Stations: seeds as people write them, what they name, and what is suggested when they name nothing."""

import pytest

from player.errors import PlayerError
from player.library.query import parse_query
from player.library.tracks import TrackRow
from player.stations.seeds import Seed, describe_seeds, parse_seed
from player.stations.stations import SeedNames, Stations, check_seed, tracks_of_seed

TAGS = ("rock", "Mellow", "ambient")


def row(number, artist, album="", genre="", title="Song"):
    return TrackRow(number, f"/m/{number}.mp3", title, artist, album, genre, None, 200.0, missing=False)


ROWS = [
    row(11, "Ivan Ilic", "Fugitive Visions", "Classical", "Prelude"),
    row(12, "Ivan Ilic", "Fugitive Visions", "Classical; Piano"),
    row(13, "Björk", "Homogenic", "Electronic"),
    row(14, "IVAN ILIC", "", "classical"),
]


def refusal(action) -> str:
    with pytest.raises(PlayerError) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- seeds


@pytest.mark.parametrize(
    ("text", "seed"),
    [
        ("track:12", Seed("track", "12")),
        ("artist:Ivan Ilic", Seed("artist", "Ivan Ilic")),
        (" Genre : Classical ", Seed("genre", "Classical")),
        ("album:Op. 27: No. 2", Seed("album", "Op. 27: No. 2")),
        ("tag:mellow", Seed("tag", "mellow")),
        ("library", Seed("library")),
        ("LIBRARY", Seed("library")),
    ],
)
def test_a_seed_is_read_as_it_is_written(text, seed):
    assert parse_seed(text) == seed


def test_a_mood_is_a_tag():
    assert parse_seed("mood:calm") == Seed("tag", "calm")
    assert parse_query("mood:calm -artist:x") == parse_query("tag:calm -artist:x")


@pytest.mark.parametrize("text", ["", "Ivan Ilic", "artist:", "feeling:happy", "library:all", "track:one", "track:-1"])
def test_what_is_no_seed_is_told_what_one_is(text):
    assert "track" in refusal(lambda: parse_seed(text))


@pytest.mark.parametrize("text", ["track:12", "artist:Björk", "genre:Piano", "library"])
def test_a_seed_is_written_as_it_is_read(text):
    assert str(parse_seed(text)) == text


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("track:13", [2]),
        ("artist:ivan ilic", [0, 1, 3]),
        ("album:FUGITIVE VISIONS", [0, 1]),
        ("genre:CLASSICAL", [0, 1, 3]),
        ("genre:piano", [1]),
        ("artist:Ivan", []),
        ("tag:mellow", []),
        ("library", []),
    ],
)
def test_a_seed_names_tracks_whatever_its_case(text, rows):
    assert tracks_of_seed(parse_seed(text), ROWS) == rows


@pytest.mark.parametrize(
    "text", ["track:11", "artist:BJÖRK", "album:homogenic", "genre:electronic", "tag:MELLOW", "library"]
)
def test_a_seed_that_names_something_passes(text):
    check_seed(parse_seed(text), ROWS, TAGS)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("artist:Bjork", "did you mean Björk?"),
        ("genre:Clasical", "did you mean Classical?"),
        ("album:homogenics", "did you mean Homogenic?"),
        ("artist:Nobody At All", "`player tracks`"),
        ("tag:melow", "ambient, Mellow, rock"),
        ("track:99", "`player tracks`"),
        ("track:99999999999999999999999", "`player tracks`"),
    ],
)
def test_a_seed_that_names_nothing_is_told_what_comes_close(text, hint):
    assert hint in refusal(lambda: check_seed(parse_seed(text), ROWS, TAGS))


def test_seeds_are_described_in_words():
    seeds = [parse_seed(text) for text in ("track:11", "track:99", "genre:Piano", "tag:mellow", "library")]
    assert describe_seeds(seeds, ROWS) == "“Prelude”, “a track that is gone”, genre Piano, mellow, the whole library"


def test_suggestions_begin_with_what_begins_so_and_count_tracks():
    found = SeedNames(ROWS, TAGS).search("m")
    assert found[0] == ("tag", "Mellow", 0)
    assert ("album", "Homogenic", 1) in found
    assert all("m" in value.casefold() for _, value, _ in found)
    assert ("genre", "Classical", 2) in SeedNames(ROWS, TAGS).search(" CLASS ")


def test_without_a_word_the_whole_library_and_the_biggest_genres_are_suggested_first():
    found = SeedNames(ROWS, TAGS).search("", limit=3)
    assert found == [("library", "", 4), ("genre", "Classical", 2), ("genre", "classical", 1)]


def test_in_an_empty_library_nothing_is_suggested():
    assert SeedNames([], ()).search("") == []


def test_what_is_suggested_can_be_a_seed():
    for kind, value, _ in SeedNames(ROWS, TAGS).search(""):
        check_seed(Seed(kind, value), ROWS, TAGS)


# --- stations


@pytest.fixture
def stations(database):
    with database.session() as session:  # those of the shared fixture are not wanted here
        for name in ("station_seed", "station"):
            session.connection().exec_driver_sql(f"DELETE FROM {name}")
    return Stations(database)


def test_a_station_is_kept_with_its_seeds_each_once(stations):
    seeds = [Seed("genre", "Piano"), Seed("library"), Seed("genre", "Piano")]
    made = stations.create("  Late   night ", seeds, ROWS, TAGS)
    assert (made.name, made.seeds) == ("Late night", (Seed("genre", "Piano"), Seed("library")))
    assert stations.all() == [made]


def test_stations_have_noise_of_their_own(stations):
    made = [stations.create(name, [Seed("library")], ROWS, TAGS) for name in "ab"]
    assert made[0].noise_seed != made[1].noise_seed
    assert max(station.noise_seed for station in made).bit_length() <= 63


def test_a_station_is_found_by_its_name_and_rather_by_the_exact_one(stations):
    for name in ("Evening", "EVENING"):
        stations.create(name, [Seed("library")], ROWS, TAGS)
    assert stations.find("EVENING").name == "EVENING"
    assert stations.find("evening").name == "Evening"


def test_an_unknown_station_is_told_what_comes_close_or_what_there_is(stations):
    assert "player station create" in refusal(lambda: stations.find("Evening"))
    for name in ("Evening", "Party"):
        stations.create(name, [Seed("library")], ROWS, TAGS)
    assert "there are: Evening." in refusal(lambda: stations.find("Evenings"))
    assert "Party" in refusal(lambda: stations.find("xyz"))


@pytest.mark.parametrize("name", ["", "   ", "bell\x07", "escape\x1b[31m", "un\udc80decodable"])
def test_a_name_must_be_printable(stations, name):
    assert "printable" in refusal(lambda: stations.create(name, [Seed("library")], ROWS, TAGS))


def test_a_name_is_taken_once(stations):
    stations.create("Evening", [Seed("library")], ROWS, TAGS)
    assert "already a station “Evening”" in refusal(lambda: stations.create("Evening", [Seed("library")], ROWS, TAGS))


def test_a_wrong_seed_makes_no_station(stations):
    assert "seed" in refusal(lambda: stations.create("Empty", [], ROWS, TAGS))
    refusal(lambda: stations.create("Wrong", [Seed("library"), Seed("artist", "Nobody")], ROWS, TAGS))
    assert stations.all() == []


# --- renamed and deleted


def test_a_change_that_is_refused_changes_nothing(demo):
    stations = Stations(demo.database)
    kept, other = (stations.create(name, [Seed("library")], demo.rows, ()) for name in ("Morning", "Night"))
    for name, seed in (("Morning", Seed("library")), ("Noon", Seed("artist", "Nobody"))):
        with pytest.raises(PlayerError):
            stations.change(other.id, name, [seed], demo.rows, (), "shuffle")
    assert [one for one in stations.all() if one.id in {kept.id, other.id}] == [kept, other]


def test_a_station_is_renamed_and_keeps_what_was_told_on_it(demo):
    station, other = demo.station("Evening"), demo.station("Morning")
    stations = Stations(demo.database)
    assert stations.rename(station.id, "  Late   evening ") == "Late evening"
    assert stations.find("late evening").id == station.id
    with pytest.raises(PlayerError, match="already a station “Late evening”"):
        stations.rename(other.id, "Late evening")
    with pytest.raises(PlayerError, match="needs a name"):
        stations.rename(other.id, " \x1b ")


def test_a_deleted_station_frees_its_name_stays_for_the_log_and_comes_back(demo):
    station = demo.station("Evening")
    stations = Stations(demo.database)
    stations.remove(station.id)
    assert stations.all() == []
    assert [kept.id for kept in stations.all(removed=True)] == [station.id]
    again = demo.station("Evening")
    assert stations.restore(station.id) == "Evening 2"
    assert [kept.id for kept in stations.all()] == [station.id, again.id]
