"""A stored model applied to the caller's catalogue: what the player ranks with, and what evaluation measures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog
from recommender.habits.plays import PlayedTracks, each_its_own
from recommender.models.blend import Component, assemble, repetition
from recommender.models.content_space import ContentSpace
from recommender.models.habit_scorer import WEIGHTS, HabitScorer
from recommender.models.model_card import FrontEndId, Model
from recommender.models.numpy_inference import ClepScorer, SequenceScorer, Tokens

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The caller's tracks and stations: what the indices of a log mean.

    Attributes:
        track_ids: (n,) int64 lasting ids of tracks 0…n-1.
        station_ids: (S,) int64 lasting ids of stations 0…S-1.
        vectors: (n, dim) float32 content vectors, NaN rows for tracks without one.
        frontend: where the vectors come from.
        seed_similarity: (S, n) float32, similarity of each track to each station's seeds, in library standard
            deviations (zeros for a station without seeds).
        space: the vectors in content space, where the running update works.
        everywhere: the index that stands for no station: what is said there is said of every one. None where a log
            has no such thing.
        artist, album: (n,) int64 indices from 0, below 0 where a track has none; None where nobody says.
    """

    track_ids: NDArray[np.int64]
    station_ids: NDArray[np.int64]
    vectors: Floats
    frontend: FrontEndId
    seed_similarity: Floats
    space: ContentSpace
    everywhere: int | None = None
    artist: NDArray[np.int64] | None = None
    album: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """Check the shapes; raises ValueError naming the one that does not fit."""
        count = len(self.track_ids)
        if self.vectors.shape != (count, self.frontend.dimension):
            raise ValueError(f"vectors have shape {self.vectors.shape} instead of {(count, self.frontend.dimension)}")
        if len(self.space) != count:
            raise ValueError(f"the content space has {len(self.space)} tracks instead of {count}")
        if self.seed_similarity.shape != (len(self.station_ids), count):
            shape = self.seed_similarity.shape
            raise ValueError(f"seed_similarity has shape {shape} instead of {(len(self.station_ids), count)}")

    @property
    def habits(self) -> PlayedTracks:
        """The tracks as the habit model knows them."""
        artist = each_its_own(self.artist, len(self.track_ids))
        return PlayedTracks(artist, each_its_own(self.album, len(self.track_ids)))

    def similarity(self, station: int) -> Floats:
        """Similarity (n,) to the station's seeds; zeros for a station that is not in the catalogue."""
        if 0 <= station < len(self.station_ids):
            return self.seed_similarity[station]
        return np.zeros(len(self.track_ids), np.float32)


def rows_of(wanted: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place from 1 of each wanted id in ``ids``, 0 for one that is not there."""
    if len(ids) == 0:
        return np.zeros(len(wanted), np.int64)
    order = np.argsort(ids, kind="stable")
    place = np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)
    return np.where(ids[order[place]] == wanted, order[place] + 1, 0).astype(np.int64)


class ModelScorer:
    """A model's view of every track, for any history; :class:`recommender.models.station_scorer.AsServed` ranks with it.

    Attributes:
        catalogue: tracks and stations.
        clep: CLEP's logits and embedding of all tracks.
        sequence: the transformer.
        habit: the listener's habits; None of a model that was trained without.
    """

    def __init__(self, model: Model, catalogue: Catalogue) -> None:
        """Prepare all tracks of the catalogue, those the model has never heard of included.

        Raises:
            ValueError: when the model was trained on other vectors than the catalogue's.
        """
        if model.card.frontend != catalogue.frontend:
            raise ValueError(f"the model was trained on {model.card.frontend}, not on {catalogue.frontend}")
        self.catalogue = catalogue
        self.model = model
        self.clep = ClepScorer(model.arrays, catalogue.vectors)
        self.sequence = SequenceScorer(
            model.arrays,
            model.card.configuration.sequential,
            catalogue.vectors,
            track_row=rows_of(catalogue.track_ids, np.asarray(model.arrays["track_ids"], np.int64)),
            station_row=rows_of(catalogue.station_ids, np.asarray(model.arrays["station_ids"], np.int64)),
        )
        trained = WEIGHTS in model.arrays
        self.habit = HabitScorer(model.arrays, catalogue.habits) if trained else None

    def columns(self, history: EventLog, station: int, now: float) -> Floats:
        """The components (n, columns) of every track's score, in the order of :class:`recommender.models.blend.Component`.

        The running update's are left at 0: :class:`recommender.models.station_scorer.LiveScorer` knows it.

        Args:
            history: the listener's rows before ``now``.
            station: index of the station the next track is for.
            now: seconds, on the log's clock.
        """
        tokens = Tokens.of(history, self.sequence.length)
        return assemble(
            seed=self.catalogue.similarity(station),
            clep=self.clep.logits,
            sequence=self.sequence.scores(tokens, station),
            repeated=repetition(history, now),
            habit=None if self.habit is None else self.habit.scores(history, now),
        )


def without_negatives(log: EventLog) -> EventLog:
    """The rows that are no negative feedback."""
    return log.where(log.label >= 0)


class WithoutNegatives(ModelScorer):
    """The control of a trial as it serves: its sequence is told of no dislike, the rest of the model is.

    What negative feedback is worth to the sequential model is the question of Mei, Bembom & Ehmann (2024); their control had
    none of it. So of the control's sequence, dislikes and skips are neither targets (``p_hard`` is 0, whose negatives are
    random tracks) nor inputs, in training (:mod:`recommender.training.trial_control`) and when it serves. All else is the
    live model's: CLEP, what the running update makes of every thumb, the rules, and the way the blend is fitted. The epoch
    at which training stops and the weights of the blend are chosen on held-out likes *and* dislikes, as they are for the
    live model: a control that was stopped or weighed worse would be a straw man.
    """

    def columns(self, history: EventLog, station: int, now: float) -> Floats:
        """As :meth:`ModelScorer.columns`, the sequence's column in the state without dislikes and skips."""
        columns = super().columns(history, station, now)
        liked = super().columns(without_negatives(history), station, now)
        columns[:, Component.SEQUENCE] = liked[:, Component.SEQUENCE]
        return columns
