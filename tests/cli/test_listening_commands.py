"""``player station``, ``next``, ``feedback``, ``history`` and ``play``."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import MICROSECONDS, NewEvent
from tests.support.tones import write_tones

NEXT_KEYS = {"track_id", "title", "artist", "score", "propensity", "reason"}
MEASURE_KEYS = {"gini", "artist_entropy", "intra_list_distance", "coverage", "never_played"}
HISTORY_KEYS = {
    "id", "time", "event", "track_id", "station", "position", "origin", "model_version", "rank", "score", "propensity",
}  # fmt: skip


def history(player):
    return player("history", "--json").document


# --- stations


def test_a_station_is_made_from_seeds_and_listed(demo, player):
    row = demo.rows[0]
    made = player(
        "station", "create", "Mix", "--seed", f"artist:{row.artist}", "--seed", f"track:{row.id}", "--seed", "tag:mellow", "--json"
    ).document  # fmt: skip
    assert made["seeds"] == [f"artist:{row.artist}", f"track:{row.id}", "tag:mellow"]
    listed = player("station", "list", "--json").document
    assert [station["name"] for station in listed] == ["Evening", "Mix"]
    assert listed[1]["seeds"] == made["seeds"]
    assert "Mix" in player("station", "list").out


@pytest.mark.parametrize(
    ("seed", "words"),
    [("artist:Nobody", "Nobody"), ("mood:nosuch", "tag"), ("track:9999", "9999"), ("tag:melow", "Mellow")],
)
def test_a_seed_that_names_nothing_is_told(demo, player, seed, words):
    assert words in player("station", "create", "X", "--seed", seed).sentence
    assert len(player("station", "list", "--json").document) == 1


# --- next


def test_next_gives_one_document_for_scripts(demo, player):
    document = player("next", "--station", "Evening", "-n", 7, "--json").document
    assert set(document) == {"model_version", "items", "diversity"}
    assert document["model_version"] == "content"
    assert len(document["items"]) == 7
    assert all(set(item) == NEXT_KEYS for item in document["items"])
    assert all(0 < item["propensity"] <= 1 and item["reason"] for item in document["items"])
    assert set(document["diversity"]) >= MEASURE_KEYS


@pytest.mark.slow
def test_next_says_the_same_until_something_happens(demo, player):
    arguments = ["next", "--station", "evening", "--json"]
    first = player(*arguments).document
    assert player(*arguments).document == first
    player("feedback", "down", first["items"][0]["track_id"], "--station", "Evening")
    after = player(*arguments).document
    assert first["items"][0]["track_id"] not in [item["track_id"] for item in after["items"]]


def test_next_for_people_is_a_line_each(demo, player):
    answer = player("next", "--station", "Evening", "-n", 3)
    assert len(answer.out.splitlines()) == 4
    assert "Gini" in answer.out


def test_next_says_why_there_are_not_more(demo, player):
    answer = player("next", "--station", "Evening", "-n", 100)
    assert answer.code == 0
    assert "24" in answer.err


def test_an_unknown_station_is_told_with_those_there_are(demo, player):
    for command in (["next", "--station", "Evenin"], ["play", "--headless", "--station", "Evenin"]):
        assert "there are: Evening" in player(*command).sentence


def test_next_in_an_empty_library_says_how_to_fill_it(player):
    player("station", "create", "Evening", "--seed", "library")
    assert "player scan" in player("next", "--station", "Evening", "--json").sentence


# --- feedback and history


@pytest.mark.slow
def test_what_is_told_stands_in_the_history_with_what_had_been_served(demo, player):
    second = player("next", "--station", "Evening", "--json").document["items"][1]
    told = player(
        "feedback", "skip", second["track_id"], "--station", "evening", "--position", 12.5,
        "--at", "2026-05-31T18:30:00+02:00", "--json",
    ).document  # fmt: skip
    (line,) = history(player)
    assert set(line) >= HISTORY_KEYS
    assert (told["id"], told["event"], told["station"]) == (line["id"], "skip", "Evening")
    assert datetime.fromisoformat(line["time"]) == datetime(2026, 5, 31, 16, 30, tzinfo=UTC)
    assert (line["event"], line["track_id"], line["station"]) == ("skip", second["track_id"], "Evening")
    assert (line["position"], line["origin"]) == (12.5, "cli")
    assert (line["model_version"], line["rank"]) == ("content", 2)
    assert line["score"] == pytest.approx(second["score"])
    assert line["propensity"] == pytest.approx(second["propensity"])


@pytest.mark.slow
@pytest.mark.parametrize("event", ["up", "down", "clear", "skip", "finish", "replay", "not-now", "never"])
def test_every_event_can_be_told_and_taken_back(demo, player, event):
    track = demo.track_ids[0]
    assert player("feedback", event, track, "--station", "Evening").code == 0
    assert player("feedback", "undo", track).code == 0
    first, second = history(player)
    assert (first["event"], second["event"], second["undoes"]) == (event, "undo", first["id"])
    assert "nothing to undo" in player("feedback", "undo", track).sentence


@pytest.mark.slow
def test_history_is_in_time_order_and_can_be_cut_to_its_end(demo, player):
    for day in (3, 1, 2):
        player("feedback", "finish", demo.track_ids[day], "--at", f"2026-01-0{day}T00:00:00Z")
    assert [line["track_id"] for line in history(player)] == [demo.track_ids[day] for day in (1, 2, 3)]
    assert [line["track_id"] for line in player("history", "-n", 1, "--json").document] == [demo.track_ids[3]]
    assert len(player("history").out.splitlines()) == 3


def test_a_time_that_cannot_be_is_refused_and_one_that_is_there_breaks_no_history(demo, player, monkeypatch):
    track = demo.track_ids[0]
    refused = player("feedback", "up", track, "--everywhere", "--at", "9999-12-31T12:00:00").sentence
    assert "more than a day in the future" in refused
    log = EventStore(demo.database, "cli")
    for years, kind in ((8029, "up"), (-1969, "never")):
        log.append(NewEvent(kind, track, at_us=years * 31_556_952 * MICROSECONDS))
    log.append(NewEvent("down", track))
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        lines = player("history").out.splitlines()
        assert [line[27:28] for line in lines] == ["?", " ", "?"]
    monkeypatch.undo()
    time.tzset()
    assert load_history(demo.database, ()).state.everywhere == {track: -1}


def test_an_argument_cannot_command_the_terminal(demo, player):
    said = player("next", "--station", "\x1b]0;owned\x07\x1b[2J").err
    assert "owned" in said
    assert said.strip().isprintable()


@pytest.mark.slow
def test_an_empty_history_is_an_empty_list(player):
    assert history(player) == []
    assert player("history").err == "Nothing has happened yet.\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["love", "1", "--station", "Evening"], "not-now"),
        (["up", "999", "--station", "Evening"], "no track 999"),
        (["up", "1"], "--station"),
        (["up", "1", "--station", "Nowhere"], "Evening"),
        (["skip", "1", "--position", "-3"], "-3"),
        (["skip", "1", "--position", "nan"], "position"),
        (["skip", "1", "--at", "yesterday"], "yesterday"),
        (["skip", "1", "--at", "0001-01-01T00:00:00+14:00"], "0001"),
    ],
)
def test_wrong_feedback_is_told_in_a_sentence_and_not_recorded(demo, player, arguments, words):
    assert words in player("feedback", *arguments, "--json").sentence
    assert history(player) == []


def test_a_file_of_events_is_recorded_whole(demo, player, tmp_path):
    events = [
        {"event": "up", "track_id": demo.track_ids[0], "station": "Evening", "at": "2026-01-01T10:00:00Z"},
        {
            "event": "skip",
            "track_id": demo.track_ids[1],
            "station": "evening",
            "position": 4,
            "at": "2026-01-01T10:01:00Z",
        },
        {"event": "never", "track_id": demo.track_ids[2], "at": "2026-01-01T10:02:00Z"},
    ]
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(json.dumps(event) for event in events) + "\n\n")
    assert player("feedback", "--from", file, "--json").document == {"recorded": 3, "ids": [1, 2, 3]}
    assert [line["event"] for line in history(player)] == ["up", "skip", "never"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"event": "up", "track_id": 999, "station": "Evening"}', "no track 999"),
        ('{"event": "up", "track_id": 1, "station": "Nowhere"}', "Nowhere"),
        ('{"event": "up", "track_id": 1', "line 3"),
        ('{"event": "undo", "track_id": 2}', "nothing to undo"),
    ],
)
def test_a_wrong_line_in_a_file_is_told_and_nothing_of_it_is_recorded(demo, player, tmp_path, line, words):
    good = json.dumps({"event": "finish", "track_id": 1})
    (tmp_path / "events.jsonl").write_text(f"{good}\n{good}\n{line}\n{good}\n")
    sentence = player("feedback", "--from", tmp_path / "events.jsonl").sentence
    assert words in sentence
    assert "line 3" in sentence
    assert history(player) == []


# --- play


@pytest.mark.slow
def test_playing_without_a_screen_prints_a_line_for_each_event(demo, process, tmp_path):
    demo.close()
    (tmp_path / "data" / "config.toml").write_text('[audio]\nengine = "null"\n')
    answer = process("play", "--station", "Evening", "--headless", "--seconds", "1.5")
    assert (answer.code, answer.err) == (0, "")
    lines = [json.loads(line) for line in answer.out.splitlines()]
    kinds = [line["event"] for line in lines]
    assert "start" in kinds
    assert kinds[-1] == "stop"
    assert lines[-1]["action"] == "quit"
    assert 0.5 < lines[-1]["position"] < 3.0
    start = next(line for line in lines if line["event"] == "start")
    assert start["title"]
    assert start["station"] == "Evening"


@pytest.mark.slow
def test_named_files_play_in_order_to_the_end_and_then_the_station(demo, process, tmp_path):
    demo.close()
    (tmp_path / "data" / "config.toml").write_text('[audio]\nengine = "null"\n')
    files = [write_tones(tmp_path / f"{name}.wav", [(hertz, 0.6)]) for name, hertz in (("b", 440), ("a", 550))]
    answer = process("play", *files, "--headless")
    assert (answer.code, answer.err) == (0, "")
    events = [json.loads(line) for line in answer.out.splitlines()]
    told = [(one["event"], one["title"]) for one in events if one["event"] in {"start", "finish", "skip", "stop"}]
    assert told == [("start", "b"), ("finish", "b"), ("start", "a"), ("finish", "a")]
    assert {one["action"] for one in events if one["event"] == "start"} == {"chose"}
    answer = process("play", files[0], "--headless", "--then", "evening", "--seconds", 3)
    starts = [one for one in map(json.loads, answer.out.splitlines()) if one["event"] == "start"]
    assert [one["station"] for one in starts] == [None, "Evening"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_playing_ends_in_order_when_it_is_told_to(demo, tmp_path, number):
    demo.close()
    (tmp_path / "data" / "config.toml").write_text('[audio]\nengine = "null"\n')
    command = ["play", "--station", "Evening", "--headless", "--data-dir", str(tmp_path / "data")]
    playing = subprocess.Popen([sys.executable, "-m", "player", *command], stdout=subprocess.PIPE, text=True)
    while json.loads(playing.stdout.readline())["event"] != "start":
        pass
    playing.send_signal(number)
    last = json.loads(playing.communicate(timeout=20)[0].splitlines()[-1])
    assert (last["event"], last["action"]) == ("stop", "quit")
    assert playing.returncode == 0


@pytest.mark.slow
def test_playing_where_nothing_can_be_played_is_told(player):
    player("station", "create", "Evening", "--seed", "library")
    assert "player scan" in player("play", "--station", "Evening", "--headless").sentence
