"""MusicBrainz recordings in the tags of real files, and a history matched by them."""

import json
import struct

import av
import numpy as np
import pytest
from sqlalchemy import update

from player.integrations.history_import import import_history
from player.integrations.library_tracks import recording_of
from player.integrations.matching import How
from player.storage.models import TrackFile

RECORDING = "0bec0a3f-31b5-4b75-8b2a-dbd0dbb1c2de"


def write_audio(path, **tags):
    """A tenth of a second of silence in the container its name says, with these tags."""
    codec = {".flac": "flac", ".opus": "libopus", ".mp3": "mp3"}[path.suffix]
    with av.open(str(path), "w") as container:
        container.metadata.update(tags)
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        planar = "s16" if codec == "flac" else "fltp"
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 4800), np.int16 if codec == "flac" else np.float32), planar, "mono"
        )
        frame.rate = 48_000
        resampler = av.AudioResampler(
            stream.codec_context.format, "mono", 48_000, stream.codec_context.frame_size or None
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["a.flac", "a.opus"])
def test_vorbis_comments_call_it_the_track_id(tmp_path, name):
    assert recording_of(str(write_audio(tmp_path / name, musicbrainz_trackid=RECORDING.upper()))) == RECORDING


def test_an_mp3_keeps_it_in_a_frame_of_its_own(tmp_path):
    body = b"http://musicbrainz.org\0" + RECORDING.encode()
    frame = b"UFID" + struct.pack(">I", len(body)) + b"\0\0" + body
    tag = b"ID3\x03\0\0" + bytes([0, 0, 0, len(frame)]) + frame
    path = write_audio(tmp_path / "a.mp3")
    path.write_bytes(tag + path.read_bytes())
    assert recording_of(str(path)) == RECORDING


@pytest.mark.parametrize("written", ["", "not an identifier", RECORDING[:-1]])
def test_a_file_without_a_proper_one_has_none(tmp_path, written):
    assert recording_of(str(write_audio(tmp_path / "a.flac", musicbrainz_trackid=written))) == ""


def test_files_that_are_gone_or_no_audio_have_none(tmp_path):
    (tmp_path / "a.flac").write_bytes(b"no audio")
    assert recording_of(str(tmp_path / "a.flac")) == recording_of(str(tmp_path / "gone.flac")) == ""


def test_love_for_a_recording_named_by_its_identifier_alone_finds_its_file(database, export, tmp_path):
    path = write_audio(tmp_path / "a.flac", musicbrainz_trackid=RECORDING)
    with database.session() as session:
        session.execute(update(TrackFile).where(TrackFile.track_id == 5).values(path=str(path)))
    line = {"recording_mbid": RECORDING, "recording_msid": None, "score": 1, "created": 1_588_357_800}
    report = import_history(database, "listenbrainz", export({"feedback.jsonl": json.dumps(line)}).path)
    (outcome,) = report.outcomes
    assert (outcome.match.how, [track.id for track in outcome.match.tracks]) == (How.RECORDING, [5])
