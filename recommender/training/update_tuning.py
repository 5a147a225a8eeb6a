"""Tuning the running update to a listener: which forgetting and which prior would have foretold what they did next.

The whole past is walked through as it was lived: the update in the state before each label says P(like), and settings
are compared by the weighted log likelihood of the labels that came (prequential analysis, Dawid 1984). Nothing is
foretold from itself, so the settings are as honest on the rows they are chosen on as few numbers out of a short list can be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog
from recommender.models.model_scorer import Catalogue
from recommender.models.station_scorer import STATION_PULL, LiveScorer
from recommender.models.update_settings import UNTUNED, UpdateSettings

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
