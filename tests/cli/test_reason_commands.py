"""``why``, ``track show``, ``undo`` and the further kinds of feedback, on the demo library."""

import pytest

from player.feedback.event_store import EventStore
from tests.support.library import copy_home


@pytest.fixture
def home(demo_template, tmp_path):
    home = copy_home(demo_template, tmp_path / "data")
    home.station("Evening", f"track:{home.track_ids[0]}", f"track:{home.track_ids[9]}")
    yield home
    home.close()


def kinds(home):
    return [
        (event.kind, event.station_id, event.value, event.note) for event in EventStore(home.database, "cli").read()
    ]


def test_why_gives_parts_that_sum_to_the_utility(player, home):
    player("feedback", "up", home.track_ids[3], "--station", "Evening")
    document = player("why", home.track_ids[5], "--station", "Evening", "--json").document
    assert document["track"]["id"] == home.track_ids[5]
    assert sum(part["logits"] for part in document["parts"]) == pytest.approx(document["utility"], abs=1e-6)
    assert sum(part["lead"] for part in document["parts"]) == pytest.approx(document["lead"], abs=1e-6)
    text = player("why", home.track_ids[5], "--station", "Evening").out
    assert f"[label:{home.track_ids[3]}]" in text
    assert "above the average of" in text


def test_less_takes_a_reason_away_and_undo_gives_it_back(player, home):
    track, liked = home.track_ids[5], home.track_ids[3]
    player("feedback", "up", liked, "--station", "Evening")
    told = player("feedback", "less", track, "--station", "Evening", "--reason", f"label:{liked}", "--json").document
    assert kinds(home)[-1] == ("less", 1, None, f"label:{liked}")
    assert [muted["key"] for muted in player("why", track, "--station", "Evening", "--json").document["muted"]] == [
        f"label:{liked}"
    ]
    assert player("undo", told["id"], "--json").document["undoes"] == told["id"]
    assert player("why", track, "--station", "Evening", "--json").document["muted"] == []
    assert "taken back already" in player("undo", told["id"]).sentence


def test_the_story_is_one_document_with_the_events(player, home):
    track = home.track_ids[2]
    player("feedback", "up", track, "--everywhere")
    player("feedback", "not-now", track, "--rest", "hour")
    assert kinds(home) == [("up", None, None, None), ("not-now", None, 3600.0, None)]
    document = player("track", "show", track, "--station", "Evening", "--json").document
    assert [thumb["station"] for thumb in document["thumbs"]] == ["everywhere"]
    assert [event["kind"] for event in document["events"]] == ["not-now", "up"]
    assert document["rests_until"] is not None
    text = player("track", "show", track, "--station", "Evening").out
    assert "thumbed up everywhere" in text
    assert "On Evening:" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("feedback", "up", "TRACK"), "--everywhere"),
        (("feedback", "skip", "TRACK", "--everywhere"), "Only a thumb is meant everywhere"),
        (("feedback", "less", "TRACK", "--reason", "part:head"), "name it with --station"),
        (("feedback", "less", "TRACK", "--station", "Evening"), "takes a reason"),
        (("feedback", "up", "TRACK", "--station", "Evening", "--reason", "part:head"), "takes a reason"),
        (("feedback", "less", "TRACK", "--station", "Evening", "--reason", "part:dial"), "set by the dial"),
        (
            ("feedback", "less", "TRACK", "--station", "Evening", "--reason", "seed:genre:Polka"),
            "no seed of this station",
        ),
        (("feedback", "up", "TRACK", "--station", "Evening", "--rest", "day"), "Only a not-now"),
        (("undo", "99"), "There is no event 99"),
        (("why", "99", "--station", "Evening"), "There is no track 99"),
        (("why", "TRACK", "--station", "Morning"), "There is no station"),
        (("track", "show", "99"), "There is no track 99"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_recorded(player, home, arguments, words):
    said = player(*[home.track_ids[0] if one == "TRACK" else one for one in arguments])
    assert words in said.sentence
    assert kinds(home) == []


def test_a_batch_may_hold_every_kind(player, home, tmp_path):
    track = home.track_ids[0]
    lines = [
        f'{{"event": "up", "track_id": {track}, "everywhere": true}}',
        f'{{"event": "not-now", "track_id": {track}, "seconds": 60}}',
        f'{{"event": "less", "track_id": {track}, "station": "Evening", "reason": "part:head"}}',
    ]
    file = tmp_path / "batch.jsonl"
    file.write_text("\n".join(lines))
    assert player("feedback", "--from", file, "--json").document["recorded"] == 3
    assert kinds(home) == [("up", None, None, None), ("not-now", None, 60.0, None), ("less", 1, None, "part:head")]
    assert [line["note"] for line in player("history", "--json").document] == [None, None, "part:head"]
    file.write_text(f'{{"event": "not-now", "track_id": {track}, "seconds": "long"}}')
    assert "must be a number of seconds" in player("feedback", "--from", file).sentence
