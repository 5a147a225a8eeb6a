"""Tuning on the listener's past what serves beside the networks: the running update's settings, and the weights of the blend.

*The update*: which forgetting and which prior would have foretold what the listener did next. The whole past is walked through as it was lived: the
update in the state before each label says P(like), and settings are compared by the weighted log likelihood of the labels that came (prequential
analysis, Dawid 1984). Nothing is foretold from itself, so the settings are as honest on the rows they are chosen on as few numbers out of a short list can be.

*The blend*, on the validation slice, as it will be served: each labelled row is scored in the state before it, by the running update as it stood then, by the
model, and by what was heard of the track. The weights are what best foretells the rows. How loud the whole is follows from them too, within bounds that the
untrained player sets, so that variety and the pull of the seeds mean about the same with every model.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog, TimeSplit
from recommender.models.blend import PRIOR_BLEND, Blend, Component, Floats, Scale, fit_blend
from recommender.models.model_card import Model
from recommender.models.model_scorer import Catalogue, ModelScorer
from recommender.models.online_update import UNTUNED, UpdateSettings
from recommender.models.station_scorer import STATION_PULL, LiveScorer

HALF_LIVES = (100.0, 200.0)
VARIANCES = (4.0, 1.0, 0.5)
"""Few and near each other: some hundred labels cannot tell more apart, and one listener's 50 or 400 was another's bad luck
(``docs/research/simulation.md``)."""
CANDIDATES = tuple(UpdateSettings(*pair) for pair in product(HALF_LIVES, VARIANCES))
FEWEST_LABELS = 50
"""Labels before anything is tuned: the first are foretold by hardly more than the prior."""
PASSED_OVER = 20
"""Labels at the beginning that are not foretold, for that reason."""
MOST_LABELS = 400
"""Newest labels that are foretold: enough to tell the candidates apart, and a taste of long ago tells little."""
AT_ONCE = 4
"""Labels foretold in one state: the update is fitted anew after each four, which costs a quarter and loses next to nothing."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of the tuning.

    Attributes:
        settings: the best of the candidates; the untuned ones when there was too little to tell by.
        labels: how many were foretold; 0 when there were too few.
        gain: mean log likelihood of a label, weighted, less that of the untuned settings.
    """

    settings: UpdateSettings
    labels: int
    gain: float


def tune_update(
    log: EventLog,
    catalogue: Catalogue,
    on_step: Callable[[int, int], None] = lambda _step, _steps: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Tuned:
    """Choose settings by how well they would have foretold the log's newest labels.

    Args:
        log: one listener's past, none of which is measured on later.
        catalogue: its tracks and stations.
        on_step: told (states done, states in all).
        should_stop: asked in every state; what was foretold until then decides.
    """
    labelled = np.flatnonzero(log.label)
    if len(labelled) < FEWEST_LABELS:
        return Tuned(UNTUNED, 0, 0.0)
    foretold = labelled[PASSED_OVER:][-MOST_LABELS:]
    states = np.split(foretold, np.arange(AT_ONCE, len(foretold), AT_ONCE))
    scorers = [LiveScorer(catalogue, None, settings) for settings in CANDIDATES]
    likelihood = np.zeros(len(CANDIDATES))
    weight = 0.0
    for step, rows in enumerate(states):
        if should_stop():
            break
        for place, scorer in enumerate(scorers):
            likelihood[place] += log_likelihood(foretell(scorer, log, rows), log, rows)
        weight += float(log.weight[rows].sum())
        on_step(step + 1, len(states))
    if weight == 0.0:
        return Tuned(UNTUNED, 0, 0.0)
    best = int(np.argmax(likelihood))
    gain = (likelihood[best] - likelihood[CANDIDATES.index(UNTUNED)]) / weight
    return Tuned(CANDIDATES[best], len(foretold), float(gain))


def foretell(scorer: LiveScorer, log: EventLog, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """(k,) log odds of liking of the tracks of ``rows``, in the state before the first of them and of its moment."""
    before = log.first(int(np.searchsorted(log.time, log.time[rows[0]], side="left")))
    odds = np.empty(len(rows))
    for station in np.unique(log.station[rows]):
        here = log.station[rows] == station
        tracks = log.track[rows[here]]
        head, _ = scorer.update(before, int(station))
        # The update is what the pull of the seeds leaves to be explained, so the two foretell together.
        seeds = STATION_PULL * scorer.catalogue.similarity(int(station))[tracks]
        odds[here] = seeds + head.contribution(scorer.catalogue.space.vectors[tracks])
    return odds


def log_likelihood(odds: NDArray[np.float64], log: EventLog, rows: NDArray[np.int64]) -> float:
    """Weighted log likelihood of the labels of ``rows`` under these log odds (k,)."""
    return -float(log.weight[rows] @ np.logaddexp(0.0, -log.label[rows] * odds))


SCALE_STATES = 30
"""States from which spreads over the library are taken."""
MOST_ROWS = 300
"""Rows of the validation slice that are looked at, drawn at random where there are more: eight weights need no more."""
HURRIED_ROWS = 60
"""Rows when the listener asked to come to an end."""
QUIETEST, LOUDEST = 0.7, 1.0
"""Spread of the scores over the library as a share of the untrained update's. Below, variety and the seeds drown what was learned,
which in simulation cost more than a better order brought; above, the same few sounds wear."""
LEAST_SPREAD = 1e-6
"""Below this a score orders nothing."""


def fit_model_blend(
    scorer: ModelScorer,
    log: EventLog,
    split: TimeSplit,
    seed: int = 0,
    on_step: Callable[[int, int], None] = lambda _step, _steps: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Blend:
    """Fit the blend of a model that has not seen the labels of the validation slice.

    Args:
        scorer: the model over its catalogue; its card says how the running update learns, its own blend is passed over.
        log: the whole history, from which states are taken.
        split: of that history; the gate slice plays no part.
        seed: of the order in which rows are looked at.
        on_step: told (rows done, rows in all).
        should_stop: asked at every row once there are ``HURRIED_ROWS``; the blend is then fitted on what there is.

    Returns:
        The blend; the running update alone, as without a model, where the slice holds too little.
    """
    validation = split.validation
    drawn = np.random.default_rng(seed).permutation(np.flatnonzero(validation.label))[:MOST_ROWS]
    # In time order, so that what follows the history need not begin anew for every row; those looked at in a hurry first.
    rows = np.concatenate([np.sort(drawn[:HURRIED_ROWS]), np.sort(drawn[HURRIED_ROWS:])])
    states = BlendStates(scorer, log)
    columns = np.empty((len(rows), len(Component)), np.float32)
    stride = max(1, len(rows) // SCALE_STATES)
    done = 0
    for done, row in enumerate(rows, start=1):
        everything, untrained = states.columns(validation, int(row))
        columns[done - 1] = everything[validation.track[row]]
        if (done - 1) % stride == 0:
            states.keep(everything, untrained)
        on_step(done, len(rows))
        if should_stop() and done >= HURRIED_ROWS:
            break
    if done == 0:
        return PRIOR_BLEND
    rows, columns = rows[:done], columns[:done]
    blend = fit_blend(columns, validation.label[rows], validation.weight[rows], states.scale())
    return blend.louder(states.loudness(blend))


class BlendStates:
    """The states that rows are scored in, and how far scores spread over the library in some of them."""

    def __init__(self, scorer: ModelScorer, log: EventLog) -> None:
        self._scorer = scorer
        self._histories: Mapping[int, EventLog] = {
            int(who): log.where(log.listener == who) for who in np.unique(log.listener)
        }
        self._served = LiveScorer(scorer.catalogue, scorer)
        self._untrained = LiveScorer(scorer.catalogue, None)
        self._kept: list[Floats] = []
        self._spreads: list[float] = []

    def columns(self, rows: EventLog, row: int) -> tuple[Floats, NDArray[np.float64]]:
        """(n, columns) of all tracks in the state before a row, and (n,) what the untrained update says."""
        now, station = float(rows.time[row]), int(rows.station[row])
        own = self._histories[int(rows.listener[row])]
        history = own.first(int(np.searchsorted(own.time, now, side="left")))
        columns = self._served.columns(history, station, now)
        vectors = self._scorer.catalogue.space.vectors
        return columns, self._untrained.update(history, station)[0].contribution(vectors)

    def keep(self, columns: Floats, untrained: NDArray[np.float64]) -> None:
        """Take note of how scores spread in this state."""
        self._kept.append(columns)
        self._spreads.append(float(untrained.std()))

    def scale(self) -> Scale:
        """What brings the models' columns to one unit."""
        sequence = np.array([columns[:, Component.SEQUENCE] for columns in self._kept], np.float32)
        habit = np.array([columns[:, Component.HABIT] for columns in self._kept], np.float32)
        return Scale.of_models(self._scorer.clep.logits, sequence, habit)

    def loudness(self, blend: Blend) -> float:
        """What a blend's weights have to be multiplied by for its spread over the library to keep within the bounds."""
        own = float(np.mean([blend.contributions(columns).sum(axis=1).std() for columns in self._kept]))
        untrained = float(np.mean(self._spreads))
        if min(own, untrained) <= LEAST_SPREAD:
            return 1.0
        return float(np.clip(own, QUIETEST * untrained, LOUDEST * untrained)) / own


def with_blend(model: Model, blend: Blend) -> Model:
    """The same model with another blend on its card."""
    return Model(replace(model.card, blend=blend), model.arrays)
