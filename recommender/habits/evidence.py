"""How much each way a play ends foretells of the track's next hearing: what the weights of feedback rest on.

A play is followed to the track's next hearing in a later session that has a verdict and is calm, that is, not one of a run of
skips. Of that hearing the share heard out is compared with what the track's own rate before the play had made one expect.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.habits.features import INDEX, walk
from recommender.habits.measures import bounds
from recommender.habits.plays import Plays

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

RUN = 3
"""Skips in a row that make a run."""
QUICK_SECONDS = 4.0
"""A skip of a run after so little is one of somebody looking for something."""
BINS = 10
"""Groups of plays by the track's earlier rate; within each a later hearing is expected to be heard out as often."""
FEWEST = 30
"""Plays of a kind of one person from which an effect is told."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a kind of end foretells.

    Attributes:
        kind: in words.
        plays: that are followed by a calm hearing.
        people: of whom there are enough.
        effect: change of the share of next hearings heard out, mean over people; None without any.
        low, high: 95 % of it, over people where there are several, else over their plays.
        relative: the effect in units of that of a lone early skip, whose weight is 0.7.
    """

    kind: str
    plays: int
    people: int
    effect: float | None
    low: float | None
    high: float | None
    relative: float | None


REFERENCE = "skipped before half, alone"
EARLY_WEIGHT = 0.7
"""Weight of the reference in ``docs/guide/feedback.md``."""
_KINDS: Mapping[str, Callable[[Plays, Bools], Bools]] = {
    "heard out": lambda plays, _run: plays.verdict > 0,
    "cut at 80 to 95 %": lambda plays, _run: (plays.verdict <= 0) & (plays.share >= 0.8) & (plays.share < 0.95),  # noqa: PLR2004 - the kind says it
    "cut at 50 to 80 %": lambda plays, _run: (plays.verdict <= 0) & (plays.share >= 0.5) & (plays.share < 0.8),  # noqa: PLR2004
    REFERENCE: lambda plays, run: (plays.verdict < 0) & ~run,
    "alone, 3 to 25 %": lambda plays, run: (plays.verdict < 0) & ~run & (plays.share >= 0.03) & (plays.share < 0.25),  # noqa: PLR2004
    "alone, below 3 %": lambda plays, run: (plays.verdict < 0) & ~run & (plays.share < 0.03),  # noqa: PLR2004
    "one of a run of skips": lambda plays, run: (plays.verdict < 0) & run,
    "one of a run, within 4 s": lambda plays, run: (plays.verdict < 0) & run & (plays.heard < QUICK_SECONDS),
    "one of a run, later": lambda plays, run: (plays.verdict < 0) & run & (plays.heard >= QUICK_SECONDS),
}


def in_runs(plays: Plays) -> Bools:
    """(N,) skips that stand among :data:`RUN` or more in a row within a session."""
    skipped = plays.verdict < 0
    new = np.ones(len(plays), np.bool_)
    new[1:] = ~(skipped[1:] & skipped[:-1] & (plays.session[1:] == plays.session[:-1]))
    group = np.cumsum(new)
    return skipped & (np.bincount(group)[group] >= RUN)


def surprises(plays: Plays, run: Bools) -> Floats:
    """(N,) verdict of the track's next calm hearing, 1 or 0, less what was to be expected; NaN where there is none."""
    rate = walk(plays)[:, INDEX["track_alone"]]
    calm = np.flatnonzero((plays.verdict != 0) & ~run)
    following = np.full(len(plays), -1)
    upcoming: dict[int, list[int]] = {}
    for row in calm.tolist():
        upcoming.setdefault(int(plays.track[row]), []).append(row)
    for row, (track, session) in enumerate(zip(plays.track.tolist(), plays.session.tolist(), strict=True)):
        later = upcoming.get(track, [])
        while later and plays.session[later[0]] <= session:
            later.pop(0)
        following[row] = later[0] if later else -1
    known = np.flatnonzero(following >= 0)
    heard = (plays.verdict[following[known]] > 0).astype(np.float64)
    edges = np.quantile(rate[known], np.linspace(0, 1, BINS + 1)[1:-1]) if len(known) else np.empty(0)
    group = np.searchsorted(edges, rate[known])
    expected = np.bincount(group, heard, BINS) / np.maximum(1, np.bincount(group, minlength=BINS))
    out = np.full(len(plays), np.nan)
    out[known] = heard - expected[group]
    return out


def effects(people: Sequence[Plays]) -> list[Effect]:
    """The effect of every kind of end over some people's plays, each of them counting alike."""
    looked = [(plays, run, surprises(plays, run)) for plays in people for run in (in_runs(plays),)]
    found = {
        kind: [out[of(plays, run) & np.isfinite(out)] for plays, run, out in looked] for kind, of in _KINDS.items()
    }
    means = {kind: [float(own.mean()) for own in each if len(own) >= FEWEST] for kind, each in found.items()}
    unit = float(np.mean(means[REFERENCE])) if means[REFERENCE] else np.nan
    return [_effect(kind, found[kind], means[kind], unit) for kind in _KINDS]


def _effect(kind: str, of_people: Sequence[Floats], means: Sequence[float], unit: float) -> Effect:
    plays = sum(map(len, of_people))
    if not means:
        return Effect(kind, plays, 0, None, None, None, None)
    drawn = np.array(means) if len(means) > 1 else np.concatenate([own for own in of_people if len(own) >= FEWEST])
    effect = float(np.mean(means))
    relative = effect / unit if np.isfinite(unit) and unit else None
    return Effect(kind, plays, len(means), effect, *bounds(drawn, lambda rows: rows.mean(axis=1)), relative)
