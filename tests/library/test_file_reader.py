"""The same recording keeps its identity; another one does not get it."""

import struct

import pytest

from player.library import containers
from player.library.file_reader import fingerprint, full_audio_hash
from tests.library.audio_files import FORMATS, encode, remux


def identity(path):
    with path.open("rb") as file:
        return fingerprint(containers.probe(file, path.stat().st_size))


LONG_TAGS = {"title": "Another Name", "artist": "Somebody Else", "comment": "z" * 90_000}
"""Longer than an Ogg page (65 kB) and than the padding that muxers leave, so everything behind the tags moves."""


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "adts"])  # ADTS has no tags of its own
def test_retagging_through_another_muxer_keeps_both_identities(kind, originals, tmp_path):
    retagged = remux(originals(kind), tmp_path / f"new.{FORMATS[kind].ending}", kind, LONG_TAGS)
    assert retagged.read_bytes() != originals(kind).read_bytes()
    assert identity(retagged) == identity(originals(kind))
    assert full_audio_hash(retagged) == full_audio_hash(originals(kind))


def test_mp4_whose_index_moves_to_the_front_keeps_its_identity(originals, tmp_path):
    front = remux(originals("aac"), tmp_path / "front.m4a", "aac", LONG_TAGS, {"movflags": "faststart"})
    data = front.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert identity(front) == identity(originals("aac"))


def syncsafe(length: int) -> bytes:
    return bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3v2(length: int) -> bytes:
    return b"ID3\x04\0\0" + syncsafe(length) + b"\0" * length


APE = b"y" * 100 + b"APETAGEX" + struct.pack("<IIII", 2000, 132, 1, 0) + b"\0" * 8


@pytest.mark.parametrize("kind", ["mp3", "flac", "adts"])
def test_id3_and_ape_tags_around_the_audio_change_nothing(kind, originals, tmp_path):
    bare = originals(kind).read_bytes()
    path = tmp_path / originals(kind).name
    path.write_bytes(id3v2(70_000) + bare + (b"" if kind == "adts" else APE + b"TAG" + b"t" * 125))
    assert identity(path) == identity(originals(kind))
    assert full_audio_hash(path) == full_audio_hash(originals(kind))


def test_flac_padding_changes_nothing(originals, tmp_path):
    data = originals("flac").read_bytes()
    padding = b"\x01" + (200_000).to_bytes(3, "big") + b"\0" * 200_000
    path = tmp_path / "padded.flac"
    path.write_bytes(data[:42] + padding + data[42:])  # behind "fLaC" and STREAMINFO
    assert identity(path) == identity(originals("flac"))


def test_wav_and_aiff_chunks_before_and_behind_the_sound_change_nothing(originals, tmp_path):
    wav = originals("wav").read_bytes()
    note = b"LIST" + struct.pack("<I", 8) + b"INFOabcd"
    path = tmp_path / "noted.wav"
    path.write_bytes(wav[:12] + note + wav[12:] + b"id3 " + struct.pack("<I", 6) + b"ID3abc")
    assert identity(path) == identity(originals("wav"))
    aiff = originals("aiff").read_bytes()
    path = tmp_path / "noted.aiff"
    path.write_bytes(
        aiff[:12] + b"NAME" + struct.pack(">I", 5) + b"Title\0" + aiff[12:] + b"ANNO" + struct.pack(">I", 2) + b"hi"
    )
    assert identity(path) == identity(originals("aiff"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_another_recording_with_the_same_tags_is_another_track(kind, originals, tmp_path):
    other = encode(tmp_path / f"other.{FORMATS[kind].ending}", kind, seed=7, tags={"title": "First Song"})
    assert identity(other) != identity(originals(kind))
    assert full_audio_hash(other) != full_audio_hash(originals(kind))


@pytest.mark.parametrize("kind", ["wav", "aiff", "flac"])
def test_recordings_with_the_same_silent_edges_and_length_differ(kind, tmp_path):
    import av
    import numpy as np

    identities = set()
    for seed in range(3):
        sound = np.zeros((1, 2 * 44_100 * 4), np.int16)
        sound[:, 150_000:200_000] = np.random.default_rng(seed).integers(-9999, 9999, 50_000)
        path = tmp_path / f"{seed}.{FORMATS[kind].ending}"
        with av.open(str(path), "w") as container:
            stream = container.add_stream(FORMATS[kind].encoder, rate=44_100, layout="stereo")
            frame = av.AudioFrame.from_ndarray(sound, format="s16", layout="stereo")
            frame.rate, frame.pts = 44_100, 0
            resampler = av.AudioResampler("s16", "stereo", 44_100, 4096)
            for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
                container.mux(stream.encode(piece))
        identities.add(identity(path))
    assert len(identities) == 3
