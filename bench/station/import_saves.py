"""How many plays an imported history saves: simulated listeners bring what they heard elsewhere to an untrained station.

Elsewhere they chose half of the tracks themselves and met the others by chance; a wish of that day, somebody else at the account and
a wrong match make it say less than their taste would. The station learns from it what the player learns from an
imported history: plays at half weight and told on no station, and loves as thumbs that hold everywhere. *Satisfaction* is the true
probability of liking. What is *saved* are the plays after which the same listeners on the same station, without a history, are as
satisfied as with it in the first twenty plays, and in those around the fiftieth.

Simulation says nothing of how much a person gains. Needs the development data beside the repository, which is scanned and embedded
first (a minute or two).
"""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from bench.simulation import Plan, simulate
from bench.simulation.listener import DAY, FIRST_SESSION, Listener
from bench.simulation.log import GrowingLog, rows_of
from bench.simulation.policies import MakePolicy, Policy, Stage, untrained
from bench.simulation.report import DISCLAIMER
from bench.simulation.world import NOWHERE, STATION, World, world_like
from bench.station.material import options, real_music
from player.feedback.signals import IMPORTED_WEIGHT
from player.stations.station_scoring import frontend_id
from recommender.evaluation.bootstrap import Interval, draws, interval
from recommender.events import EventLog
from recommender.interfaces import Context
from recommender.models.station_scorer import UNTRAINED, AsServed

Doubles = NDArray[np.float64]

LISTENERS = 20
TRACKS = 5000
ALONE_PLAYS = 600
"""How long the station without a history is waited for."""
WINDOW = 20
"""Plays that a satisfaction is the mean of: a session."""
LATER = 50
IMPORTED_PLAYS = LATER + WINDOW // 2
RESAMPLES = 1000
BY_HAND = 0.5
"""Share of the plays elsewhere that were chosen, a track the likelier the larger its odds of being liked."""
OTHER_WISHES = 1.0
"""Logits: standard deviation of what a day, a mood and other people at the account add to the taste."""
WRONG_MATCH = 0.01
"""Share of plays that the import takes for another track; it was .002 on a made-up history, and a real one is worse."""
YEARS = 2.0
LUCK_BEFORE = 1_000_000
"""Reactions elsewhere have numbers from here on, so that their luck is not that of the plays here."""
HISTORY_KEY = 8301


@dataclass(frozen=True, slots=True)
class History:
    """A kind of history.

    Attributes:
        plays: how many.
        loves: whether it tells what was loved and hated too, as ListenBrainz does and Spotify does not.
    """

    plays: int
    loves: bool

    def __str__(self) -> str:
        return f"{self.plays:,} plays{' and loves' if self.loves else ''}"


HISTORIES = (History(500, loves=False), History(5000, loves=False), History(500, loves=True), History(5000, loves=True))


class WithHistory:
    """The untrained player with an imported history before its own.

    Args:
        stage: what the policy is made from.
        history: (N,) rows of the import.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, stage: Stage, history: EventLog) -> None:
        self._served = AsServed(stage.catalogue, None, UNTRAINED)
        self._history = history

    def scores(self, history: EventLog, now: float) -> NDArray[np.floating]:
        """As the player serves after both."""
        both = joined(self._history, history)
        return self._served.score(Context(listener=0, station=STATION, time=now, history=both))

    def learn(self, history: EventLog, plays: int) -> None:
        """Nothing: it all is read from the history."""


def brings(history: History) -> MakePolicy:
    """The untrained player for a listener who brings such a history."""

    def make(stage: Stage) -> Policy:
        return WithHistory(stage, imported(stage.listener, len(stage.world), history, stage.seed))

    return make


def imported(listener: Listener, tracks: int, history: History, seed: int) -> EventLog:
    """What an import of a listener's history leaves in the log.

    Args:
        listener: whose taste it follows.
        tracks: size of the library.
        history: the kind.
        seed: the listener's.
    """
    rng = np.random.default_rng((seed, HISTORY_KEY))
    taste = listener.taste.logits
    odds = np.exp(taste)
    chosen = rng.choice(tracks, history.plays, p=odds / odds.sum())
    met = rng.integers(tracks, size=history.plays)
    heard = np.where(rng.random(history.plays) < BY_HAND, chosen, met)
    liking = taste[heard] + OTHER_WISHES * rng.standard_normal(history.plays)
    matched = np.where(rng.random(history.plays) < WRONG_MATCH, rng.integers(tracks, size=history.plays), heard)
    moments = np.linspace(FIRST_SESSION - YEARS * 365 * DAY, FIRST_SESSION - DAY, history.plays)
    log = GrowingLog(tracks, history.plays)
    for play, (track, moment) in enumerate(zip(matched.tolist(), moments.tolist(), strict=True)):
        reaction = listener.react(float(liking[play]), LUCK_BEFORE + play)
        log.add(track, rows_of(reaction if history.loves else replace(reaction, thumb=0), moment))
    rows = log.log()
    weight = (IMPORTED_WEIGHT * rows.weight).astype(np.float32)
    return replace(rows, station=np.full(len(rows.track), NOWHERE, np.int64), weight=weight)


def joined(first: EventLog, then: EventLog) -> EventLog:
    """Two logs of one catalogue, the one after the other."""
    later = then.columns()
    return replace(first, **{name: np.concatenate([column, later[name]]) for name, column in first.columns().items()})


@dataclass(frozen=True, slots=True)
class Saving:
    """What a history is worth, each an interval over listeners.

    Attributes:
        at_once: satisfaction of the first ``WINDOW`` plays with it, less that without it.
        saved_at_once: plays that it takes without it to be as satisfied as in these.
        saved_later: the same for the plays around the ``LATER``-th, less the plays that had been heard by then.
        most_at_once, most_later: what these are at most, where that satisfaction was not reached in all the plays simulated.
    """

    at_once: Interval
    saved_at_once: Interval
    saved_later: Interval
    most_at_once: float
    most_later: float


def saving(alone: Doubles, helped: Doubles) -> Saving:
    """What a history saves.

    Args:
        alone: (listeners, P) satisfaction of each play without a history.
        helped: (listeners, at least ``IMPORTED_PLAYS``) of the same listeners with it.
    """
    listeners = len(alone)
    everybody = np.ones((1, listeners))
    counts = np.concatenate([everybody, *draws(listeners, RESAMPLES, seed=0)])
    later = slice(LATER - WINDOW // 2, LATER + WINDOW // 2)
    levels = counts @ np.stack([helped[:, :WINDOW].mean(axis=1), helped[:, later].mean(axis=1)], axis=1) / listeners
    curves = rolling(counts @ alone / listeners)
    reached = np.array([plays_until(curve, level) for curve, level in zip(curves, levels, strict=True)], np.float64)
    reached[:, 1] -= LATER - WINDOW // 2
    ahead = levels[:, 0] - curves[:, 0]
    return Saving(
        at_once=interval(float(ahead[0]), ahead[1:]),
        saved_at_once=interval(float(reached[0, 0]), reached[1:, 0]),
        saved_later=interval(float(reached[0, 1]), reached[1:, 1]),
        most_at_once=curves.shape[1],
        most_later=curves.shape[1] - (LATER - WINDOW // 2),
    )


def rolling(values: Doubles) -> Doubles:
    """(…, P − WINDOW + 1) mean of each ``WINDOW`` plays in a row."""
    summed = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    return (summed[:, WINDOW:] - summed[:, :-WINDOW]) / WINDOW


def plays_until(curve: Doubles, levels: Doubles) -> Doubles:
    """(K,) after how many plays a curve is at each level for good: where its rising fit is (Barlow et al. 1972).

    The fit is the closest curve that never falls, so a lucky session is not taken for having learned.

    Args:
        curve: (T,) satisfaction of the window that begins after so many plays.
        levels: (K,) to reach; T where that does not happen.
    """
    rising = isotonic_regression(curve).x
    return np.searchsorted(rising, levels - 1e-9).astype(np.float64)


def main(arguments: Sequence[str] = ()) -> None:
    """Print the table."""
    parser = options("station import-saves")
    parser.add_argument("--listeners", type=int, default=LISTENERS)
    parser.add_argument("--tracks", type=int, default=TRACKS, help="of the synthetic library, made like the real one")
    parser.add_argument(
        "--seeded", action="store_true", help="on a station of one track they like, not of the whole library"
    )
    asked = parser.parse_args(arguments)
    collection = real_music(asked.data)
    if collection is None:
        return
    catalogue = collection.catalogue
    real = World.of(collection.vectors.vectors, catalogue.artist, catalogue.album, frontend_id(collection))
    world = world_like(real, asked.tracks, seed=0)
    print(DISCLAIMER)
    print(
        f"{len(world):,} synthetic tracks, {asked.listeners} listeners, a station of "
        f"{'one track they like' if asked.seeded else 'the whole library'}; 95 % intervals over listeners"
    )
    started = time.perf_counter()
    report(simulated(world, asked.listeners, seeded=asked.seeded))
    print(f"{time.perf_counter() - started:.0f} s")


def simulated(
    world: World, listeners: int, histories: Sequence[History] = HISTORIES, *, seeded: bool = False
) -> dict[str, Doubles]:
    """(listeners, plays) satisfaction without a history ("none") and with each kind, told as it goes on standard error.

    Args:
        world: the library.
        listeners: how many.
        histories: the kinds.
        seeded: whether the station has a track they like as its seed; else it is of the whole library.
    """
    arms: dict[str, tuple[MakePolicy, int]] = {"none": (untrained, ALONE_PLAYS)}
    arms |= {str(history): (brings(history), IMPORTED_PLAYS) for history in histories}
    found: dict[str, Doubles] = {}
    for name, (make, plays) in arms.items():
        plan = Plan(plays=plays, check_every=plays, seeded=seeded)
        liking: list[Doubles] = []
        for seed in range(listeners):
            liking.append(simulate(world, make, plan, seed).liking)
            print(f"  history: {name}, listener {seed + 1} of {listeners}", file=sys.stderr, flush=True)
        found[name] = np.array(liking)
    return found


def report(found: Mapping[str, Doubles]) -> None:
    """Print what each history is worth."""
    alone = found["none"]
    curve = rolling(alone.mean(axis=0, keepdims=True))[0]
    shown = " ".join(f"{curve[place]:.2f}" for place in range(0, len(curve), WINDOW))
    print(f"satisfaction without a history, mean of each {WINDOW} plays: {shown}")
    print(f"  {'history':<24}{'more in the first plays':>26}{'plays saved at once':>26}{f'saved at play {LATER}':>26}")
    for name, helped in found.items():
        if name == "none":
            continue
        worth = saving(alone, helped)
        once = _plays(worth.saved_at_once, worth.most_at_once)
        later = _plays(worth.saved_later, worth.most_later)
        print(f"  {name:<24}{_words(worth.at_once):>26}{once:>26}{later:>26}")
    print(f"  >N: not reached in the {alone.shape[1]} plays simulated without a history")


def _words(found: Interval) -> str:
    bounds = "" if found.low is None else f" ({found.low:+.3f} to {found.high:+.3f})"
    return f"{found.mean:+.3f}{bounds}"


def _plays(found: Interval, most: float) -> str:
    """Plays with their bounds; ">" where they were not enough."""

    def told(plays: float) -> str:
        return f">{plays:.0f}" if plays >= most else f"{plays:.0f}"

    if found.low is None or found.high is None:
        return told(found.mean)
    return f"{told(found.mean)} ({told(found.low)} to {told(found.high)})"
