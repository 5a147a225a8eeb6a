"""ListenBrainz exports: listens, and love and hate that name recordings by identifiers alone."""

import json

import pytest

from player.integrations.history.entries import End, Entry, Judgement, LeftOut, Malformed
from player.integrations.history.listenbrainz import TAKEN_BACK, read_listenbrainz

RECORDING = "0bec0a3f-31b5-4b75-8b2a-dbd0dbb1c2de"
LISTEN = {
    "listened_at": 1_588_357_800.0,
    "inserted_at": 1_588_357_900.0,
    "track_metadata": {
        "artist_name": "Björk",
        "track_name": "Jóga",
        "release_name": "Homogenic",
        "recording_msid": "11111111-2222-3333-4444-555555555555",
        "additional_info": {"duration_ms": 305_000},
        "mbid_mapping": {"recording_mbid": RECORDING.upper(), "recording_name": "Jóga"},
    },
}


def lines(*values) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def feedback(score, created=1_600_000_000, **which):
    return {"recording_msid": None, "recording_mbid": None, "score": score, "created": created, **which}


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_listens_and_feedback_of_the_user_data_export(export, kind):
    files = {
        "user.json": '{"user_id": 1}',
        "feedback.jsonl": lines(
            feedback(1, recording_mbid=RECORDING),
            feedback(-1, recording_msid="11111111-2222-3333-4444-555555555555"),
            feedback(0, recording_mbid=RECORDING),
        ),
        "listens/2020/5.jsonl": lines(LISTEN),
        "pinned_recording.jsonl": lines({"blurb_content": "!"}),
    }
    listen, love, hate, taken_back = read_listenbrainz(export(files, kind=kind))
    assert (listen.name.artist, listen.name.recording_id, listen.name.seconds) == ("Björk", RECORDING, 305.0)
    assert (listen.said.end, listen.said.started_us) == (End.FINISHED, 1_588_357_800_000_000)
    assert love.name == hate.name == listen.name
    assert [love.said, hate.said] == [Judgement("up", 1_600_000_000_000_000), Judgement("down", 1_600_000_000_000_000)]
    assert taken_back == LeftOut(TAKEN_BACK)


def test_feedback_on_a_recording_never_listened_to_keeps_its_identifier(export):
    (entry,) = read_listenbrainz(export({"feedback.jsonl": lines(feedback(1, recording_mbid=RECORDING))}))
    assert (entry.name.title, entry.name.recording_id, str(entry.name)) == ("", RECORDING, f"recording {RECORDING}")


def test_an_older_export_is_one_array(export):
    (entry,) = read_listenbrainz(export({"me_lb-2020-05-01.json": json.dumps([LISTEN])}, kind="file"))
    assert isinstance(entry, Entry)


def test_a_listen_that_says_how_long_it_was_heard_is_not_taken_for_finished(export):
    heard = {**LISTEN["track_metadata"], "additional_info": {"ms_played": 40_000}}
    (entry,) = read_listenbrainz(export({"listens/2020/5.jsonl": lines({**LISTEN, "track_metadata": heard})}))
    assert (entry.said.end, entry.said.heard) == (End.UNTOLD, 40.0)


def test_malformed_lines_are_named_and_the_rest_is_read(export):
    text = lines(LISTEN) + "{broken\n" + lines({"listened_at": "never"}, {"else": 1}, feedback(5))
    items = list(read_listenbrainz(export({"listens/2020/5.jsonl": text})))
    assert [item.line for item in items if isinstance(item, Malformed)] == [2, 3, 4, 5]
