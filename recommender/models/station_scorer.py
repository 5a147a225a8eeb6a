"""What a station thinks of every track, as it is served: likeness to the seeds, the trained model, the running update.

Evaluation measures this very score, so what is proved is what is heard. Without a model it is the seeds and the
running update alone, which is also what a trained model has to be worth more than. A model's blend weighs the update as
one of its columns, and the model says how the update learns.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.events import THUMBS, EventLog, Outcome
from recommender.interfaces import Context
from recommender.models.blend import Component
from recommender.models.model_scorer import Catalogue, ModelScorer
from recommender.models.online_update import UNTUNED, Head, Prior, UpdateSettings, fit_head
from recommender.ranking.explain import ScorePart, ScoreParts

STATION_PULL = 3.0
"""Logits for one standard deviation of likeness to the seeds: what makes a station that station. It is no estimate of
liking and is never fitted: within a station all that was served lay near the seeds, so a fit would see no use in it.
At 3, queues of 20 from one classical track of the 240-track development library are .83 classical (chance .25;
``python -m bench station seeds``), and five thumbs-down still turn the station."""
OTHER_STATION_SHARE = 0.1
"""How much a label from another station counts: a dislike at a party says little about the evening."""
EVERYWHERE_SHARE = 1.0
"""How much a thumb counts that was given on no station, in a survey say: it is meant everywhere."""
HALF_LIFE = UNTUNED.half_life
"""Of a player that has not been trained: taste changes, and a mood does."""
HEAD_ROWS = 1000
"""The newest labels that the running update looks at; a fit takes about a millisecond."""
PARTS = (ScorePart.SEED, ScorePart.HEAD, ScorePart.CLEP, ScorePart.SEQUENCE, ScorePart.REPETITION)
PART_OF = {
    Component.SEED: ScorePart.SEED,
    Component.CLEP: ScorePart.CLEP,
    Component.SEQUENCE: ScorePart.SEQUENCE,
    Component.LIKING: ScorePart.REPETITION,
    Component.HEARD: ScorePart.REPETITION,
    Component.REST: ScorePart.REPETITION,
    Component.PLAYS: ScorePart.REPETITION,
    Component.HEAD: ScorePart.HEAD,
    Component.HABIT: ScorePart.REPETITION,
}
UNTRAINED = "untrained"


@dataclass(frozen=True, slots=True)
class Muted:
    """Reasons that a listener does not want to count on a station.

    Attributes:
        labels: tracks whose labels the running update leaves out.
        parts: parts that count 0.
    """

    labels: frozenset[int] = frozenset()
    parts: frozenset[ScorePart] = frozenset()


NOTHING_MUTED = Muted()


@dataclass(frozen=True, slots=True)
class HeadLabels:
    """The labels of the running update.

    Attributes:
        track: (m,) their tracks.
        label: (m,) +1 or -1.
        weight: (m,) 0…1.
        outcome: (m,) values of :class:`recommender.events.Outcome`.
        everywhere: (m,) bool, thumbs given on no station.
    """

    track: NDArray[np.int64]
    label: NDArray[np.int8]
    weight: NDArray[np.float64]
    outcome: NDArray[np.int8]
    everywhere: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LiveScores:
    """What a station thinks of every track.

    Attributes:
        total: (n,) logits.
        parts: the same by part; they sum to ``total``.
        head: the running update.
        labels: what it was fitted on.
        head_weight: logits of the running update's part for one logit of ``head``.
    """

    total: NDArray[np.float64]
    parts: ScoreParts
    head: Head
    labels: HeadLabels
    head_weight: float = 1.0


class LiveScorer:
    """Scores every track for a station in the state after a history.

    The running update is fitted to *all* recent labels beside the pull of the seeds. A model's blend has learned, on
    rows that neither of them had seen, what the update and the model's own parts are worth beside each other (stacking,
    Wolpert 1992); were the update fitted to what the model leaves unexplained of rows that the model was trained on, a
    model that has memorised them would leave it nothing to do.

    Args:
        catalogue: tracks, stations, vectors and their content space.
        model: the trained model over that catalogue, if any.
        settings: how the running update learns; the model's own when left out, else the untuned ones.
    """

    def __init__(self, catalogue: Catalogue, model: ModelScorer | None, settings: UpdateSettings | None = None) -> None:
        self.catalogue = catalogue
        self.model = model
        self.settings = settings or (UNTUNED if model is None else model.model.card.update)
        self._last_head: Head | None = None

    def scores(self, history: EventLog, station: int, now: float, muted: Muted = NOTHING_MUTED) -> LiveScores:
        """Score every track.

        Args:
            history: the listener's rows before ``now``.
            station: index of the station the next track is for.
            now: seconds, on the log's clock.
            muted: what is to count no more here. Where the seeds are muted the running update is fitted without them.
        """
        head, labels = self.update(history, station, muted)
        vectors = self.catalogue.space.vectors
        logits = np.zeros((len(PARTS), len(vectors)), np.float64)
        logits[PARTS.index(ScorePart.SEED)] = STATION_PULL * self.catalogue.similarity(station)
        weight = 1.0
        if self.model is not None:
            blend = self.model.model.card.blend
            weight = blend.weights[Component.HEAD]
            columns = self.model.columns(history, station, now)
            for column in Component:
                if blend.weights[column]:
                    logits[PARTS.index(PART_OF[column])] += blend.contribution(column, columns[:, column])
        logits[PARTS.index(ScorePart.HEAD)] = weight * head.contribution(vectors)
        for part in muted.parts:
            logits[PARTS.index(part)] = 0.0
        return LiveScores(logits.sum(axis=0), ScoreParts(PARTS, logits), head, labels, weight)

    def columns(self, history: EventLog, station: int, now: float) -> NDArray[np.float32]:
        """(n, columns) of :class:`recommender.models.blend.Component` of every track, the running update's among them.

        Raises:
            ValueError: there is no model, so nothing to blend.
        """
        if self.model is None:
            raise ValueError("columns are what a model's blend weighs, and there is no model")
        columns = self.model.columns(history, station, now)
        head, _ = self.update(history, station)
        columns[:, Component.HEAD] = head.contribution(self.catalogue.space.vectors)
        return columns

    def update(self, history: EventLog, station: int, muted: Muted = NOTHING_MUTED) -> tuple[Head, HeadLabels]:
        """The running update in the state after a history, and what it was fitted on."""
        labels = self.heard(history, station, muted)
        self._last_head = fit_head(
            self.catalogue.space.vectors[labels.track],
            labels.label,
            labels.weight,
            self._offset(station, labels, muted),
            Prior(weight_variance=self.settings.weight_variance),
            start=self._last_head,
        )
        return self._last_head, labels

    def heard(self, history: EventLog, station: int, muted: Muted = NOTHING_MUTED) -> HeadLabels:
        """The labels that count here, by :func:`head_labels`."""
        return head_labels(history, station, self.catalogue.everywhere, muted, self.settings.half_life)

    def _offset(self, station: int, labels: HeadLabels, muted: Muted) -> NDArray[np.float64]:
        """(m,) what the seeds say of the labels' tracks, which the update need not explain.

        A thumb meant everywhere was not given among this station's tracks, so its seeds explain nothing of it: with them,
        a liked track far from the seeds would seem liked against all odds, and pull the station away from them.
        """
        if ScorePart.SEED in muted.parts:
            return np.zeros(len(labels.track))
        seeds = STATION_PULL * self.catalogue.similarity(station)[labels.track].astype(np.float64)
        return np.where(labels.everywhere, 0.0, seeds)


def head_labels(
    history: EventLog,
    station: int,
    everywhere: int | None = None,
    muted: Muted = NOTHING_MUTED,
    half_life: float = HALF_LIFE,
) -> HeadLabels:
    """The newest labels of a history, fading with age; those of other stations at ``OTHER_STATION_SHARE`` of their weight.

    Args:
        history: the listener's rows.
        station: index of the station to score for.
        everywhere: index that stands for no station: thumbs given there, and bans given anywhere, count as here, a
            thumb only where this station has none of its own for the track.
        muted: whose labels to leave out; all of them where the running update itself is muted.
        half_life: further labels after which one counts half.
    """
    rows = _standing_labels(history, station, everywhere, muted)[-HEAD_ROWS:]
    nowhere = np.zeros(len(rows), np.bool_) if everywhere is None else history.station[rows] == everywhere
    # A skip outside any station was still a skip in some mood; only what was said outright is meant of all.
    meant_everywhere = nowhere & history.explicit[rows]
    here = (history.station[rows] == station) | (history.outcome[rows] == Outcome.NEVER)
    share = np.where(here, 1.0, np.where(meant_everywhere, EVERYWHERE_SHARE, OTHER_STATION_SHARE))
    return HeadLabels(
        track=history.track[rows],
        label=history.label[rows],
        weight=history.weight[rows].astype(np.float64) * share * _fading(share, half_life),
        outcome=history.outcome[rows],
        everywhere=meant_everywhere,
    )


def _standing_labels(history: EventLog, station: int, everywhere: int | None, muted: Muted) -> NDArray[np.int64]:
    """The labelled rows that are neither muted nor, as thumbs meant everywhere, overruled by one given here."""
    if ScorePart.HEAD in muted.parts:
        return np.empty(0, np.int64)
    rows = np.flatnonzero(history.label)
    if muted.labels:
        rows = rows[~np.isin(history.track[rows], list(muted.labels))]
    thumbs = rows[np.isin(history.outcome[rows], THUMBS)]
    general = thumbs[history.station[thumbs] == everywhere] if everywhere is not None else thumbs[:0]
    if not len(general):
        return rows
    here = history.track[thumbs[history.station[thumbs] == station]]
    return np.setdiff1d(rows, general[np.isin(history.track[general], here)], assume_unique=True)


def _fading(share: NDArray[np.float64], half_life: float) -> NDArray[np.float64]:
    """(m,) factor of each label for its age: how much was said here since, ``share`` (m,) of it in time order."""
    since = np.cumsum(share[::-1])[::-1] - share
    return 0.5 ** (since / half_life)


class AsServed:
    """A :class:`recommender.baselines.Recommender` that ranks as the player does, with a trained model or without."""

    def __init__(
        self, catalogue: Catalogue, model: ModelScorer | None, name: str, scorer: type[LiveScorer] = LiveScorer
    ) -> None:
        self._scorer = scorer(catalogue, model)
        self._name = name

    @property
    def name(self) -> str:
        """What tables call it."""
        return self._name

    def fit(self, log: EventLog) -> None:
        """Check that the log is about the catalogue; the model was trained before, the rest follows each state.

        Raises:
            ValueError: when the log's catalogue has another size.
        """
        count = len(self._scorer.catalogue.track_ids)
        if log.tracks != count:
            raise ValueError(f"the log is about {log.tracks} tracks, the catalogue has {count}")

    def score(self, context: Context) -> NDArray[np.float32]:
        """Logits (n,) as served."""
        return self._scorer.scores(context.history, context.station, context.time).total.astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """Name the part that moves the track's score most."""
        parts = self._scorer.scores(context.history, context.station, context.time).parts
        strongest = int(np.argmax(np.abs(parts.logits[:, track])))
        return f"{parts.parts[strongest]} {parts.logits[strongest, track]:+.2f}"
