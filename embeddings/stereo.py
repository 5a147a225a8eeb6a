"""Any audio file as float32 stereo samples, for front-ends that listen to the width of the sound."""

from collections.abc import Iterator
from pathlib import Path

import av.error
import numpy as np
import soxr
from av.audio.frame import AudioFrame
from av.container import InputContainer
from numpy.typing import NDArray

from embeddings.decode import FULL_SCALE, MAX_RESTARTS, MAX_SECONDS, decoded, open_audio
from embeddings.errors import EmbeddingError

STEREO = 2
BLOCK_SAMPLES = 1 << 16
"""Resample about a second at a time."""


def decode_stereo(path: Path, sample_rate: int, max_seconds: float = MAX_SECONDS) -> NDArray[np.float32]:
    """Decode the file's first audio stream as two channels and resample: (2, N) float32, N >= 1.

    Mono is heard on both sides; of more than two channels both sides hear the mean. The content, not the extension,
    decides the format. At most ``max_seconds`` from the start are decoded. Damaged packets end nothing.

    Raises:
        EmbeddingError: the file cannot be read or holds no decodable audio.
    """
    if path.exists() and not path.is_file():  # opening a named pipe would wait for ever
        raise EmbeddingError("the path is no regular file")
    limit = int(max_seconds * sample_rate)
    blocks: list[NDArray[np.float32]] = []
    length = 0
    try:
        with path.open("rb") as file, open_audio(file) as container:
            for block in _resampled(_frames(container), sample_rate):
                blocks.append(block)
                length += block.shape[1]
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
    return np.concatenate(blocks, axis=1)[:, :limit]


def stereo_samples(frame: AudioFrame) -> NDArray[np.float32]:
    """A decoded frame of any sample format as (2, samples) float32, nominally within -1…1."""
    kind = frame.format.name.removesuffix("p")
    if kind not in FULL_SCALE:
        raise EmbeddingError(f'the file\'s sample format "{kind}" is not known')
    raw = frame.to_ndarray()
    planes = (raw if frame.format.is_planar else raw.reshape(frame.samples, -1).T).astype(np.float64)
    centred = (planes - FULL_SCALE["u8"] if kind == "u8" else planes) / FULL_SCALE[kind]
    sides = centred if len(centred) == STEREO else np.tile(centred.mean(axis=0), (STEREO, 1))
    return sides.astype(np.float32)


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    """The decoded frames of the first audio stream, passing over what cannot be decoded."""
    if not container.streams.audio:
        raise EmbeddingError("the file holds no audio stream")
    stream = container.streams.audio[0]
    heard = False
    for _ in range(MAX_RESTARTS):
        try:
            for packet in container.demux(stream):
                for frame in decoded(stream, packet):
                    heard = True
                    yield frame
        except av.error.InvalidDataError:
            continue  # the container itself is damaged here: go on behind it
        except av.error.FFmpegError:
            if not heard:
                raise  # else what was heard is worth more than nothing
        return


def _resampled(frames: Iterator[AudioFrame], target: int) -> Iterator[NDArray[np.float32]]:
    """Blocks of (2, N) at the target rate; a stream may change its own rate on the way (chained Ogg)."""
    resampler: _Resampler | None = None
    for frame in frames:
        if frame.sample_rate <= 0 or frame.samples == 0:
            continue
        if resampler is None or resampler.source != frame.sample_rate:
            if resampler is not None:
                yield resampler.take(last=True)
            resampler = _Resampler(frame.sample_rate, target)
        resampler.add(stereo_samples(frame))
        if resampler.waiting >= BLOCK_SAMPLES:
            yield resampler.take(last=False)
    if resampler is not None:
        yield resampler.take(last=True)


class _Resampler:
    """Gathers stereo samples at one rate and hands them out at another, a block at a time."""

    def __init__(self, source: int, target: int) -> None:
        self.source = source
        self.waiting = 0
        self._stream = soxr.ResampleStream(source, target, STEREO, dtype="float32", quality="HQ")
        self._pieces: list[NDArray[np.float32]] = []

    def add(self, piece: NDArray[np.float32]) -> None:
        """Keep (2, samples) for the next block."""
        self._pieces.append(piece)
        self.waiting += piece.shape[1]

    def take(self, *, last: bool) -> NDArray[np.float32]:
        """Resample what is waiting; with ``last``, the filter's tail too."""
        block = np.concatenate([np.empty((STEREO, 0), np.float32), *self._pieces], axis=1)
        self._pieces, self.waiting = [], 0
        return self._stream.resample_chunk(np.ascontiguousarray(block.T), last=last).T
