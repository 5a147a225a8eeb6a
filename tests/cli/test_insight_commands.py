"""``player map``, ``duplicates``, ``outliers``, and ``tag:`` in ``player tracks``."""

import numpy as np
import pytest

from player.library.vectors import store_embedding
from tests.support.library import CARD, open_home


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- map


@pytest.mark.slow
def test_a_map_is_written_where_one_stands_and_the_place_is_told(demo, player, here):
    answer = player("map")
    page = here / "library-map.html"
    assert answer.code == 0
    assert str(page) in answer.out
    assert page.read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.slow
def test_a_map_for_scripts_has_every_track_once(demo, player, here):
    document = player("map", "--out", here / "m.html", "--png", here / "m.png", "--json").document
    assert set(document) == {"html", "png", "method", "colour", "left_out", "tracks"}
    assert sorted(track["track_id"] for track in document["tracks"]) == sorted(demo.track_ids)
    assert all(abs(track["x"]) <= 1 and abs(track["y"]) <= 1 and track["group"] for track in document["tracks"])
    assert (here / "m.html").is_file()
    assert (here / "m.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_map_of_scores_has_values_and_one_of_thumbs_has_groups(demo, player, here):
    player("feedback", "up", demo.track_ids[0], "--station", "Evening")
    scores = player("map", "--colour", "score", "--json").document
    assert all(isinstance(track["value"], float) and track["group"] is None for track in scores["tracks"])
    thumbs = player("map", "--colour", "thumb", "--station", "Evening", "--json").document
    assert [t["track_id"] for t in thumbs["tracks"] if t["group"] == "thumbed up"] == [demo.track_ids[0]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--colour", "thumb", "--station", "Nowhere"], "no station “Nowhere”"),
        (["--out", "missing/map.html"], "There is no folder"),
        (["--out", "."], "is a folder"),
        (["--png", "missing/map.png"], "There is no folder"),
    ],
)
def test_what_cannot_be_drawn_or_written_is_told_in_a_sentence(demo, player, here, arguments, words):
    assert words in player("map", *arguments).sentence
    assert not (here / "library-map.html").exists()


def test_a_station_for_genres_is_wrong_usage(demo, player, here):
    answer = player("map", "--station", "Evening")
    assert answer.code == 2
    assert "--colour thumb" in answer.err


def test_without_vectors_there_is_nothing_to_draw(player, here, tmp_path):
    open_home(tmp_path / "data").close()
    assert "player embed" in player("map").sentence


@pytest.mark.slow
def test_drawing_loads_no_network_and_other_commands_no_drawing_library(demo, process, here):
    from subprocess import run as start
    from sys import executable

    code = "import sys, player.cli.main; print([n for n in ('sklearn', 'matplotlib', 'numpy', 'torch') if n in sys.modules])"
    assert start([executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    assert process("map", "--out", here / "m.html").code == 0


# --- duplicates and outliers


def test_the_same_sound_twice_is_listed(demo, player):
    first, second = demo.track_ids[2], demo.track_ids[9]
    vector = np.random.default_rng(3).standard_normal(CARD.dimension).astype("<f4").tobytes()
    with demo.database.session() as session:
        for track in (first, second):
            store_embedding(session, track, CARD.name, CARD.version, vector=vector, tags=None, error=None)
    (pair,) = player("duplicates", "--json").document
    assert set(pair) == {"a", "b", "similarity"}
    assert {pair["a"], pair["b"]} == {first, second}
    assert pair["similarity"] == pytest.approx(1)
    assert "1.000" in player("duplicates").out
    assert len(player("duplicates", "--same-length", "--json").document) == 1


def test_a_library_without_duplicates_says_so(demo, player):
    answer = player("duplicates", "--at-least", "0.999")
    assert (answer.code, answer.out) == (0, "")
    assert "No two of the 24 tracks" in answer.err


def test_too_few_tracks_for_outliers_are_told(demo, player):
    assert "24 tracks were analysed, and 60 are needed" in player("outliers").sentence


@pytest.mark.slow
def test_a_track_that_stands_out_is_listed(demo, player, tmp_path):
    from tests.support.library import make_library, write_songs

    songs = write_songs(tmp_path / "songs", 70, 0.5)
    make_library(tmp_path / "more", [songs], vectors=False)
    home = open_home(tmp_path / "more")
    rng = np.random.default_rng(0)
    plane = rng.standard_normal((8, CARD.dimension))
    stranger = home.track_ids[41]
    with home.database.session() as session:
        for track in home.track_ids:
            vector = rng.standard_normal(8) @ plane + 0.1 * rng.standard_normal(CARD.dimension)
            if track == stranger:
                vector = vector + 2 * rng.standard_normal(CARD.dimension)
            data = vector.astype("<f4").tobytes()
            store_embedding(session, track, CARD.name, CARD.version, vector=data, tags=None, error=None)
    home.close()
    document = player("outliers", "--json", "--data-dir", tmp_path / "more").document
    assert document[0]["track_id"] == stranger
    assert set(document[0]) == {"track_id", "title", "artist", "strangeness", "speech"}
    assert str(stranger) in player("outliers", "--data-dir", tmp_path / "more").out


# --- tags in a search


def test_tracks_are_found_by_what_was_heard(demo, player):
    everything = player("tracks", "--json").document
    mellow = player("tracks", "tag:mellow", "--json").document
    assert 0 < len(mellow) < len(everything)
    genre = mellow[0]["genre"].split("; ")[0]
    both = player("tracks", f"genre:{genre}", "tag:Mellow", "--json").document
    assert [track["id"] for track in both] == [track["id"] for track in mellow if genre in track["genre"]]


def test_an_unknown_tag_is_told_with_those_there_are(demo, player):
    sentence = player("tracks", "tag:melow").sentence
    assert "no tag “melow”" in sentence
    assert "Mellow" in sentence


@pytest.mark.slow
def test_before_anything_was_listened_to_a_tag_says_what_to_do(player, tmp_path):
    from tests.support.library import make_library, write_songs

    make_library(tmp_path / "data", [write_songs(tmp_path / "songs", 2, 0.5)], vectors=False)
    assert "player embed" in player("tracks", "tag:mellow").sentence
