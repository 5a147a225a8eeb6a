"""Proof online, in simulation: off-policy estimates recover known values, and the sequential test errs as seldom as it says.

``python -m bench station offpolicy [--logs N] [--trials N]``. Simulation, not people; see ``docs/research/trials.md``.
"""

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.simulation.bandit_logs import Bandit, serve
from recommender.evaluation.offpolicy import OffPolicyReport, evaluate_policy
from recommender.evaluation.sequential_test import ALPHA, POWER, detectable_effect, log_capital

TRACKS, SESSIONS, PLAYS = 60, 50, 12
PAIRS = 400
GRADES = np.array([0.0, 0.15, 0.375, 0.75, 1.0])
"""What a play is worth, as ``player.trials.plays.liking_of`` grades it: thumb down, early skip, late skip,
finished, thumb up."""
SHARES = np.array([0.05, 0.35, 0.1, 0.4, 0.1])
"""Of plays graded so: half are liked, most of the others skipped early."""
EFFECTS = (0.03, 0.05, 0.1, 0.15, 0.2)


def main(arguments: Sequence[str] = ()) -> None:
    """Print both proofs."""
    parser = argparse.ArgumentParser(prog="python -m bench station offpolicy")
    parser.add_argument("--logs", type=int, default=300, help="simulated logs (default 300)")
    parser.add_argument("--trials", type=int, default=2000, help="simulated trials of each kind (default 2000)")
    chosen = parser.parse_args(list(arguments))
    started = time.perf_counter()
    estimates(chosen.logs)
    equal_arms(chosen.trials)
    unequal_arms(chosen.trials)
    print(f"\n{time.perf_counter() - started:.0f} s")


def estimates(logs: int) -> None:
    """How often the 95 % intervals hold the true value, and how far off the estimates are."""
    print(f"Off-policy: {logs} logs of {SESSIONS} sessions × {PLAYS} plays over {TRACKS} tracks, a world for each")
    truths, reports = np.empty((logs, 2)), []
    for seed in range(logs):
        bandit = Bandit.draw(TRACKS, agreement=0.6, seed=seed)
        decisions, policy = serve(bandit, SESSIONS, PLAYS, seed)
        truths[seed] = bandit.value(bandit.target), bandit.value(bandit.logging)
        reports.append(evaluate_policy(decisions, policy, bandit.features, seed))
        if sys.stderr.isatty():
            print(f"\r{seed + 1}/{logs}", end="", file=sys.stderr)
    print(f"  mean effective sample size {np.mean([report.effective for report in reports]):.0f} of {SESSIONS * PLAYS}")
    print(f"  {'estimate of the target':<34}{'coverage':>20}{'bias':>10}{'RMSE':>8}{'width':>8}")
    target, lead = truths[:, 0], truths[:, 0] - truths[:, 1]
    for name, key, truth in (
        ("what was served (naive)", "logged", target),
        ("SNIPS", "snips", target),
        ("doubly robust", "doubly_robust", target),
        ("doubly robust less what was served", "lead", lead),
    ):
        _print_estimate(name, reports, key, truth)


def _print_estimate(name: str, reports: Sequence[OffPolicyReport], key: str, truth: NDArray[np.float64]) -> None:
    values = [getattr(report, key) for report in reports]
    low, high, mean = (np.array([getattr(value, part) for value in values]) for part in ("low", "high", "mean"))
    covered = float(np.mean((low <= truth) & (truth <= high)))
    spread = 1.96 * np.sqrt(covered * (1 - covered) / len(reports))
    error = mean - truth
    share = f"{covered:.3f} ± {spread:.3f}"
    print(f"  {name:<34}{share:>20}{error.mean():>+10.4f}{np.sqrt((error**2).mean()):>8.4f}{(high - low).mean():>8.3f}")


def equal_arms(trials: int) -> None:
    """How often a test of equal arms stops with a winner though it is looked at after every pair."""
    print(
        f"\nSequential test, equal arms, a look after each of {PAIRS} pairs, {trials} trials; at most {ALPHA:.0%} may stop"
    )
    rng = np.random.default_rng(0)
    alike = _rewards(rng, (trials, PAIRS)) - _rewards(rng, (trials, PAIRS))
    _print_stopped("alike at random", alike)
    drift = np.linspace(0.2, 0.8, PAIRS)
    first, second = rng.random((trials, PAIRS)) < drift + 0.15, rng.random((trials, PAIRS)) < drift - 0.15
    coin = np.where(rng.random((trials, PAIRS)) < 0.5, 1.0, -1.0)
    _print_stopped("first place liked better, mood drifts", coin * (first.astype(float) - second))
    count = np.arange(1, PAIRS + 1)
    mean = np.cumsum(alike, axis=1) / count
    spread = np.sqrt(np.maximum(1e-12, np.cumsum(alike**2, axis=1) / count - mean**2))
    peeked = (np.abs(mean) > 1.96 * spread / np.sqrt(count))[:, 20:].any(axis=1)
    print(f"  {'(a t-test looked at as often)':<40}{peeked.mean():.3f}")


def _print_stopped(name: str, differences: NDArray[np.float64]) -> None:
    stopped = (log_capital(differences) >= -np.log(ALPHA)).any(axis=1)
    print(
        f"  {name:<40}{stopped.mean():.3f} ± {1.96 * np.sqrt(stopped.mean() * (1 - stopped.mean()) / len(stopped)):.3f}"
    )


def unequal_arms(trials: int) -> None:
    """How soon a better arm is found."""
    print(f"\nSequential test, one arm better, at most {PAIRS} pairs, {trials} trials")
    print(f"  {'better by':<12}{'found':>8}{'median pairs of those':>24}")
    rng = np.random.default_rng(1)
    for effect in EFFECTS:
        differences = _rewards(rng, (trials, PAIRS), effect) - _rewards(rng, (trials, PAIRS))
        reached = log_capital(differences) >= -np.log(ALPHA)
        found = reached.any(axis=1)
        pairs = reached.argmax(axis=1)[found] + 1
        print(f"  {effect:<12.2f}{found.mean():>8.3f}{np.median(pairs) if len(pairs) else np.nan:>24.0f}")
    alike = _rewards(rng, 400) - _rewards(rng, 400)
    told = {pairs: detectable_effect(alike[:pairs]) for pairs in (25, 50, 100, 200, 400)}
    words = ", ".join(
        f"{pairs} pairs {'none' if effect is None else f'{effect:.2f}'}" for pairs, effect in told.items()
    )
    print(f"  effect that would have been seen {POWER:.0%} of the time: {words}")


def _rewards(rng: np.random.Generator, shape: int | tuple[int, ...], better: float = 0.0) -> NDArray[np.float64]:
    """Graded plays; ``better`` of them on average, by turning some into thumbs up."""
    drawn = rng.choice(GRADES, p=SHARES, size=shape)
    room = 1.0 - float(GRADES @ SHARES)
    return np.where(rng.random(shape) < better / room, 1.0, drawn)
