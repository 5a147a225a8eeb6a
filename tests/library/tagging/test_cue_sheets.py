"""Albums in one file: their cue sheets make tracks of them, which stay what they are while sheets and files change."""

import shutil

import pytest

from player.integrations.named_music import find_music
from player.integrations.playlist_files import written_playlist
from player.integrations.playlists import take_in
from player.library.paths import file_of, part_of, span_of, text_to_path
from player.library.scan import scan
from player.library.tagging.cue_sheets import decode, parse, sheet_files
from player.library.tracks import load_catalogue
from player.library.upkeep import library_stats
from tests.library.audio_files import encode
from tests.library.test_scan import counts

SHEET = """\
REM GENRE "Ambient"
REM DATE 1999
PERFORMER "The Band"
TITLE "One File"
FILE "{name}" WAVE
  TRACK 01 AUDIO
    TITLE "First"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Second"
    PERFORMER "Guest"
    INDEX 00 00:00:70
    INDEX 01 00:{second}
  TRACK 03 AUDIO
    TITLE "Third"
    PREGAP 00:02:00
    INDEX 01 00:02:10
"""


def write_sheet(folder, name="album.wav", second="01:05", sheet="album.cue", encoding="utf-8"):
    (folder / sheet).write_bytes(SHEET.format(name=name, second=second).encode(encoding))


@pytest.fixture
def music(tmp_path, originals):
    folder = tmp_path / "music"
    folder.mkdir()
    shutil.copy(originals("flac"), folder / "album.flac")
    return folder


def listed(database):
    with database.reader() as session:
        return sorted((row for row in load_catalogue(session) if not row.missing), key=lambda row: span_of(row.path))


def titles(database):
    return {row.title: row.id for row in listed(database)}


def test_a_sheet_beside_a_file_makes_tracks_of_it_although_it_names_the_wav_it_was(database, music):
    write_sheet(music)
    assert counts(scan(database, [music])) == {"added": 3}
    first, second, third = listed(database)
    assert [(row.title, row.artist, row.album, row.year) for row in (first, second, third)] == [
        ("First", "The Band", "One File", 1999),
        ("Second", "Guest", "One File", 1999),
        ("Third", "The Band", "One File", 1999),
    ]
    assert len({row.album_id for row in (first, second, third)}) == 1
    # A track begins at its INDEX 01; what is before it belongs to the one before.
    assert [span_of(row.path) for row in (first, second, third)] == [(0, 80 / 75), (80 / 75, 160 / 75), (160 / 75, 0)]
    assert [row.duration for row in (first, second, third)] == pytest.approx([80 / 75, 80 / 75, 3 - 160 / 75], abs=1e-3)
    assert {text_to_path(row.path) for row in (first, second, third)} == {music / "album.flac"}
    assert part_of(third.path) == "track0003"
    assert file_of(third.path) == str(music / "album.flac")
    assert library_stats(database)["bytes"] == (music / "album.flac").stat().st_size
    assert counts(scan(database, [music])) == {"unchanged": 1}


def test_tracks_stay_what_they_are_when_the_sheet_is_mended_retitled_moved_and_gone_for_a_while(database, music):
    write_sheet(music)
    scan(database, [music])
    before = titles(database)
    write_sheet(music, second="01:20")  # the second track begins a fifth of a second later
    assert counts(scan(database, [music])) == {"moved": 2, "updated": 1}
    assert titles(database) == before
    music.rename(music.parent / "elsewhere")
    moved = music.parent / "elsewhere"
    moved.rename(music)
    (music / "inner").mkdir()
    for name in ("album.flac", "album.cue"):
        (music / name).rename(music / "inner" / name)
    assert counts(scan(database, [music])) == {"moved": 3}
    assert titles(database) == before
    sheet = (music / "inner" / "album.cue").read_text()
    (music / "inner" / "album.cue").unlink()
    scan(database, [music])
    assert list(titles(database)) == ["First Song"]
    (music / "inner" / "album.cue").write_text(sheet.replace("Third", "Last"))
    scan(database, [music])
    assert titles(database) == {"First": before["First"], "Second": before["Second"], "Last": before["Third"]}


def test_a_sheet_in_the_tags_counts_where_none_lies_beside(database, tmp_path):
    encode(
        tmp_path / "e.flac", "flac", tags={"album": "Tagged", "CUESHEET": SHEET.format(name="x.flac", second="01:05")}
    )
    encode(tmp_path / "w.wv", "wavpack", seed=2, tags={"CUESHEET": SHEET.format(name="x.wav", second="01:10")})
    scan(database, [tmp_path / "e.flac", tmp_path / "w.wv"])
    assert [row.title for row in listed(database)] == ["First", "First", "Second", "Second", "Third", "Third"]


def test_the_block_that_flac_writes_from_a_sheet_makes_tracks(database, tmp_path):
    """As RFC 9639 lays it out; one of a single track, and what is cut off, leave the file whole."""

    def block(offsets, numbers=(1, 2, 255)):
        tracks = [
            offset.to_bytes(8, "big") + bytes([number]) + bytes(26) + bytes([2 * (number != 255)])
            + (bytes(12) + (441).to_bytes(8, "big") + b"\1\0\0\0") * (number != 255)
            for offset, number in zip(offsets, numbers, strict=True)
        ]  # fmt: skip
        return bytes(395) + bytes([len(tracks)]) + b"".join(tracks)

    whole = block((0, 44_100, 132_300))
    for name, sheet in (
        ("b", whole),
        ("single", block((0, 132_300), (1, 255))),
        ("cut", whole[:440]),
        ("bad", b"\1" * 500),
    ):
        path = encode(tmp_path / f"{name}.flac", "flac", seed=ord(name[0]), tags={"title": name, "album": "Block"})
        data = path.read_bytes()
        path.write_bytes(data[:42] + b"\5" + len(sheet).to_bytes(3, "big") + sheet + data[42:])
    assert counts(scan(database, [tmp_path])) == {"added": 5}
    rows = sorted((row.title, row.album, span_of(row.path)) for row in listed(database))
    assert rows == [
        ("Track 1", "Block", (0, 75 / 75)),
        ("Track 2", "Block", (75 / 75, 0)),
        *((name, "Block", (0, 0)) for name in ("bad", "cut", "single")),
    ]


def test_a_file_a_track_is_whole_and_has_the_names_of_the_sheet_where_its_tags_have_none(database, tmp_path):
    for place, name in enumerate(("one", "two"), 1):
        encode(tmp_path / f"{name}.wav", "wav", seed=place)
    (tmp_path / "list.cue").write_text(
        'TITLE "Two Files"\nPERFORMER "Somebody"\nFILE "one.wav" WAVE\nTRACK 01 AUDIO\nTITLE "One"\nINDEX 01 00:00:00\n'
        'TRACK 02 AUDIO\nTITLE "Two"\nINDEX 00 00:02:50\nFILE "D:\\rips\\TWO.WAV" WAVE\nINDEX 01 00:00:00\n'
    )
    scan(database, [tmp_path])
    assert sorted((row.title, row.artist, row.album, row.path) for row in listed(database)) == [
        ("One", "Somebody", "Two Files", str(tmp_path / "one.wav")),
        ("Two", "Somebody", "Two Files", str(tmp_path / "two.wav")),
    ]
    assert [path.name for path in sheet_files(tmp_path / "list.cue")] == ["one.wav", "two.wav"]


def test_a_sheet_that_lies_is_believed_as_far_as_it_can_be(database, music):
    write_sheet(music)
    with (music / "album.cue").open("a") as file:
        file.write("TRACK 04 AUDIO\nINDEX 01 07:00:00\nTRACK 05 MODE1/2352\nINDEX 01 09:00:00\n")
    report = scan(database, [music])
    assert [row.title for row in listed(database)] == ["First", "Second", "Third"]
    assert [one.error for one in report.doubtful] == ["its cue sheet names 1 more track beyond its end"]
    assert report.failed == ()
    write_sheet(music, second="02:60")  # behind the third: no times that can be
    scan(database, [music])
    assert [row.title for row in listed(database)] == ["First Song"]
    write_sheet(music, name="something else.wav", sheet="other.cue")
    (music / "album.cue").unlink()
    encode(music / "more.flac", "flac", seed=3)
    scan(database, [music])  # two files, and nothing says which of them is meant
    assert all(span_of(row.path) == (0, 0) for row in listed(database))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
def test_a_sheet_is_read_in_the_encoding_that_it_looks_like(encoding):
    text = 'PERFORMER "宇多田ヒカル"\nTITLE "初恋の歌"\nFILE "a.flac" WAVE\nTRACK 01 AUDIO\nTITLE "光の中へ"\nINDEX 01 00:00:00\n'
    sheet = parse(decode(text.encode(encoding)))
    assert sheet.names == {"artist": "宇多田ヒカル", "title": "初恋の歌"}
    assert sheet.files[0][1][0].names == {"title": "光の中へ"}


def test_hostile_sheets_say_nothing_and_raise_nothing():
    for text in (
        "",
        "\0" * 999,
        "INDEX 01 00:00:00\n" * 9,
        'FILE "',
        "TRACK\nTRACK x AUDIO\nINDEX 01 99999999:99:99",
        "REM\nFILE x",
    ):
        assert not any(tracks for _, tracks in parse(text).files)
    many = parse('FILE "a" WAVE\n' + "".join(f"TRACK {n} AUDIO\nINDEX 01 {n}:00:00\n" for n in range(20_000)))
    assert len(many.files[0][1]) == 999


def test_a_playlist_of_parts_and_the_sheet_itself_come_back_as_the_same_tracks(database, music):
    write_sheet(music)
    scan(database, [music])
    rows = listed(database)
    for kind in ("m3u", "pls", "xspf", "jspf"):
        (music / f"list.{kind}").write_bytes(written_playlist(kind, "Parts", rows[::-1], None))
        assert take_in(database, music / f"list.{kind}", kind).missing == ()
        assert playlist_tracks(database, kind) == [row.id for row in rows[::-1]], kind
    assert b"#EXTVLCOPT:start-time=2.133\n" in (music / "list.m3u").read_bytes()
    assert take_in(database, music / "album.cue").matched == 3
    assert playlist_tracks(database, "One File") == [row.id for row in rows]
    named = find_music(database, [str(music / "album.cue")], lambda _query: [])
    assert [track.path for track in named.tracks] == [row.path for row in rows]


def playlist_tracks(database, name):
    with database.look_up() as connection:
        query = "SELECT track_id FROM playlist_entry JOIN playlist ON playlist_id = playlist.id WHERE name = ? ORDER BY place"
        return [track for (track,) in connection.execute(query, (name,))]
