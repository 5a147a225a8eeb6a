"""Tags as the player uses them, whatever a file says."""

import struct

import pytest

from player.library.tags import read_tags
from player.text import UNKNOWN_ARTIST, clean_text
from tests.library.audio_files import FORMATS, REQUIRED, encode, without_table

WRITTEN = {
    "title": "Für Elise – Ⅱ",
    "artist": "Björk",
    "album": "東京",
    "album_artist": "Various",
    "genre": "Classical",
    "date": "1999-05-01",
    "track": "3/12",
    "disc": "2/2",
}


def tags_of(path, name=None):
    with path.open("rb") as file:
        return read_tags(file, path.stat().st_size, name or path.name)


@pytest.mark.parametrize(
    "kind", [kind for kind in REQUIRED if kind not in {"wav", "aiff"}] + ["alac", "ogg flac", "wavpack"]
)
def test_tags_of_every_format_are_read(kind, tmp_path):
    tags = tags_of(encode(tmp_path / f"a.{FORMATS[kind].ending}", kind, seconds=0.5, tags=WRITTEN))
    assert (tags.title, tags.artist, tags.album, tags.genre) == ("Für Elise – Ⅱ", "Björk", "東京", "Classical")
    if kind != "wma":  # there FFmpeg writes date and number in forms of its own that other programs do not know
        assert (tags.year, tags.track_number) == (1999, 3)


def test_wav_tags_are_read(tmp_path):
    tags = tags_of(
        encode(tmp_path / "a.wav", "wav", seconds=0.5, tags={"title": "Song", "artist": "Singer", "date": "2001"})
    )
    assert (tags.title, tags.artist, tags.year) == ("Song", "Singer", 2001)


def id3_frame(name: bytes, text: str, encoding: int = 3) -> bytes:
    body = bytes([encoding]) + text.encode("utf-16" if encoding == 1 else "utf-8")
    return name + bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0)) + b"\0\0" + body


def id3(frames: bytes) -> bytes:
    return b"ID3\x04\0\0" + bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0)) + frames


def test_aiff_tags_in_an_id3_chunk_are_read(tmp_path):
    tag = id3(id3_frame(b"TIT2", "Song") + id3_frame(b"TPE1", "Singer"))
    path = encode(tmp_path / "a.aiff", "aiff", seconds=0.5)
    path.write_bytes(path.read_bytes() + b"ID3 " + struct.pack(">I", len(tag)) + tag)
    assert (tags_of(path).title, tags_of(path).artist) == ("Song", "Singer")


@pytest.fixture
def tagged_mp3(originals, tmp_path):
    def make(*frames: bytes, name: str = "The File.mp3"):
        path = tmp_path / name
        path.write_bytes(id3(b"".join(frames)) + without_table(originals("mp3").read_bytes()))
        return path

    return make


def test_control_characters_and_escapes_never_get_through(tagged_mp3):
    tags = tags_of(
        tagged_mp3(id3_frame(b"TIT2", "Nice\x1b]0;owned\x07\r\nSong\u202e\u200b"), id3_frame(b"TPE1", "A\tB\x9b"))
    )
    assert tags.title == "Nice ]0;owned Song"
    assert tags.artist == "A B"


def test_endless_tags_are_cut(tagged_mp3):
    assert len(tags_of(tagged_mp3(id3_frame(b"TIT2", "very " * 20_000))).title) <= 500


def test_half_a_surrogate_pair_is_dropped(tagged_mp3):
    body = b"\x01\xff\xfea\0\x3d\xd8b\0"
    frame = b"TIT2" + bytes([0, 0, 0, len(body)]) + b"\0\0" + body
    assert tags_of(tagged_mp3(frame)).title.encode()


def test_several_values_are_joined_once_each(tagged_mp3):
    tags = tags_of(tagged_mp3(id3_frame(b"TPE1", "One\0Two\0One"), id3_frame(b"TCON", "Folk\0Jazz")))
    assert tags.artist == "One; Two"
    assert tags.genre == "Folk; Jazz"


def test_what_is_not_tagged_has_honest_names(tagged_mp3):
    tags = tags_of(tagged_mp3(name="07 some.live version.mp3"))
    assert (tags.title, tags.artist) == ("some.live version", UNKNOWN_ARTIST)
    assert (tags.album, tags.genre, tags.year, tags.track_number) == ("", "", None, 7)


def test_a_blank_title_counts_as_none(tagged_mp3):
    assert tags_of(tagged_mp3(id3_frame(b"TIT2", " \x00\t "))).title == "The File"


def test_the_album_artist_stands_in_for_a_missing_artist(tagged_mp3):
    assert tags_of(tagged_mp3(id3_frame(b"TPE2", "The Band"))).artist == "The Band"


@pytest.mark.parametrize(
    ("date", "year"),
    [("1984", 1984), ("2003-02-01", 2003), ("01.02.1999", 1999), ("20031224", 2003), ("0", None), ("soon", None)],
)
def test_the_year_is_the_first_plausible_one(date, year, tagged_mp3):
    assert tags_of(tagged_mp3(id3_frame(b"TDRC", date))).year == year


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("3 of 12", (3, 12)),
        ("03.", (3, None)),
        ("3-12", (3, 12)),
        ("/12", (None, 12)),
        ("#3", (3, None)),
        ("-1", (None,) * 2),
    ],
)
def test_a_number_and_a_total_as_people_write_them(text, pair, tagged_mp3):
    tags = tags_of(tagged_mp3(id3_frame(b"TRCK", text)))
    assert (tags.track_number, tags.track_total) == pair


@pytest.mark.parametrize("number", ["0", "-3", "x", "²", "99999999999999999999"])
def test_nonsense_is_no_track_number(number, tagged_mp3):
    assert tags_of(tagged_mp3(id3_frame(b"TRCK", number))).track_number is None


def test_cleaning_keeps_scripts_that_need_joiners():
    persian = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert clean_text(persian) == persian


def test_cleaning_composes_accents():
    assert clean_text("Cafe\u0301") == "Café"
