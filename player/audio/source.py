"""A music file becomes blocks of stereo samples: whatever FFmpeg decodes, without the silence that encoders add at its ends."""

import os
import stat
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import av
import av.error
import av.logging
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from embeddings.audio_file import AUDIO_DEMUXERS, container_start, open_regular
from player.audio.ogg_links import FilePart, ogg_links
from player.audio.resampling import Resampler, Samples
from player.audio.ring import CHANNELS
from player.text import printable

if TYPE_CHECKING:
    from av.packet import Packet

av.logging.set_level(None)  # FFmpeg quotes files' bytes on standard error; what went wrong comes as an exception

PREROLL_SECONDS = 0.25
"""Decoding starts this much before a seek's target: MP3's bit reservoir and Opus (80 ms, RFC 7845 §4.6) need a run-up."""

TOLERATED_GAP_SECONDS = 0.03
"""Times that run ahead of the samples by less are the rounding of containers, not damage."""

OPEN_SECONDS = 10.0
"""So long may a file be searched for the first sound; a sleeping disk wakes up within."""

MOVIE_TICK_SECONDS = 0.001
"""An MP4 file's edit list is counted in these, so its end is right to one of them; the last packet's length is exact."""

OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(AUDIO_DEMUXERS)}
"""A playlist dressed up as music (HLS, concat, DASH …) must not make FFmpeg open other files or network addresses."""

LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000
MOST_CHANNELS = 64
"""Outside of these a file is damaged; a resampler from 2³¹ Hz would ask for more memory than there is."""

TAG_MARKS = (b"ID3", b"TAG", b"APETAGEX")
"""Files that were joined end to end have tags in their middle, which no decoder understands and nobody misses."""

CHANNEL_LAYOUTS = ("mono", "stereo")
FULL_SCALES = {"flt": 1, "fltp": 1, "s16": 2**15, "s16p": 2**15, "s32": 2**31, "s32p": 2**31}
"""FFmpeg's plain sample formats, each with its full scale."""

WILDEST = 64.0
"""36 dB above full scale, which no mix in floating point comes near."""

MIX_OPTIONS = {"rematrix_maxval": "1.0"}
"""Surround mixed to stereo is scaled so that it cannot clip; for floats FFmpeg would add the channels up unscaled."""


def _behind_tags(path: str) -> list[tuple[int, int]]:
    """The one stretch of a file that begins behind tags or zeros, where FFmpeg would not find it; else none."""
    with open_regular(Path(path)) as file:
        start = container_start(file)
        return [(start, file.seek(0, os.SEEK_END))] if start else []


class AudioError(Exception):
    """A file cannot be played; the message is one sentence for the listener."""


def display_name(path: str) -> str:
    """The file's name without anything a terminal could take as a command."""
    return printable(Path(path).name, "?") or "?"


class AudioSource:
    """An open music file, or a part of one; places are counted in seconds from where the part begins.

    Attributes:
        duration: seconds as the file declares them, None when it does not.
        origin: seconds of the first sample that :meth:`blocks` gave; its argument, or where the file could seek to.
        damaged_packets: how many packets could not be decoded so far.
        lost_seconds: how much sound the file's own times say is missing between what was decoded so far.
        steady: whether all had one sample rate so far; where not, times and length that count in the first mean nothing.
    """

    def __init__(self, path: str, start: float = 0.0, end: float = 0.0) -> None:
        """Open ``path``, from ``start`` to ``end`` seconds (0 for its end); raises AudioError saying why it cannot be played."""
        self._path = path
        self._name = display_name(path)
        self._check_file()
        self._links = self._find_links()
        self._link = 0
        self._part: FilePart | None = None
        self._container, self._stream = self._open()
        self._link_starts = [0.0]
        self.duration = self._declared_duration()
        if len(self._links) > 1:
            self._measure_links()
        self._within = (start, end)
        if start or end:
            self.duration = max(0.0, (end or self.duration or start) - start) or None
        self.origin = 0.0
        self.damaged_packets = 0
        self.lost_seconds = 0.0
        self.steady = True
        self._expected_time: float | None = None
        self._rate = 0
        self._cancelled = False
        self._begin = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        if self._part is not None:
            self._part.close()

    def cancel(self) -> None:
        """End :meth:`blocks` soon, from any thread: a damaged file may be searched for its next sound for long."""
        self._cancelled = True

    def blocks(self, rate: int, start: float) -> Iterator[Samples]:
        """Decode from ``start`` seconds to the end, at ``rate``; see :meth:`native`."""
        resampler = Resampler(rate)
        for found, samples in self.native(start):
            yield resampler.convert(found, samples)
        yield resampler.flush()[0]

    def native(self, start: float, end: float | None = None) -> Iterator[tuple[int, Samples]]:
        """Decode from one place to another, each sample as the file has it.

        Args:
            start: seconds into the track; the first sample given is exactly there where the file's times are true.
            end: seconds into the track; None for its end.

        Yields:
            Samples per second, which may change on the way, and (N, 2) float32 in about −1…1; surround is mixed to stereo.

        Raises:
            AudioError: reading fails, or nothing in the file can be decoded.
        """
        self.origin = start
        first, last = self._within
        left = None if end is None else max(0.0, end - start)
        if last:
            left = min(inf if left is None else left, max(0.0, last - first - start))
        some = False
        for rate, samples in self._from(first + start):
            if left is not None and not some:  # both ends on samples of the file, so that its parts join without a seam
                left = (round((first + start + left) * rate) - round((first + start) * rate)) / rate
            kept = samples if left is None else samples[: round(left * rate)]
            some = True
            if len(kept):
                yield rate, kept
            if left is not None:
                left -= len(kept) / rate
                if len(kept) < len(samples):
                    return
        if not some and start <= 0:
            raise AudioError(_damaged(self._name))

    def _from(self, start: float) -> Iterator[tuple[int, Samples]]:
        """Everything from a place on, link by link."""
        link = bisect_right(self._link_starts, start) - 1
        start -= self._link_starts[link]
        if link != self._link:
            self._turn_to(link)
        while True:
            yield from self._from_in_link(start)
            if self._link + 1 >= len(self._links) or self._cancelled:
                return
            self._turn_to(self._link + 1)
            start = 0.0

    def _from_in_link(self, start: float) -> Iterator[tuple[int, Samples]]:
        begin = self._begin = self._start_time()
        end = self._end_time()
        if start > 0:
            self._seek(start)
        mixer = _Downmixer()
        skip: int | None = None
        for frame, packet_end in self._frames():
            if skip is None:
                skip = self._frames_before(start, frame)
            self._compare_times(frame)
            last = packet_end if end is None else end
            for samples in map(_tame, mixer.convert(frame)):
                kept = samples
                if frame.time is not None and frame.time + len(samples) / frame.sample_rate > last + begin:
                    kept = samples[: max(0, round((last + begin - frame.time) * frame.sample_rate))]
                yield frame.sample_rate, kept[skip:]
                skip = max(0, skip - len(samples))

    def _find_links(self) -> list[tuple[int, int]]:
        try:
            return ogg_links(self._path) or _behind_tags(self._path)
        except OSError:
            return []  # what is wrong with the file is said when it is opened

    def _turn_to(self, link: int) -> None:
        self.close()
        self._link, self._expected_time, self._rate = link, None, 0
        self._container, self._stream = self._open()

    def _measure_links(self) -> None:
        """Add up how long the links are; what does not open is nothing long."""
        for link in range(len(self._links)):
            try:
                self._turn_to(link)
                length = self._declared_duration() or 0.0
            except AudioError:
                length = 0.0
            self._link_starts.append(self._link_starts[-1] + length)
        self.duration = self._link_starts.pop() or None
        self._turn_to(0)

    def _open(self) -> tuple[InputContainer, AudioStream]:
        source: str | FilePart = f"file:{self._path}"
        if self._links:
            source = self._part = FilePart(self._path, *self._links[self._link])
        try:
            container = av.open(
                source, "r", options=OPEN_OPTIONS, metadata_errors="replace", timeout=(OPEN_SECONDS, None)
            )
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

    def _frames(self) -> Iterator[tuple[AudioFrame, float]]:
        """Decoded frames from here to the end, without what cannot be decoded, and where their packet says the track ends."""
        try:
            for packet in self._container.demux(self._stream):
                if self._cancelled:
                    return
                try:
                    for frame in self._stream.decode(packet):
                        if _plausible(frame.sample_rate, frame.layout.nb_channels):
                            yield frame, self._end_of(packet)
                        else:
                            self.damaged_packets += 1
                except av.error.EOFError:
                    return
                except (av.error.FFmpegError, ValueError):
                    self.damaged_packets += not bytes(packet).startswith(TAG_MARKS)
        except av.error.ExitError as error:  # opening had taken its time already
            raise AudioError(_damaged(self._name)) from error
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

    @property
    def _is_mp4(self) -> bool:
        return "mp4" in self._container.format.name

    def _start_time(self) -> float:
        """Seconds of the track's beginning on the container's clock."""
        stream = self._stream
        if stream.start_time is None or stream.time_base is None:
            return 0.0
        return float(stream.start_time * stream.time_base)

    def _end_time(self) -> float | None:
        """Seconds into the track where the encoder's padding begins, as iTunes says it in a comment of an MP4 file.

        It is made of four hexadecimal numbers: one unused, priming, padding, and the length in samples.
        """
        told = self._container.metadata.get("iTunSMPB", "").split() if self._is_mp4 else []
        with suppress(ValueError, IndexError):
            if (length := int(told[3], 16)) > 0:
                return length / self._stream.codec_context.sample_rate
        return None

    def _end_of(self, packet: "Packet[AudioStream]") -> float:
        """Seconds into the track where an MP4 file ends, as far as its packet knows; endless in others.

        The edit list says it, which FFmpeg gives as the stream's length, and more exactly the last packet does, unless it
        counts the padding.
        """
        length, time_base = self._stream.duration, packet.time_base
        coarse = time_base * self._stream.codec_context.sample_rate > 1
        if not self._is_mp4 or coarse or length is None or packet.pts is None or not packet.duration:
            return inf
        end = packet.pts + packet.duration
        exact = end if abs(length - end) * time_base < MOVIE_TICK_SECONDS else length
        return float(exact * time_base) - self._begin

    def _compare_times(self, frame: AudioFrame) -> None:
        """Keep how far the file's times ran ahead of the samples; FFmpeg steps over damage in silence."""
        self.steady = self.steady and frame.sample_rate == (self._rate or frame.sample_rate)
        self._rate = frame.sample_rate
        if frame.time is None or not self.steady:
            return
        if self._expected_time is None:
            self._expected_time = frame.time
        ahead = frame.time - self._expected_time
        self._expected_time += frame.samples / frame.sample_rate
        # The latest difference counts, not the sum of jumps: guessed times (Vorbis after a seek) go to and fro.
        self.lost_seconds = ahead if ahead > TOLERATED_GAP_SECONDS else 0.0

    def _frames_before(self, start: float, first: AudioFrame) -> int:
        """How many frames lie between the first decoded one and ``start``; corrects ``origin``."""
        if start <= 0 or first.time is None:
            return 0
        early = start - (first.time - self._begin)
        if early < 0:
            self.origin -= early
            return 0
        return round(early * first.sample_rate)


def _plausible(rate: int, channels: int) -> bool:
    return LOWEST_RATE <= rate <= HIGHEST_RATE and 1 <= channels <= MOST_CHANNELS


def _damaged(name: str) -> str:
    return f"{name} holds no sound that can be decoded; the file is damaged."


def _tame(samples: Samples) -> Samples:
    """The samples with silence for what is no number or no sound: a resampler would make many wild ones of it."""
    sane = np.abs(samples) <= WILDEST
    return samples if sane.all() else np.where(sane, samples, np.float32(0))


def _in_stereo(frame: AudioFrame) -> Samples:
    """Mono or stereo of a plain format as (N, 2) float32, as FFmpeg has it to the bit."""
    found = frame.to_ndarray()
    samples = found.T if frame.format.is_planar else found.reshape(frame.samples, -1)
    samples = samples.astype(np.float32, copy=False)
    if (scale := FULL_SCALES[frame.format.name]) != 1:
        samples = samples * np.float32(1 / scale)
    return samples if samples.shape[1] == CHANNELS else np.repeat(samples, CHANNELS, axis=1)


class _Downmixer:
    """Any frame to (N, 2) float32 at its own rate; a stream may change its format on the way."""

    def __init__(self) -> None:
        self._format: tuple[int, str, str] | None = None
        self._resampler: AudioResampler | None = None

    def convert(self, frame: AudioFrame) -> Iterator[Samples]:
        """The frame's samples; FFmpeg is asked only where it is more than another order and scale of them."""
        if frame.layout.name in CHANNEL_LAYOUTS and frame.format.name in FULL_SCALES:
            yield _in_stereo(frame)
            return
        found = (frame.sample_rate, frame.layout.name, frame.format.name)
        if found != self._format or self._resampler is None:
            self._format = found
            # FFmpeg puts mono into stereo 3 dB down; both ears get it whole instead, by repetition below.
            layout = "mono" if frame.layout.nb_channels == 1 else "stereo"
            self._resampler = AudioResampler(format="flt", layout=layout, rate=frame.sample_rate, options=MIX_OPTIONS)
        for converted in self._resampler.resample(frame):
            samples = converted.to_ndarray().astype(np.float32, copy=False).reshape(converted.samples, -1)
            yield samples if samples.shape[1] == CHANNELS else np.repeat(samples, CHANNELS, axis=1)
