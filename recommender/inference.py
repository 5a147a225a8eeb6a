"""Serving in numpy alone: the trained networks' scores for all tracks in milliseconds, without torch.

Both scorers take the arrays that :mod:`recommender.clep` and :mod:`recommender.sequential` export and give what the
networks give to 1e-5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog

Floats = NDArray[np.float32]
Arrays = Mapping[str, NDArray[np.generic]]

LAYER_NORM_EPSILON = 1e-5
"""torch's default, which the networks were trained with."""
LEAST_SCALE = 1e-6
"""A content dimension that never varies is left at zero rather than divided by nothing."""


def _complete(vectors: Floats) -> NDArray[np.bool_]:
    """Which of the (n, dim) vectors hold numbers throughout."""
    return np.isfinite(vectors).sum(axis=1) == vectors.shape[1]


@dataclass(frozen=True, slots=True)
class Standardisation:
    """Mean and scale (dim,) that bring content vectors to zero mean and unit variance, as of the training."""

    mean: Floats
    scale: Floats

    @staticmethod
    def of(vectors: Floats) -> "Standardisation":
        """From (n, dim) vectors; rows with a value that is not finite are left out. No row at all gives mean 0."""
        known = vectors[_complete(vectors)]
        if len(known) == 0:
            return Standardisation(np.zeros(vectors.shape[1], np.float32), np.ones(vectors.shape[1], np.float32))
        scale = known.std(axis=0, dtype=np.float64)
        return Standardisation(
            known.mean(axis=0, dtype=np.float64).astype(np.float32),
            np.where(scale > LEAST_SCALE, scale, 1.0).astype(np.float32),
        )

    def apply(self, vectors: Floats) -> Floats:
        """Standardise (n, dim) vectors; a row that is not finite becomes zeros, the mean track."""
        known = _complete(vectors)
        with np.errstate(invalid="ignore"):
            standard = (vectors - self.mean) / self.scale
        return np.where(known[:, None], standard, np.float32(0.0)).astype(np.float32)


class ClepScorer:
    """P(like) of every track from its content, and CLEP's embedding of it; computed once.

    Attributes:
        embedding: (n, E) float32.
        logits: (n,) float32, log odds of liking; 0 for a track without a vector, of which CLEP knows nothing.
    """

    def __init__(self, arrays: Arrays, vectors: Floats) -> None:
        """Score (n, dim) raw content vectors, NaN rows for tracks without one."""
        content = Standardisation(_array(arrays, "content.mean"), _array(arrays, "content.scale")).apply(vectors)
        self.embedding = _perceptron(arrays, "clep.embed", content)
        logits = _perceptron(arrays, "clep.head", self.embedding)[:, 0]
        self.logits: Floats = np.where(_complete(vectors), logits, np.float32(0.0))


def _array(arrays: Arrays, name: str) -> Floats:
    return np.asarray(arrays[name], dtype=np.float32)


def _perceptron(arrays: Arrays, prefix: str, x: Floats) -> Floats:
    """The layers under ``prefix`` in their order, ReLU between them."""
    layers = sorted(int(name.split(".")[-2]) for name in arrays if name.startswith(f"{prefix}.") and "weight" in name)
    for index, layer in enumerate(layers):
        x = _linear(arrays, f"{prefix}.{layer}", np.maximum(x, 0.0) if index else x)
    return x


def _linear(arrays: Arrays, name: str, x: Floats) -> Floats:
    return x @ _array(arrays, f"{name}.weight").T + _array(arrays, f"{name}.bias")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a listener did last, oldest first: (T,) track, outcome and station index of each event."""

    track: NDArray[np.int64]
    outcome: NDArray[np.int64]
    station: NDArray[np.int64]

    @staticmethod
    def of(history: EventLog, length: int) -> "Tokens":
        """The last ``length`` rows of one listener's log."""
        last = slice(max(0, len(history) - length), None)
        return Tokens(history.track[last], history.outcome[last].astype(np.int64), history.station[last])

    def __len__(self) -> int:
        return len(self.track)


class SequenceScorer:
    """The transformer's score of every track, given the listener's last events.

    Attributes:
        length: tokens it looks back.
        items: (n, d) float32 vectors of the tracks.
    """

    def __init__(
        self, arrays: Arrays, vectors: Floats, track_row: NDArray[np.int64], station_row: NDArray[np.int64], heads: int
    ) -> None:
        """Prepare all tracks' vectors.

        Args:
            arrays: the exported weights.
            vectors: (n, dim) raw content vectors, NaN rows for tracks without one.
            track_row: (n,) row of each track's own embedding, 0 for a track the training had not heard.
            station_row: (S,) row of each of the caller's stations, 0 for one the training did not know.
            heads: attention heads of the network.
        """
        content = Standardisation(_array(arrays, "content.mean"), _array(arrays, "content.scale")).apply(vectors)
        self._arrays = {name: _array(arrays, name) for name in arrays if name.startswith("sequence.")}
        self.items: Floats = content @ self._arrays["sequence.tower"] + self._arrays["sequence.own"][track_row]
        self.length = len(self._arrays["sequence.position"])
        self._station_row = station_row
        self._heads = heads
        self._blocks = 1 + max(int(name.split(".")[2]) for name in self._arrays if name.startswith("sequence.blocks."))

    def scores(self, tokens: Tokens, station: int) -> Floats:
        """Scores (n,) in logits of what comes next on ``station``; zeros without a single token."""
        taste = self.taste(tokens, station)
        return np.zeros(len(self.items), np.float32) if taste is None else self.items @ taste

    def taste(self, tokens: Tokens, station: int) -> Floats | None:
        """The (d,) taste vector after the last token, or None without a token."""
        if len(tokens) == 0:
            return None
        recent = slice(max(0, len(tokens) - self.length), None)
        track, outcome, stations = tokens.track[recent], tokens.outcome[recent], tokens.station[recent]
        x = self.items[track] * np.float32(sqrt(self.items.shape[1]))
        x = x + self._arrays["sequence.outcome"][outcome] + self._arrays["sequence.position"][: len(track)]
        x = x + self._arrays["sequence.station"][self._rows(stations)]
        for block in range(self._blocks):
            x = self._block(f"sequence.blocks.{block}", x)
        asked = self._arrays["sequence.asked"][self._rows(np.array([station]))[0]]
        return self._norm("sequence.norm", x[-1:])[0] + asked

    def _rows(self, station: NDArray[np.int64]) -> NDArray[np.int64]:
        known = (station >= 0) & (station < len(self._station_row))
        if not known.any():
            return np.zeros(len(station), np.int64)
        return np.where(known, self._station_row[np.where(known, station, 0)], 0)

    def _block(self, name: str, x: Floats) -> Floats:  # (T, d) -> (T, d)
        length, width = x.shape
        qkv = _linear(self._arrays, f"{name}.qkv", self._norm(f"{name}.norm_attention", x))
        query, key, value = qkv.reshape(length, 3, self._heads, width // self._heads).transpose(1, 2, 0, 3)
        logits = query @ key.transpose(0, 2, 1) / np.float32(sqrt(width / self._heads))  # (H, T, T)
        logits = np.where(np.tri(length, dtype=np.bool_), logits, np.float32(-np.inf))
        share = np.exp(logits - logits.max(axis=-1, keepdims=True))
        share /= share.sum(axis=-1, keepdims=True)
        x = x + _linear(self._arrays, f"{name}.out", (share @ value).transpose(1, 0, 2).reshape(length, width))
        hidden = np.maximum(_linear(self._arrays, f"{name}.up", self._norm(f"{name}.norm_mlp", x)), 0.0)
        return x + _linear(self._arrays, f"{name}.down", hidden)

    def _norm(self, name: str, x: Floats) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + np.float32(LAYER_NORM_EPSILON))
        return centred / spread * self._arrays[f"{name}.weight"] + self._arrays[f"{name}.bias"]
