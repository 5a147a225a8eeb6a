"""What a station thinks of every track, as it is served: likeness to the seeds, the trained model, the running update.

Evaluation measures this very score, so what is proved is what is heard. Without a model it is the seeds and the
running update alone, which is also what a trained model has to be worth more than.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.base import Context
from recommender.blend import Column
from recommender.events import EventLog, Outcome
from recommender.explain import Part, ScoreParts
from recommender.running import Head, fit_head
from recommender.scoring import Catalogue, ModelScorer

STATION_PULL = 3.0
"""Logits for one standard deviation of likeness to the seeds: what makes a station that station. It is no estimate of
liking and is never fitted: within a station all that was served lay near the seeds, so a fit would see no use in it.
At 3, queues of 20 from one classical track of the 240-track development library are .83 classical (chance .25;
``python -m bench station``), and five thumbs-down still turn the station."""
OTHER_STATION_SHARE = 0.1
"""How much a label from another station counts: a dislike at a party says little about the evening."""
EVERYWHERE_SHARE = 1.0
"""How much a thumb counts that was given on no station, in a survey say: it is meant everywhere."""
HALF_LIFE = 100.0
"""After so many further labels that count here, a label counts half: taste changes, and a mood does. Labels are counted, not
days, so that a station rested for a month is as it was."""
HEAD_ROWS = 1000
"""The newest labels that the running update looks at; a fit takes about a millisecond."""
PARTS = (Part.SEED, Part.HEAD, Part.CLEP, Part.SEQUENCE, Part.REPETITION)
PART_OF = {
    Column.SEED: Part.SEED,
    Column.CLEP: Part.CLEP,
    Column.SEQUENCE: Part.SEQUENCE,
    Column.LIKING: Part.REPETITION,
    Column.HEARD: Part.REPETITION,
    Column.REST: Part.REPETITION,
    Column.PLAYS: Part.REPETITION,
}
UNTRAINED = "untrained"


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
    """

    total: NDArray[np.float64]
    parts: ScoreParts
    head: Head
    labels: HeadLabels


class LiveScorer:
    """Scores every track for a station in the state after a history.

    The running update is fitted to *all* recent labels with the model's score as its offset: what the model already
    explains leaves it nothing to do, what the model gets wrong or has not seen it puts right.

    Args:
        catalogue: tracks, stations, vectors and their content space.
        model: the trained model over that catalogue, if any.
    """

    def __init__(self, catalogue: Catalogue, model: ModelScorer | None) -> None:
        self.catalogue = catalogue
        self.model = model
        self._last_head: Head | None = None

    def scores(self, history: EventLog, station: int, now: float) -> LiveScores:
        """Score every track.

        Args:
            history: the listener's rows before ``now``.
            station: index of the station the next track is for.
            now: seconds, on the log's clock.
        """
        vectors = self.catalogue.space.vectors
        logits = np.zeros((len(PARTS), len(vectors)), np.float64)
        logits[PARTS.index(Part.SEED)] = STATION_PULL * self.catalogue.similarity(station)
        if self.model is not None:
            contributions = self.model.model.card.blend.contributions(self.model.columns(history, station, now))
            for column in Column:
                logits[PARTS.index(PART_OF[column])] += contributions[:, column]
        labels = head_labels(history, station, self.catalogue.everywhere)
        head = fit_head(
            vectors[labels.track], labels.label, labels.weight, _offset(logits, labels), start=self._last_head
        )
        self._last_head = head
        logits[PARTS.index(Part.HEAD)] = head.contribution(vectors)
        return LiveScores(logits.sum(axis=0), ScoreParts(PARTS, logits), head, labels)


def head_labels(history: EventLog, station: int, everywhere: int | None = None) -> HeadLabels:
    """The newest labels of a history, fading with age; those of other stations at ``OTHER_STATION_SHARE`` of their weight.

    Args:
        history: the listener's rows.
        station: index of the station to score for.
        everywhere: index that stands for no station: thumbs given there, and bans given anywhere, count as here.
    """
    rows = np.flatnonzero(history.label)[-HEAD_ROWS:]
    nowhere = np.zeros(len(rows), np.bool_) if everywhere is None else history.station[rows] == everywhere
    # A skip outside any station was still a skip in some mood; only what was said outright is meant of all.
    meant_everywhere = nowhere & history.explicit[rows]
    here = (history.station[rows] == station) | (history.outcome[rows] == Outcome.NEVER)
    share = np.where(here, 1.0, np.where(meant_everywhere, EVERYWHERE_SHARE, OTHER_STATION_SHARE))
    return HeadLabels(
        track=history.track[rows],
        label=history.label[rows],
        weight=history.weight[rows].astype(np.float64) * share * _fading(share),
        outcome=history.outcome[rows],
        everywhere=meant_everywhere,
    )


def _fading(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m,) factor of each label for its age: how much was said here since, ``share`` (m,) of it in time order."""
    since = np.cumsum(share[::-1])[::-1] - share
    return 0.5 ** (since / HALF_LIFE)


def _offset(logits: NDArray[np.float64], labels: HeadLabels) -> NDArray[np.float64]:
    """(m,) what the labels' tracks had without the head, from the parts (parts, n).

    A thumb meant everywhere was not given among this station's tracks, so its seeds explain nothing of it: with them, a
    liked track far from the seeds would seem liked against all odds, and pull the station away from them.
    """
    offset = logits.sum(axis=0)[labels.track]
    return offset - np.where(labels.everywhere, logits[PARTS.index(Part.SEED), labels.track], 0.0)


class AsServed:
    """A :class:`recommender.baselines.Recommender` that ranks as the player does, with a trained model or without."""

    def __init__(self, catalogue: Catalogue, model: ModelScorer | None, name: str) -> None:
        self._scorer = LiveScorer(catalogue, model)
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
