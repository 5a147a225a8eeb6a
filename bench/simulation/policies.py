"""What can choose the next track of a simulated station: the player as it is, with and without training, and yardsticks."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.simulation.listener import Listener
from bench.simulation.world import STATION, World
from recommender.baselines.counts import LikeRate, RandomOrder
from recommender.configuration import TrainingConfig
from recommender.events import EventLog, empty_log
from recommender.interfaces import Context, Recommender
from recommender.models.model_card import NO_EVIDENCE
from recommender.models.model_scorer import Catalogue, ModelScorer
from recommender.models.plain_scorers import ArtistScorer
from recommender.models.station_scorer import STATION_PULL, UNTRAINED, AsServed

RETRAIN_EVERY = 100
"""Plays between trainings; left to itself the player trains about twice as often."""
PLAYERS_OWN = TrainingConfig()
"""What ``player retrain`` trains when it is told nothing else."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a policy may be made from.

    Attributes:
        world: the tracks.
        catalogue: the tracks and the station.
        listener: who listens; only a yardstick that is told so may look inside.
        seed: the run's.
    """

    world: World
    catalogue: Catalogue
    listener: Listener
    seed: int


class Policy(Protocol):
    """Scores all tracks for the next place; rules, variety and chance are the ranking's."""

    def scores(self, history: EventLog, now: float) -> NDArray[np.floating]:
        """(n,) scores of all tracks in the state after a history."""
        ...

    def learn(self, history: EventLog, plays: int) -> None:
        """Take in that a play has ended, and whatever follows after so many."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What happened in between, a sentence each."""
        ...


MakePolicy = Callable[[Stage], Policy]


class Untaught:
    """A recommender that is asked anew in each state and never trained in between."""

    notes: tuple[str, ...] = ()

    def __init__(self, recommender: Recommender, tracks: int) -> None:
        recommender.fit(empty_log(tracks))
        self._recommender = recommender

    def scores(self, history: EventLog, now: float) -> NDArray[np.floating]:
        """As the recommender has it."""
        return self._recommender.score(Context(listener=0, station=STATION, time=now, history=history))

    def learn(self, history: EventLog, plays: int) -> None:
        """Nothing: what the recommender knows it reads from the history."""


class Fixed:
    """The same scores for ever: (n,) logits."""

    notes: tuple[str, ...] = ()

    def __init__(self, logits: NDArray[np.floating]) -> None:
        self._logits = logits

    def scores(self, history: EventLog, now: float) -> NDArray[np.floating]:  # noqa: ARG002 - whatever happened
        """The same scores."""
        return self._logits

    def learn(self, history: EventLog, plays: int) -> None:
        """Nothing."""


class Oracle:
    """The listener's own mind at the moment: what no recommender can reach."""

    notes: tuple[str, ...] = ()

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def scores(self, history: EventLog, now: float) -> NDArray[np.floating]:  # noqa: ARG002 - the mind needs no log
        """The log odds of liking each track now."""
        return self._listener.liking(now)

    def learn(self, history: EventLog, plays: int) -> None:
        """Nothing."""


class Retrained:
    """The player with its model retrained every so many plays, each new one past the promotion gate before it serves.

    Args:
        catalogue: tracks and stations.
        config: what is trained.
        every: plays between trainings.
    """

    def __init__(self, catalogue: Catalogue, config: TrainingConfig, every: int = RETRAIN_EVERY) -> None:
        self._catalogue = catalogue
        self._config = config
        self._every = every
        self._scorer: ModelScorer | None = None
        self._served = AsServed(catalogue, None, UNTRAINED)
        self._notes: list[str] = []
        self._evidence = NO_EVIDENCE

    @property
    def notes(self) -> tuple[str, ...]:
        """The verdict on each training."""
        return tuple(self._notes)

    def scores(self, history: EventLog, now: float) -> NDArray[np.floating]:
        """As served by the model that last passed the gate, or without one."""
        return self._served.score(Context(listener=0, station=STATION, time=now, history=history))

    def learn(self, history: EventLog, plays: int) -> None:
        """Retrain when it is time; a model that the gate refuses does not serve."""
        if plays % self._every:
            return
        from recommender.training.retraining import retrain  # noqa: PLC0415 - torch, which only training needs

        live = None if self._scorer is None else self._scorer.model
        result = retrain(
            history,
            self._catalogue,
            self._config,
            live,
            lambda _progress: None,
            lambda: False,
            evidence=self._evidence,
        )
        if result.model is not None:
            self._evidence = result.model.card.gate
        if result.model is not None and result.promoted:
            self._scorer = ModelScorer(result.model, self._catalogue)
            self._served = AsServed(self._catalogue, self._scorer, "model")
        verdict = "promoted" if result.promoted else "not promoted"
        self._notes.append(f"after {plays} plays {verdict}: {result.reason} {'; '.join(result.missing)}".strip())


def random_order(stage: Stage) -> Policy:
    """Chance, under the same rules."""
    return Untaught(RandomOrder(stage.seed), len(stage.world))


def content_only(stage: Stage) -> Policy:
    """Likeness in sound to one track the listener truly likes, as strong as a station's pull; it never learns."""
    return Fixed(STATION_PULL * stage.world.likeness(stage.listener.taste.liked[:1].tolist()))


def like_rate(stage: Stage) -> Policy:
    """The share of likes among each track's labels so far."""
    return Untaught(LikeRate(), len(stage.world))


def artists(stage: Stage) -> Policy:
    """The artists whose tracks were liked, and nothing else."""
    return Untaught(AsServed(stage.catalogue, None, "artists", ArtistScorer), len(stage.world))


def untrained(stage: Stage) -> Policy:
    """The player without a trained model: seeds and the running update."""
    return Untaught(AsServed(stage.catalogue, None, UNTRAINED), len(stage.world))


def oracle(stage: Stage) -> Policy:
    """The listener's own mind."""
    return Oracle(stage.listener)


def retrained(config: TrainingConfig | None = None, every: int = RETRAIN_EVERY) -> MakePolicy:
    """The player, retrained every so many plays; the seed of a training is the run's.

    Args:
        config: what is trained; the player's own when absent.
        every: plays between trainings.
    """

    def make(stage: Stage) -> Policy:
        return Retrained(stage.catalogue, replace(config or PLAYERS_OWN, seed=stage.seed), every)

    return make


POLICIES: tuple[tuple[str, MakePolicy], ...] = (
    ("random", random_order),
    ("content only", content_only),
    ("like-rate", like_rate),
    ("artists", artists),
    ("untrained player", untrained),
    ("retrained player", retrained()),
    ("oracle", oracle),
)
"""By name, from what knows nothing to what knows all."""
