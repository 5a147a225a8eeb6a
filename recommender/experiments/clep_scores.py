"""One seed of CLEP's experiment: the paper's three variants, what stands beside them, and what each gets right."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from recommender.configuration import ClepConfig, ClepVariant
from recommender.evaluation.metrics import (
    accuracy,
    called_by_probability,
    false_positive_rate,
    pair_auc,
    precision,
    recall,
)
from recommender.experiments.clep_listeners import (
    Listener,
    Listeners,
    Parts,
    divide,
    draw_test_tracks,
    heard_tracks,
)
from recommender.experiments.records import ExperimentError
from recommender.habits.plays import each_its_own
from recommender.models.bayesian_taste import MainAxes, Opinions, SharedTaste, fit_shared
from recommender.models.clep import ClepData, ClepProblem, train_clep
from recommender.models.numpy_inference import Standardisation
from recommender.models.online_update import Prior, fit_head

Floats = NDArray[np.float64]


class ClepMetric(IntEnum):
    """The five metrics of the paper's Table 2 (Park & Lee 2022, section 4.3), by their place in an array."""

    ACCURACY = 0
    PRECISION = 1
    RECALL = 2
    AUROC = 3
    FPR = 4

    @property
    def key(self) -> str:
        """Its name in documents."""
        return self.name.lower()


def measure(probability: Floats, liked: NDArray[np.bool_]) -> Floats:
    """All metrics of one listener's test tracks.

    Args:
        probability: (T,) P(like); from .5 on a track is called liked.
        liked: (T,) bool.

    Returns:
        (5,) by :class:`ClepMetric`; NaN where undefined (precision when nothing is called liked, …).
    """
    called = called_by_probability(probability)
    figures = (
        accuracy(called, liked),
        precision(called, liked),
        recall(called, liked),
        pair_auc(probability[liked], probability[~liked]),
        false_positive_rate(called, liked),
    )
    return np.array([np.nan if figure is None else figure for figure in figures])


def measure_at_rate(score: Floats, liked: NDArray[np.bool_], rate: float) -> Floats:
    """The metrics when the threshold is moved to where the false positive rate is ``rate``.

    Between two thresholds the ROC curve is taken as a straight line, which is what choosing between them at random
    achieves (Provost & Fawcett 2001); where several thresholds have the same rate, the middle of their recalls counts.
    The threshold is found on the test tracks: this compares curves at one point, it is no prediction.

    Args:
        score: (T,) larger for what is rather liked.
        liked: (T,) bool.
        rate: false positive rate to meet, 0…1.

    Returns:
        (5,) by :class:`ClepMetric`; NaN throughout where likes or dislikes are missing.
    """
    likes, dislikes = int(liked.sum()), int((~liked).sum())
    if not likes or not dislikes or not np.isfinite(rate):
        return np.full(len(ClepMetric), np.nan)
    thresholds = np.unique(score)[::-1]
    false = np.array([0.0, *[(score[~liked] >= cut).mean() for cut in thresholds]])
    true = np.array([0.0, *[(score[liked] >= cut).mean() for cut in thresholds]])
    corners = np.unique(false)
    middle = np.array([(true[false == corner].min() + true[false == corner].max()) / 2.0 for corner in corners])
    hit = float(np.interp(rate, corners, middle))
    called = hit * likes + rate * dislikes
    figures = np.full(len(ClepMetric), np.nan)
    figures[ClepMetric.ACCURACY] = (hit * likes + (1.0 - rate) * dislikes) / (likes + dislikes)
    figures[ClepMetric.PRECISION] = hit * likes / called if called > 0 else np.nan
    figures[ClepMetric.RECALL] = hit
    figures[ClepMetric.AUROC] = pair_auc(score[liked], score[~liked]) or 0.0
    figures[ClepMetric.FPR] = rate
    return figures


ENSEMBLE = 5
"""Networks of the ensemble, each from its own seed."""
LIKE_RATE_PRIOR = 2.0
"""Opinions' worth of everybody's rate that a track's own rate starts from."""
ALONE_PRIOR = Prior()
"""Of a listener's logistic regression that knows nobody else."""


class ClepModel(StrEnum):
    """What is measured."""

    PN = "pn"
    P = "p"
    N = "n"
    PN_MATCHED = "pn-fpr-matched"
    P_MATCHED = "p-fpr-matched"
    N_MATCHED = "n-fpr-matched"
    """A variant's ranking, cut where its false positive rate is that of N: is N better, or only more pessimistic?"""
    MAJORITY = "majority"
    """Whichever of like and dislike the listener said more often, always."""
    LIKE_RATE = "like-rate"
    """How many of the other listeners like the track. It alone knows what others say of the test tracks."""
    LOGISTIC = "logistic"
    """Bayesian logistic regression on the listener's own opinions."""
    SHARED = "shared"
    """One logistic regression on everybody's opinions, the same for all."""
    BEST = "best"
    """The shared head and the listener's own on top (:mod:`recommender.models.bayesian_taste`)."""
    ENSEMBLE = "pn-ensemble"
    """The mean of several PN networks' logits."""
    BEST_AND_ENSEMBLE = "best + pn-ensemble"
    """The sum of best's logit and the ensemble's."""


VARIANTS = {ClepModel.PN: ClepVariant.PN, ClepModel.P: ClepVariant.P, ClepModel.N: ClepVariant.N}
MATCHED = {ClepModel.PN_MATCHED: ClepModel.PN, ClepModel.P_MATCHED: ClepModel.P, ClepModel.N_MATCHED: ClepModel.N}
ABLATION = (ClepModel.ENSEMBLE, ClepModel.BEST_AND_ENSEMBLE)
"""Measured only when asked for: they take five times as long."""


@dataclass(frozen=True, slots=True)
class Sounds:
    """The tracks.

    Attributes:
        content: (n, dim) float32 content vectors, NaN rows where unknown.
        artist: (n,) int64 indices from 0; a track without one is its own.
    """

    content: NDArray[np.float32]
    artist: NDArray[np.int64]

    @staticmethod
    def of(content: NDArray[np.float32], artist: NDArray[np.int64] | None) -> "Sounds":
        """The tracks of a data set, whose artists are below 0 where unknown, or None."""
        return Sounds(content, each_its_own(artist, len(content)))

    @property
    def heard(self) -> NDArray[np.bool_]:
        """(n,) whose vector is known."""
        return heard_tracks(self.content)


def rows(*, ablation: bool) -> tuple[ClepModel, ...]:
    """What is measured, in order."""
    return tuple(row for row in ClepModel if ablation or row not in ABLATION)


def measure_seed(
    listeners: Listeners, sounds: Sounds, seed: int, *, ablation: bool, on_epoch: Callable[[int, int], None]
) -> Floats:
    """Divide the tracks, train everything, and measure it on the test tracks.

    Args:
        listeners: the chosen are measured, everybody is learned from.
        sounds: the tracks.
        seed: of the division, the initial weights and the batches.
        ablation: whether the rows of ``ABLATION`` are measured too.
        on_epoch: told how far the networks' training is.

    Returns:
        (rows, chosen, 5) by :func:`rows` and :class:`ClepMetric`; NaN for a listener
        whose training part lacks likes or dislikes under this seed, and where a metric is undefined.
    """
    fold = _Fold.drawn(listeners, sounds, seed)
    probabilities = dict(fold.networks(ablation=ablation, on_epoch=on_epoch))
    probabilities |= dict(fold.beside(listeners, sounds))
    if ablation:
        together = zip(probabilities[ClepModel.BEST], probabilities[ClepModel.ENSEMBLE], strict=True)
        probabilities[ClepModel.BEST_AND_ENSEMBLE] = [_sigmoid(_logit(one) + _logit(other)) for one, other in together]
    wanted = rows(ablation=ablation)
    values = np.full((len(wanted), len(listeners.chosen), len(ClepMetric)), np.nan)
    for place, person in enumerate(fold.people):
        for index, row in enumerate(wanted):
            values[index, person.index] = _figures(probabilities, place, person.liked, row)
    return values


def _figures(
    probabilities: Mapping[ClepModel, Sequence[Floats]], place: int, liked: NDArray[np.bool_], row: ClepModel
) -> Floats:
    if row not in MATCHED:
        return measure(probabilities[row][place], liked)
    rate = float(measure(probabilities[ClepModel.N][place], liked)[ClepMetric.FPR])
    return measure_at_rate(probabilities[MATCHED[row]][place], liked, rate)


@dataclass(frozen=True, slots=True)
class _Person:
    """A chosen listener under one seed."""

    index: int
    listener: Listener
    parts: Parts

    @property
    def tested(self) -> NDArray[np.int64]:
        return self.listener.track[self.parts.test]

    @property
    def liked(self) -> NDArray[np.bool_]:
        return self.listener.liked[self.parts.test]

    def songs(self, content: NDArray[np.float32], places: NDArray[np.int64]) -> ClepData:
        return ClepData(content[self.listener.track[places]], self.listener.liked[places])

    def past(self, content: NDArray[np.float32]) -> Opinions:
        return _opinions(self.listener, content, self.parts.past)


def _opinions(listener: Listener, content: NDArray[np.float32], places: NDArray[np.int64]) -> Opinions:
    return Opinions(content[listener.track[places]], listener.liked[places], listener.weight[places])


@dataclass(frozen=True, slots=True)
class _Fold:
    """The tracks divided for one seed, ``content`` standardised by those that are not tested."""

    content: NDArray[np.float32]
    test: NDArray[np.bool_]
    people: tuple[_Person, ...]
    seeds: tuple[int, ...]
    """Of each person's networks, the same for all variants."""

    @staticmethod
    def drawn(listeners: Listeners, sounds: Sounds, seed: int) -> "_Fold":
        rng = np.random.default_rng(seed)
        test = draw_test_tracks(sounds.heard, sounds.artist, rng)
        if not (sounds.heard & ~test).any():
            raise ExperimentError(
                "All tracks that were heard are by one artist; music of more is needed to learn and to test on."
            )
        divided = [(index, each, divide(each, test, rng)) for index, each in enumerate(listeners.chosen)]
        return _Fold(
            content=Standardisation.of(sounds.content[~test]).apply(sounds.content),
            test=test,
            people=tuple(_Person(index, each, parts) for index, each, parts in divided if parts is not None),
            seeds=tuple(rng.integers(2**31, size=len(listeners.chosen)).tolist()),
        )

    def problem(self, person: _Person, variant: ClepVariant, repetition: int = 0) -> ClepProblem:
        return ClepProblem(
            person.songs(self.content, person.parts.train),
            person.songs(self.content, person.parts.validation),
            variant,
            self.seeds[person.index] + repetition,
        )

    def networks(
        self, *, ablation: bool, on_epoch: Callable[[int, int], None]
    ) -> Iterator[tuple[ClepModel, list[Floats]]]:
        """P(like) of each person's test tracks by the paper's networks, trained all at once."""
        runs = [(row, 0) for row in VARIANTS]
        runs += [(ClepModel.PN, repetition) for repetition in range(1, ENSEMBLE)] if ablation else []
        if not self.people:
            yield from ((row, []) for row in (*VARIANTS, ClepModel.ENSEMBLE))
            return
        problems = [
            self.problem(person, VARIANTS[row], repetition) for row, repetition in runs for person in self.people
        ]
        stack = train_clep(
            problems,
            ClepConfig.for_dimension(self.content.shape[1]),
            lambda epoch, epochs, _loss: on_epoch(epoch, epochs),
        )
        logits = stack.logits(stack.embedding(self.content)).reshape(len(runs), len(self.people), -1)
        for place, row in enumerate(VARIANTS):
            yield row, [_sigmoid(logits[place, who][person.tested]) for who, person in enumerate(self.people)]
        mean = logits[[place for place, (row, _) in enumerate(runs) if row is ClepModel.PN]].mean(axis=0)
        yield ClepModel.ENSEMBLE, [_sigmoid(mean[who][person.tested]) for who, person in enumerate(self.people)]

    def beside(self, listeners: Listeners, sounds: Sounds) -> Iterator[tuple[ClepModel, list[Floats]]]:
        """P(like) of each person's test tracks by everything else."""
        yield ClepModel.MAJORITY, [_majority(person) for person in self.people]
        yield ClepModel.LIKE_RATE, [_like_rate(person, listeners.everybody) for person in self.people]
        axes = MainAxes.of(self.content[sounds.heard & ~self.test])
        yield ClepModel.LOGISTIC, [self._alone(person, axes) for person in self.people]
        learned = [
            _opinions(each, self.content, np.flatnonzero(~self.test[each.track])) for each in listeners.everybody
        ]
        shared = fit_shared(axes, learned)
        yield ClepModel.SHARED, [_sigmoid(shared.logits(self.content[person.tested])) for person in self.people]
        yield ClepModel.BEST, [self._best(person, shared) for person in self.people]

    def _alone(self, person: _Person, axes: MainAxes) -> Floats:
        past = person.past(self.content)
        label = np.where(past.liked, 1, -1)
        head = fit_head(axes.apply(past.content), label, past.weight, np.zeros(len(past)), ALONE_PRIOR)
        return _sigmoid(head.contribution(axes.apply(self.content[person.tested])))

    def _best(self, person: _Person, shared: SharedTaste) -> Floats:
        return _sigmoid(shared.own_logits(person.past(self.content), self.content[person.tested]))


def _majority(person: _Person) -> Floats:
    liked = person.listener.liked[person.parts.past]
    return np.full(len(person.tested), float(np.count_nonzero(liked) * 2 >= len(liked)))


def _like_rate(person: _Person, everybody: Sequence[Listener]) -> Floats:
    """Share of likes among the other listeners, smoothed towards the others' rate over all tracks."""
    size = 1 + int(max(each.track.max() for each in everybody))
    likes, opinions = np.zeros(size), np.zeros(size)
    for other in everybody:
        if other.name != person.listener.name:
            likes[other.track] += other.liked
            opinions[other.track] += 1.0
    rate = (likes.sum() + 1.0) / (opinions.sum() + 2.0)
    return ((likes + LIKE_RATE_PRIOR * rate) / (opinions + LIKE_RATE_PRIOR))[person.tested]


def _sigmoid(logit: NDArray[np.floating]) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(logit.astype(np.float64), -500.0, 500.0)))


def _logit(probability: Floats) -> Floats:
    clipped = np.clip(probability, 1e-12, 1.0 - 1e-12)
    return np.log(clipped / (1.0 - clipped))


@dataclass(frozen=True, slots=True)
class Space:
    """One listener's songs in one variant's embedding: (m, E), and (m,) bool whether liked, and whether tested on."""

    row: ClepModel
    embedding: NDArray[np.float32]
    liked: NDArray[np.bool_]
    tested: NDArray[np.bool_]


def embedding_spaces(listeners: Listeners, sounds: Sounds, seed: int) -> tuple[str, tuple[Space, ...]]:
    """The three spaces, as trained under ``seed``, of the listener with most opinions (the paper's Figure 3).

    Returns:
        The listener's name, and a space for each variant; no spaces where nothing could be trained for them.
    """
    fold = _Fold.drawn(listeners, sounds, seed)
    person = max(fold.people, key=lambda each: len(each.listener), default=None)
    if person is None:
        return "", ()
    problems = [fold.problem(person, variant) for variant in VARIANTS.values()]
    stack = train_clep(problems, ClepConfig.for_dimension(fold.content.shape[1]))
    embedding = stack.embedding(fold.content[person.listener.track])
    tested = np.isin(np.arange(len(person.listener)), person.parts.test)
    spaces = [Space(row, own, person.listener.liked, tested) for row, own in zip(VARIANTS, embedding, strict=True)]
    return person.listener.name, tuple(spaces)
