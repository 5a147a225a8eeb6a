"""A few short pieces of a track, decoded without the rest: what sampling windows over a track costs when it is well done.

Decoding a song takes longer than the network takes for the few windows that are looked at. So the container is asked for
the places of the windows, and only the packets there are decoded. Where a piece begins matters little and is only nearly
kept; that the same file always gives the same pieces matters, and holds.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import av
import av.error
import numpy as np
import soxr
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from embeddings.audio_file import Audio, AudioPart, as_part, open_audio, open_regular
from embeddings.decode import check_plausible, decode_channels, decoded, mixed
from embeddings.errors import EmbeddingError
from embeddings.frontend import Embedded

LEAD_IN_SECONDS = 0.1
"""Decoded and thrown away before a piece: Opus settles in 80 ms, an MP3 frame may need bits of the three before it."""

SHORTEST_GAP = 1.5
"""In lengths of a piece: pieces that stand nearer to each other than this are cheaper to cut from the whole track."""

LARGEST_PIECE = 1 << 26
"""Samples of all channels that are held for one piece: five seconds of 192 kHz in 64 channels. More is decoded block by block."""

FIND_BY_RATE = {"fflags": "fastseek"}
"""MP3 without a table of contents is sought by its bit rate; else every packet up to the place would be read."""


@dataclass(frozen=True, slots=True)
class ExcerptPlan:
    """The pieces of a track to decode.

    Attributes:
        count: how many, evenly spread over the track.
        samples: length of each, at the rate of the front-end.
    """

    count: int
    samples: int


@runtime_checkable
class HearsExcerpts(Protocol):
    """A front-end that does with pieces of a track instead of the whole."""

    @property
    def excerpts(self) -> ExcerptPlan:
        """The pieces it wants."""
        ...

    def embed_excerpts(self, excerpts: Sequence[NDArray[np.float32]]) -> Embedded:
        """Embed the result of :func:`decode_excerpts`: as :meth:`embeddings.frontend.FrontEnd.embed` in all else."""
        ...


def decode_excerpts(audio: Audio, sample_rate: int, plan: ExcerptPlan, channels: int = 1) -> list[NDArray[np.float32]]:
    """Decode ``plan.count`` pieces of ``plan.samples`` samples each: float32, in the order of the track.

    A piece is (samples,) for one channel, (2, samples) for two. A track that is too short for that, or whose container
    cannot be sought in, comes back as the one piece that :func:`embeddings.decode.decode_channels` gives.

    Raises:
        EmbeddingError: the file cannot be read or holds no decodable audio.
    """
    sound = _Sound(sample_rate, channels, plan.samples)
    return _sought(as_part(audio), sound, plan.count) or [decode_channels(audio, sample_rate, channels)]


@dataclass(frozen=True, slots=True)
class _Sound:
    """The rate, the channels and the length in samples of a piece."""

    sample_rate: int
    channels: int
    samples: int


def _sought(part: AudioPart, sound: _Sound, count: int) -> list[NDArray[np.float32]] | None:
    """The pieces, or None when they cannot be had by seeking, for whatever reason: the whole track will tell which."""
    try:
        with open_regular(part.path) as file, open_audio(file, FIND_BY_RATE) as container:
            if not container.streams.audio or not container.duration:
                return None
            seconds = (part.end or container.duration / av.time_base) - part.start
            places = _places(part.start, seconds, sound.samples / sound.sample_rate, count)
            return _pieces(container, places, sound)
    except (av.error.FFmpegError, OSError, EmbeddingError):
        return None


def _places(begin: float, track_seconds: float, piece_seconds: float, count: int) -> Iterator["_Place"]:
    """The middle of each of ``count`` equal parts of the track; nothing when they are not worth seeking for."""
    gap = track_seconds / count
    if gap >= SHORTEST_GAP * piece_seconds:
        for number in range(count):
            yield _Place(start=begin + (number + 0.5) * gap - piece_seconds / 2, gap=gap)


@dataclass(frozen=True, slots=True)
class _Place:
    """The place where a piece is wanted, and the distance to the next: seconds."""

    start: float
    gap: float

    def is_near(self, landed: float) -> bool:
        """True where decoding may go on from ``landed``; a container that leads elsewhere cannot be sought in."""
        return abs(landed - self.start) <= self.gap


def _pieces(container: InputContainer, places: Iterator[_Place], sound: _Sound) -> list[NDArray[np.float32]] | None:
    """One piece per place, or None when one of them is not to be had."""
    pieces: list[NDArray[np.float32]] = []
    for place in places:
        piece = _piece(container, place, sound)
        if piece is None:
            return None
        pieces.append(piece)
    return pieces


def _piece(container: InputContainer, place: _Place, sound: _Sound) -> NDArray[np.float32] | None:
    """The piece from about ``place.start`` seconds, or None."""
    stream = container.streams.audio[0]
    container.seek(int((place.start - LEAD_IN_SECONDS) * av.time_base) + (container.start_time or 0))
    beginning = (container.start_time or 0) / av.time_base
    kept: list[AudioFrame] = []
    wanted = math.inf
    for frame in _frames_from(container, stream):
        if frame.time is None or frame.sample_rate <= 0 or not place.is_near(frame.time - beginning):
            return None
        if frame.time - beginning + frame.samples / frame.sample_rate <= place.start:
            continue
        check_plausible(frame)
        kept.append(frame)
        wanted = min(wanted, math.ceil((sound.samples + 1) * frame.sample_rate / sound.sample_rate))
        if wanted * frame.layout.nb_channels > LARGEST_PIECE:
            return None
        wanted -= frame.samples
        if wanted <= 0:
            break
    return _joined(kept, sound)


def _frames_from(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """The decoded frames from where the container stands."""
    for packet in container.demux(stream):
        yield from decoded(stream, packet)


def _joined(frames: list[AudioFrame], sound: _Sound) -> NDArray[np.float32] | None:
    """The frames as one piece, or None when they are too few or not of one kind."""
    if len({(frame.sample_rate, frame.format.name, frame.layout.name) for frame in frames}) != 1:
        return None
    first = frames[0]
    raw = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    heard = mixed(raw, first, sound.channels)
    resampled = soxr.resample(heard, first.sample_rate, sound.sample_rate, quality="HQ")
    return resampled[: sound.samples].T if len(resampled) >= sound.samples else None
