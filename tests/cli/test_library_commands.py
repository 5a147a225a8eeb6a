"""``player scan``, ``embed`` and ``tracks`` on real files."""

import json
import shutil

import pytest

from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from embeddings.weights.files import find_weights
from player.demo import demo_music
from player.library.loudness import REFERENCE_LUFS
from tests.support.library import paths_in, write_songs

SCAN_KEYS = {"added", "updated", "moved", "missing", "unchanged", "failed", "not_audio", "seconds"}
TRACK_KEYS = {
    "id", "path", "start", "title", "artist", "album", "genre", "year", "duration", "plays", "skips", "thumbs",
    "artists", "album_artist", "album_id", "compilation", "composer", "work", "movement", "movement_number", "lufs",
    "original_year", "track_number", "track_total", "disc_number", "disc_total", "codec", "has_lyrics", "has_art", "files",
    "musicbrainz_recording", "musicbrainz_release", "acoustid",
}  # fmt: skip


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    return write_songs(tmp_path_factory.mktemp("songs") / "in", 3, 0.5)


def counts(document):
    return {key: document[key] for key in ("added", "updated", "moved", "missing", "unchanged")}


@pytest.mark.slow
def test_a_scan_counts_what_it_found_in_one_document(player):
    answer = player("scan", demo_music(), "--json")
    assert answer.code == 0
    assert set(answer.document) == SCAN_KEYS
    assert counts(answer.document) == {"added": 24, "updated": 0, "moved": 0, "missing": 0, "unchanged": 0}
    assert answer.document["failed"] == []


@pytest.mark.slow
def test_a_scan_without_a_path_looks_again_where_it_looked_before(player, songs, tmp_path):
    folder = tmp_path / "songs"
    shutil.copytree(songs, folder)
    player("scan", folder)
    _, second, third = sorted(folder.iterdir())
    second.rename(folder / "moved.flac")
    third.unlink()
    assert counts(player("scan", "--json").document) == {
        "added": 0, "updated": 0, "moved": 1, "missing": 1, "unchanged": 1,
    }  # fmt: skip


@pytest.mark.slow
def test_a_damaged_file_is_told_and_the_scan_still_succeeds(player, songs, tmp_path):
    folder = tmp_path / "songs"
    shutil.copytree(songs, folder)
    (folder / "notes.mp3").write_text("no music at all\n" * 100)
    answer = player("scan", folder, "--json")
    assert answer.code == 0
    assert answer.document["added"] == 3
    (failed,) = answer.document["failed"]
    assert failed["path"] == str(folder / "notes.mp3")
    assert failed["error"]
    said = player("scan", folder)
    assert said.code == 0
    assert "notes.mp3" in said.err
    assert "3 unchanged" in said.out


@pytest.mark.slow
@pytest.mark.parametrize("with_json", [False, True])
def test_what_cannot_be_scanned_is_told_in_a_sentence(player, tmp_path, with_json):
    options = ["--json"] if with_json else []
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.mp3").write_text("no music at all\n" * 100)
    for path in ("nowhere", "empty", "notes.mp3"):
        assert str(tmp_path / path) in player("scan", tmp_path / path, *options).sentence


def test_a_scan_of_nothing_asks_for_a_folder(player):
    assert "name a folder" in player("scan").sentence


@pytest.mark.slow
def test_the_tracks_are_listed_with_everything_scripts_need(demo, player):
    player("feedback", "up", demo.track_ids[0], "--station", "Evening")
    player("feedback", "finish", demo.track_ids[0])
    player("feedback", "skip", demo.track_ids[1], "--position", 3)
    documents = {document["id"]: document for document in player("tracks", "--json").document}
    assert set(documents) == set(demo.track_ids)
    assert all(set(document) == TRACK_KEYS for document in documents.values())
    first, second = documents[demo.track_ids[0]], documents[demo.track_ids[1]]
    assert (first["plays"], first["skips"], first["thumbs"]) == (1, 0, {"Evening": "up"})
    assert (second["plays"], second["skips"], second["thumbs"]) == (0, 1, {})
    assert first["title"]
    assert 40 < first["duration"] < 65
    assert (first["artists"], first["files"], first["lufs"]) == ([first["artist"]], [first["path"]], REFERENCE_LUFS)


def test_the_tracks_that_match_all_words_are_listed(demo, player):
    row = demo.rows[3]
    found = player("tracks", *row.title.split(), f"artist:{row.artist.split()[0]}", "--json").document
    assert row.id in [document["id"] for document in found]
    assert player("tracks", "xyzzy", "--json").document == []
    nothing = player("tracks", "xyzzy")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "No track matches.\n")


@pytest.mark.slow
def test_a_file_that_is_gone_is_not_listed(player, songs, tmp_path):
    folder = tmp_path / "songs"
    shutil.copytree(songs, folder)
    player("scan", folder)
    next(folder.iterdir()).unlink()
    player("scan")
    assert len(player("tracks", "--json").document) == 2


@pytest.mark.slow
def test_a_few_real_tracks_are_embedded_and_play_by_likeness(player, tmp_path):
    weights = find_weights(frontend_spec(DEFAULT_FRONTEND).weights, named=None, cache=paths_in(tmp_path).cache)
    if weights is None:
        pytest.skip("needs the weights of musicnn, which the set-up fetches")
    folder = tmp_path / "music"
    folder.mkdir()
    for file in sorted(demo_music().rglob("*.opus"))[:2]:
        shutil.copy(file, folder)
    player("scan", folder)
    answer = player("embed", "--workers", 1, "--weights", weights, "--json")
    assert (answer.document["embedded"], answer.document["failed"], answer.document["left"]) == (2, [], 0)
    assert player("embed", "--weights", weights, "--json").document["embedded"] == 0
    player("station", "create", "Mellow", "--seed", "tag:mellow")
    items = player("next", "--station", "Mellow", "--json").document["items"]
    assert len(items) == 2
    assert any(item["score"] != 0 for item in items)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"), [(["--frontend", "ears"], "musicnn"), (["--weights", "nowhere.whl"], "nowhere.whl")]
)
def test_embedding_without_its_network_is_told_in_a_sentence(player, songs, options, words):
    player("scan", songs)
    assert words in player("embed", *options).sentence


@pytest.mark.slow
def test_an_attached_scan_tells_its_screen_line_by_line(process, songs):
    answer = process("scan", songs, "--attached")
    assert answer.code == 0
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert all("progress" in line for line in lines[:-1])
    assert lines[-1] == {"result": {"ok": True, "summary": "3 added"}}


@pytest.mark.slow
def test_an_attached_scan_that_fails_tells_its_screen_why(process, tmp_path):
    answer = process("scan", tmp_path / "nowhere", "--attached")
    assert answer.code == 1
    result = json.loads(answer.out.splitlines()[-1])["result"]
    assert not result["ok"]
    assert "nowhere" in result["summary"]
