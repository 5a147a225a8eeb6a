"""Speech among music: a chapter, a podcast, a sketch – told by its pauses and by how its voiced and unvoiced sounds alternate.

The measures are those of Saunders (1996) and Scheirer & Slaney (1997): the share of frames much softer than their second, the share
that is a pause, how much loudness varies, and how much the zero-crossing rate does (vowels cross zero seldom, fricatives often).
Silero VAD is asked instead where it is installed (the extra ``speech``). `docs/research/map.md` has what both find.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.decode import decode_mono
from embeddings.errors import EmbeddingError
from player.library.embed import audio_of
from player.library.paths import file_of
from player.library.tracks import TrackRow

RATE = 8_000
"""Hz; telephones do with it."""
HEARD_SECONDS = 60
DECODED_SECONDS = 90.0
"""From the beginning; the last minute of it is judged, behind a jingle."""
FRAME, FRAMES_A_SECOND = 160, 50
"""Samples of 20 ms, shorter than any sound of speech."""
SOFT = 0.5
"""Of the mean amplitude of its second: softer frames are between syllables."""
PAUSE = 10 ** (-25 / 20)
"""Of the amplitude that a twentieth of the frames exceeds."""
LOUD_PERCENTILE = 95
SOFT_SHARE, PAUSE_SHARE, LOUDNESS_SPREAD, CROSSING_SPREAD = 0.24, 0.07, 0.7, 0.11
"""Speech has at least these; of 210 tracks of music 4 have all, as beats with pauses do."""
SILENCE = 1e-7
VAD_RATE, VAD_SECONDS, VAD_CHUNK, VAD_VOICE = 16_000, 20, 512, 0.5
"""Silero VAD hears the last of these seconds at this rate, in chunks of so many samples; from so much on one is a voice."""
VAD_SHARE = 0.5
"""Of the chunks; people who sing seldom reach it."""
_SPOKEN = re.compile(
    r"\b(?:audio ?books?|hörbuch|hörspiel|livre audio|podcasts?|speech|spoken(?: word)?|lectures?|interviews?|audiolibros?|radio play)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SpeechMeasures:
    """The shares of soft frames and of pauses, and the spreads of loudness and of the zero-crossing rate."""

    soft: float
    pauses: float
    loudness: float
    crossings: float

    @property
    def is_speech(self) -> bool:
        """True where all are as speech has them."""
        return (
            self.soft >= SOFT_SHARE
            and self.pauses >= PAUSE_SHARE
            and self.loudness >= LOUDNESS_SPREAD
            and self.crossings >= CROSSING_SPREAD
        )


def measure_speech(samples: NDArray[np.float32]) -> SpeechMeasures:
    """Measure (N,) samples at ``RATE``; zeros for less than a second."""
    count = len(samples) // FRAME // FRAMES_A_SECOND * FRAMES_A_SECOND
    if not count:
        return SpeechMeasures(0.0, 0.0, 0.0, 0.0)
    frames = samples[: count * FRAME].reshape(count, FRAME)
    amplitude = np.sqrt(np.square(frames, dtype=np.float64).mean(axis=1)) + SILENCE
    seconds = amplitude.reshape(-1, FRAMES_A_SECOND)
    crossings = (np.diff(np.signbit(frames), axis=1)).mean(axis=1)
    return SpeechMeasures(
        soft=float((seconds < SOFT * seconds.mean(axis=1, keepdims=True)).mean()),
        pauses=float((amplitude < PAUSE * np.percentile(amplitude, LOUD_PERCENTILE)).mean()),
        loudness=float((amplitude / amplitude.mean()).std()),
        crossings=float(crossings.std()),
    )


def sounds_like_speech(track: TrackRow) -> bool:
    """True where a track's file holds speech; False where it cannot be decoded."""
    vad = _silero()
    try:
        samples = decode_mono(audio_of(track.path), RATE if vad is None else VAD_RATE, DECODED_SECONDS)
    except EmbeddingError:
        return False
    if vad is not None:
        return vad(samples[-VAD_SECONDS * VAD_RATE :]) > VAD_SHARE
    return measure_speech(samples[-HEARD_SECONDS * RATE :]).is_speech


@cache
def _silero() -> Callable[[NDArray[np.float32]], float] | None:
    """The share of (N,) samples that Silero VAD takes for a voice; None where it is not installed."""
    try:
        silero: Any = import_module("silero_vad")
        torch: Any = import_module("torch")
    except ImportError:
        return None
    model = silero.load_silero_vad()

    def share(samples: NDArray[np.float32]) -> float:
        model.reset_states()
        chunks = samples[: len(samples) // VAD_CHUNK * VAD_CHUNK].reshape(-1, VAD_CHUNK)
        with torch.no_grad():
            spoken = [model(torch.from_numpy(chunk.copy()), VAD_RATE).item() > VAD_VOICE for chunk in chunks]
        return sum(spoken) / max(1, len(spoken))

    return share


def named_as_speech(track: TrackRow) -> bool:
    """True where the genre or a folder says so."""
    return bool(_SPOKEN.search(track.genre) or _SPOKEN.search(file_of(track.path).rpartition("/")[0]))
