"""Navidrome's songs in three spellings of JSON."""

import json

import pytest

from player.integrations.history.archive import ExportError
from player.integrations.history.entries import End, Judgement, LeftOut, Play
from player.integrations.history.navidrome import NO_FACTS, NOT_SONGS, read_navidrome

AT = 1_588_357_800_000_000
NAMES = {"title": "Jóga", "artist": "Björk", "album": "Homogenic"}


@pytest.mark.parametrize(
    "document",
    [
        [{**NAMES, "id": "a", "playCount": 7, "playDate": "2020-05-01T18:30:00Z", "rating": 5, "starred": True, "starredAt": "2020-05-01T18:30:00Z"}],
        {"subsonic-response": {"starred2": {"song": [{**NAMES, "id": "a", "playCount": 7, "played": "2020-05-01T18:30:00Z", "userRating": 5, "starred": "2020-05-01T18:30:00Z"}]}}},
        [{**NAMES, "item_id": "a", "item_type": "media_file", "play_count": 7, "play_date": "2020-05-01 18:30:00", "rating": 5, "starred": 1, "starred_at": "2020-05-01 18:30:00"}],
    ],
)  # fmt: skip
def test_the_spellings_say_the_same(export, document):
    played, again, stars, starred = read_navidrome(export({"songs.json": json.dumps(document)}, kind="file"))
    assert (played.name.artist, played.name.title, played.name.album) == ("Björk", "Jóga", "Homogenic")
    assert played.said == Play(End.FINISHED, ended_us=AT)
    assert again.said == Judgement("replay", AT)
    assert stars.said.kind == "up"
    assert starred.said == Judgement("up", AT)


def test_unplayed_songs_albums_and_unstarred_songs_say_nothing(export):
    songs = [{**NAMES, "id": "a", "starred": False, "rating": 0}, {"item_id": "b", "item_type": "album", "starred": 1}]
    items = list(read_navidrome(export({"a.json": json.dumps(songs)}, kind="file")))
    assert items == [LeftOut(NO_FACTS), LeftOut(NOT_SONGS)]


def test_few_stars_are_a_thumb_down_and_middling_ones_nothing(export):
    songs = [{**NAMES, "id": str(stars), "rating": stars} for stars in range(1, 6)]
    said = [getattr(item, "said", None) for item in read_navidrome(export({"a.json": json.dumps(songs)}, kind="file"))]
    assert [one and one.kind for one in said] == ["down", "down", None, "up", "up"]


def test_an_answer_without_songs_is_refused(export):
    with pytest.raises(ExportError, match=r"holds no songs"):
        list(read_navidrome(export({"a.json": '{"subsonic-response": {"status": "failed"}}'}, kind="file")))
