"""Faster or slower without another pitch, by FFmpeg's atempo."""

from collections.abc import Iterator

import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph

from player.audio.resampling import Samples
from player.audio.ring import CHANNELS

SLOWEST, FASTEST = 0.5, 2.0
"""What atempo does by overlapping pieces alone; beyond, it leaves samples out."""


class Tempo:
    """Stereo samples of one rate, stretched; at speed 1 they pass as they are.

    Args:
        rate: frames per second.
        speed: within ``SLOWEST`` … ``FASTEST``.
    """

    def __init__(self, rate: int, speed: float) -> None:
        self._rate = rate
        self._graph: Graph | None = None
        if speed != 1:
            graph = self._graph = Graph()
            buffer = graph.add_abuffer(format="flt", sample_rate=rate, layout="stereo")
            atempo, form, sink = graph.add("atempo", f"{speed}"), graph.add("aformat", "flt"), graph.add("abuffersink")
            buffer.link_to(atempo)
            atempo.link_to(form)
            form.link_to(sink)
            graph.configure()

    def convert(self, samples: Samples) -> Samples:
        """The next samples; there may be none yet."""
        if self._graph is None or len(samples) == 0:
            return samples
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate = self._rate
        self._graph.push(frame)
        return self._pulled()

    def flush(self) -> Samples:
        """The rest."""
        if self._graph is None:
            return np.zeros((0, CHANNELS), np.float32)
        self._graph.push(None)
        return self._pulled()

    def _pulled(self) -> Samples:
        pieces = [np.zeros((0, CHANNELS), np.float32), *self._frames()]
        return np.concatenate(pieces)

    def _frames(self) -> Iterator[Samples]:
        assert self._graph is not None
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(frame, AudioFrame)
            yield frame.to_ndarray().astype(np.float32, copy=False).reshape(-1, CHANNELS)
