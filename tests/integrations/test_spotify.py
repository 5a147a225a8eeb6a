"""Spotify's exports: what is read, what is left out and why, what is malformed and where."""

import json

import pytest

from player.integrations.history.archive import ExportError
from player.integrations.history.entries import IMPOSSIBLE_DATE, NO_NAME, End, Entry, LeftOut, Malformed, PlayEntry
from player.integrations.history.spotify import PODCAST, PRIVATE, read_spotify

NAME = "Streaming_History_Audio_2020_0.json"


def only(items):
    (item,) = items
    return item


def read(export, *plays, name=NAME, **options):
    return list(read_spotify(export({name: json.dumps(list(plays))}, **options)))


def test_a_play_says_what_was_heard_how_long_and_how_it_ended(export, spotify_play):
    entry = only(read(export, spotify_play(ms=62_500, end="fwdbtn", skipped=True)))
    assert (entry.name.artist, entry.name.title) == ("The Beatles", "Yesterday")
    ended = 1_588_357_800_000_000
    assert entry.said == PlayEntry(End.NEXT, started_us=ended - 62_500_000, ended_us=ended, heard=62.5)


@pytest.mark.parametrize(
    ("reason", "skipped", "end"),
    [
        ("trackdone", False, End.FINISHED),
        ("fwdbtn", None, End.NEXT),
        ("backbtn", True, End.BACK),
        ("clickrow", True, End.CHOSE),
        ("endplay", True, End.CHOSE),
        ("endplay", False, End.STOPPED),
        ("endplay", None, End.STOPPED),
        ("unexpected-exit-while-paused", False, End.STOPPED),
        ("a reason of tomorrow", True, End.NEXT),
        ("a reason of tomorrow", False, End.STOPPED),
        ("trackerror", False, End.FAILED),
        (None, None, End.UNTOLD),
    ],
)
def test_the_reason_of_the_end_says_what_the_listener_did(export, spotify_play, reason, skipped, end):
    assert only(read(export, spotify_play(end=reason, skipped=skipped))).said.end is end


def test_a_track_picked_from_a_list_was_chosen(export, spotify_play):
    assert only(read(export, spotify_play(reason_start="clickrow"))).said.chosen


def test_podcasts_private_sessions_nameless_plays_and_impossible_dates_are_left_out(export, spotify_play):
    plays = [
        spotify_play(title=None, artist=None, episode_name="Talk"),
        spotify_play(incognito_mode=True),
        spotify_play(title=None, artist=None),
        spotify_play(at="1970-01-01T00:00:00Z"),
        spotify_play(at="2999-01-01T00:00:00Z"),
    ]
    reasons = [PODCAST, PRIVATE, NO_NAME, IMPOSSIBLE_DATE, IMPOSSIBLE_DATE]
    assert read(export, *plays) == [LeftOut(reason) for reason in reasons]


def test_the_history_of_the_account_data_tells_minutes_and_no_reason(export):
    play = {"endTime": "2020-05-01 18:30", "artistName": "Muse", "trackName": "Feeling Good", "msPlayed": 3000}
    entry = only(read(export, play, name="StreamingHistory_music_0.json"))
    assert entry.said.end is End.UNTOLD
    assert entry.said.heard == 3.0


def test_of_both_kinds_beside_each_other_only_the_extended_one_is_read(export, spotify_play):
    account = {"endTime": "2020-05-01 18:30", "artistName": "Muse", "trackName": "Feeling Good", "msPlayed": 3000}
    files = {NAME: json.dumps([spotify_play()]), "StreamingHistory0.json": json.dumps([account])}
    assert only(read_spotify(export(files))).name.title == "Yesterday"


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_in_a_folder_or_an_archive_only_the_histories_of_music_are_read(export, spotify_play, kind):
    files = {
        f"my_spotify_data/{NAME}": json.dumps([spotify_play()]),
        "my_spotify_data/endsong_3.json": json.dumps([spotify_play("Help!")]),
        "my_spotify_data/Streaming_History_Video_2020.json": "no JSON at all",
        "my_spotify_data/StreamingHistory_podcast_0.json": "no JSON at all",
        "my_spotify_data/ReadMeFirst.pdf": "%PDF",
    }
    assert {entry.name.title for entry in read_spotify(export(files, kind=kind))} == {"Yesterday", "Help!"}


def test_a_single_file_may_have_any_name(export, spotify_play):
    assert isinstance(only(read(export, spotify_play(), name="mine.json", kind="file")), Entry)


def test_malformed_plays_are_named_by_file_and_line(export, spotify_play):
    text = json.dumps([spotify_play(), {"ts": "soon", "ms_played": 1}, 7, spotify_play(ms=-1)], indent=1)
    found = [item for item in read_spotify(export({NAME: text})) if isinstance(item, Malformed)]
    assert [item.file for item in found] == [NAME] * 3
    lines = text.splitlines()
    assert '"ts": "soon"' in lines[found[0].line]
    assert lines[found[1].line - 1].strip() == "7,"


@pytest.mark.parametrize("cut", [1, 40, -2])
def test_a_file_that_breaks_off_is_refused_with_its_line(export, spotify_play, cut):
    text = json.dumps([spotify_play(), spotify_play()])
    with pytest.raises(ExportError, match=r"line 1: the file is damaged or no JSON; nothing was recorded"):
        list(read_spotify(export({NAME: text[:cut]})))


def test_a_folder_without_a_history_says_what_to_look_for(export):
    with pytest.raises(ExportError, match=r"Streaming_History_Audio"):
        list(read_spotify(export({"Playlist1.json": "{}"})))


def test_the_same_play_has_the_same_key_and_another_play_another_one(export, spotify_play):
    plays = [
        spotify_play(),
        spotify_play(),
        spotify_play(ms=1),
        spotify_play("Help!"),
        spotify_play(at="2020-05-01T18:30:01Z"),
    ]
    keys = [entry.key for entry in read(export, *plays)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_names_lose_control_characters(export, spotify_play):
    assert only(read(export, spotify_play("Yes\x1b[31mterday\n"))).name.title == "Yes [31mterday"
