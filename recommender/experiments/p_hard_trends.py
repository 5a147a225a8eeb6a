"""The curves over ``p_hard``, and which trends of Mei et al. 2024, section 5, they show: each by a fixed rule.

A difference counts when its interval over listeners excludes zero; epochs differ when their intervals over seeds are apart.
Where the run lacks a value that a rule needs, the rule is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from recommender.training.sequential_recommender import name_of

EPOCHS = "epochs"
PLATEAU_FROM = 0.3
PLATEAU_WIDTH = 0.01
"""How much pair AUC may still change from .3 on to be called flat."""
DIVERSE_FROM, DIVERSE_TO = 0.2, 0.6
SHIPPED = 0.4
SAVED_EPOCHS = 0.3
"""The paper: 30 % fewer epochs at .4."""
SHIFT = 0.01
"""Share of the catalogue by which the most popular tenth has to move to count as having moved."""


@dataclass(frozen=True, slots=True)
class PHardRow:
    """One figure for one value of ``p_hard``."""

    p_hard: float
    metric: str
    mean: float
    low: float | None
    high: float | None
    seeds: int


@dataclass(frozen=True, slots=True)
class PHardDifference:
    """How far one value is ahead of another model on the same listeners."""

    p_hard: float
    rival: str
    metric: str
    mean: float
    low: float | None
    high: float | None
    probability_better: float | None


@dataclass(frozen=True, slots=True)
class PopularityRow:
    """A tenth of the catalogue by popularity, 1 the least popular: mean place in rankings, share of the lists of ten."""

    model: str
    p_hard: float | None
    tenth: int
    place: float
    listed: float


class TrendVerdict(StrEnum):
    """What a rule says."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Trend:
    """One claim of the paper, what came of it here, and the figures it rests on."""

    claim: str
    verdict: TrendVerdict
    evidence: str


@dataclass(frozen=True, slots=True)
class _Figures:
    """Means by value, and differences to the lowest value."""

    lowest: float
    means: Mapping[str, Mapping[float, float]]
    gaps: Mapping[tuple[str, float], PHardDifference]
    popular: Mapping[float, float]
    epochs: Mapping[float, tuple[float, tuple[float, float] | None]]
    """Mean and, with several seeds, its interval."""

    def of(self, metric: str) -> Mapping[float, float]:
        return self.means.get(metric, {})

    def above(self, metric: str) -> list[PHardDifference]:
        """Differences of all values above the lowest, rising."""
        return [row for (name, _), row in sorted(self.gaps.items()) if name == metric]


def trends_of(
    results: Sequence[PHardRow], differences: Sequence[PHardDifference], popularity: Sequence[PopularityRow]
) -> list[Trend]:
    """The paper's claims, judged; empty without a training at p_hard = 0 and one above it."""
    values = sorted({row.p_hard for row in results})
    if len(values) < 2 or values[0] != 0.0:  # noqa: PLR2004 - two points make a curve
        return []
    means: dict[str, dict[float, float]] = {}
    for row in results:
        means.setdefault(row.metric, {})[row.p_hard] = row.mean
    gaps = {(row.metric, row.p_hard): row for row in differences if row.rival == name_of(0.0)}
    last = max((row.tenth for row in popularity), default=0)
    popular = {row.p_hard: row.place for row in popularity if row.tenth == last and row.p_hard is not None}
    epochs = {
        row.p_hard: (row.mean, None if row.low is None or row.high is None else (row.low, row.high))
        for row in results
        if row.metric == EPOCHS
    }
    figures = _Figures(values[0], means, gaps, popular, epochs)
    rules: list[Callable[[_Figures], Trend | None]] = [_accuracy, _plateau, _diversity, _ranks, _epochs, _popular]
    return [trend for rule in rules if (trend := rule(figures)) is not None]


def _accuracy(figures: _Figures) -> Trend | None:
    rows = figures.above("auc")
    if not rows:
        return None
    sure = [row for row in rows if row.low is not None and row.low > 0.0]
    against = [row for row in rows if row.high is not None and row.high < 0.0]
    verdict = (
        TrendVerdict.HOLDS if len(sure) == len(rows) else TrendVerdict.FAILS if against else TrendVerdict.UNDECIDED
    )
    shown = ", ".join(f"{row.p_hard:g}: {row.mean:+.3f}" for row in rows)
    return Trend(
        "Pair AUC is higher for every p_hard above 0 than for 0.",
        verdict,
        f"gain over 0 at {shown}; the interval excludes 0 for {len(sure)} of {len(rows)}",
    )


def _plateau(figures: _Figures) -> Trend | None:
    late = {p: auc for p, auc in figures.of("auc").items() if p >= PLATEAU_FROM}
    if len(late) < 2:  # noqa: PLR2004 - one value is no plateau
        return None
    span = max(late.values()) - min(late.values())
    gain = max(late.values()) - figures.of("auc")[0.0]
    risen = any(row.p_hard in late and row.low is not None and row.low > 0.0 for row in figures.above("auc"))
    flat = span <= PLATEAU_WIDTH and gain > span
    verdict = TrendVerdict.UNDECIDED if not risen else TrendVerdict.HOLDS if flat else TrendVerdict.FAILS
    return Trend(
        f"Having risen, pair AUC is flat from about {PLATEAU_FROM:g} on.",
        verdict,
        f"it spans {span:.3f} over {', '.join(f'{p:g}' for p in late)} (flat: at most {PLATEAU_WIDTH:g}, less than the gain)",
    )


def _diversity(figures: _Figures) -> Trend | None:
    gini = figures.of("gini")
    if not any(DIVERSE_FROM <= p <= DIVERSE_TO for p in gini) or max(gini) <= DIVERSE_TO:
        return None
    best = min(gini, key=lambda p: gini[p])
    row = figures.gaps.get(("gini", best))
    inside = DIVERSE_FROM <= best <= DIVERSE_TO
    sure = row is not None and row.high is not None and row.high < 0.0
    verdict = TrendVerdict.FAILS if not inside else TrendVerdict.HOLDS if sure else TrendVerdict.UNDECIDED
    shown = ", ".join(f"{p:g}: {value:.4f}" for p, value in gini.items())
    return Trend(
        f"Gini is lowest (recommendations most diverse) between {DIVERSE_FROM:g} and {DIVERSE_TO:g}.",
        verdict,
        f"lowest at {best:g}; {shown}",
    )


def _ranks(figures: _Figures) -> Trend | None:
    plus, minus = figures.of("mrr_positive"), figures.of("mrr_negative")
    if not plus or not minus or not plus[0.0] or not minus[0.0]:
        return None
    last = max(plus)
    fall = {"+": 1.0 - plus[last] / plus[0.0], "-": 1.0 - minus[last] / minus[0.0]}
    both, more = min(fall.values()) > 0.0, fall["-"] > fall["+"]
    return Trend(
        "Liked and disliked targets both rank lower with a higher p_hard, disliked ones more so.",
        TrendVerdict.HOLDS if both and more else TrendVerdict.FAILS,
        f"from 0 to {last:g}, MRR of liked {plus[0.0]:.4f} to {plus[last]:.4f} ({-fall['+']:+.0%}), "
        f"of disliked {minus[0.0]:.4f} to {minus[last]:.4f} ({-fall['-']:+.0%})",
    )


def _epochs(figures: _Figures) -> Trend | None:
    epochs = figures.of(EPOCHS)
    if 0.0 not in epochs or SHIPPED not in epochs:
        return None
    (_, none), (_, shipped) = figures.epochs[0.0], figures.epochs[SHIPPED]
    change = epochs[SHIPPED] / epochs[0.0] - 1.0
    verdict = TrendVerdict.UNDECIDED
    if none is not None and shipped is not None and (none[0] > shipped[1] or shipped[0] > none[1]):
        verdict = TrendVerdict.HOLDS if change < 0.0 else TrendVerdict.FAILS
    return Trend(
        f"Training converges in fewer epochs at {SHIPPED:g} than at 0 (the paper: {SAVED_EPOCHS:.0%} fewer).",
        verdict,
        f"{_epochs_of(figures.epochs[0.0])} at 0, {_epochs_of(figures.epochs[SHIPPED])} at {SHIPPED:g} ({change:+.0%})",
    )


def _epochs_of(found: tuple[float, tuple[float, float] | None]) -> str:
    mean, bounds = found
    return f"{mean:.1f} epochs" + ("" if bounds is None else f" ({bounds[0]:.1f} to {bounds[1]:.1f} over seeds)")


def _popular(figures: _Figures) -> Trend | None:
    if 0.0 not in figures.popular:
        return None
    last = max(figures.popular)
    shift = figures.popular[last] - figures.popular[0.0]
    verdict = TrendVerdict.HOLDS if shift > SHIFT else TrendVerdict.FAILS if shift < -SHIFT else TrendVerdict.UNDECIDED
    return Trend(
        "Popular tracks rank lower with a higher p_hard (section 6.2).",
        verdict,
        f"mean place of the most popular tenth (0 first, 1 last) {figures.popular[0.0]:.3f} at 0, "
        f"{figures.popular[last]:.3f} at {last:g}",
    )
