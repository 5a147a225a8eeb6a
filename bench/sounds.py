"""Sounds made for the benchmarks: music encoded and changed in known ways, and what is no music."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soxr
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from numpy.typing import NDArray

RATE = 48_000
"""Hz; Opus knows no 44.1 kHz."""
SECONDS = 20
"""Of what is no music."""
PAUSE = 9
"""Every so manyth syllable of babble is silent."""
CUT_SECONDS = 5
FASTER = 1.04
SOFTER = 10 ** (-9 / 20)

Samples = NDArray[np.float32]
"""(n, 2) for music, (n,) for what is no music."""

CHANGES: Mapping[str, tuple[str, str, int, Callable[[Samples], Samples]]] = {
    # in words: (ending, encoder, bit/s or 0, what is done to the samples)
    "Opus, 48 kbit/s": (".opus", "libopus", 48_000, lambda samples: samples),
    "MP3, 64 kbit/s": (".mp3", "libmp3lame", 64_000, lambda samples: samples),
    "first 5 s cut off": (".flac", "flac", 0, lambda samples: samples[CUT_SECONDS * RATE :]),
    "4 % faster": (".flac", "flac", 0, lambda samples: soxr.resample(samples, RATE * FASTER, RATE)),
    "only the first half": (".flac", "flac", 0, lambda samples: samples[: len(samples) // 2]),
    "9 dB softer": (".flac", "flac", 0, lambda samples: samples * np.float32(SOFTER)),
}


def read_stereo(path: Path) -> Samples:
    """(n, 2) at ``RATE``."""
    resampler = AudioResampler("flt", "stereo", RATE)
    with av.open(str(path)) as container:
        frames = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in frames]).astype(np.float32)


def write_changed(source: Samples, change: str, stem: Path) -> Path:
    """The music as ``CHANGES`` says, without tags, beside ``stem``; returns the file."""
    ending, encoder, bit_rate, apply = CHANGES[change]
    path = stem.with_name(stem.name + ending)
    write_sound(path, apply(source), encoder, bit_rate)
    return path


def write_sound(path: Path, samples: Samples, encoder: str = "pcm_s16le", bit_rate: int = 0) -> None:
    """Encode samples within ±1 at ``RATE``."""
    layout = "stereo" if samples.ndim > 1 else "mono"
    whole = (np.clip(samples, -1, 1) * (2**15 - 1)).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=RATE)
        assert isinstance(stream, AudioStream)
        stream.layout = layout
        if bit_rate:
            stream.bit_rate = bit_rate
        stream.codec_context.open()
        # Encoders want frames of their own size and format.
        resampler = AudioResampler(stream.format.name, layout, RATE, frame_size=stream.frame_size or RATE)
        frame = AudioFrame.from_ndarray(whole.reshape(1, -1), "s16", layout)
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(piece))


def no_music() -> dict[str, Samples]:
    """Sounds that are no music, (n,) each, the same in every run. The "babble" is made to be like speech, but says nothing."""
    rng = np.random.default_rng(0)
    time = np.arange(RATE * SECONDS) / RATE
    white = rng.standard_normal(len(time))
    clicks = np.zeros(len(time))
    clicks[:: RATE // 2] = 0.9
    sounds = {
        "silence": np.zeros(len(time)),
        "clicks, two a second": clicks,
        "tone": 0.5 * _sine(440, time),
        "two tones": 0.3 * (_sine(440, time) + _sine(660, time)),
        "mains hum": 0.3 * sum((_sine(50 * n, time) / n for n in range(1, 8)), np.zeros(len(time))),
        "sweep": 0.5 * np.sin(2 * np.pi * np.cumsum(50 * 100 ** (time / SECONDS)) / RATE),
        "white noise": 0.2 * white,
        "pink noise": _coloured(white, 0.5),
        "brown noise": _coloured(white, 1.0),
        "gated noise": 0.3 * white * (np.sin(2 * np.pi * 1.5 * time) > 0),
    }
    sounds |= {f"babble {pitch} Hz": _babble(rng, pitch) for pitch in (90, 120, 160, 210)}
    return {name: samples.astype(np.float32) for name, samples in sounds.items()}


def _sine(hertz: float, time: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * hertz * time)


def _coloured(white: NDArray[np.float64], slope: float) -> NDArray[np.float64]:
    """Noise whose amplitude falls as frequency to the ``-slope``."""
    spectrum = np.fft.rfft(white)
    spectrum[1:] /= np.arange(1, len(spectrum)) ** slope
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, len(white))
    return 0.2 * noise / noise.std()


def _babble(rng: np.random.Generator, pitch: float) -> NDArray[np.float64]:
    """Four syllables a second, a buzz through two wandering formants, with pauses: the rhythm and colour of speech."""
    time = np.arange(RATE // 4) / RATE
    syllables: list[NDArray[np.float64]] = []
    for number in range(4 * SECONDS):
        buzz = np.sign(_sine(pitch * rng.uniform(0.8, 1.25), time))
        voice = buzz * (_sine(rng.uniform(250, 800), time) + 0.5 * _sine(rng.uniform(900, 2500), time))
        breath = 0.25 if (number + 1) % PAUSE else 0.0
        syllables.append(breath * voice * np.hanning(len(time)))
    return np.concatenate(syllables)
