"""Libraries of other players: their ratings by their own scales, and files that are none."""

import pickle
import plistlib
from datetime import datetime

import pytest

from player.integrations.history.archive import Export, ExportError
from player.integrations.history.entries import Entry, Judgement
from player.integrations.history.lastfm import read_lastfm
from player.integrations.history.libraries import read_itunes, read_quodlibet, read_rhythmbox
from player.integrations.history.tag_ratings import Rating, stars_of

RHYTHMDB = """<?xml version="1.0"?><rhythmdb version="2.0">
<entry type="song"><title>Jóga</title><artist>Björk</artist><rating>2</rating><play-count>7</play-count>
<last-played>1588327200</last-played><location>file:///music/Bj%C3%B6rk/J%C3%B3ga.flac</location></entry>
<entry type="iradio"><title>Radio</title></entry></rhythmdb>"""


def said(items) -> list[tuple[str, str]]:
    """(title or path, what was said) of every entry."""
    return [
        (item.name.title or item.name.path, item.said.kind if isinstance(item.said, Judgement) else item.said.end.name)
        for item in items
        if isinstance(item, Entry)
    ]


def test_itunes(tmp_path):
    songs = {
        "1": {"Name": "Up", "Artist": "A", "Rating": 80, "Play Count": 9, "Play Date UTC": datetime(2020, 5, 1)},  # noqa: DTZ001
        "2": {"Name": "Down", "Artist": "A", "Rating": 20},
        "3": {"Name": "By the album", "Artist": "A", "Rating": 100, "Rating Computed": True},
        "4": {"Name": "Show", "Podcast": True, "Rating": 100},
        "5": {"Name": "Loved", "Artist": "A", "Loved": True},
    }
    (tmp_path / "Library.xml").write_bytes(plistlib.dumps({"Tracks": songs}))
    assert said(read_itunes(Export(tmp_path / "Library.xml"))) == [
        ("Up", "FINISHED"), ("Up", "replay"), ("Up", "up"), ("Down", "down"), ("Loved", "up"),
    ]  # fmt: skip


def test_rhythmbox(tmp_path):
    (tmp_path / "rhythmdb.xml").write_text(RHYTHMDB, "utf-8")
    found = list(read_rhythmbox(Export(tmp_path / "rhythmdb.xml")))
    assert said(found) == [("Jóga", "FINISHED"), ("Jóga", "replay"), ("Jóga", "down")]
    assert found[0].name.path == "/music/Björk/Jóga.flac"


def test_quod_libet(tmp_path):
    songs = [
        {"title": "T", "artist": "A", "~#rating": 0.8, "~#playcount": 1},
        {"title": "U", "artist": "A", "~#rating": 0.5},
    ]
    (tmp_path / "songs").write_bytes(pickle.dumps(songs))
    assert said(read_quodlibet(Export(tmp_path / "songs"))) == [("T", "up")]


class Harmful:
    def __reduce__(self):
        return (open, ("/tmp/never-made", "w"))


@pytest.mark.parametrize(
    ("read", "name", "content"),
    [
        (read_quodlibet, "songs", pickle.dumps([Harmful()])),
        (read_quodlibet, "songs", b"\x80\x04nothing"),
        (read_itunes, "Library.xml", b"<plist><dict>"),
        (read_itunes, "Library.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><plist>&a;</plist>'),
        (read_rhythmbox, "rhythmdb.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><rhythmdb/>'),
        (read_rhythmbox, "rhythmdb.xml", b"<other/>"),
    ],
)
def test_what_is_no_library_is_refused(tmp_path, read, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ExportError):
        list(read(Export(tmp_path / name)))


@pytest.mark.parametrize(
    ("writer", "value", "stars"),
    [
        ("Windows Media Player 9 Series", "196", 4),
        ("rating@winamp.com", "1", 1),
        ("no@email", "255", 5),
        ("quodlibet@lists.sacredchao.net", "153", 3),
        ("vorbis FMPSRATING", "0.8", 4),
        ("vorbis RATING", "4", 4),
        ("vorbis RATING", "80", 4),
        ("asf SHAREDUSERRATING", "99", 5),
        ("no@email", "0", None),
        ("vorbis RATING", "good", None),
    ],
)
def test_a_rating_is_read_by_its_writers_scale(writer, value, stars):
    assert stars_of(Rating(writer, value)) == stars


def test_the_logs_of_portable_players_and_of_lastfmstats(tmp_path):
    (tmp_path / ".scrobbler.log").write_text(
        "#AUDIOSCROBBLER/1.1\n#TZ/UTC\n#CLIENT/Rockbox\n"
        "Björk\tHomogenic\tJóga\t2\t305\tL\t1588327200\t\nBjörk\tHomogenic\tUnravel\t3\t201\tS\t1588327500\n"
    )
    (tmp_path / "stats.json").write_text(
        '{"username": "x", "scrobbles": [{"track": "Jóga", "artist": "Björk", "album": "H", "date": 1588327200000}]}'
    )
    first, second = read_lastfm(Export(tmp_path / ".scrobbler.log"))
    assert (first.said.end.name, first.said.started_us, second.said.end.name) == (
        "FINISHED",
        1_588_327_200_000_000,
        "NEXT",
    )
    (again,) = read_lastfm(Export(tmp_path / "stats.json"))
    assert again.said.started_us == first.said.started_us


def test_a_csv_is_judged_by_more_than_its_first_row(tmp_path):
    (tmp_path / "x.csv").write_text("Björk,Homogenic,Jóga,\nBjörk,Homogenic,Unravel,01 May 2020 10:00\n")
    assert said(read_lastfm(Export(tmp_path / "x.csv"))) == [("Unravel", "FINISHED")]
