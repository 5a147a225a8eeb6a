"""MusicBrainz recordings in the tags of real files, and a history matched by them."""

import json

import av
import numpy as np
from sqlalchemy import select

from player.integrations.history_import import import_history
from player.integrations.matching import How
from player.library.scan import scan
from player.storage.models import Track

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


def test_love_for_a_recording_named_by_its_identifier_alone_finds_its_file(database, export, tmp_path):
    scan(database, [write_audio(tmp_path / "a.flac", musicbrainz_trackid=RECORDING)])
    with database.reader() as session:
        track = session.scalar(select(Track.id).where(Track.musicbrainz_recording == RECORDING))
    line = {"recording_mbid": RECORDING, "recording_msid": None, "score": 1, "created": 1_588_357_800}
    report = import_history(database, "listenbrainz", export({"feedback.jsonl": json.dumps(line)}).path)
    (outcome,) = report.outcomes
    assert (outcome.match.how, [track.id for track in outcome.match.tracks]) == (How.RECORDING, [track])
