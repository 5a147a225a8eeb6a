"""A music file becomes blocks of stereo samples: whatever FFmpeg decodes, at the rate the device wants."""

import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.error
import av.logging
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from player.audio.ring import CHANNELS
from player.text import printable

av.logging.set_level(None)  # FFmpeg quotes files' bytes on standard error; what went wrong comes as an exception

PREROLL_SECONDS = 0.25
"""Decoding starts this much before a seek's target: MP3's bit reservoir and Opus (80 ms, RFC 7845 §4.6) need a run-up."""

TOLERATED_GAP_SECONDS = 0.03
"""Times that run ahead of the samples by less are the rounding of containers, not damage."""

DEMUXERS = (
    *("aac", "ac3", "aiff", "amr", "ape", "asf", "au", "caf", "dsf", "dts", "eac3", "flac", "matroska", "mov"),
    *("mp3", "mpc", "mpc8", "ogg", "tak", "tta", "w64", "wav", "wv"),
)
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(DEMUXERS)}
"""A playlist dressed up as music (HLS, concat, DASH …) must not make FFmpeg open other files or network addresses."""

LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000
MOST_CHANNELS = 64
"""Outside of these a file is damaged; a resampler from 2³¹ Hz would ask for more memory than there is."""

MIX_OPTIONS = {"rematrix_maxval": "1.0"}
"""Surround mixed to stereo is scaled so that it cannot clip; for floats FFmpeg would add the channels up unscaled."""


class AudioError(Exception):
    """A file cannot be played; the message is one sentence for the listener."""


def display_name(path: str) -> str:
    """The file's name without anything a terminal could take as a command."""
    return printable(Path(path).name, "?") or "?"


class AudioSource:
    """An open music file.

    Attributes:
        duration: seconds as the file declares them, None when it does not.
        origin: seconds of the first sample that :meth:`blocks` gave; its argument, or where the file could seek to.
        damaged_packets: how many packets could not be decoded so far.
        lost_seconds: how much sound the file's own times say is missing between what was decoded so far.
    """

    def __init__(self, path: str) -> None:
        """Open ``path``; raises AudioError saying why it cannot be played."""
        self._path = path
        self._name = display_name(path)
        self._container, self._stream = self._open()
        self.duration = self._declared_duration()
        self.origin = 0.0
        self.damaged_packets = 0
        self.lost_seconds = 0.0
        self._expected_time: float | None = None
        self._cancelled = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def cancel(self) -> None:
        """End :meth:`blocks` soon, from any thread: a damaged file may be searched for its next sound for long."""
        self._cancelled = True

    def blocks(self, rate: int, start: float) -> Iterator[NDArray[np.float32]]:
        """Decode from ``start`` seconds to the end.

        Args:
            rate: samples per second wanted; other rates are resampled, other channel layouts mixed to stereo.
            start: seconds into the track; the first sample given is exactly there where the file's times are true.

        Yields:
            (N, 2) float32 in about −1…1.

        Raises:
            AudioError: reading fails, or nothing in the file can be decoded.
        """
        self.origin = start
        if start > 0:
            self._seek(start)
        converter = _Converter(rate)
        skip: int | None = None
        for frame in self._frames():
            if skip is None:
                skip = self._frames_before(start, frame, rate)
            self._compare_times(frame)
            for block in converter.convert(frame):
                kept = block[skip:]
                skip = max(0, skip - len(block))
                if len(kept):
                    yield kept
        if skip is None and start <= 0:
            raise AudioError(_damaged(self._name))
        for block in converter.flush():
            yield block[skip or 0 :]

    def _open(self) -> tuple[InputContainer, AudioStream]:
        self._check_file()
        try:
            container = av.open(f"file:{self._path}", "r", options=OPEN_OPTIONS, metadata_errors="replace")
        except av.error.PermissionError as error:
            raise AudioError(f"{self._name} may not be read; give yourself read permission.") from error
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise AudioError(
                f"{self._name} is not audio that can be played; it is damaged or another kind of file."
            ) from error
        if not container.streams.audio:
            container.close()
            raise AudioError(f"{self._name} holds no audio.")
        stream = container.streams.audio[0]
        # A codec that FFmpeg does not know has no context; 0 is not known yet, which the first frame tells.
        context = getattr(stream, "codec_context", None)
        if context is None or not _plausible(context.sample_rate or LOWEST_RATE, context.channels or 1):
            container.close()
            raise AudioError(_damaged(self._name))
        return container, stream

    def _check_file(self) -> None:
        """Raise AudioError where the file system says no, in words FFmpeg does not have."""
        try:
            mode = Path(self._path).stat().st_mode
        except PermissionError as error:
            raise AudioError(f"{self._name} may not be read; give yourself read permission.") from error
        except (OSError, ValueError) as error:
            raise AudioError(f"{self._name} is not there any more; scan the library again.") from error
        if not stat.S_ISREG(mode):
            raise AudioError(f"{self._name} is not a file.")

    def _declared_duration(self) -> float | None:
        stream = self._stream
        if stream.duration is not None and stream.time_base is not None:
            seconds = float(stream.duration * stream.time_base)
        elif self._container.duration is not None:
            seconds = self._container.duration / av.time_base
        else:
            return None
        return seconds if seconds > 0 else None

    def _frames(self) -> Iterator[AudioFrame]:
        """Decoded frames from here to the end, without what cannot be decoded."""
        try:
            for packet in self._container.demux(self._stream):
                if self._cancelled:
                    return
                try:
                    for frame in self._stream.decode(packet):
                        if _plausible(frame.sample_rate, frame.layout.nb_channels):
                            yield frame
                        else:
                            self.damaged_packets += 1
                except av.error.EOFError:
                    return
                except (av.error.FFmpegError, ValueError):
                    self.damaged_packets += 1
        except av.error.InvalidDataError:
            self.damaged_packets += 1  # the container itself breaks off: what was read before it stands
        except (av.error.FFmpegError, OSError) as error:
            raise AudioError(f"Reading {self._name} failed ({error.strerror}); is its disk still there?") from error

    def _seek(self, start: float) -> None:
        target = max(0.0, start - PREROLL_SECONDS) + self._start_time()
        try:
            self._container.seek(int(target * av.time_base))
        except (av.error.FFmpegError, OSError):
            # No index and no way to guess: from the beginning, decoding what lies before the target.
            self.close()
            self._container, self._stream = self._open()

    def _start_time(self) -> float:
        """Seconds of the track's beginning on the container's clock."""
        stream = self._stream
        if stream.start_time is None or stream.time_base is None:
            return 0.0
        return float(stream.start_time * stream.time_base)

    def _compare_times(self, frame: AudioFrame) -> None:
        """Keep how far the file's times ran ahead of the samples; FFmpeg steps over damage in silence."""
        if frame.time is None:
            return
        if self._expected_time is None:
            self._expected_time = frame.time
        ahead = frame.time - self._expected_time
        self._expected_time += frame.samples / frame.sample_rate
        # The latest difference counts, not the sum of jumps: guessed times (Vorbis after a seek) go to and fro.
        self.lost_seconds = ahead if ahead > TOLERATED_GAP_SECONDS else 0.0

    def _frames_before(self, start: float, first: AudioFrame, rate: int) -> int:
        """How many frames, at ``rate``, lie between the first decoded one and ``start``; corrects ``origin``."""
        if start <= 0 or first.time is None:
            return 0
        early = start - (first.time - self._start_time())
        if early < 0:
            self.origin = start - early
            return 0
        return round(early * rate)


def _plausible(rate: int, channels: int) -> bool:
    return LOWEST_RATE <= rate <= HIGHEST_RATE and 1 <= channels <= MOST_CHANNELS


def _damaged(name: str) -> str:
    return f"{name} holds no sound that can be decoded; the file is damaged."


class _Converter:
    """Any frame to (N, 2) float32 at one rate; a stream may change its format on the way (chained Ogg)."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._format: tuple[int, str, str] | None = None
        self._resampler: AudioResampler | None = None

    def convert(self, frame: AudioFrame) -> Iterator[NDArray[np.float32]]:
        found = (frame.sample_rate, frame.layout.name, frame.format.name)
        if found != self._format:
            yield from self.flush()
            self._format = found
            # FFmpeg puts mono into stereo 3 dB down; both ears get it whole instead, by repetition below.
            layout = "mono" if frame.layout.nb_channels == 1 else "stereo"
            self._resampler = AudioResampler(format="flt", layout=layout, rate=self._rate, options=MIX_OPTIONS)
        yield from self._resampled(frame)

    def flush(self) -> Iterator[NDArray[np.float32]]:
        if self._resampler is not None:
            yield from self._resampled(None)

    def _resampled(self, frame: AudioFrame | None) -> Iterator[NDArray[np.float32]]:
        assert self._resampler is not None
        for converted in self._resampler.resample(frame):
            samples = converted.to_ndarray().astype(np.float32, copy=False).reshape(converted.samples, -1)
            yield samples if samples.shape[1] == CHANNELS else np.repeat(samples, CHANNELS, axis=1)
