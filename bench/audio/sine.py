"""A sine cut in two files, and how exactly a recording of both has it in one piece."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from numpy.typing import NDArray

RECORDED_RATE = 44_100
HERTZ = 441.0
"""A hundred samples a period at 44.1 kHz, and at home in every codec."""
AMPLITUDE = 0.4
PART_SECONDS = (2.5123, 2.0)
"""The cut falls at no period's and no packet's end."""
AWAY_SECONDS = 0.06
"""So far from the join its phase is taken: lossy encoders blur the ends of what they were given."""
SILENT, SOUNDING = 0.005, 0.02
THROUGH_ZERO = 3
"""Samples for which a sine may be as good as silent."""
LEAST_SILENCE = 40
"""Samples in a row that are heard as a dropout."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its ending, FFmpeg's encoder or ``oggenc``, and what it holds."""

    ending: str
    encoder: str
    rate: int = 44_100
    layout: str = "stereo"
    bit_rate: int = 0


FORMATS = {
    "FLAC": Part(".flac", "flac"),
    "MP3": Part(".mp3", "libmp3lame", bit_rate=192_000),
    "Vorbis": Part(".ogg", "oggenc"),
    "Opus": Part(".opus", "libopus", 48_000, bit_rate=160_000),
    "M4A": Part(".m4a", "aac", bit_rate=192_000),
}
JOINS = {
    **{name: (part, part) for name, part in FORMATS.items()},
    "FLAC 44.1 → Opus 48": (FORMATS["FLAC"], FORMATS["Opus"]),
    "FLAC 96 → FLAC 44.1": (Part(".flac", "flac", 96_000), FORMATS["FLAC"]),
    "mono → stereo": (Part(".flac", "flac", layout="mono"), FORMATS["FLAC"]),
}


def write_cut(folder: Path, parts: Sequence[Part], lengths: Sequence[float] = PART_SECONDS) -> tuple[list[Path], float]:
    """Cut a sine into files of so many seconds; returns them and how many seconds they are together."""
    paths: list[Path] = []
    begun = 0.0
    for number, (part, seconds) in enumerate(zip(parts, lengths, strict=True)):
        count = int(seconds * part.rate)
        times = begun + np.arange(count) / part.rate
        samples = (AMPLITUDE * np.sin(2 * np.pi * HERTZ * times)).astype(np.float32)
        begun += count / part.rate
        paths.append(folder / f"{number + 1} part{part.ending}")
        _write(paths[-1], samples, part)
    return paths, begun


def _write(path: Path, mono: Samples, part: Part) -> None:
    if part.encoder == "oggenc":
        if shutil.which("oggenc") is None:
            raise FileNotFoundError("Vorbis needs oggenc (Debian: apt install vorbis-tools)")
        wave = path.with_suffix(".wav")
        _write(wave, mono, Part(".wav", "pcm_s16le", part.rate, part.layout))
        subprocess.run(["oggenc", "-Q", "-q", "6", "-o", str(path), str(wave)], check=True)
        wave.unlink()
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream(part.encoder, rate=part.rate, layout=part.layout)
        assert isinstance(stream, AudioStream)
        if part.bit_rate:
            stream.bit_rate = part.bit_rate
        form = stream.codec_context.format.name
        cutter = AudioResampler(form, part.layout, part.rate, frame_size=stream.codec_context.frame_size or 1024)
        whole = np.repeat(mono[:, np.newaxis], stream.codec_context.channels, axis=1).reshape(1, -1)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(whole), format="flt", layout=part.layout)
        frame.sample_rate, frame.pts = part.rate, 0
        for piece in [*cutter.resample(frame), *cutter.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


@dataclass(frozen=True, slots=True)
class Join:
    """What a recording has at the join.

    Attributes:
        silent: samples of silence, at the recording's rate.
        shift: samples by which the phase is late after it (early where negative), to the nearest period's half.
        length: samples by which the whole is too long.
        jump: the largest step between neighbouring samples near the join, as a multiple of the sine's own.
    """

    silent: int
    shift: float
    length: int
    jump: float


def judge(recorded: Samples, seconds: float) -> Join:
    """Find the join in a recording of (N, 2) samples at ``RECORDED_RATE``; raises ValueError where there is nothing."""
    mono = recorded.mean(axis=1).astype(np.float64)
    sounding = np.flatnonzero(np.abs(mono) > SOUNDING)
    if len(sounding) < RECORDED_RATE:
        raise ValueError("hardly anything was recorded")
    whole = mono[sounding[0] : sounding[-1] + 1]
    join = int(PART_SECONDS[0] * RECORDED_RATE)
    period, away = int(RECORDED_RATE / HERTZ), int(AWAY_SECONDS * RECORDED_RATE)
    around = whole[join - 2 * period : join + RECORDED_RATE]
    silent = max((length for _, length in holes(around, THROUGH_ZERO)), default=0)
    turned = whole * np.exp(-2j * np.pi * HERTZ * np.arange(len(whole)) / RECORDED_RATE)
    before = np.angle(turned[join - away - 10 * period : join - away].mean())
    later = join + silent + away
    after = np.angle(turned[later : later + 10 * period].mean())
    shift = (before - after + np.pi) % (2 * np.pi) - np.pi
    near = whole[join - period : join + silent + period]
    own = AMPLITUDE * 2 * np.pi * HERTZ / RECORDED_RATE
    return Join(
        silent,
        shift / (2 * np.pi) * period,
        len(whole) - round(seconds * RECORDED_RATE),
        np.abs(np.diff(near)).max() / own,
    )


def holes(samples: NDArray[np.float64] | Samples, least: int = LEAST_SILENCE) -> list[tuple[int, int]]:
    """Where (N,) samples are silent for longer than a sine's way through zero: (place, length) of each."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.abs(samples) < SILENT, [0]]).astype(int)))
    found = zip(edges[::2].tolist(), (edges[1::2] - edges[::2]).tolist(), strict=True)
    return [(place, length) for place, length in found if length > least]
