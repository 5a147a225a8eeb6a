"""What came of simulated runs: figures with bootstrap intervals over listeners, and paired differences of policies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bench.simulation.loop import Run
from recommender.evaluation.bootstrap import (
    RESAMPLES,
    Difference,
    Interval,
    difference_of_resamples,
    interval,
    resampled_means,
)

WINDOW = 100
"""Plays of "first" and "last": as many as the diversity figures look at."""
DISCLAIMER = "Simulation: invented listeners with a known taste. Nothing here says how much a person gains."


class Figure(StrEnum):
    """What is measured of a run; the value is its heading."""

    SATISFACTION = "satisfaction"
    """Mean true probability of liking, over all plays."""
    FIRST = "satisfaction, first plays"
    LAST = "satisfaction, last plays"
    RISE = "rise of satisfaction"
    """Last less first."""
    TASTE = "liked when fresh, last plays"
    """As satisfaction, of the same tracks without boredom, weariness and mood."""
    ACCURACY = "accuracy on unheard tracks"
    """At the last check."""
    SKIPS = "skips, last plays"
    EARLY_SKIPS = "skips within 30 s, last plays"
    GINI = "Gini over artists, last plays"
    GINI_DRIFT = "drift of Gini"
    """At the last check, less at the first that saw ``WINDOW`` plays."""
    COVERAGE = "tracks covered"
    """Share of the library played at all."""
    NEVER = "never played"
    REPEATS = "repeats, last plays"


def figures(run: Run) -> NDArray[np.float64]:
    """(figures,) of one run, in the order of :class:`Figure`; NaN for what its checks do not show."""
    last = slice(-WINDOW, None)
    first_liking, last_liking = run.liking[:WINDOW].mean(), run.liking[last].mean()
    checks = run.checks
    full = [check.diversity.gini for check in checks if check.plays >= WINDOW]
    end = checks[-1].diversity if checks else None
    values: dict[Figure, float] = {
        Figure.SATISFACTION: run.liking.mean(),
        Figure.FIRST: first_liking,
        Figure.LAST: last_liking,
        Figure.RISE: last_liking - first_liking,
        Figure.TASTE: run.taste[last].mean(),
        Figure.ACCURACY: checks[-1].accuracy if checks else np.nan,
        Figure.SKIPS: run.skipped[last].mean(),
        Figure.EARLY_SKIPS: run.early[last].mean(),
        Figure.GINI: end.gini if end else np.nan,
        Figure.GINI_DRIFT: full[-1] - full[0] if full else np.nan,
        Figure.COVERAGE: 1.0 - end.never_played if end else np.nan,
        Figure.NEVER: end.never_played if end else np.nan,
        Figure.REPEATS: end.repeat_rate if end else np.nan,
    }
    return np.array([values[figure] for figure in Figure], np.float64)


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of several policies over the same listeners.

    Attributes:
        policies: their names.
        values: (policies, listeners, figures).
    """

    policies: tuple[str, ...]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, runs: Mapping[str, Sequence[Run]]) -> "Summary":
        """Summarise runs: for each policy one run a listener, the listeners in the same order.

        Raises:
            ValueError: the policies have different numbers of listeners, or there are none.
        """
        if len({len(own) for own in runs.values()}) != 1:
            raise ValueError("every policy needs one run for each of the same listeners")
        return cls(tuple(runs), np.array([[figures(run) for run in own] for own in runs.values()]))

    def figure(self, policy: str, figure: Figure) -> Interval:
        """Mean over listeners with its interval."""
        own = self._of(policy, figure)
        return interval(_mean(own), self._resampled(own))

    def difference(self, policy: str, rival: str, figure: Figure) -> Difference:
        """How far a policy lies above another for the same listeners, in the same resamples; the larger is the better."""
        own, theirs = self._of(policy, figure), self._of(rival, figure)
        return difference_of_resamples(_mean(own), _mean(theirs), self._resampled(own), self._resampled(theirs))

    def _of(self, policy: str, figure: Figure) -> NDArray[np.float64]:
        return self.values[self.policies.index(policy), :, tuple(Figure).index(figure)]

    def _resampled(self, own: NDArray[np.float64]) -> NDArray[np.float64] | None:
        if len(own) < 2:
            return None
        return resampled_means(own[:, None], RESAMPLES, seed=0)[:, 0]


@dataclass(frozen=True, slots=True)
class Recovery:
    """Satisfaction around a change of taste; each an interval over listeners.

    Attributes:
        before: in the ``WINDOW`` plays before it.
        shock: how much lower the half window after it lies than ``before``.
        regained: how much higher the run's last ``WINDOW`` plays lie than the half window after the change.
    """

    before: Interval
    shock: Interval
    regained: Interval


def recovery(runs: Sequence[Run], changed_at: int) -> Recovery:
    """How satisfaction fell and rose when the taste changed.

    Args:
        runs: one a listener.
        changed_at: the play before which it did.

    Raises:
        ValueError: there are too few plays on either side for the windows to be apart.
    """
    plays = len(runs[0].liking)
    if changed_at < WINDOW or plays - changed_at < WINDOW + WINDOW // 2:
        raise ValueError(f"needs {WINDOW} plays before the change and {WINDOW + WINDOW // 2} from it on")
    liking = np.array([run.liking for run in runs])
    before = liking[:, changed_at - WINDOW : changed_at].mean(axis=1)
    after = liking[:, changed_at : changed_at + WINDOW // 2].mean(axis=1)
    last = liking[:, -WINDOW:].mean(axis=1)
    parts = np.stack([before, before - after, last - after], axis=1)
    resampled = resampled_means(parts, RESAMPLES, seed=0) if len(runs) > 1 else None
    bounds = [
        interval(float(parts[:, part].mean()), None if resampled is None else resampled[:, part]) for part in range(3)
    ]
    return Recovery(*bounds)


def course(runs: Sequence[Run], window: int = WINDOW // 2) -> NDArray[np.float64]:
    """(windows,) mean satisfaction of all listeners, one figure for each ``window`` plays; a shorter rest is left out."""
    liking = np.array([run.liking for run in runs])
    whole = liking.shape[1] // window * window
    return liking[:, :whole].reshape(len(runs), -1, window).mean(axis=(0, 2))


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
