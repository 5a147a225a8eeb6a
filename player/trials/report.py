"""What a trial has shown so far: figures of each arm, the sequential test, and the sentence that ends it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.feedback.event_history import EventHistory
from player.feedback.events import now_us
from player.stations.collection import Collection
from player.stations.trials import Arm, TrialInfo
from player.storage.database import Database
from player.trials.plays import TrackVerdict, TrialSlot, closed_pairs, read_slots, verdicts
from recommender.evaluation.bootstrap import FEWEST_UNITS, RESAMPLES, interval, sessions_of
from recommender.evaluation.sequential_test import (
    ALPHA,
    POWER,
    Wager,
    detectable_effect,
    log_capital,
    stopping_time,
    wager,
)
from recommender.ranking.diversity import gini
from recommender.ranking.interleaving import pair_of

Doubles = NDArray[np.float64]

SHOWN = 0.01
"""The last digit of a difference that is shown."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of an arm with its interval; no value without anything to take it from, no bounds without enough."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of the table: a measure of both arms.

    Attributes:
        key: as scripts call it.
        name: as people do.
        arms: of the first and the second arm.
        difference: first less second, over the same resamples.
    """

    key: str
    name: str
    arms: tuple[Figure, Figure]
    difference: Figure


@dataclass(frozen=True, slots=True)
class TrialReport:
    """Everything a trial has to say.

    Attributes:
        trial: which.
        station: its name.
        plays: judged plays of each arm.
        table: the figures.
        test: of the liking in each complete pair, first arm less second.
        broken: pairs of which one slot only was served and judged.
    """

    trial: TrialInfo
    station: str
    plays: tuple[int, int]
    table: tuple[Comparison, ...]
    test: Wager
    broken: int

    @property
    def sentence(self) -> str:
        """How it ended, or how it stands."""
        return self.trial.conclusion or standing_sentence(self.trial, self.test)


@dataclass(frozen=True, slots=True)
class _Tally:
    """Judged plays as columns, P of them."""

    arm: NDArray[np.int64]
    thumb: NDArray[np.int64]
    liking: Doubles
    completed: Doubles
    skipped: Doubles
    artist: NDArray[np.int64]
    """Places among the station's artists; -1 for a track that is no longer in the library."""
    artists: int

    def of(self, arm: int, weight: Doubles) -> "_Weighed":
        """One arm's plays, each as often as ``weight`` (P,) says."""
        return _Weighed(self, weight * (self.arm == arm))


@dataclass(frozen=True, slots=True)
class _Weighed:
    tally: _Tally
    weight: Doubles

    def share(self, of: Doubles) -> float:
        """The weighted mean of a column (P,); NaN without any play."""
        total = float(self.weight.sum())
        return float(self.weight @ of) / total if total else np.nan

    def plays(self) -> float:
        """How many plays."""
        return float(self.weight.sum())

    def thumbs(self) -> float:
        """How many thumbs."""
        return float(self.weight @ np.abs(self.tally.thumb))

    def thumb_up_rate(self) -> float:
        """Thumbs up of all thumbs; NaN without any."""
        up, down = (float(self.weight @ (self.tally.thumb == sign)) for sign in (1, -1))
        return up / (up + down) if up + down else np.nan

    def gini(self) -> float:
        """Of plays per artist over the station's artists, zeros included; NaN without any play."""
        known = self.tally.artist >= 0
        counts = np.bincount(self.tally.artist[known], self.weight[known], minlength=self.tally.artists)
        return gini(counts) if counts.sum() else np.nan


@dataclass(frozen=True, slots=True)
class _Measure:
    """A line of the table: how it is called, what it is, and how much it is taken from."""

    key: str
    name: str
    of: Callable[[_Weighed], float]
    support: Callable[[_Weighed], float] = _Weighed.plays


MEASURES = (
    _Measure("thumb_up_rate", "thumb-up rate", _Weighed.thumb_up_rate, _Weighed.thumbs),
    _Measure("completed", "completed plays", lambda plays: plays.share(plays.tally.completed)),
    _Measure("skipped", "skips", lambda plays: plays.share(plays.tally.skipped)),
    _Measure("gini", "Gini of artists", _Weighed.gini),
    _Measure("liking", "liking (tested)", lambda plays: plays.share(plays.tally.liking)),
)
"""The lines of the table: Mei et al. 2024, Table 2, for one person, skips and what is tested beside it."""


def report_trial(
    database: Database, trial: TrialInfo, station: str, history: EventHistory, collection: Collection
) -> TrialReport:
    """Read and measure a trial.

    Args:
        database: the listener's data.
        trial: which.
        station: its name.
        history: the whole log.
        collection: the library, for the artists.
    """
    slots, judged = read_slots(database, trial), verdicts(history.labels)
    pairs = closed_pairs(slots, history, _open_pair(trial, history))
    plays = [slot for slot in slots if slot.decision_id in judged]
    tally = _tally(plays, judged, collection)
    return TrialReport(
        trial=trial,
        station=station,
        plays=(int((tally.arm == 0).sum()), int((tally.arm == 1).sum())),
        table=_compare(tally, _units(plays), trial.id),
        test=wager(pairs.differences),
        broken=pairs.broken,
    )


def ending_of(database: Database, trial: TrialInfo, history: EventHistory) -> "Ending | None":
    """How a running trial ends, when it is time; a few milliseconds, so it is asked at every track.

    Returns:
        None while it goes on. It ends when the capital against "no difference" has reached 1 / ``ALPHA``, at its most
        pairs, or at its last moment.
    """
    differences = closed_pairs(read_slots(database, trial), history).differences[: trial.most_pairs]
    stopped = stopping_time(log_capital(differences), ALPHA) if len(differences) else None
    over = len(differences) >= trial.most_pairs or (trial.until_us is not None and now_us() >= trial.until_us)
    if stopped is None and not over:
        return None
    test = wager(differences[:stopped])
    winner = winner_of(test)
    return Ending(ending_sentence(trial, test), None if winner is None else trial.arms[winner])


@dataclass(frozen=True, slots=True)
class Ending:
    """How a trial ends: with a sentence, and the arm that won, if one did."""

    sentence: str
    winner: Arm | None


def winner_of(test: Wager) -> int | None:
    """The arm that won, 0 or 1; None where neither did."""
    if test.stopped_at is None:
        return None
    return 0 if test.mean > 0 else 1


def ending_sentence(trial: TrialInfo, test: Wager) -> str:
    """How a trial ends."""
    winner = winner_of(test)
    if winner is not None:
        low, high = (test.low, test.high) if winner == 0 else (-test.high, -test.low)
        won, lost = trial.arms[winner].name, trial.arms[1 - winner].name
        return (
            f"“{won}” won against “{lost}”: liked better by {abs(test.mean):.2f} ({low:.2f} to {high:.2f}) "
            f"over {test.pairs} pairs."
        )
    return f"No winner between {trial.words.replace(' against ', ' and ')} in {test.pairs} pairs; {_power(test)}."


def standing_sentence(trial: TrialInfo, test: Wager) -> str:
    """How a running trial stands."""
    if not test.pairs:
        return f"Trial of {trial.words}: no pair of tracks has been judged yet."
    return f"Trial of {trial.words} after {test.pairs} pairs: {standing_words(trial, test)}."


def stopped_sentence(trial: TrialInfo, test: Wager) -> str:
    """How a trial ends before its time."""
    return f"Stopped by you after {test.pairs} pairs: {standing_words(trial, test)}."


def standing_words(trial: TrialInfo, test: Wager) -> str:
    """Who leads, and what could have been seen so far."""
    leader = trial.arms[0 if test.mean >= 0 else 1].name
    lead = f"“{leader}” leads by {abs(test.mean):.2f}" if abs(test.mean) >= SHOWN / 2 else "level"
    return f"{lead}, nothing proved; {_power(test)}"


def line_of(database: Database, trial: TrialInfo, history: EventHistory) -> str:
    """One quiet line beside the queue; who leads is not told, lest the listener side with an arm."""
    differences = closed_pairs(read_slots(database, trial), history).differences
    effect = detectable_effect(differences) if len(differences) else None
    power = "" if effect is None else f", an effect of {effect:.2f} would show"
    names = " / ".join(arm.name for arm in trial.arms)
    return f"trial {names}: {len(differences)} of {trial.most_pairs} pairs{power}"


def _power(test: Wager) -> str:
    if test.detectable is None:
        return "so few would have shown no effect, however large"
    return f"an effect of {test.detectable:.2f} would have been seen {100 * POWER:.0f} % of the time"


def _open_pair(trial: TrialInfo, history: EventHistory) -> int | None:
    """The pair that the station's next slot belongs to, while the trial runs."""
    return None if trial.ended_us is not None else pair_of(history.state.slots.get(trial.station_id, 0))


def _tally(plays: Sequence[TrialSlot], judged: Mapping[int, TrackVerdict], collection: Collection) -> _Tally:
    playable = collection.playable
    codes = collection.catalogue.artist
    known = {code: place for place, code in enumerate(dict.fromkeys(codes[playable].tolist()))}
    rows = [collection.index.get(play.track_id) for play in plays]
    said = [judged[play.decision_id] for play in plays]
    artist = [-1 if row is None else known.get(int(codes[row]), -1) for row in rows]
    return _Tally(
        arm=np.array([play.arm for play in plays], np.int64),
        thumb=np.array([one.thumb for one in said], np.int64),
        liking=np.array([one.liking for one in said], np.float64),
        completed=np.array([one.completed for one in said], np.float64),
        skipped=np.array([one.skipped for one in said], np.float64),
        artist=np.array(artist, np.int64),
        artists=len(known),
    )


def _units(plays: Sequence[TrialSlot]) -> NDArray[np.int64]:
    """(P,) what is redrawn as a whole: listening sessions, or pairs where there are too few sessions."""
    by_session = sessions_of(np.array([play.time for play in plays], np.float64))
    if len(plays) and by_session.max() + 1 >= FEWEST_UNITS:
        return by_session
    pairs = np.array([play.pair for play in plays], np.int64)
    return np.unique(pairs, return_inverse=True)[1].astype(np.int64)


def _compare(tally: _Tally, units: NDArray[np.int64], seed: int) -> tuple[Comparison, ...]:
    """The table; both arms are measured in the same resamples."""
    rng = np.random.default_rng(seed)
    count = int(units.max()) + 1 if len(units) else 0
    resamples = RESAMPLES if count >= FEWEST_UNITS else 0
    weights = [rng.multinomial(count, np.full(count, 1.0 / count))[units].astype(np.float64) for _ in range(resamples)]
    whole = np.ones(len(units))
    return tuple(_line(measure, tally, whole, weights) for measure in MEASURES)


def _line(measure: _Measure, tally: _Tally, whole: Doubles, weights: Sequence[Doubles]) -> Comparison:
    """One line; an arm with a handful of thumbs (or plays) has a figure without bounds, and so has the difference."""
    arms = tally.of(0, whole), tally.of(1, whole)
    one, other = measure.of(arms[0]), measure.of(arms[1])
    drawn = np.array([[measure.of(tally.of(arm, weight)) for arm in (0, 1)] for weight in weights]).reshape(-1, 2)
    drawn[:, [measure.support(arm) < FEWEST_UNITS for arm in arms]] = np.nan
    return Comparison(
        key=measure.key,
        name=measure.name,
        arms=(_figure(one, drawn[:, 0]), _figure(other, drawn[:, 1])),
        difference=_figure(one - other, drawn[:, 0] - drawn[:, 1]),
    )


def _figure(value: float, drawn: Doubles) -> Figure:
    """A resample repeats some plays and lacks others, so it looks less diverse: the spread is kept, the bias is not."""
    if not np.isfinite(value):
        return Figure(None, None, None)
    known = drawn[np.isfinite(drawn)]
    bounds = interval(value, known + (value - known.mean()) if len(known) else None)
    return Figure(value, bounds.low, bounds.high)
