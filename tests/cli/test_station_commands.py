"""``player station dial|mode`` and ``player queue``."""

import pytest


@pytest.mark.slow
def test_a_station_is_made_with_a_mode_and_a_search(demo, player):
    genre = demo.rows[0].genre
    made = player(
        "station", "create", "Shelf", "--seed", f'query:genre:"{genre}"', "--mode", "albums", "--json"
    ).document  # fmt: skip
    assert made["mode"] == "albums"
    assert made["seeds"] == [f'query:genre:"{genre}"']
    listed = player("station", "list", "--json").document[-1]
    assert (listed["mode"], listed["dial"]) == ("albums", 50)
    assert "albums" in player("station", "list").out


@pytest.mark.parametrize(
    ("seed", "words"),
    [
        ("query:genre:", "says nothing"),
        ("query:year:nineties", "year:1990..1999"),
        ("query:tag:melow", "the tags are"),
        ("query:zzzz", "No track in the library meets"),
    ],
)
def test_a_search_that_says_or_finds_nothing_is_refused_with_the_fix(demo, player, seed, words):
    assert words in player("station", "create", "X", "--seed", seed).sentence


@pytest.mark.slow
def test_the_dial_is_kept_shown_and_keeps_to_its_scale(demo, player):
    answer = player("station", "dial", "Evening", 80, "--json").document
    assert answer["dial"] == 80
    assert "new to you" in answer["effect"]
    assert player("station", "dial", "evening").out.startswith("“Evening” is at 80, choosing from ")
    assert player("station", "dial", "Evening", 101).code == 2
    assert player("station", "dial", "Evening", "--json").document == answer
    assert f"dial: {answer['effect']}" in player("next", "--station", "Evening", "-n", 25).out


def test_an_unknown_mode_or_station_is_refused_with_those_there_are(demo, player):
    unknown = player("station", "mode", "Evening", "random")
    assert unknown.code == 2
    assert "shuffle, albums, rediscover, new" in unknown.err
    assert "Evening" in player("station", "mode", "Evenin", "albums").sentence
    unknown = player("station", "create", "X", "--seed", "library", "--mode", "random")
    assert unknown.code == 2
    assert "station, stay" in unknown.err


def test_a_mode_changes_what_is_listed(demo, player):
    player("station", "mode", "Evening", "new")
    listed = player("next", "--station", "Evening", "-n", 3, "--json").document
    assert all(item["reason"].startswith("added ") for item in listed["items"])


def test_a_mode_that_finds_nothing_says_so_and_lists_the_station(demo, player):
    player("station", "mode", "Evening", "rediscover")
    answer = player("next", "--station", "Evening", "-n", 3, "--json")
    assert len(answer.document["items"]) == 3
    assert "unheard for 30 days" in answer.err


@pytest.mark.slow
def test_tracks_are_pinned_listed_and_taken_off(demo, player):
    one, two = demo.track_ids[4:6]
    player("queue", "add", one, two, "--station", "Evening")
    listed = player("next", "--station", "Evening", "-n", 4, "--json").document["items"]
    assert [item["track_id"] for item in listed[:2]] == [one, two]
    assert [item["reason"] == "pinned by you" for item in listed] == [True, True, False, False]
    assert [item["propensity"] is None for item in listed] == [True, True, False, False]
    player("queue", "remove", one, "--station", "Evening")
    kept = player("queue", "list", "--station", "Evening", "--json").document
    assert kept["station"] == "Evening"
    assert [item["track_id"] for item in kept["pinned"]] == [two]
    player("queue", "clear", "--station", "Evening")
    assert player("queue", "list", "--station", "Evening", "--json").document["pinned"] == []
    assert "Nothing is pinned" in player("queue", "list").err


@pytest.mark.slow
def test_what_cannot_be_pinned_is_refused_and_nothing_is_pinned(demo, player):
    good, banned = demo.track_ids[:2]
    player("feedback", "never", banned)
    assert "banned" in player("queue", "add", good, banned).sentence
    assert "no track 9999" in player("queue", "add", good, 9999).sentence
    assert "not pinned there" in player("queue", "remove", good).sentence
    assert player("queue", "list", "--json").document == {"station": None, "pinned": []}


@pytest.mark.slow
def test_an_empty_library_has_a_dial_all_the_same(player, tmp_path):
    from player.storage.database import open_database
    from player.storage.models import Station

    database = open_database(tmp_path / "data" / "player.db")
    with database.session() as session:
        session.add(Station(name="Empty", noise_seed=1, created_us=1))
    database.close()
    assert player("station", "dial", "Empty", 70, "--json").document == {
        "station": "Empty",
        "dial": 70,
        "effect": "",
        "pool": 0,
    }
