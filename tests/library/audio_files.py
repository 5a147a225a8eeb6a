"""Real files of every format, made with real encoders."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from player.library.containers import mpeg

RATE = 44_100


@dataclass(frozen=True)
class Format:
    ending: str
    encoder: str
    codec: str
    muxer: str | None = None
    rate: int = RATE


FORMATS = {
    "mp3": Format("mp3", "libmp3lame", "mp3"),
    "flac": Format("flac", "flac", "flac"),
    "vorbis": Format("ogg", "vorbis", "vorbis"),
    "opus": Format("opus", "libopus", "opus", rate=48_000),
    "ogg flac": Format("oga", "flac", "flac", "ogg"),
    "aac": Format("m4a", "aac", "aac", "ipod"),
    "alac": Format("m4a", "alac", "alac", "ipod"),
    "wav": Format("wav", "pcm_s16le", "pcm_s16le"),
    "aiff": Format("aiff", "pcm_s16be", "pcm_s16be"),
    "wma": Format("wma", "wmav2", "wmav2", "asf"),
    "wavpack": Format("wv", "wavpack", "wavpack"),
    "adts": Format("aac", "aac", "aac", "adts"),
}
REQUIRED = ("mp3", "flac", "vorbis", "opus", "aac", "wav", "aiff", "wma")


def music(seconds: float, rate: int, seed: int) -> np.ndarray:
    """(2, samples) int16: a chord with some noise, different for every seed."""
    noise = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * f * time) for f in noise.uniform(100, 2000, 4))
    stereo = np.stack([tones, tones[::-1]]) / 8 + noise.normal(0, 0.02, (2, len(time)))
    return np.clip(stereo * 32767, -32768, 32767).astype(np.int16)


def encode(path: Path, kind: str, seconds: float = 3.0, seed: int = 1, tags: dict[str, str] | None = None) -> Path:
    made = FORMATS[kind]
    with av.open(str(path), "w", format=made.muxer) as container:
        container.metadata.update(tags or {})
        options = {"strict": "experimental"} if made.encoder == "vorbis" else {}
        stream = container.add_stream(made.encoder, rate=made.rate, layout="stereo", options=options)
        if made.encoder in {"libmp3lame", "aac", "wmav2"}:
            stream.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(music(seconds, made.rate, seed).T.reshape(1, -1)), format="s16", layout="stereo"
        )
        frame.rate, frame.time_base, frame.pts = made.rate, Fraction(1, made.rate), 0
        context = stream.codec_context
        context.open()
        resampler = av.AudioResampler(context.format, context.layout, made.rate, context.frame_size or 4096)
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(piece))
    return path


def remux(source: Path, target: Path, kind: str, tags: dict[str, str], options: dict[str, str] | None = None) -> Path:
    """The same packets with other tags, written by another muxer than the first."""
    with (
        av.open(str(source)) as before,
        av.open(str(target), "w", format=FORMATS[kind].muxer, options=options or {}) as after,
    ):
        after.metadata.update(tags)
        stream = before.streams.audio[0]
        copy = after.add_stream_from_template(stream)
        for packet in before.demux(stream):
            if packet.size:
                packet.stream = copy
                after.mux(packet)
    return target


def decoded_seconds(path: Path) -> float:
    """How long the file sounds, by decoding all of it."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return sum(frame.samples for frame in container.decode(stream)) / stream.codec_context.sample_rate


def without_table(mp3: bytes) -> bytes:
    """The frames alone, without tags in front and the Xing frame."""
    start = mpeg.find_frames(mp3, at_end=True)
    return mp3[start + mpeg.frame_at(mp3, start).length :]
