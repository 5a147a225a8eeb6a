"""``player import``: what it says, what it refuses, and that its sources are those that can be read."""

import json

import pytest

from player.cli.history_files import HistorySource
from player.integrations.history_import import READERS


@pytest.fixture
def history(demo, tmp_path):
    """A Spotify history of two tracks of the demo library and one of nobody's."""
    first, second = demo.rows[:2]
    plays = [
        play(first.artist, f"{first.title} - 2011 Remaster", first.duration, "trackdone", 0),
        play(second.artist.upper(), second.title, 3.0, "fwdbtn", 1),
        play("Nobody", "Nothing", 200.0, "trackdone", 2),
    ]
    path = tmp_path / "Streaming_History_Audio_2020_0.json"
    path.write_text(json.dumps(plays), "utf-8")
    return path


def play(artist, title, seconds, reason, hour) -> dict[str, object]:
    return {
        "ts": f"2020-05-01T{10 + hour}:00:00Z",
        "ms_played": round(seconds * 1000),
        "master_metadata_album_artist_name": artist,
        "master_metadata_track_name": title,
        "reason_start": "trackdone",
        "reason_end": reason,
        "skipped": reason == "fwdbtn",
    }


def test_the_sources_are_those_that_can_be_read():
    assert [source.value for source in HistorySource] == list(READERS)


@pytest.mark.slow
def test_an_import_is_told_as_one_document_and_is_in_the_history(player, demo, history):
    document = player("import", "spotify", history, "--json").document
    assert document["recorded"] == {"entries": 2, "events": 2, "known": 0, "elsewhere": 0, "silent": 0}
    assert document["matched"]["entries"] == 2
    assert document["unmatched_artists"] == [{"artist": "Nobody", "entries": 1}]
    assert [(line["event"], line["origin"]) for line in player("history", "--json").document] == [
        ("finish", "import"),
        ("skip", "import"),
    ]
    assert player("import", "spotify", history, "--json").document["recorded"]["known"] == 2


def test_a_dry_run_says_what_would_be_and_the_report_names_every_name(player, demo, history, tmp_path):
    answer = player("import", "spotify", history, "--dry-run", "--report", tmp_path / "names.csv")
    assert answer.code == 0
    assert "2 would be recorded, as 2 events" in answer.out
    assert "Most heard and not found: Nobody (1)." in answer.out
    assert len((tmp_path / "names.csv").read_text("utf-8").splitlines()) == 4
    assert player("history", "--json").document == []


@pytest.mark.slow
def test_it_works_as_a_process_of_its_own(process, demo, history):
    answer = process("import", "spotify", history)
    assert answer.code == 0, answer.err
    assert "2 recorded, as 2 events" in answer.out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[{", "line 1: the file is damaged or no JSON; nothing was recorded"),
        ("[]", "holds no entries"),
        ('[{"food": "bread"}]', "1 of 1 entries"),
    ],
)
def test_a_bad_file_is_one_sentence(player, demo, tmp_path, content, sentence):
    path = tmp_path / "a.json"
    path.write_text(content)
    assert sentence in player("import", "spotify", path).sentence


@pytest.mark.slow
def test_what_is_not_there_and_an_unknown_source_are_told(player, demo, tmp_path):
    assert "There is no file or folder" in player("import", "spotify", tmp_path / "nowhere").sentence
    assert player("import", "walkman", tmp_path).code == 2


def test_an_empty_library_says_what_to_do_first(player, history, tmp_path):
    assert "player scan FOLDER" in player("import", "spotify", history, "--data-dir", tmp_path / "empty").sentence


def test_a_report_with_nowhere_to_go_is_refused_before_the_work(player, demo, history, tmp_path):
    assert "There is no folder" in player("import", "spotify", history, "--report", tmp_path / "no" / "a.csv").sentence
    assert player("history", "--json").document == []
