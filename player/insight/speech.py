"""Speech among music: a chapter, a podcast, a sketch – told by its pauses and by how its voiced and unvoiced sounds alternate.

The measures are those of Saunders (1996) and Scheirer & Slaney (1997): the share of frames much softer than their second, the share
that is a pause, how much loudness varies, and how much the zero-crossing rate does (vowels cross zero seldom, fricatives often).
`docs/research/map.md` has what they find.
"""

import re
from dataclasses import dataclass

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
    try:
        samples = decode_mono(audio_of(track.path), RATE, DECODED_SECONDS)
    except EmbeddingError:
        return False
    return measure_speech(samples[-HEARD_SECONDS * RATE :]).is_speech


def named_as_speech(track: TrackRow) -> bool:
    """True where the genre or a folder says so."""
    return bool(_SPOKEN.search(track.genre) or _SPOKEN.search(file_of(track.path).rpartition("/")[0]))
