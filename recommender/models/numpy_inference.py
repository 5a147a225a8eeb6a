"""Serving in numpy alone: the trained networks' scores for all tracks in milliseconds, without torch.

Both scorers take the arrays that :mod:`recommender.models.clep` and :mod:`recommender.training.sequential` export and give what the
networks give to 1e-5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog
from recommender.models.parameter_shapes import LIKED, POOL_SCALE
from recommender.models.token_features import gap_buckets, hour_buckets, share_buckets

Floats = NDArray[np.float32]
Arrays = Mapping[str, NDArray[np.generic]]

LAYER_NORM_EPSILON = 1e-5
"""torch's default, which the networks were trained with."""
LEAST_LENGTH = 1e-12
"""What torch divides by at least when it brings a vector to length 1."""
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
    """What a listener did last, oldest first.

    Attributes:
        track, outcome, station: (T,) of each event.
        share: (T,) how much of the track was played, NaN where unknown; None: unknown throughout.
        time: (T,) seconds on the log's clock; None: unknown throughout.
    """

    track: NDArray[np.int64]
    outcome: NDArray[np.int64]
    station: NDArray[np.int64]
    share: NDArray[np.float32] | None = None
    time: NDArray[np.float64] | None = None

    @staticmethod
    def of(history: EventLog, length: int) -> "Tokens":
        """The last ``length`` rows of one listener's log."""
        last = slice(max(0, len(history) - length), None)
        return Tokens(
            history.track[last],
            history.outcome[last].astype(np.int64),
            history.station[last],
            history.share[last],
            history.time[last],
        )

    def __len__(self) -> int:
        return len(self.track)

    def last(self, length: int) -> "Tokens":
        """The newest ``length`` of them."""
        recent = slice(max(0, len(self) - length), None)
        share = None if self.share is None else self.share[recent]
        time = None if self.time is None else self.time[recent]
        return Tokens(self.track[recent], self.outcome[recent], self.station[recent], share, time)

    def buckets(self) -> dict[str, NDArray[np.int64]]:
        """Buckets (T,) of what the events say beside, by the name of their table."""
        unknown = np.zeros(len(self), np.int64)
        return {
            "share_bucket": unknown if self.share is None else share_buckets(self.share),
            "gap_bucket": unknown if self.time is None else gap_buckets(self.time),
            "hour_bucket": unknown if self.time is None else hour_buckets(self.time),
        }


class SequenceScorer:
    """The transformer's score of every track, given the listener's last events.

    What the network is made of is read off the arrays: an element that is off left none.

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
        if "sequence.unheard" in self._arrays:
            missing = np.float32(1.0) - self._arrays["sequence.shrink"][track_row, None]
            self.items += missing * self._arrays["sequence.unheard"]
        self._scored = self._targets(content, track_row)
        bias = self._arrays.get("sequence.next_bias")
        self._bias = None if bias is None else bias[track_row]
        self._odds = self._log_odds(track_row)
        self._keys = self._keys_of(track_row)
        self._places = self._places_of(track_row)
        self.length = len(self._arrays["sequence.position"])
        self._station_row = station_row
        self._heads = heads
        self._blocks = 1 + max(int(name.split(".")[2]) for name in self._arrays if name.startswith("sequence.blocks."))

    def scores(self, tokens: Tokens, station: int) -> Floats:
        """Scores (n,) in logits of what comes next on ``station``; zeros without a single token."""
        query = self.query(tokens, station)
        if query is None:
            return np.zeros(len(self.items), np.float32)
        width = self.items.shape[1]
        following = self._scored[:, :width] @ query[:width]
        if self._bias is not None:
            following += self._bias
        if self._places is not None:
            following += self._shallow(tokens.last(self.length), self._places)
        if self._odds is None:
            return following
        liking = self._scored[:, width:] @ query[width:-1] + (self._odds + query[-1])
        return following - self._arrays["sequence.appeal"] * np.logaddexp(np.float32(0.0), -liking)

    def query(self, tokens: Tokens, station: int) -> Floats | None:
        """What meets the tracks' vectors after the last token, or None without a token."""
        if len(tokens) == 0:
            return None
        recent = tokens.last(self.length)
        asked = self._arrays["sequence.asked"][self._rows(np.array([station]))[0]]
        query = self._hidden(recent) + asked
        if "sequence.log_temperature" in self._arrays:
            query = _unit(query) * np.exp(-self._arrays["sequence.log_temperature"])
        if "sequence.shallow" in self._arrays and self._keys is None:
            query = (self._arrays["sequence.order_weight"] * query).astype(np.float32)
        if "sequence.taste.own" not in self._arrays:
            return query
        liking = self._liking(recent)
        return np.concatenate([query, liking, _linear(self._arrays, "sequence.taste.level", liking)])

    def _hidden(self, recent: Tokens) -> Floats:  # (d,)
        """The transformer's output at the last token."""
        x = self.items[recent.track] * np.float32(sqrt(self.items.shape[1]))
        x = x + self._arrays["sequence.outcome"][recent.outcome] + self._arrays["sequence.position"][: len(recent)]
        x = x + self._arrays["sequence.station"][self._rows(recent.station)]
        for name, bucket in recent.buckets().items():
            if f"sequence.{name}" in self._arrays:
                x = x + self._arrays[f"sequence.{name}"][bucket]
        for block in range(self._blocks):
            x = self._block(f"sequence.blocks.{block}", x)
        hidden = self._norm("sequence.norm", x[-1:])[0]
        if self._keys is None:
            return hidden
        worth = self._arrays["sequence.worth"][recent.outcome]
        return self._arrays["sequence.order_weight"] * hidden + _pooled(worth, self._keys[recent.track])

    def _liking(self, recent: Tokens) -> Floats:  # (k,)
        """State of the liking target after the last token."""
        worth = self._arrays["sequence.taste.worth"][recent.outcome]
        vectors = self._scored[recent.track, self.items.shape[1] :]
        return _pooled(worth, vectors)

    def _shallow(self, recent: Tokens, places: NDArray[np.int64]) -> Floats:  # (n,)
        """What the tracks liked lately, each once, say of every track."""
        liked = np.unique(places[recent.track[np.isin(recent.outcome, LIKED)]])
        return self._arrays["sequence.shallow"][liked].sum(axis=0)[places]

    def _places_of(self, track_row: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Where the tracks (n,) stand in the shallow part's map, 0 for those that do not; None without one."""
        places = self._arrays.get("sequence.shallow_place")
        return None if places is None else places.astype(np.int64)[track_row]

    def _targets(self, content: Floats, track_row: NDArray[np.int64]) -> Floats:  # (n, d + k)
        """The tracks' vectors as they meet a query."""
        vectors = _unit(self.items) if "sequence.log_temperature" in self._arrays else self.items
        if "sequence.taste.own" not in self._arrays:
            return vectors
        own = self._arrays["sequence.taste.own"] * self._arrays["sequence.shrink"][:, None]
        second = content @ self._arrays["sequence.taste.tower"] + own[track_row]
        return np.concatenate([vectors, (POOL_SCALE * second).astype(np.float32)], axis=1)

    def _log_odds(self, track_row: NDArray[np.int64]) -> Floats | None:
        """Log odds of being liked that a track has whoever listens, (n,); None without a liking target."""
        quality = self._arrays.get("sequence.quality")
        return None if quality is None else (quality + self._arrays["sequence.taste.own_bias"])[track_row]

    def _keys_of(self, track_row: NDArray[np.int64]) -> Floats | None:
        """What tracks add to the sum of the history, (n, d); None without one."""
        if "sequence.key" not in self._arrays:
            return None
        shrink = self._arrays["sequence.shrink"][:, None]
        return (POOL_SCALE * shrink * self._arrays["sequence.key"]).astype(np.float32)[track_row]

    def _rows(self, station: NDArray[np.int64]) -> NDArray[np.int64]:
        known = (station >= 0) & (station < len(self._station_row))
        if not known.any():
            return np.zeros(len(station), np.int64)
        return np.where(known, self._station_row[np.where(known, station, 0)], 0)

    def _block(self, name: str, x: Floats) -> Floats:  # (T, d) -> (T, d)
        """One block, plain or gated."""
        x = x + self._gate(f"{name}.gate_attention", x, self._attend(name, self._norm(f"{name}.norm_attention", x)))
        up = _linear(self._arrays, f"{name}.up", self._norm(f"{name}.norm_mlp", x))
        if up.shape[1] == self._arrays[f"{name}.down.weight"].shape[1]:
            inner: Floats = np.maximum(up, 0.0)
        else:  # SwiGLU: a gate and a value, side by side
            switch, value = np.split(up, 2, axis=-1)
            inner = np.multiply(switch * _sigmoid(switch), value)
        return x + self._gate(f"{name}.gate_mlp", x, _linear(self._arrays, f"{name}.down", inner))

    def _gate(self, name: str, x: Floats, changed: Floats) -> Floats:  # (T, d), (T, d) -> (T, d)
        """What of a sublayer's output the residual stream lets through: all of it in a block without gates."""
        if f"{name}.weight" not in self._arrays:
            return changed
        return np.multiply(_sigmoid(_linear(self._arrays, name, x)), changed)

    def _attend(self, name: str, x: Floats) -> Floats:  # (T, d) -> (T, d)
        length, width = x.shape
        qkv = _linear(self._arrays, f"{name}.qkv", x)
        query, key, value = qkv.reshape(length, 3, self._heads, width // self._heads).transpose(1, 2, 0, 3)
        logits = query @ key.transpose(0, 2, 1) / np.float32(sqrt(width / self._heads))  # (H, T, T)
        logits = np.where(np.tri(length, dtype=np.bool_), logits, np.float32(-np.inf))
        share = np.exp(logits - logits.max(axis=-1, keepdims=True))
        share /= share.sum(axis=-1, keepdims=True)
        return _linear(self._arrays, f"{name}.out", (share @ value).transpose(1, 0, 2).reshape(length, width))

    def _norm(self, name: str, x: Floats) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + np.float32(LAYER_NORM_EPSILON))
        return centred / spread * self._arrays[f"{name}.weight"] + self._arrays[f"{name}.bias"]


def _unit(x: Floats) -> Floats:
    """The vectors at length 1; nearly so for one of no length, as torch has it."""
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), np.float32(LEAST_LENGTH))


def _sigmoid(x: Floats) -> Floats:
    return (0.5 + 0.5 * np.tanh(0.5 * x)).astype(np.float32)


def _pooled(worth: Floats, vectors: Floats) -> Floats:  # (T,), (T, k) -> (k,)
    """The sum of a history by the worth of its outcomes, over the root of the number of events."""
    return (worth @ vectors / sqrt(len(worth))).astype(np.float32)
