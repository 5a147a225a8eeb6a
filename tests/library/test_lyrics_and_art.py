"""Lyrics, pictures and ratings of real files."""

import base64
import io
import struct

import av
import pytest
from PIL import Image

from player.integrations.history.tag_ratings import read_ratings
from player.library.cover_art import embedded_art, folder_art
from player.library.lyrics import read_lyrics
from tests.library.audio_files import encode, without_table


def png(width=40, height=20):
    made = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(made, "PNG")
    return made.getvalue()


@pytest.fixture
def song(tmp_path):
    return encode(tmp_path / "song.flac", "flac", seconds=0.2, tags={"title": "T", "lyrics": "one\ntwo\x1b[31m"})


def test_lyrics_in_a_file_are_its_lines_without_what_a_terminal_would_obey(song):
    assert [(line.words, line.seconds) for line in read_lyrics(song)] == [("one", None), ("two [31m", None)]


def test_lyrics_with_times_beside_a_file_come_first_in_their_order(song):
    song.with_suffix(".lrc").write_text("[ar:A]\n[00:02.00]b\n[00:01.50]a\n")
    assert [(line.words, line.seconds) for line in read_lyrics(song)] == [("a", 1.5), ("b", 2.0)]


def test_synced_lyrics_of_id3_have_times(tmp_path):
    body = b"\x03eng\x02\x01\0" + b"la\0" + struct.pack(">I", 1250) + b"li\0" + struct.pack(">I", 61_000)
    frame = b"SYLT" + struct.pack(">I", len(body)) + b"\0\0" + body
    mp3 = without_table(encode(tmp_path / "a.mp3", "mp3", seconds=0.2).read_bytes())
    path = tmp_path / "b.mp3"
    path.write_bytes(b"ID3\x03\0\0" + bytes([0, 0, 0, len(frame)]) + frame + mp3)
    assert [(line.words, line.seconds) for line in read_lyrics(path)] == [("la", 1.25), ("li", 61.0)]


def test_art_is_the_front_cover_of_the_file_or_that_of_its_folder(song, tmp_path):
    assert folder_art(song) is None
    (tmp_path / "Cover.PNG").write_bytes(png())
    assert folder_art(song).content == png()

    def block(kind, content):
        head = struct.pack(">II", kind, 9) + b"image/png" + bytes(20) + struct.pack(">I", len(content))
        return base64.b64encode(head + content).decode()

    tags = {"title": "T", "METADATA_BLOCK_PICTURE": block(3, png())}
    assert embedded_art(encode(tmp_path / "own.ogg", "vorbis", seconds=0.2, tags=tags)).content == png()
    assert embedded_art(song) is None


def test_ratings_name_who_wrote_them(tmp_path):
    body = b"Windows Media Player 9 Series\0\xc4\0\0\0\1"
    frame = b"POPM" + struct.pack(">I", len(body)) + b"\0\0" + body
    mp3 = without_table(encode(tmp_path / "a.mp3", "mp3", seconds=0.2).read_bytes())
    path = tmp_path / "b.mp3"
    path.write_bytes(b"ID3\x03\0\0" + bytes([0, 0, 0, len(frame)]) + frame + mp3)
    assert [(rating.writer, rating.value) for rating in read_ratings(path)] == [
        ("Windows Media Player 9 Series", "196")
    ]
    flac = encode(tmp_path / "a.flac", "flac", seconds=0.2, tags={"FMPS_RATING": "0.8"})
    assert [(rating.writer, rating.value) for rating in read_ratings(flac)] == [("vorbis FMPSRATING", "0.8")]


def test_formats_without_a_reader_here_are_read_by_ffmpeg(tmp_path):
    path = tmp_path / "a.mka"
    with av.open(str(encode(tmp_path / "a.flac", "flac", seconds=0.2))) as before, av.open(str(path), "w") as after:
        after.metadata["lyrics"] = "one"
        copy = after.add_stream_from_template(before.streams.audio[0])
        for packet in before.demux(before.streams.audio[0]):
            if packet.size:
                packet.stream = copy
                after.mux(packet)
    assert [line.words for line in read_lyrics(path)] == ["one"]
