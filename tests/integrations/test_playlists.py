"""Playlists in every format, there and back, and files that are none."""

import json

import pytest

from player.errors import PlayerError
from player.feedback.hygiene import add_exclusion
from player.integrations.playlist_files import FORMATS, read_playlist, written_playlist
from player.integrations.playlists import (
    find_playlist,
    keep_tracks,
    playlists,
    remove_playlist,
    rename_playlist,
    save_query,
    take_in,
)
from player.library.search import TrackIndex
from player.library.tracks import load_catalogue
from player.stations.seeds import Seed
from player.stations.stations import Stations

M3U = """#EXTM3U
#EXTINF:125,The Beatles - Yesterday
../elsewhere/01.mp3
#EXTINF:9,Nobody - Nothing
C:\\Music\\Nobody\\Nothing.mp3
file:///music/Bj%C3%B6rk/J%C3%B3ga.flac
Nina Simone/Feeling Good.flac
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_entries_are_found_by_path_by_its_end_and_by_name(database, tmp_path, encoding):
    (tmp_path / "mix.m3u8").write_text(M3U, encoding)
    taken = take_in(database, tmp_path / "mix.m3u8")
    assert (taken.name, taken.matched, taken.missing) == ("mix", 3, ("C:\\Music\\Nobody\\Nothing.mp3",))
    assert find_playlist(database, "MIX").tracks == (1, 2, 5)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("relative", [False, True])
def test_what_is_written_is_read_again(database, tmp_path, kind, relative):
    with database.reader() as session:
        rows = load_catalogue(session)
    file = tmp_path / f"all.{kind}"
    file.write_bytes(written_playlist(kind, "Everything, всё & <more>", rows, tmp_path if relative else None))
    taken = take_in(database, file, "again")
    assert (taken.matched, taken.missing) == (len(rows), ())
    assert find_playlist(database, "again").tracks == tuple(row.id for row in rows)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "lists no tracks"),
        (b"#EXTM3U\n", "lists no tracks"),
        (b"<playlist><trackList><track>", "damaged playlist"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><playlist/>', "entities"),
        (b'{"playlist": [', "damaged playlist"),
        (b"[" * 100_000, ""),
        (b"{" * 100_000, "damaged playlist"),
    ],
)
def test_what_is_no_playlist_is_refused_in_a_sentence(tmp_path, content, says):
    (tmp_path / "x.m3u").write_bytes(content)
    if says:
        with pytest.raises(PlayerError, match=says):
            read_playlist(tmp_path / "x.m3u")
    else:
        read_playlist(tmp_path / "x.m3u")


def test_hostile_values_become_plain_entries(tmp_path):
    track = {"location": [5], "title": "a\x1b[31mb", "creator": {"x": 1}, "duration": "NaN"}
    (tmp_path / "x.jspf").write_text(json.dumps({"playlist": {"track": [track, 7, None]}}))
    _, (one,) = read_playlist(tmp_path / "x.jspf")
    assert one.title.isprintable()
    assert one.seconds is None


def test_a_smart_playlist_is_its_query(database):
    save_query(database, "Not Muse", "-artist:muse")
    (kept,) = playlists(database)
    assert (kept.query, kept.tracks) == ("-artist:muse", None)
    with pytest.raises(PlayerError, match="In the search"):
        save_query(database, "Bad", "year:soon")


def test_what_asks_for_a_playlist_follows_its_new_name_and_is_told_of_its_end(database):
    with database.reader() as session:
        rows = load_catalogue(session)
    keep_tracks(database, "Road", rows[:1])
    keep_tracks(database, "Road Trip", rows[1:3])
    save_query(database, "Mine", 'playlist:"road trip" or genre:x')
    asked = ("genre:x playlist:road", "-playlist:road-t -live", "playlist:ro", "title:yesterday", 'playlist:"Road')
    number = Stations(database).create("On the way", [Seed("query", one) for one in asked], rows, ()).id
    add_exclusion(database, "(playlist:mine)", None, None)

    assert rename_playlist(database, "Road Trip", 'The "Long" Way') == 'The "Long" Way'
    station = Stations(database).find("On the way")
    # What means two playlists is left alone, unless it writes the name of this one out.
    after = ("genre:x playlist:road", '-playlist:"The  Long  Way" -live', *asked[2:])
    assert (station.id, tuple(seed.value for seed in station.seeds)) == (number, after)
    assert find_playlist(database, "Mine").search == 'playlist:"The  Long  Way" or genre:x'
    index = TrackIndex(database, rows)
    assert index.search(find_playlist(database, 'The "Long" Way').search) == [1, 2]
    assert index.search("playlist:mine") == [1, 2]

    assert remove_playlist(database, "Mine") == ["exclusion 1"]
    assert remove_playlist(database, 'The "Long" Way') == ["the station “On the way”"]
