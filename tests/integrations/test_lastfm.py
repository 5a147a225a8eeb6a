"""CSV of Last.fm scrobbles, as several exporters write it."""

import pytest

from player.integrations.history.archive import ExportError
from player.integrations.history.entries import End, Entry, Judgement, LeftOut, Malformed
from player.integrations.history.lastfm import NO_DATE, read_lastfm

WITH_IDS = "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"
AT = 1_588_357_800_000_000


@pytest.mark.parametrize(
    "text",
    [
        WITH_IDS + '"1588357800","01 May 2020, 18:30","Simon & Garfunkel","","Bridge","","The Boxer",""\n',
        "\ufeffArtist;Album;AlbumId;Track;Date#me\n" + 'Simon & Garfunkel;"Bridge";x;The Boxer;"1588357800000"\n',
        '"Simon & Garfunkel","Bridge","The Boxer","01 May 2020 18:30"\n',
        "artist_name\ttrack_name\talbum_name\ttimestamp\nSimon & Garfunkel\tThe Boxer\tBridge\t2020-05-01T18:30:00Z\n",
    ],
)
def test_the_exporters_in_common_use_are_understood(export, text):
    (entry,) = read_lastfm(export({"scrobbles.csv": text}))
    assert (entry.name.artist, entry.name.title, entry.name.album) == ("Simon & Garfunkel", "The Boxer", "Bridge")
    assert (entry.said.end, entry.said.started_us) == (End.FINISHED, AT)


def test_loved_tracks_are_thumbs_up(export):
    (entry,) = read_lastfm(export({"lovedtracks-me-1.csv": WITH_IDS + "1588357800,,Muse,,,,Feeling Good,\n"}))
    assert entry.said == Judgement("up", AT)


def test_what_is_playing_just_now_has_no_date_and_broken_rows_are_named(export):
    text = (
        WITH_IDS + ',,Muse,,,,Feeling Good,\n1588357800,,"Mu\nse",,,,Feeling Good,\nsoon,,Muse,,,,Feeling Good,\nMuse\n'
    )
    playing, entry, undated, short = read_lastfm(export({"a.csv": text}))
    assert playing == LeftOut(NO_DATE)
    assert isinstance(entry, Entry)
    assert [(bad.line, type(bad)) for bad in (undated, short)] == [(5, Malformed), (6, Malformed)]


def test_a_table_without_the_columns_is_refused(export):
    with pytest.raises(ExportError, match=r"no columns for artist, track and time"):
        list(read_lastfm(export({"a.csv": "name,price\nbread,2\n"})))
