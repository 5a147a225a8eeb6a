"""Two ways of choosing share one queue, so that one listener compares them without knowing which is which.

Team-draft interleaving (Radlinski, Kurup and Joachims 2008) on the slots of a station: slots 2p and 2p + 1 are pair p,
and a fair coin of the pair says which arm has the first of them; the other has the second. An arm fills its slot as it
would fill any – its own scores and temperature, the rules, the variety and the noise of the slot – from what is not
taken yet. Since the coin is no function of scores or noise, and a slot's noise is met by one arm only, the draw is still
one from the softmax of that arm's utilities given the slots before: the propensity under the arm is exact.

The coin is a function of its key, like the noise: two rankings without an event between them agree on the arms too, and
a slot stays its arm's whatever happens before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.ranking.gumbel import uniform
from recommender.ranking.rank import Placer, RankedTrack, Ranking, Request, TrackTable

ARMS = 2
"""How many arms share a queue; a pair has a slot for each."""
COIN = np.zeros(1, np.int64)
"""The one thing drawn for: the coin of a pair, as ``noise.uniform`` wants its ids."""


@dataclass(frozen=True, slots=True)
class Interleaving:
    """A queue of two arms.

    Attributes:
        ranking: the rows in order; each is described by the arm that chose it.
        arms: of each row, 0 or 1; None for a pinned one, which nobody chose.
    """

    ranking: Ranking
    arms: tuple[int | None, ...]


def pair_of(slot: int) -> int:
    """The pair that an absolute slot number belongs to."""
    return slot // ARMS


def arm_of(coin_seed: int, slot: int) -> int:
    """Which arm, 0 or 1, fills an absolute slot: its pair's coin for the first of a pair, the other one for the second.

    Args:
        coin_seed: the trial's; no relation to the seed of the noise.
        slot: the absolute number of the place in the station's queue.
    """
    first = int(uniform(coin_seed, pair_of(slot), COIN)[0] < 1.0 / ARMS)
    return first if slot % ARMS == 0 else 1 - first


def interleave(
    catalogue: TrackTable, requests: tuple[Request, Request], coin_seed: int, commit_first: int = 0
) -> Interleaving:
    """Fill the places of a queue, each by the arm whose slot it is.

    Args:
        catalogue: n tracks.
        requests: what each arm ranks, and how; they differ in scores and settings only.
        coin_seed: the trial's.
        commit_first: how many of the chosen (not pinned) places get their commitment at once; others by
            ``ranking.commit`` with the arm's own request, at the moment they are served.

    Returns:
        The queue; the same for the same arguments.

    Raises:
        ValueError: the requests are about different places.
    """
    _check(requests)
    placers = tuple(Placer(catalogue, request) for request in requests)
    rows: list[RankedTrack] = []
    arms: list[int | None] = []
    for track in placers[0].admitted_pins():
        rows.append(placers[0].pin(track))
        placers[1].place(track)
        arms.append(None)
    pins = len(rows)
    while len(rows) < requests[0].places:
        arm = arm_of(coin_seed, requests[0].first_slot + len(rows))
        row = placers[arm].peek()
        if row is None:
            break
        if len(rows) - pins < commit_first:
            row = replace(row, commitment=placers[arm].commitment(row))
        for placer in placers:
            placer.place(row.track)
        rows.append(row)
        arms.append(arm)
    shortfall = placers[0].shortfall() if len(rows) < requests[0].places else None
    return Interleaving(Ranking(tuple(rows), shortfall), tuple(arms))


def _check(requests: Sequence[Request]) -> None:
    """Raise ValueError where two arms would not fill the same places from the same tracks under the same rules."""
    one, other = requests
    for name in ("recent", "pinned", "first_slot", "places", "noise_seed"):
        if getattr(one, name) != getattr(other, name):
            raise ValueError(f"both arms must be asked with the same {name}")
    if not np.array_equal(one.candidates, other.candidates):
        raise ValueError("both arms must choose from the same candidates")
    rules = zip(one.rules, other.rules, strict=False)
    if len(one.rules) != len(other.rules) or any(not np.array_equal(a.blocks, b.blocks) for a, b in rules):
        raise ValueError("both arms must obey the same rules")
