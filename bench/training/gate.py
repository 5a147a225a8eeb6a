"""Operating characteristics of the promotion gate: how often it refuses models that are worse, equal or better, and when.

``python -m bench.training.gate [--listeners 400] [--rows 50]``: listeners retrain after every ``--rows`` judged rows, ten
times. Latent utilities of the tracks decide what is liked; the models see them through noise that gives them a pair AUC, the
live model and the new one through noise that they share in part. All of it is simulation. Beside the gate stands the rule
that it took the place of: refuse when a bootstrap over rows is 80 % sure that the pair AUC is more than .01 below.
"""

import argparse
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.metrics import prequential_wins
from recommender.evaluation.promotion import ALPHA, TOLERANCE, bet_growth
from recommender.models.model_card import NO_EVIDENCE

LIVE_AUC = 0.62
SHARED = 0.8
"""Share of the variance of a model's noise that the live and the new one have in common."""
RETRAININGS = 10
DIFFERENCES = (0.05, 0.0, -0.02, -0.05, -0.10, -0.15)
FORMER_CERTAINTY = 0.8
RESAMPLES = 200

Floats = NDArray[np.float64]


def scores_of(label: NDArray[np.int8], noise: Floats, auc: float) -> Floats:
    """Scores of equal variance in both classes whose pair AUC is ``auc`` (binormal model)."""
    return label * NormalDist().inv_cdf(auc) / np.sqrt(2.0) + noise


def former_rule_refuses(label: NDArray[np.int8], new: Floats, live: Floats, rng: np.random.Generator) -> bool:
    """Whether a bootstrap over rows is sure that the new model is worse than the live one."""
    worse = np.zeros(RESAMPLES)
    for resample in range(RESAMPLES):
        rows = rng.integers(len(label), size=len(label))
        plus, minus = rows[label[rows] > 0], rows[label[rows] < 0]
        if len(plus) and len(minus):
            own, theirs = (np.mean(s[plus][:, None] > s[minus][None, :]) for s in (new, live))
            worse[resample] = own < theirs - TOLERANCE
    return bool(worse.mean() >= FORMER_CERTAINTY)


def row_wins(scores: Floats, label: NDArray[np.int8], session: int) -> Floats:
    """Each row against the earlier ones of its session of so many rows, else against all earlier ones."""
    known = prequential_wins(np.broadcast_to(scores, (len(label), len(label))), label)
    for begin in range(0, len(label), session):
        part = slice(begin, begin + session)
        own = label[part]
        found = prequential_wins(np.broadcast_to(scores[part], (len(own), len(own))), own)
        known[part] = np.where(np.isfinite(found), found, known[part])
    return known


def refusals(difference: float, rows: int, session: int, seed: int) -> tuple[int | None, int | None]:
    """The retraining at which one listener's worse (or equal) models are first refused, by the gate and the former rule."""
    rng = np.random.default_rng(seed)
    evidence, gate, former = NO_EVIDENCE, None, None
    for retraining in range(1, RETRAININGS + 1):
        label = np.where(rng.random(rows) < 0.6, 1, -1).astype(np.int8)
        common, own, theirs = rng.standard_normal((3, rows))
        mixed = [np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * each for each in (own, theirs)]
        new, live = scores_of(label, mixed[0], LIVE_AUC + difference), scores_of(label, mixed[1], LIVE_AUC)
        wins = [row_wins(scores, label, session) for scores in (new, live)]
        known = np.isfinite(wins[0])
        growth = [bet_growth((wins[0] - wins[1])[known]), bet_growth(wins[0][known] - 0.5)]
        evidence = evidence.after(np.mean(growth, axis=0), float(retraining))
        if gate is None and evidence.value >= 1.0 / ALPHA:
            gate = retraining
        if former is None and former_rule_refuses(label, new, live, rng):
            former = retraining
    return gate, former


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=400)
    parser.add_argument("--rows", type=int, default=50, help="judged rows between two retrainings")
    parser.add_argument("--session", type=int, default=12, help="judged rows of a session")
    chosen = parser.parse_args()
    print(
        f"{chosen.listeners} simulated listeners, {chosen.rows} judged rows a retraining, {chosen.session} a session, live pair AUC {LIVE_AUC}; "
    )
    print(
        f"refused by the e-process (alpha {ALPHA:g}) | by the former bootstrap, at the first, within 3, within 10 retrainings"
    )
    for difference in DIFFERENCES:
        outcomes = [refusals(difference, chosen.rows, chosen.session, seed) for seed in range(chosen.listeners)]
        shares = [
            [np.mean([(each[rule] or RETRAININGS + 1) <= within for each in outcomes]) for within in (1, 3, 10)]
            for rule in (0, 1)
        ]
        texts = ["  ".join(f"{share:.3f}" for share in shares[rule]) for rule in (0, 1)]
        print(f"new - live {difference:+.2f}   {texts[0]}  |  {texts[1]}")


if __name__ == "__main__":
    main()
