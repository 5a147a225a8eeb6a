"""Which tag wins and what it means, over files with tags written byte by byte as other programs write them."""

import base64
import os
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.library.paths import path_to_text
from player.library.tagging.blocks import decode_guess
from player.library.tags import read_tags
from tests.library.audio_files import encode, without_table


def id3v2(version, *frames):
    body = b"".join(frames)
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes([version, 0, 0]) + size + body


def frame(name, text, encoding=3):
    body = bytes([encoding]) + (
        text if isinstance(text, bytes) else text.encode("utf-16" if encoding == 1 else "utf-8")
    )
    return name.ljust(4, b"\0") + struct.pack(">I", len(body)) + b"\0\0" + body


def id3v1(title, artist="", album="", genre=255):
    fields = (title.encode("latin-1"), 30), (artist.encode("latin-1"), 30), (album.encode("latin-1"), 30), (b"1999", 4)
    return b"TAG" + b"".join(text[:size].ljust(size, b"\0") for text, size in fields) + bytes(30) + bytes([genre])


def ape(**items):
    body = b"".join(
        struct.pack("<II", len(value), 0) + name.replace("_", " ").encode() + b"\0" + value
        for name, text in items.items()
        for value in ["\0".join(text if isinstance(text, list) else [text]).encode()]
    )
    return body + b"APETAGEX" + struct.pack("<IIII", 2000, len(body) + 32, len(items), 0) + bytes(8)


def comments(**fields):
    lines = [
        f"{name}={value}".encode()
        for name, values in fields.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    packed = b"".join(struct.pack("<I", len(line)) + line for line in lines)
    return struct.pack("<I", 1) + b"x" + struct.pack("<I", len(lines)) + packed


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return without_table(encode(tmp_path_factory.mktemp("mp3") / "a.mp3", "mp3", seconds=0.5).read_bytes())


@pytest.fixture(scope="module")
def flac(tmp_path_factory):
    """A FLAC file's header block and its frames."""
    data = encode(tmp_path_factory.mktemp("flac") / "a.flac", "flac", seconds=0.5).read_bytes()
    offset = 4
    while not data[offset] & 0x80:
        offset += 4 + int.from_bytes(data[offset + 1 : offset + 4], "big")
    return data[:4] + b"\0" + data[5:42], data[offset + 4 + int.from_bytes(data[offset + 1 : offset + 4], "big") :]


@pytest.fixture
def tags(tmp_path):
    """The tags of a file with these bytes."""

    def read(data, name="song.mp3", root="", separators=()):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        with path.open("rb") as file:
            return read_tags(file, len(data), path_to_text(path), root and path_to_text(tmp_path), separators)

    return read


def with_comments(flac, **fields):
    block = comments(**fields)
    return flac[0] + b"\x84" + len(block).to_bytes(3, "big") + block + flac[1]


# --- which system wins ------------------------------------------------------------------------------------------------


def test_ape_behind_mp3_wins_over_id3v1_and_loses_to_id3v2(tags, frames):
    tail = ape(Title="A title that is longer than thirty letters", Artist="Ape", Album="Ape album")
    old = id3v1("A title that is longer than thi", "Old", "Old album", genre=17)
    both = tags(frames + tail + old)
    assert (both.title, both.artist, both.album) == ("A title that is longer than thirty letters", "Ape", "Ape album")
    assert (both.genre, both.year) == ("Rock", 1999)  # what only the older has is taken from it
    newer = tags(id3v2(3, frame(b"TIT2", "New", 0)) + frames + tail + old)
    assert (newer.title, newer.artist) == ("New", "Ape")


def test_vorbis_comments_win_over_id3_in_front_of_flac_and_are_not_mixed_with_it(tags, flac):
    old = id3v2(4, frame(b"TIT2", "Old"), frame(b"TPE1", "Old one"), frame(b"TCON", "Folk"))
    found = tags(old + with_comments(flac, TITLE="New", ARTIST="New one"), "a.flac")
    assert (found.title, found.artist, found.artists, found.genre) == ("New", "New one", ("New one",), "Folk")


def test_id3_in_front_of_a_wav_is_read_where_the_wav_has_no_names(tags, tmp_path):
    wav = encode(tmp_path / "a.wav", "wav", seconds=0.2).read_bytes()
    assert tags(id3v2(3, frame(b"TIT2", "Front", 0)) + wav, "b.wav").title == "Front"


# --- ID3 --------------------------------------------------------------------------------------------------------------


def test_names_of_three_letters_in_a_tag_of_version_2_3_are_understood(tags, frames):
    pairs = {b"TT2": "T", b"TP1": "A", b"TAL": "B", b"TRK": "3/12", b"TYE": "2004", b"TPA": "1/2"}
    found = tags(id3v2(3, *(frame(name, text, 0) for name, text in pairs.items())) + frames)
    assert (found.title, found.artist, found.album, found.year) == ("T", "A", "B", 2004)
    assert (found.track_number, found.track_total, found.disc_number, found.disc_total) == (3, 12, 1, 2)


def test_a_nul_ends_a_text_of_version_2_3_and_parts_values_in_version_2_4(tags, frames):
    text = frame(b"TPE1", b"Real\0junk", 0)
    assert tags(id3v2(3, text) + frames).artists == ("Real",)
    assert tags(id3v2(3, frame(b"TIT2", "Real\0junk", 1)) + frames).title == "Real"
    assert tags(id3v2(4, text) + frames).artists == ("Real", "junk")


@pytest.mark.parametrize(
    ("text", "genres"),
    [
        ("(52)(53)", "Electronic; Pop-Folk"),
        ("(4)Eurodisco", "Eurodisco"),
        ("(RX)(CR)", "Remix; Cover"),
        ("17", "Rock"),
        ("((Odd) name", "(Odd) name"),
        ("255", ""),
        ("Rock; Pop", "Rock; Pop"),
        ("(17)Rock", "Rock"),
    ],
)
def test_genres_as_id3_writes_them(text, genres, tags, frames):
    assert tags(id3v2(3, frame(b"TIT2", "T"), frame(b"TCON", text, 0)) + frames).genre == genres


def test_a_frame_length_as_itunes_once_wrote_it_is_understood(tags, frames):
    long = "x" * 300
    body = b"\x03" + long.encode()
    found = tags(id3v2(4, b"TALB" + struct.pack(">I", len(body)) + b"\0\0" + body, frame(b"TIT2", "After")) + frames)
    assert (found.album, found.title) == (long, "After")


def test_unsynchronised_tags_are_undone(tags, frames):
    inner = b"TIT2" + struct.pack(">I", 7) + b"\0\0" + b"\x01\xff\xfeA\0\xff\x01"
    body = inner.replace(b"\xff", b"\xff\x00")
    tag = b"ID3\x03\0\x80" + bytes([0, 0, 0, len(body)]) + body
    assert tags(tag + frames).title == "A\u01ff"


# --- artists and albums -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "listed"), [(4, b"ARTISTS\0Alpha\0Beta"), (3, b"ARTISTS\0Alpha/Beta")])
def test_the_credit_is_shown_and_the_list_is_a_list(version, listed, tags, frames):
    found = tags(id3v2(version, frame(b"TPE1", "Alpha & Beta", 0), frame(b"TXXX", listed, 0)) + frames)
    assert (found.artist, found.artists) == ("Alpha & Beta", ("Alpha", "Beta"))


def test_several_values_are_a_list_and_a_name_with_a_slash_is_one(tags, flac):
    found = tags(with_comments(flac, ARTIST=["One", "Two"]), "a.flac")
    assert (found.artist, found.artists) == ("One; Two", ("One", "Two"))
    assert tags(with_comments(flac, ARTIST="AC/DC", ARTISTS="AC/DC"), "a.flac").artists == ("AC/DC",)


def test_a_credit_is_taken_apart_only_where_the_listener_says_so(tags, flac):
    data = with_comments(flac, ARTIST="One; Two feat. Three")
    assert tags(data, "a.flac").artists == ("One; Two feat. Three",)
    assert tags(data, "a.flac", separators=(";", " feat. ")).artists == ("One", "Two", "Three")


def test_vorbis_comments_of_other_programs_are_understood(tags, flac):
    found = tags(
        with_comments(
            flac, ALBUM="B", **{"ALBUM ARTIST": "A A"}, YEAR="1988", ORIGINALYEAR="1970", TOTALTRACKS="9", COMPOSER="C",
            WORK="W", MOVEMENTNAME="M", MOVEMENT="2", COMPILATION="1", REPLAYGAIN_TRACK_GAIN="-7,25 dB",
            REPLAYGAIN_TRACK_PEAK="0.98", MUSICBRAINZ_TRACKID="0bec0a3f-31b5-4b75-8b2a-dbd0dbb1c2de", LYRICS="la\nla",
        ),
        "a.flac",
    )  # fmt: skip
    assert (found.album_artist, found.year, found.original_year, found.track_total) == ("A A", 1988, 1970, 9)
    assert (found.composer, found.work, found.movement, found.movement_number) == ("C", "W", "M", 2)
    assert (found.compilation, found.has_lyrics, found.has_art) == (True, True, False)
    assert (found.track_gain, found.track_peak) == (-7.25, 0.98)
    assert found.musicbrainz_recording == "0bec0a3f-31b5-4b75-8b2a-dbd0dbb1c2de"


def test_whoever_performs_stands_in_for_the_artist(tags, flac):
    assert tags(with_comments(flac, PERFORMER="P"), "a.flac").artist == "P"
    assert tags(with_comments(flac, PERFORMER="P", ARTIST="A"), "a.flac").artist == "A"


def test_r128_gains_are_brought_to_the_loudness_of_replaygain(tags, flac):
    assert tags(with_comments(flac, R128_TRACK_GAIN="-512"), "a.flac").track_gain == 3.0


def test_all_tracks_of_a_compilation_and_all_discs_have_one_album(tags, flac):
    def album(**fields):
        return tags(with_comments(flac, ALBUM="Hits", **fields), "a.flac").album_id

    assert album(ARTIST="A", COMPILATION="1") == album(ARTIST="B", ALBUMARTIST="Various Artists")
    assert album(ARTIST="A") != album(ARTIST="B")
    double = tags(with_comments(flac, ALBUM="Hits (Disc 2)", ARTIST="A"), "a.flac")
    assert (double.album_id, double.disc_number) == (album(ARTIST="A"), 2)


# --- other systems ----------------------------------------------------------------------------------------------------


def test_ape_holds_several_values_disc_and_track(tags, tmp_path):
    wavpack = encode(tmp_path / "a.wv", "wavpack", seconds=0.2).read_bytes()
    tail = ape(Title="T", Artist=["A", "B"], Genre=["G", "H"], Track="4/5", Disc="2/3", Album_Artist="AA", Year="2001")
    found = tags(wavpack + tail, "b.wv")
    assert (found.artists, found.genre, found.album_artist, found.year) == (("A", "B"), "G; H", "AA", 2001)
    assert (found.track_number, found.track_total, found.disc_number, found.disc_total) == (4, 5, 2, 3)


def test_items_of_mp4(tmp_path, tags):
    def box(name, body):
        return struct.pack(">I", len(body) + 8) + name + body

    def item(name, *values, kind=1):
        return box(name, b"".join(box(b"data", struct.pack(">II", kind, 0) + value) for value in values))

    own = box(b"mean", bytes(4) + b"com.apple.iTunes") + box(b"name", bytes(4) + b"ARTISTS")
    listed = own + box(b"data", struct.pack(">II", 1, 0) + b"A") + box(b"data", struct.pack(">II", 1, 0) + b"B")
    items = [
        *(item(b"\xa9nam", b"T"), item(b"\xa9ART", b"A & B"), box(b"----", listed), item(b"gnre", b"\0\x12", kind=0)),
        *(item(b"trkn", b"\0\0\0\x03\0\x09\0\0", kind=0), item(b"cpil", b"\1", kind=21), item(b"covr", b"x", kind=13)),
    ]
    plain = encode(tmp_path / "a.m4a", "aac", seconds=0.2).read_bytes()
    meta = box(b"meta", bytes(4) + box(b"ilst", b"".join(items)))
    place = plain.index(b"moov") - 4
    (length,) = struct.unpack_from(">I", plain, place)
    kept = plain[place + 8 : place + length]
    inner = kept[: kept.index(b"udta") - 4] if b"udta" in kept else kept
    found = tags(plain[:place] + box(b"moov", inner + box(b"udta", meta)) + plain[place + length :], "b.m4a")
    assert (found.title, found.artist, found.artists, found.genre) == ("T", "A & B", ("A", "B"), "Rock")
    assert (found.track_number, found.track_total, found.compilation, found.has_art) == (3, 9, True, True)


def test_pictures_in_comments_and_blocks_are_noticed(tags, flac):
    picture = struct.pack(">II", 3, 9) + b"image/png" + bytes(20) + struct.pack(">I", 3) + b"PNG"
    coded = base64.b64encode(picture).decode()
    assert tags(with_comments(flac, TITLE="T", METADATA_BLOCK_PICTURE=coded), "a.flac").has_art


# --- without tags, and without a known encoding -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Nina/Live/CD 2/03 - Sun.mp3", ("Sun", "Nina", "Live", 3, 2)),
        ("Nina - Live/1-07. Sun.mp3", ("Sun", "Nina", "Live", 7, 1)),
        ("Nina - Sun.mp3", ("Sun", "Nina", "", None, None)),
        ("Nina - Live - 04 - Sun.mp3", ("Sun", "Nina", "Live", 4, None)),
        ("Nina/1965 - Blues/01. Sun.mp3", ("Sun", "Nina", "Blues", 1, None)),
        ("Nina/Nina - [1965] Blues/Sun.mp3", ("Sun", "Nina", "Blues", None, None)),
        ("Nina/Blues (1965)/Sun.mp3", ("Sun", "Nina", "Blues", None, None)),
        ("Nina/1965/Sun.mp3", ("Sun", "Nina", "1965", None, None)),
        ("some_old_song.mp3", ("some old song", "Unknown artist", "", None, None)),
        ("1999.mp3", ("1999", "Unknown artist", "", None, None)),
    ],
)
def test_paths_tell_what_is_not_tagged(path, expected, tags, frames):
    found = tags(frames, path, root="here")
    assert (found.title, found.artist, found.album, found.track_number, found.disc_number) == expected
    assert found.year == (1965 if "1965" in path and found.album != "1965" else None)


def test_names_that_are_not_utf_8_are_guessed(tags, frames):
    found = tags(frames, os.fsdecode("Музыка/Ветер.mp3".encode("cp1251")), root="here")
    assert (found.title, found.album) == ("Ветер", "Музыка")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *[(text, encoding) for text in ("Кино", "Группа крови") for encoding in ("cp1251", "koi8_r", "cp866")],
        *[
            ("Björk", "cp1252"),
            ("été", "cp1252"),
            ("É", "cp1252"),
            ("東京事変 群青日和", "cp932"),
            ("Άλκηστις", "cp1253"),
            ("月亮代表我的心 邓丽君", "gbk"),
            ("사랑을 했다 우리가 아이콘", "cp949"),
        ],
    ],
)
def test_texts_of_unknown_encoding_are_guessed(text, encoding):
    assert decode_guess(text.encode(encoding)) == text


# --- hostile ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_a_file_says_its_tags_are_printable_text(data, tmp_path_factory):
    hostile = st.text(max_size=40) | st.sampled_from(
        ["\x1b]0;x\x07", "\x9b31m", "\u202e", "a\0b", "\ud800", "(((", "//"]
    )
    names = st.sampled_from([b"TIT2", b"TPE1", b"TCON", b"TXXX", b"TRCK", b"USLT", b"SYLT", b"POPM", b"UFID", b"APIC"])
    parts = data.draw(st.lists(st.tuples(names, hostile, st.integers(0, 4)), max_size=8))
    version = data.draw(st.sampled_from([2, 3, 4]))
    tag = id3v2(version, *(frame(name, text.encode("utf-8", "surrogatepass"), kind) for name, text, kind in parts))
    texts = {
        name: text.encode("utf-8", "replace").decode()
        for name, text in zip(("Title", "Artist"), ("x", "y"), strict=True)
    }
    content = bytearray(tag + b"\xff\xfb\x90\0" + ape(**texts) + id3v1("t", "a"))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "hostile.mp3"
    path.write_bytes(content)
    with path.open("rb") as file:
        found = read_tags(file, len(content), path_to_text(path))
    shown = [found.title, found.artist, *found.artists, found.album, found.genre, found.composer, found.work]
    assert all(text.replace("\u200c", "").replace("\u200d", "").isprintable() for text in shown)
    assert found.title
    assert found.artist
