"""What a policy would have earned, estimated from what another one served: off-policy evaluation.

Of each decision the log knows the probability μ(a|x) with which the track was chosen. A policy that would have chosen it
with π(a|x) is worth, per decision,

    SNIPS = Σ w·r / Σ w,   w = min(π(a|x) / μ(a|x), CAP)                         (Swaminathan & Joachims 2015)
    DR    = mean Σ_a π(a|x)·q(x, a)  +  Σ w·(r − q(x, a)) / Σ w                  (Dudík, Langford & Li 2011, self-normalised)

with q a model of the reward, here a ridge regression on the tracks' features, fitted on *other* sessions than those it
speaks about. SNIPS needs right propensities; DR is right when either they or the model are, and steadier. Weights are
capped, which draws the estimate towards the logged policy; how many were is reported. Intervals redraw whole sessions.

The states are those the logging policy led to: it is the value of letting the policy choose *one* track in each of
them, not of living with it. And where the two policies hardly agree, a few decisions carry everything: the effective
sample size (Σ w)² / Σ w² says how many, and below ``FEWEST_EFFECTIVE`` there is no verdict.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.bootstrap import FEWEST_UNITS, RESAMPLES, draws, interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CAP = 20.0
"""Largest weight of a decision: one that was twenty times as probable under the policy says enough."""
FEWEST_EFFECTIVE = 30.0
"""Effective decisions below which an estimate is no ground for a verdict."""
FOLDS = 5
RIDGE = 10.0
"""Precision of the prior on the outcome model's slopes, in decisions, for features of about unit size."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """Logged decisions with an outcome, n of them.

    Attributes:
        session: (n,) int64 what hangs together and is redrawn as a whole.
        track: (n,) int64 index of the track that was chosen.
        reward: (n,) 0…1.
        propensity: (n,) with which the logging policy chose it, above 0.
    """

    session: Ints
    track: Ints
    reward: Floats
    propensity: Floats

    def __post_init__(self) -> None:
        """Raise ValueError where columns do not belong together or hold what cannot be."""
        if not len(self.session) == len(self.track) == len(self.reward) == len(self.propensity):
            raise ValueError("the columns of the decisions must be equally long")
        if len(self) and not (self.propensity.min() > 0.0 and self.propensity.max() <= 1.0 + 1e-6):
            raise ValueError("propensities must lie above 0 and not above 1")
        if len(self) and not (self.reward.min() >= 0.0 and self.reward.max() <= 1.0):
            raise ValueError("rewards must lie in 0…1")

    def __len__(self) -> int:
        return len(self.track)


@dataclass(frozen=True, slots=True)
class Policy:
    """How a policy would have chosen at the same n decisions.

    Attributes:
        name: what tables call it.
        chosen: (n,) π of the track that was chosen.
        start: (n + 1,) int64; the entries start[i]…start[i + 1] of the next two are decision i's.
        track: (m,) int64 tracks whose π is known.
        probability: (m,) their π; what is missing from 1 in a decision lies on tracks of which nothing is known.
    """

    name: str
    chosen: Floats
    start: Ints
    track: Ints
    probability: Floats

    @property
    def unknown(self) -> Floats:
        """(n,) the probability that lies on tracks of which nothing is known."""
        return np.clip(1.0 - _row_sums(self, self.probability), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Value:
    """An estimate with its interval; no bounds where there are too few sessions to redraw."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class OffPolicyReport:
    """What was estimated.

    Attributes:
        policy: its name.
        decisions, sessions: that were weighed.
        effective: the effective sample size, Σ w² based.
        capped: share of the decisions whose weight was capped.
        largest_weight: before capping.
        logged: mean reward of what was served.
        snips, doubly_robust: of the policy.
        lead: doubly robust less logged, over the same resamples.
        unknown: mean probability that the policy puts on tracks of which nothing is known. A reward of 0 or 1 on all of
            them would move the doubly robust estimate by at most this.
        refusal: why there is no verdict, in a sentence; empty where there is one.
    """

    policy: str
    decisions: int
    sessions: int
    effective: float
    capped: float
    largest_weight: float
    logged: Value
    snips: Value
    doubly_robust: Value
    lead: Value
    unknown: float
    refusal: str

    @property
    def verdict(self) -> str:
        """What follows, in a sentence; the refusal where nothing does."""
        low, high = self.lead.low, self.lead.high
        if self.refusal or low is None or high is None:
            return self.refusal
        if low - self.unknown > 0.0:
            return f"“{self.policy}” would have been liked better than what was served, by {low:.2f} to {high:.2f}."
        if high + self.unknown < 0.0:
            return f"“{self.policy}” would have been liked less than what was served, by {-high:.2f} to {-low:.2f}."
        return (
            f"Nothing speaks for a difference between “{self.policy}” and what was served: it lies between {low:+.2f} "
            f"and {high:+.2f}."
        )


def evaluate_policy(decisions: Decisions, policy: Policy, features: Floats, seed: int = 0) -> OffPolicyReport:
    """Estimate what a policy would have earned.

    Args:
        decisions: n logged ones.
        policy: its choices at the same decisions.
        features: (tracks, f) of every track, of about unit size, for the outcome model; f may be 0.
        seed: of folds and resamples.

    Returns:
        The estimates, and a verdict or why there is none.
    """
    if len(decisions) == 0:
        nothing = Value(0.0, None, None)
        refusal = "No decision of which probability and outcome are known can be weighed yet."
        return OffPolicyReport(policy.name, 0, 0, 0.0, 0.0, 0.0, nothing, nothing, nothing, nothing, 0.0, refusal)
    raw = policy.chosen / decisions.propensity
    weight = np.minimum(raw, CAP)
    expected, predicted = cross_fitted(decisions, policy, features, seed)
    columns = np.stack(
        [
            np.ones(len(decisions)),
            decisions.reward,
            weight,
            weight * decisions.reward,
            expected,
            weight * (decisions.reward - predicted),
        ]
    )
    units = np.unique(decisions.session, return_inverse=True)[1]
    sums = np.stack([np.bincount(units, column) for column in columns], axis=1).astype(np.float64)  # (sessions, 6)
    means = _figures(sums.sum(axis=0)[None, :])[0]
    resampled = _resampled(sums, seed)
    values = [_value(mean, column) for mean, column in zip(means, resampled.T, strict=True)]
    effective = effective_size(weight)
    unknown = float(policy.unknown.mean())
    return OffPolicyReport(
        policy=policy.name,
        decisions=len(decisions),
        sessions=len(sums),
        effective=effective,
        capped=float((raw > CAP).mean()),
        largest_weight=float(raw.max()),
        logged=values[0],
        snips=values[1],
        doubly_robust=values[2],
        lead=values[3],
        unknown=unknown,
        refusal=_refusal(policy.name, effective, len(sums), len(decisions)),
    )


def effective_size(weight: Floats) -> float:
    """Kish's effective sample size (Σ w)² / Σ w² of weights (n,); 0 when all are 0."""
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def cross_fitted(decisions: Decisions, policy: Policy, features: Floats, seed: int) -> tuple[Floats, Floats]:
    """What the outcome model expects of the policy, and of the tracks that were chosen.

    Sessions are dealt out into folds; the decisions of a fold are judged by a model fitted on the others. With a single
    session there are no others, and the model is a flat one half.

    Returns:
        (n,) Σ_a π(a|x)·q(a), tracks of which nothing is known at the mean reward of the other folds; (n,) q of the chosen.
    """
    sessions, unit = np.unique(decisions.session, return_inverse=True)
    folds = min(FOLDS, len(sessions))
    fold = (np.random.default_rng(seed).permutation(len(sessions)) % max(folds, 1))[unit]
    expected, predicted = np.full(len(decisions), 0.5), np.full(len(decisions), 0.5)
    if folds > 1:
        for number in range(folds):
            held = fold == number
            level, quality = fit_outcome(decisions.track[~held], decisions.reward[~held], features)
            expected[held] = (_row_sums(policy, policy.probability * quality[policy.track]) + policy.unknown * level)[
                held
            ]
            predicted[held] = quality[decisions.track[held]]
    return expected, predicted


def fit_outcome(track: Ints, reward: Floats, features: Floats) -> tuple[float, Floats]:
    """Ridge regression of the reward on the features of the chosen track.

    Args:
        track: (n,) chosen.
        reward: (n,) 0…1.
        features: (tracks, f).

    Returns:
        The mean reward, and (tracks,) the predicted reward of every track, in 0…1.
    """
    level = float(reward.mean())
    rows = features[track]
    centre = rows.mean(axis=0)
    rows = rows - centre
    slopes = np.linalg.solve(rows.T @ rows + RIDGE * np.eye(features.shape[1]), rows.T @ (reward - level))
    return level, np.clip(level + (features - centre) @ slopes, 0.0, 1.0)


def _figures(sums: Floats) -> Floats:
    """(B, 4) logged, SNIPS, DR and DR − logged from (B, 6) sums over decisions, in the order of ``columns``."""
    count, reward, weight, weighted, expected, residual = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        logged, snips = reward / count, weighted / weight
        # Without any weight nothing corrects the model.
        robust = expected / count + np.where(weight > 0.0, residual / weight, 0.0)
    return np.stack([logged, snips, robust, robust - logged], axis=1)


def _resampled(sums: Floats, seed: int) -> Floats:
    """(B, 4) the figures over redrawn sessions (sessions, 6); no rows where there are too few sessions."""
    if len(sums) < FEWEST_UNITS:
        return np.empty((0, 4))
    return np.concatenate([_figures(counts @ sums) for counts in draws(len(sums), RESAMPLES, seed)])


def _value(mean: float, resampled: Floats) -> Value:
    bounds = interval(float(np.nan_to_num(mean)), resampled)
    return Value(bounds.mean, bounds.low, bounds.high)


def _refusal(name: str, effective: float, sessions: int, decisions: int) -> str:
    if effective < FEWEST_EFFECTIVE:
        return (
            f"No verdict: of {decisions} decisions only {effective:.1f} effective ones speak about “{name}”, and it takes "
            f"{FEWEST_EFFECTIVE:.0f}."
        )
    if sessions < FEWEST_UNITS:
        return (
            f"No verdict: it takes {FEWEST_UNITS} listening sessions to tell luck from taste, and there are {sessions}."
        )
    return ""


def _row_sums(policy: Policy, entries: Floats) -> Floats:
    """(n,) sums of each decision's entries (m,)."""
    decision = np.repeat(np.arange(len(policy.chosen)), np.diff(policy.start))
    return np.bincount(decision, entries, minlength=len(policy.chosen)).astype(np.float64)
