"""MPD's sticker database and log."""

import sqlite3
from contextlib import closing

import pytest

from player.integrations.history.archive import Export, ExportError
from player.integrations.history.entries import End, Judgement, LeftOut, Play
from player.integrations.history.mpd import NO_FACTS, OTHER_LINE, UNDATED, read_mpd

PLAYED = 1_588_357_800


@pytest.fixture
def stickers(tmp_path):
    """Writes a sticker database as MPD does: (uri, name, value)."""

    def write(*rows) -> Export:
        path = tmp_path / "sticker.sql"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(
                "CREATE TABLE sticker(type VARCHAR NOT NULL, uri VARCHAR NOT NULL, name VARCHAR NOT NULL, value VARCHAR NOT NULL)"
            )
            connection.execute("CREATE UNIQUE INDEX sticker_value ON sticker(type, uri, name)")
            connection.executemany("INSERT INTO sticker VALUES('song', ?, ?, ?)", rows)
            connection.execute("INSERT INTO sticker VALUES('playlist', 'x', 'rating', '10')")
        return Export(path)

    return write


def test_stickers_tell_the_last_play_the_last_skip_and_ratings(stickers):
    export = stickers(
        ("A/1.flac", "playCount", "12"),
        ("A/1.flac", "lastPlayed", str(PLAYED)),
        ("A/1.flac", "lastSkipped", str(PLAYED - 1000)),
        ("A/1.flac", "rating", "8"),
        ("A/2.flac", "like", "0"),
        ("A/2.flac", "lastPlayed", "0"),
        ("A/3.flac", "rating", "5"),
        ("A/3.flac", "elapsed", "17"),
    )
    known = export.path.stat().st_mtime_ns // 1000
    played, skipped, again, up, down, nothing = read_mpd(export)
    assert {entry.name.path for entry in (played, skipped, again, up)} == {"A/1.flac"}
    assert played.said == Play(End.FINISHED, ended_us=PLAYED * 1_000_000)
    assert skipped.said == Play(End.NEXT, ended_us=(PLAYED - 1000) * 1_000_000)
    assert again.said == Judgement("replay", PLAYED * 1_000_000)
    assert [up.said, down.said] == [Judgement("up", known), Judgement("down", known)]
    assert nothing == LeftOut(NO_FACTS)


def test_a_rating_has_the_same_key_after_the_file_was_touched(stickers):
    export = stickers(("A/1.flac", "rating", "10"))
    (first,) = read_mpd(export)
    export.path.touch()
    (second,) = read_mpd(export)
    assert first.key == second.key


def test_another_sqlite_file_is_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection, connection:
        connection.execute("CREATE TABLE food(name)")
    with pytest.raises(ExportError, match=r"is no sticker database of MPD"):
        list(read_mpd(Export(tmp_path / "other.db")))


def test_the_log_tells_what_was_played_to_its_end(export):
    text = (
        "2020-05-01T18:30:00 server_socket: bound to 0.0.0.0\n"
        '2020-05-01T18:30:00 player: played "A/An \\"odd\\" name.flac"\n'
        'May 01 18:30 : player: played "A/1.flac"\n'
    )
    other, entry, undated = read_mpd(export({"mpd.log": text}, kind="file"))
    assert [other, undated] == [LeftOut(OTHER_LINE), LeftOut(UNDATED)]
    assert entry.name.path == 'A/An "odd" name.flac'
    assert entry.said == Play(End.FINISHED, ended_us=PLAYED * 1_000_000)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ExportError, match=r"sticker\.sql"):
        list(read_mpd(Export(tmp_path)))
