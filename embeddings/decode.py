"""Any audio file as float32 samples at the rate a front-end wants: in mono, or in stereo for those that hear its width."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import av
import av.error
import numpy as np
import soxr
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from embeddings.audio_file import Audio, AudioPart, as_part, open_audio, open_regular
from embeddings.errors import EmbeddingError
from embeddings.loudness import Loudness, LoudnessMeter

if TYPE_CHECKING:
    from av.packet import Packet

STEREO = 2

MAX_SECONDS = 15 * 60.0
"""Longer files are cut here: 58 MB at 16 kHz; a day-long recording must not fill the memory."""

LOWEST_RATE, HIGHEST_RATE = 1_000, 3_072_000
"""Hz, of a file: below all that sounds like music, and above DSD512, which FFmpeg decodes to 2.8 MHz. A rate beyond is damage,
and resampling from it would take memory without bound: a second of 65,536 samples at 1 Hz becomes a billion at 16 kHz."""

MAX_CHANNELS = 64
"""Of a file: seventh-order ambisonics has so many."""

FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "flt": 1.0, "dbl": 1.0}
"""Per sample format, the value of ±1.0."""

MAX_RESTARTS = 1000
"""Damaged places in a container to read on after; a file with more is noise, and its reading must end some day."""

RUN_UP_SECONDS = 0.25
"""Decoded and thrown away before a part: an MP3 frame may need bits of those before it, and Opus settles in 80 ms."""

BLOCK_SAMPLES = 1 << 16
"""Resample about a second or more at a time: frames alone (20 ms) would spend their time in calls."""


def decode_channels(
    audio: Audio, sample_rate: int, channels: int, max_seconds: float = MAX_SECONDS, meter: LoudnessMeter | None = None
) -> NDArray[np.float32]:
    """The sound in one channel, (N,), or in two, (2, N); see :func:`decode_mono`; mono is heard on both sides, more than two channels in their mean.

    Where there is a ``meter`` it measures what is decoded, and has a result if that is the whole file.

    Raises:
        EmbeddingError: the file cannot be read or holds no decodable audio.
    """
    limit = int(max_seconds * sample_rate)
    blocks: list[NDArray[np.float32]] = []
    length = 0
    with _reading(as_part(audio)) as (container, part):
        frames = _within(_frames(container), container, part)
        for block in _resampled(frames if meter is None else meter.watch(frames), sample_rate, channels):
            blocks.append(block)
            length += len(block)
            if length >= limit:
                break
    if length == 0:
        raise EmbeddingError("the file holds no audio that can be decoded")
    return np.concatenate(blocks)[:limit].T


def measure_loudness(audio: Audio) -> Loudness:
    """The loudness of a file or part, whatever its length.

    Raises:
        EmbeddingError: the file cannot be read or holds no decodable audio.
    """
    meter = LoudnessMeter()
    with _reading(as_part(audio)) as (container, part):
        for _frame in meter.watch(_within(_frames(container), container, part)):
            pass
    if meter.result is None:
        raise EmbeddingError("its sound has a format whose loudness cannot be measured")
    return meter.result


@contextmanager
def _reading(part: AudioPart) -> Generator[tuple[InputContainer, AudioPart]]:
    """An open file, where the part of it begins; what goes wrong in it is told as an EmbeddingError."""
    try:
        # An open file, not a name: names like "http://…" mean other things to FFmpeg, and not every path is UTF-8.
        with open_regular(part.path) as file, open_audio(file) as container:
            if part.start:
                container.seek(max(0, int((part.start - RUN_UP_SECONDS) * av.time_base)) + (container.start_time or 0))
            yield container, part
    except av.error.EOFError as error:
        raise EmbeddingError("the file ends before any audio") from error
    except av.error.FFmpegError as error:
        raise EmbeddingError(f"the file cannot be decoded as audio: {error.strerror}") from error
    except OSError as error:
        raise EmbeddingError(f"the file cannot be read: {error.strerror or error}") from error


def _within(frames: Iterator[AudioFrame], container: InputContainer, part: AudioPart) -> Iterator[AudioFrame]:
    """The frames of a part; where its bounds lie matters to one frame."""
    if not (part.start or part.end):
        yield from frames
        return
    begin = (container.start_time or 0) / av.time_base
    for frame in frames:
        place = part.start if frame.time is None else frame.time - begin
        if part.end and place >= part.end:
            return
        if place >= part.start:
            yield frame


def decode_mono(audio: Audio, sample_rate: int, max_seconds: float = MAX_SECONDS) -> NDArray[np.float32]:
    """Decode the first audio stream of a file or part, average its channels, resample: (N,) float32, N >= 1.

    The content, not the extension, decides the format. Damaged packets are passed over. At most ``max_seconds`` from
    the start are decoded, without reading what follows.

    Raises:
        EmbeddingError: the file cannot be read or holds no decodable audio.
    """
    return decode_channels(audio, sample_rate, 1, max_seconds)


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
    """One packet's frames; none when it is damaged. PyAV hands numpy no whole numbers of 64 bits: they come as floats."""
    try:
        frames = stream.decode(packet)
        if frames and frames[0].format.name.startswith("s64"):
            frames = [scaled for frame in frames for scaled in av.AudioResampler("dbl").resample(frame)]
    except av.error.FFmpegError:
        return
    yield from frames


def check_plausible(frame: AudioFrame) -> None:
    """Make sure that a frame's rate and channels are such as sound has, before memory is taken on their word.

    Raises:
        EmbeddingError: they are not.
    """
    if not LOWEST_RATE <= frame.sample_rate <= HIGHEST_RATE:
        raise EmbeddingError(f"the file's sample rate of {frame.sample_rate:,} Hz is no rate of music")
    if not 1 <= frame.layout.nb_channels <= MAX_CHANNELS:
        raise EmbeddingError(f"the file's {frame.layout.nb_channels} channels are more than {MAX_CHANNELS}")


def _resampled(frames: Iterator[AudioFrame], sample_rate: int, channels: int) -> Iterator[NDArray[np.float32]]:
    """Blocks of samples at ``sample_rate``; a stream may change its own rate on the way (chained Ogg)."""
    resampler: _Resampler | None = None
    for frame in frames:
        if frame.sample_rate <= 0 or frame.samples == 0:
            continue
        check_plausible(frame)
        if resampler is None or resampler.source_rate != frame.sample_rate:
            if resampler is not None:
                yield resampler.finish()
            resampler = _Resampler(frame.sample_rate, sample_rate, channels)
        if resampler.add(mixed(frame.to_ndarray(), frame, channels)):
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


def mixed(raw: NDArray[np.generic], frame: AudioFrame, channels: int) -> NDArray[np.float32]:
    """The contents of one frame, or of several like ``frame`` joined, in the channels a front-end wants.

    Args:
        raw: (channels, samples) when the frame's format is planar, else (1, samples · channels).
        frame: tells format and channels.
        channels: 1 for the mean of all; 2 for two sides, which both hear the mean of any other number.

    Returns:
        Time first: (samples,) or (samples, 2) float32, nominally within -1…1.
    """
    kind = frame.format.name.removesuffix("p")
    if kind not in FULL_SCALE:
        raise EmbeddingError(f'the file\'s sample format "{kind}" is not known')
    planes = raw if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels).T
    zero = FULL_SCALE["u8"] if kind == "u8" else 0.0
    if channels == STEREO:
        scaled = (planes.astype(np.float64) - zero) / FULL_SCALE[kind]
        sides = scaled if len(scaled) == STEREO else np.tile(scaled.mean(axis=0), (STEREO, 1))
        return sides.astype(np.float32).T
    narrow = planes.dtype.itemsize <= np.dtype(np.float32).itemsize
    mono = planes.mean(axis=0, dtype=np.float32 if narrow else np.float64)
    return ((mono - zero) / FULL_SCALE[kind]).astype(np.float32, copy=False)
