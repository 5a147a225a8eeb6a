"""Are the propensities right? How often each place goes to each track, over noise seeds, against what was logged.

On a small station, where every pair of first and second track can be counted, for each way of measuring variety: the first
place, and the first and second together. A G-test (likelihood ratio) compares the counts with draws × propensity; a wrong
propensity of a few per cent would give p-values of 0 at this many draws.
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from recommender.ranking.rank import Request, Settings, TrackTable, commit, rank
from recommender.ranking.rules import Spacing, standing_rules
from recommender.ranking.slate_builder import Placer
from recommender.ranking.variety import Mix, Variety, aspect_of_likes

DRAWS = 100_000
TRACKS = 12
FEWEST = 5.0
"""Cells that are expected less often are counted together, as the test's distribution asks."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A G-test."""

    statistic: float
    cells: int
    p_value: float


def main(arguments: Sequence[str] = ()) -> None:
    """Print the tests."""
    parser = argparse.ArgumentParser(prog="python -m bench station propensity")
    parser.add_argument("--draws", type=int, default=DRAWS)
    draws = parser.parse_args(arguments).draws
    print(f"{draws} draws over noise seeds, {TRACKS} tracks, one of them thumbed down, artist and album spacing on")
    for variety in Variety:
        first, both = frequencies(variety, draws)
        for name, found in (("first place", first), ("first and second", both)):
            print(
                f"  {variety:<5} {name:<17} G = {found.statistic:7.1f} over {found.cells} cells, p = {found.p_value:.3f}"
            )


def station(variety: Variety) -> tuple[TrackTable, Request]:
    """A small station with everything on that moves a utility."""
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((TRACKS, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    artist = np.arange(TRACKS) // 3
    nothing = np.zeros(TRACKS, np.bool_)
    liked = aspect_of_likes(rng.integers(0, 3, TRACKS), np.array([0, 1, 4, 7]), np.ones(4))
    request = Request(
        scores=rng.standard_normal(TRACKS),
        candidates=~nothing,
        rules=standing_rules(nothing, np.arange(TRACKS) == 2, nothing),
        recent=(3, 9),
        places=2,
        settings=Settings(temperature=0.7, variety=variety, calibration=1.0, spacing=Spacing(1, 2, 1)),
        mix=None if liked is None else Mix((liked,)),
    )
    return TrackTable(np.arange(TRACKS, dtype=np.int64) + 11, vectors, artist, artist), request


def frequencies(variety: Variety, draws: int) -> tuple[Verdict, Verdict]:
    """Count what noise seeds 0…draws − 1 choose, and compare."""
    catalogue, request = station(variety)
    counts: Counter[tuple[int, int]] = Counter()
    for seed in range(draws):
        first, second = rank(catalogue, replace(request, noise_seed=seed)).tracks
        counts[first, second] += 1
    expected = _expected(catalogue, request)
    _check_a_propensity(catalogue, request, expected)
    firsts: Counter[int] = Counter()
    for (first, _), count in counts.items():
        firsts[first] += count
    shares: dict[int, float] = {}
    for (first, _), share in expected.items():
        shares[first] = shares.get(first, 0.0) + share
    return _g_test(firsts, shares, draws), _g_test(counts, expected, draws)


def _expected(catalogue: TrackTable, request: Request) -> dict[tuple[int, int], float]:
    """The logged propensities of every first and second track, multiplied."""
    found: dict[tuple[int, int], float] = {}
    entry = _kept(Placer(catalogue, request))
    for first, share in entry.items():
        for second, given in _kept(Placer(catalogue, request, queued=(first,))).items():
            found[first, second] = share * given
    return found


def _kept(placer: Placer) -> dict[int, float]:
    """What the commitment of the next place keeps, as probabilities: the whole eligible set of a small station."""
    row = placer.peek()
    if row is None:
        return {}
    made = placer.commitment(row)
    shares = np.exp(made.utilities.astype(np.float64) / made.temperature - made.log_partition)
    return dict(zip(made.tracks.tolist(), shares.tolist(), strict=True))


def _check_a_propensity(catalogue: TrackTable, request: Request, expected: dict[tuple[int, int], float]) -> None:
    """The propensity that a queue logs is the one that is counted."""
    queue = rank(catalogue, request)
    logged = [commit(catalogue, request, queue, place).propensity for place in range(2)]
    first, second = queue.tracks
    if abs(logged[0] * logged[1] - expected[first, second]) > 1e-6:
        raise AssertionError(f"logged {logged}, counted {expected[first, second]}")


def _g_test(counts: Counter[Any], expected: Mapping[Any, float], draws: int) -> Verdict:
    common = [key for key, share in expected.items() if draws * share >= FEWEST]
    observed = np.array([counts[key] for key in common] + [draws - sum(counts[key] for key in common)], np.float64)
    wanted = draws * np.array([expected[key] for key in common], np.float64)
    wanted = np.append(wanted, draws - wanted.sum())
    if wanted[-1] < FEWEST:  # too little to be a cell of its own
        observed, wanted = observed[:-1], wanted[:-1] * (observed[:-1].sum() / wanted[:-1].sum())
    tested = stats.power_divergence(observed, wanted, lambda_="log-likelihood")
    return Verdict(float(tested.statistic), len(observed), float(tested.pvalue))
