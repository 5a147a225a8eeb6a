"""Histories of other services as data sets: plays with verdicts, stations as asked, debris counted."""

import numpy as np
import pytest

from player.errors import PlayerError, UsageError
from player.research.listening import open_listening
from recommender.habits.features import walk
from tests.support.histories import account, extended, listening, packed


@pytest.fixture(scope="module")
def plays():
    return listening()


@pytest.mark.parametrize(
    ("name", "rows"), [("StreamingHistory_music_0.json", account), ("Streaming_History_Audio_2020.json", extended)]
)
def test_both_exports_give_the_plays_that_were_written(tmp_path, plays, name, rows):
    path = packed(tmp_path / "me.zip", name, rows(plays))
    data = open_listening("spotify", path, f"spotify:{path}", {}, None)
    assert np.array_equal(data.plays.verdict, plays.verdict)
    names = [f"Artist {plays.catalogue.artist[track]} – Track {track}" for track in plays.track.tolist()]
    assert [data.plays.catalogue.names[track] for track in data.plays.track.tolist()] == names
    assert data.log.positives == np.count_nonzero(plays.verdict > 0)
    assert set(data.plays.chosen.tolist()) == ({-1} if rows is account else {1})
    assert walk(data.plays).shape[0] == len(plays)


@pytest.mark.parametrize(
    "kept", [("ts", "ms_played"), ("ts", "ms_played", "skipped"), ("ts", "ms_played", "reason_end")]
)
def test_an_extended_export_without_some_fields_gives_the_same_verdicts(tmp_path, plays, kept):
    fields = {*kept, "master_metadata_track_name", "master_metadata_album_artist_name"}
    rows = [{name: value for name, value in row.items() if name in fields} for row in extended(plays)]
    path = packed(tmp_path / "me.zip", "endsong_0.json", rows)
    assert np.array_equal(open_listening("spotify", path, "", {}, None).plays.verdict, plays.verdict)


def test_stations_are_sessions_or_artists_as_asked(tmp_path, plays):
    path = packed(tmp_path / "me.zip", "endsong_0.json", extended(plays))
    stations = {
        kind: open_listening("spotify", path, "", {"station": kind}, None).log.station
        for kind in ("session", "artist", "none")
    }
    assert len(np.unique(stations["session"])) == plays.sessions
    assert len(np.unique(stations["artist"])) == len(np.unique(plays.catalogue.artist))
    assert not stations["none"].any()
    with pytest.raises(UsageError, match="station="):
        open_listening("spotify", path, "", {"listener": "x"}, None)


def test_a_limit_keeps_the_oldest_plays(tmp_path, plays):
    path = packed(tmp_path / "me.zip", "endsong_0.json", extended(plays)[::-1])
    data = open_listening("spotify", path, "", {}, 50)
    assert len(data.plays) == 50
    assert data.plays.ended[-1] == pytest.approx(plays.ended[49], abs=1.0)


def test_debris_is_counted_and_much_of_it_refused(tmp_path, plays):
    rows = extended(plays)
    path = packed(tmp_path / "me.zip", "endsong_0.json", [*rows, {"ts": "never", "ms_played": 1}])
    assert open_listening("spotify", path, "", {}, None).reading.malformed == 1
    path = packed(tmp_path / "bad.zip", "endsong_0.json", [{"ts": "never"}] * 50 + rows[:50])
    with pytest.raises(PlayerError, match="50 of 100 entries are malformed"):
        open_listening("spotify", path, "spotify:bad.zip", {}, None)


def test_scrobbles_are_all_heard_out_and_loved_tracks_are_thumbs(tmp_path):
    (tmp_path / "scrobbles.csv").write_text("uts,artist,track\n1600000000,A,B\n1600000300,A,C\n")
    (tmp_path / "loved.csv").write_text("uts,artist,track\n1600000400,A,C\n")
    data = open_listening("lastfm", tmp_path, "", {}, None)
    assert data.plays.verdict.tolist() == [1, 1]
    assert data.log.explicit.tolist() == [False, False, True]
