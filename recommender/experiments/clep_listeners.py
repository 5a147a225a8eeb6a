"""Whose taste CLEP's experiment learns: the listeners with enough opinions, and what they and all others think.

The paper asked 24 people for 200 opinions each. Elsewhere a listener is whoever the data set names; one person's own log
is taken apart into stations or, where too few of them have enough opinions, into blocks of whole listening sessions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.datasets.dataset import Dataset
from recommender.evaluation.bootstrap import SESSION_GAP
from recommender.evaluation.statistics import FEWEST_BLOCKS
from recommender.events import EventLog
from recommender.experiments.records import ExperimentError
from recommender.sequence.negatives import standing_labels

FEWEST_OF_EACH = 8
"""Likes and dislikes that a listener needs: with a quarter held out, two of each are left to test on."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One listener's opinions, one a track.

    Attributes:
        name: as figures call it.
        track: (m,) int64 indices of tracks whose sound is known.
        liked: (m,) bool.
        weight: (m,) float32 in 0…1, how strongly each is meant.
    """

    name: str
    track: NDArray[np.int64]
    liked: NDArray[np.bool_]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.track)

    @property
    def fewer(self) -> int:
        """The smaller of the counts of likes and dislikes."""
        likes = int(np.count_nonzero(self.liked))
        return min(likes, len(self) - likes)


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is measured, and who else said something.

    Attributes:
        chosen: have at least the asked number of likes and of dislikes.
        everybody: with any opinion about a track whose sound is known, the chosen included.
        unit: what a listener is here, in a sentence.
    """

    chosen: tuple[Listener, ...]
    everybody: tuple[Listener, ...]
    unit: str


def find_listeners(dataset: Dataset, fewest: int = FEWEST_OF_EACH) -> Listeners:
    """The listeners of a data set with content vectors.

    Args:
        dataset: with ``content``.
        fewest: likes, and dislikes, that a listener needs to be measured.

    Raises:
        ExperimentError: there is no content, or nobody has enough opinions.
    """
    if dataset.content is None:
        raise ExperimentError(
            f"{dataset.name} says nothing about how its tracks sound; name the audio with --music DIR --index CSV."
        )
    heard = heard_tracks(dataset.content)
    log = dataset.log.where(heard[dataset.log.track])
    found = _units(dataset, log, fewest)
    if not found.chosen:
        raise ExperimentError(
            f"Nobody in {dataset.name} has {fewest} likes and {fewest} dislikes about tracks whose sound is known; "
            f"ask for fewer with --least, or embed more tracks."
        )
    return found


def heard_tracks(content: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) which of the (n, dim) content vectors are known."""
    return np.isfinite(content).sum(axis=1) == content.shape[1]


def _units(dataset: Dataset, log: EventLog, fewest: int) -> Listeners:
    """Listeners; for a single one stations, and sessions where these are too few."""
    if len(np.unique(log.listener)) > 1:
        names = [str(name) for name in dataset.listeners]
        return _of(log, log.listener, dataset, fewest, names, "A listener is whom the data set calls one.")
    stations = _of(log, log.station, dataset, fewest, None, "There is one listener: each station counts as one.")
    if len(stations.chosen) >= FEWEST_BLOCKS:
        return stations
    blocks = _session_blocks(log, fewest)
    return _of(
        log,
        blocks,
        dataset,
        fewest,
        None,
        f"There is one listener: whole sessions in a row, until they hold {fewest} likes and {fewest} dislikes, count as one.",
    )


def _of(
    log: EventLog,
    key: NDArray[np.int64],
    dataset: Dataset,
    fewest: int,
    names: Sequence[str] | None,
    unit: str,
) -> Listeners:
    opinions = _opinions(log, key, ordered=dataset.ordered)
    everybody = tuple(
        Listener(
            name=str(one) if names is None else names[int(one)],
            track=log.track[rows],
            liked=log.label[rows] > 0,
            weight=log.weight[rows],
        )
        for one in np.unique(key[opinions]).tolist()
        if len(rows := opinions[key[opinions] == one])
    )
    return Listeners(tuple(each for each in everybody if each.fewer >= fewest), everybody, unit)


def _opinions(log: EventLog, key: NDArray[np.int64], *, ordered: bool) -> NDArray[np.int64]:
    """Rows (K,) of the opinion of each (key, track): the one that stands or, without a clock, the one not contradicted."""
    standing, _ = standing_labels(log, key)
    if ordered:
        return np.sort(standing)
    pair = key * log.tracks + log.track
    both = np.intersect1d(pair[log.label > 0], pair[log.label < 0])
    return np.sort(standing[~np.isin(pair[standing], both)])


def _session_blocks(log: EventLog, fewest: int) -> NDArray[np.int64]:
    """(N,) block of each row: sessions are joined until likes and dislikes about different tracks suffice."""
    starts = np.flatnonzero(np.diff(log.time, prepend=-np.inf) > SESSION_GAP)
    block = np.zeros(len(log), np.int64)
    current, likes, dislikes = 0, set[int](), set[int]()
    for start, end in zip(starts, np.append(starts[1:], len(log)), strict=True):
        if min(len(likes), len(dislikes)) >= fewest:
            current, likes, dislikes = current + 1, set[int](), set[int]()
        block[start:end] = current
        track, label = log.track[start:end], log.label[start:end]
        likes.update(track[label > 0].tolist())
        dislikes.update(track[label < 0].tolist())
    return block


@dataclass(frozen=True, slots=True)
class Parts:
    """One listener's opinions under one seed, as places in their arrays: learned from, stopped on, and tested on."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    @property
    def past(self) -> NDArray[np.int64]:
        """What is learned from by a model that needs no validation."""
        return np.sort(np.concatenate([self.train, self.validation]))


TEST_SHARE = 0.25
"""3:1, Park & Lee 2022, section 4.2."""
VALIDATION_SHARE = 0.2
"""Of the training part; the paper names none. Likes and dislikes are drawn apart, so that small parts have both."""


def draw_test_tracks(
    heard: NDArray[np.bool_], artist: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Whole artists until a quarter of the tracks heard is tested on, the same for all listeners, so nothing leaks between them.

    Args:
        heard: (n,) which tracks can be tested on.
        artist: (n,) indices from 0, no artist standing on both sides.
        rng: draws.

    Returns:
        (n,) which are.
    """
    known = np.flatnonzero(heard)
    order = rng.permutation(int(artist.max(initial=-1)) + 1)
    by_turn = known[np.argsort(order[artist[known]], kind="stable")]
    last = order[artist[by_turn[: round(TEST_SHARE * len(known))]]].max(initial=-1)
    return heard & (order[artist] <= last)


def divide(listener: Listener, test: NDArray[np.bool_], rng: np.random.Generator) -> Parts | None:
    """A listener's three parts, or None where the training part lacks likes or dislikes or nothing is left to test."""
    tested = test[listener.track]
    validation = np.zeros(len(listener), np.bool_)
    for kind in (True, False):
        places = rng.permutation(np.flatnonzero(~tested & (listener.liked == kind)))
        if len(places) == 0:
            return None
        validation[places[: min(round(VALIDATION_SHARE * len(places)), len(places) - 1)]] = True
    if not tested.any():
        return None
    return Parts(np.flatnonzero(~tested & ~validation), np.flatnonzero(validation), np.flatnonzero(tested))
