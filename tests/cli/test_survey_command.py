"""``player survey``: clip by clip for scripts, and on a terminal of its own."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from player.survey.survey import ORIGIN
from tests.support.library import open_home

pytestmark = pytest.mark.slow

KEYS = {"track_id", "path", "title", "artist", "start", "seconds", "index", "of"}


def test_a_script_can_hold_the_whole_survey(demo, player):
    asked = []
    while (clip := player("survey", "--next", "--count", 5, "--json").document)["track_id"] is not None:
        assert set(clip) == KEYS
        assert clip["index"] == len(asked) + 1
        assert clip["of"] == 5
        said = player("survey", "--answer", "like", "--track", clip["track_id"], "--count", 5, "--json").document
        asked.append(clip["track_id"])
        assert (said["answered"], said["liked"], said["of"]) == (len(asked), len(asked), 5)
    assert len(set(asked)) == 5
    assert clip == {"track_id": None, "path": None, "title": None, "artist": None, "start": None, "seconds": None,
                    "index": 5, "of": 5}  # fmt: skip
    log = player("history", "--json").document
    assert [(line["event"], line["origin"], line["station"]) for line in log] == [("up", ORIGIN, None)] * 5


def test_the_next_clip_is_the_same_until_it_is_answered(demo, player):
    clip = player("survey", "--next", "--json").document
    assert player("survey", "--next", "--json").document == clip
    assert clip["seconds"] == 10.0
    track = next(row for row in demo.rows if row.id == clip["track_id"])
    assert (clip["path"], clip["title"], clip["artist"]) == (track.path, track.title, track.artist)
    player("survey", "--answer", "skip", "--track", clip["track_id"])
    assert player("survey", "--next", "--json").document["track_id"] != clip["track_id"]
    assert player("survey", "--next", "--seconds", 3, "--json").document["seconds"] == 3.0


def test_a_person_reads_a_line_of_each(demo, player):
    said = player("survey", "--next")
    assert (said.code, said.err) == (0, "")
    assert "(1 of 24, from" in said.out, "the demo library has fewer tracks than a round has clips"
    track_id = int(said.out.split()[0])
    assert player("survey", "--answer", "dislike", "--track", track_id).out == (
        f"Recorded dislike for track {track_id}: 1 of 24 · 0 liked.\n"
    )


def test_answers_reach_a_station_that_is_made_afterwards(demo, player):
    def queue(name):
        return {
            item["track_id"]: item["score"] for item in player("next", "--station", name, "--json").document["items"]
        }

    assert set(queue("Evening").values()) == {0.0}, "nothing is known yet"
    genre = demo.rows[0].genre
    for row in demo.rows[:16]:
        player("survey", "--answer", "like" if row.genre == genre else "dislike", "--track", row.id)
    player("station", "create", "New", "--seed", "library")
    scores = queue("New")
    assert max(scores.values()) > 0.5
    reasons = [item["reason"] for item in player("next", "--station", "New", "--json").document["items"]]
    assert any("thumbed" in reason for reason in reasons)


def test_a_clip_is_no_play_in_the_queue_or_the_measures(demo, player):
    for row in demo.rows[:6]:
        player("survey", "--answer", "like", "--track", row.id)
    served = player("next", "--station", "Evening", "-n", 24, "--json").document
    assert served["diversity"]["repeat_rate"] == 0
    assert {row.id for row in demo.rows[:6]} <= {item["track_id"] for item in served["items"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--answer", "like"], "--track"),
        (["--track", "1"], "--answer"),
        (["--answer", "like", "--track", "1", "--next"], "either --next or --answer"),
        (["--json"], "--next or --answer"),
        (["--answer", "love", "--track", "1"], "love"),
        (["--count", "0"], "--count"),
        (["--seconds", "0.2"], "--seconds"),
    ],
)
def test_wrong_usage_is_said_and_nothing_recorded(demo, player, arguments, words):
    answer = player("survey", *arguments)
    assert answer.code == 2
    assert words in answer.err
    assert player("history", "--json").document == []


def test_an_unknown_track_is_said(demo, player):
    assert "no track 999999" in player("survey", "--answer", "like", "--track", 999_999).sentence


def test_an_empty_library_has_nothing_to_ask_about(player, tmp_path):
    open_home(tmp_path / "data").close()
    answer = player("survey", "--next", "--json")
    assert answer.code == 0
    assert answer.document["track_id"] is None
    assert (answer.document["index"], answer.document["of"]) == (0, 0)
    assert "player scan" in answer.err


def test_without_a_terminal_it_names_what_scripts_use(demo, process):
    assert "--next --json" in process("survey").sentence


def test_missing_files_are_passed_over_and_said(demo, player, monkeypatch):
    first = player("survey", "--next", "--json").document
    elsewhere = {first["path"]: Path("/nowhere/at/all")}
    monkeypatch.setattr("player.survey.session.text_to_path", lambda text: elsewhere.get(text, Path(text)))
    answer = player("survey", "--next", "--json")
    assert answer.document["track_id"] != first["track_id"]
    assert f"The file of “{first['title']}” is missing" in answer.err


def test_on_a_terminal_keys_answer_and_q_leaves(demo, tmp_path):
    """The real command on a real (pseudo) terminal, with the sound that keeps time without a device."""
    (tmp_path / "data" / "config.toml").write_text('[audio]\nengine = "null"\n')
    main, child = pty.openpty()
    environment = {**os.environ, "PLAYER_DATA_DIR": str(tmp_path / "data"), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-m", "player", "survey"], stdin=child, stdout=child, stderr=child, env=environment
    )
    os.close(child)
    try:
        seen = read_until(main, b"of 24", process)
        assert b"Survey" in seen
        time.sleep(0.5)  # longer than a key that is still held down
        os.write(main, b"l")
        read_until(main, "▲".encode(), process)
        os.write(main, b"q")
        read_until(main, b"1 liked.", process)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(main)


def read_until(terminal, wanted, process):
    seen, deadline = b"", time.monotonic() + 30
    while wanted not in seen:
        assert time.monotonic() < deadline, seen[-2000:]
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:  # the other end is closed
                assert wanted in seen, seen[-2000:]
        elif process.poll() is not None:
            assert wanted in seen, seen[-2000:]
    return seen
