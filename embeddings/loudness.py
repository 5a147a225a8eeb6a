"""Loudness by ITU-R BS.1770 and EBU R 128: integrated loudness and true peak of a track, as the player sounds it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av.filter
    from av.audio.frame import AudioFrame


STEREO = 2
SILENCE_LUFS = -70.0
"""The absolute gate of BS.1770: quieter than this there is nothing to measure, and FFmpeg reports the gate itself."""
METER = "peak=true:dualmono=true:metadata=true:framelog=quiet"
"""Mono is measured as it is heard, from both speakers."""
DOWNMIX = "ochl=stereo:rematrix_maxval=1.0"
"""Surround is measured as the player mixes it down."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud a track is.

    Attributes:
        lufs: integrated loudness, LUFS; None for silence and for what is shorter than a gating block (0.4 s).
        true_peak_db: highest level between the samples too, dBTP; None for digital silence.
    """

    lufs: float | None
    true_peak_db: float | None


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of one format, in FFmpeg's figures."""

    lufs: float
    peak: float
    """Linear."""
    seconds: float


class LoudnessMeter:
    """Measures decoded frames by FFmpeg's ``ebur128``; a stream may change its format on the way (chained Ogg).

    Attributes:
        result: the figures once all was watched; None before, and for a sound that FFmpeg has no filter for.
    """

    def __init__(self) -> None:
        self.result: Loudness | None = None
        self._failed = False
        self._format: tuple[int, str, str] | None = None
        self._graph: av.filter.Graph | None = None
        self._parts: list[_Part] = []
        self._last: dict[str, str] = {}
        self._samples = 0

    def watch(self, frames: "Iterator[AudioFrame]") -> "Iterator[AudioFrame]":
        """Measure frames as they pass through to somebody else; who takes all of them leaves a result here."""
        for frame in frames:
            self._add(frame)
            yield frame
        self._finish()

    def _add(self, frame: "AudioFrame") -> None:
        import av.error  # noqa: PLC0415 - FFmpeg's libraries, which whoever only asks for gains does without

        if self._failed:
            return
        try:
            self._measure(frame)
        except (av.error.FFmpegError, ValueError):
            self._failed = True

    def _measure(self, frame: "AudioFrame") -> None:
        found = (frame.sample_rate, frame.layout.name, frame.format.name)
        if self._graph is None or found != self._format:
            self._end_part()
            self._format, self._graph = found, _graph(frame)
        self._samples += frame.samples
        self._graph.push(frame)
        self._pull()

    def _finish(self) -> None:
        if self._failed:
            return
        self._end_part()
        loud = [part for part in self._parts if part.lufs > SILENCE_LUFS]
        seconds = sum(part.seconds for part in loud)
        energy = sum(part.seconds * 10 ** (part.lufs / 10) for part in loud)
        peak = max((part.peak for part in self._parts), default=0.0)
        self.result = Loudness(
            round(10 * log10(energy / seconds), 2) if energy else None, round(20 * log10(peak), 2) if peak else None
        )

    def _end_part(self) -> None:
        if self._graph is None or self._format is None:
            return
        self._graph.push(None)
        self._pull()
        peaks = [float(self._last.get(f"lavfi.r128.true_peaks_ch{side}", 0.0)) for side in range(STEREO)]
        lufs = float(self._last.get("lavfi.r128.I", SILENCE_LUFS))
        self._parts.append(_Part(lufs, max(peaks), self._samples / self._format[0]))
        self._graph, self._last, self._samples = None, {}, 0

    def _pull(self) -> None:
        import av.error  # noqa: PLC0415 - see _add

        assert self._graph is not None
        with suppress(av.error.BlockingIOError, av.error.EOFError):
            while True:
                measured = self._graph.pull()
                self._last = measured.metadata or self._last


def _graph(like: "AudioFrame") -> "av.filter.Graph":
    import av.filter  # noqa: PLC0415 - see LoudnessMeter

    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=like.sample_rate, format=like.format.name, layout=like.layout.name, time_base=like.time_base
    )
    filters = [graph.add("ebur128", METER), graph.add("abuffersink")]
    if like.layout.nb_channels > STEREO:
        filters.insert(0, graph.add("aresample", DOWNMIX))
    graph.link_nodes(source, *filters).configure()
    return graph
