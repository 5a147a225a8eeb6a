"""Any audio file as float32 mono samples at the rate a front-end wants."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

import av
import av.error
import numpy as np
import soxr
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from embeddings.errors import EmbeddingError

if TYPE_CHECKING:
    from av.packet import Packet

MAX_SECONDS = 15 * 60.0
"""Longer files are cut here: 58 MB at 16 kHz; a day-long recording must not fill the memory."""

NO_NESTED_FILES = {"protocol_whitelist": "none"}
"""A playlist posing as music may not make the decoder open other files or addresses."""

FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "flt": 1.0, "dbl": 1.0}
"""Per sample format, what ±1.0 is."""

MAX_RESTARTS = 1000
"""Damaged places in a container to read on after; a file with more is noise, and its reading must end some day."""

SamplesOf = Callable[[AudioFrame], NDArray[np.float32]]

BLOCK_SAMPLES = 1 << 16
"""Resample about a second or more at a time: frames alone (20 ms) would spend their time in calls."""


def decode_mono(path: Path, sample_rate: int, max_seconds: float = MAX_SECONDS) -> NDArray[np.float32]:
    """Decode the file's first audio stream, average its channels, resample: (N,) float32, N >= 1.

    The content, not the extension, decides the format. Damaged packets are passed over. At most ``max_seconds`` from
    the start are decoded, without reading what follows.

    Raises:
        EmbeddingError: the file cannot be read or holds no decodable audio.
    """
    return decode_as(path, sample_rate, 1, mono_samples, max_seconds)


def decode_as(
    path: Path, sample_rate: int, channels: int, samples_of: SamplesOf, max_seconds: float = MAX_SECONDS
) -> NDArray[np.float32]:
    """Decode the file's first audio stream into what ``samples_of`` makes of its frames, and resample.

    Args:
        path: the file.
        sample_rate: Hz wanted.
        channels: how many there are in what ``samples_of`` returns.
        samples_of: a frame as float32, time first: (samples,) for one channel, else (samples, channels).
        max_seconds: what comes later is not read.

    Returns:
        float32 with time first, as ``samples_of`` gives it.

    Raises:
        EmbeddingError: the file cannot be read or holds no decodable audio.
    """
    if path.exists() and not path.is_file():  # opening a named pipe would wait for ever
        raise EmbeddingError("the path is no regular file")
    limit = int(max_seconds * sample_rate)
    blocks: list[NDArray[np.float32]] = []
    length = 0
    try:
        # An open file, not a name: names like "http://…" mean other things to FFmpeg, and not every path is UTF-8.
        with path.open("rb") as file, open_audio(file) as container:
            for block in _resampled(_frames(container), sample_rate, channels, samples_of):
                blocks.append(block)
                length += len(block)
                if length >= limit:
                    break
    except av.error.EOFError as error:
        raise EmbeddingError("the file ends before any audio") from error
    except av.error.FFmpegError as error:
        raise EmbeddingError(f"the file cannot be decoded as audio: {error.strerror}") from error
    except OSError as error:
        raise EmbeddingError(f"the file cannot be read: {error.strerror or error}") from error
    if length == 0:
        raise EmbeddingError("the file holds no audio that can be decoded")
    return np.concatenate(blocks)[:limit]


class _Source:
    """An open file as FFmpeg reads it: a place it cannot seek to is an answer, not an exception on the terminal."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.tell = file.tell
        self._seek = file.seek

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The new position, or -1."""
        try:
            return self._seek(offset, whence)
        except (OSError, ValueError):
            return -1


def open_audio(file: BinaryIO, options: Mapping[str, str] = MappingProxyType({})) -> InputContainer:
    """The file as a container of streams; names that tags spell in some other encoding do not matter here.

    ``options`` are FFmpeg's, for the container.
    """
    return av.open(_Source(file), mode="r", options={**options, **NO_NESTED_FILES}, metadata_errors="ignore")


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    """The decoded frames of the first audio stream, passing over packets that cannot be decoded."""
    if not container.streams.audio:
        raise EmbeddingError("the file holds no audio stream")
    stream = container.streams.audio[0]
    heard = 0
    for _ in range(MAX_RESTARTS):
        try:
            for packet in container.demux(stream):
                for frame in decoded(stream, packet):
                    heard += 1
                    yield frame
        except av.error.InvalidDataError:
            continue  # the container itself is damaged here: go on behind it
        except av.error.FFmpegError:
            if heard == 0:
                raise  # else what was heard is worth more than nothing
        return


def decoded(stream: AudioStream, packet: "Packet[AudioStream]") -> Iterator[AudioFrame]:
    """One packet's frames; none when it is damaged."""
    try:
        frames = stream.decode(packet)
    except av.error.FFmpegError:
        return
    yield from frames


def _resampled(
    frames: Iterator[AudioFrame], sample_rate: int, channels: int, samples_of: SamplesOf
) -> Iterator[NDArray[np.float32]]:
    """Blocks of samples at ``sample_rate``; a stream may change its own rate on the way (chained Ogg)."""
    resampler: _Resampler | None = None
    for frame in frames:
        if frame.sample_rate <= 0 or frame.samples == 0:
            continue
        if resampler is None or resampler.source_rate != frame.sample_rate:
            if resampler is not None:
                yield resampler.finish()
            resampler = _Resampler(frame.sample_rate, sample_rate, channels)
        if resampler.add(samples_of(frame)):
            yield resampler.take()
    if resampler is not None:
        yield resampler.finish()


class _Resampler:
    """Gathers samples at one rate and hands them out at another, a block at a time."""

    def __init__(self, source_rate: int, target_rate: int, channels: int) -> None:
        self.source_rate = source_rate
        self._stream = soxr.ResampleStream(source_rate, target_rate, channels, dtype="float32", quality="HQ")
        self._nothing = np.empty((0,) if channels == 1 else (0, channels), np.float32)
        self._waiting: list[NDArray[np.float32]] = []
        self._count = 0

    def add(self, samples: NDArray[np.float32]) -> bool:
        """Keep the samples; true when a block's worth is waiting."""
        self._waiting.append(samples)
        self._count += len(samples)
        return self._count >= BLOCK_SAMPLES

    def take(self) -> NDArray[np.float32]:
        """Resample what is waiting."""
        return self._resample(last=False)

    def finish(self) -> NDArray[np.float32]:
        """Resample what is waiting and the filter's tail."""
        return self._resample(last=True)

    def _resample(self, *, last: bool) -> NDArray[np.float32]:
        block = np.ascontiguousarray(np.concatenate(self._waiting)) if self._waiting else self._nothing
        self._waiting, self._count = [], 0
        return self._stream.resample_chunk(block, last=last)


def mono_samples(frame: AudioFrame) -> NDArray[np.float32]:
    """A decoded frame of any sample format as the mean of its channels: (samples,) float32, nominally within -1…1."""
    return mono_of(frame.to_ndarray(), frame)


def mono_of(raw: NDArray[np.generic], frame: AudioFrame) -> NDArray[np.float32]:
    """The contents of one frame, or of several like ``frame`` joined, as the mean of its channels.

    Args:
        raw: (channels, samples) when the frame's format is planar, else (1, samples · channels).
        frame: tells format and channels.

    Returns:
        (samples,) float32, nominally within -1…1.
    """
    kind = frame.format.name.removesuffix("p")
    if kind not in FULL_SCALE:
        raise EmbeddingError(f'the file\'s sample format "{kind}" is not known')
    planes = raw if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels).T
    mono = planes.mean(
        axis=0, dtype=np.float32 if planes.dtype.itemsize <= np.dtype(np.float32).itemsize else np.float64
    )
    centred = mono - FULL_SCALE["u8"] if kind == "u8" else mono
    return (centred / FULL_SCALE[kind]).astype(np.float32, copy=False)
