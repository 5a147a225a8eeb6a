"""Off-policy estimates: right where the truth is known, and silent where the log says too little."""

from dataclasses import replace

import numpy as np
import pytest

from bench.simulation.bandit_logs import Bandit, serve
from recommender.evaluation.offpolicy import (
    CAP,
    FEWEST_EFFECTIVE,
    Decisions,
    Policy,
    cross_fitted,
    effective_size,
    evaluate_policy,
    fit_outcome,
)

pytestmark = pytest.mark.slow

LOGS = 60


def full(name, probabilities):
    """A policy that knows all its probabilities (n, tracks)."""
    count, tracks = probabilities.shape
    start, track = np.arange(count + 1) * tracks, np.tile(np.arange(tracks), count)
    return lambda chosen: Policy(name, probabilities[np.arange(count), chosen], start, track, probabilities.reshape(-1))


def small(seed=0, count=40, tracks=6, sessions=8):
    rng = np.random.default_rng(seed)
    logging, target = rng.dirichlet(np.ones(tracks) * 3, count), rng.dirichlet(np.ones(tracks) * 3, count)
    track = np.array([rng.choice(tracks, p=row) for row in logging])
    reward = rng.random(count)
    decisions = Decisions(rng.integers(sessions, size=count), track, reward, logging[np.arange(count), track])
    return decisions, full("target", target)(track), rng.normal(size=(tracks, 2))


@pytest.fixture(scope="module")
def logs():
    """Worlds, each with a log of its logging policy and the target's choices."""
    worlds = [Bandit.draw(tracks=30, agreement=0.6, seed=seed) for seed in range(LOGS)]
    return [(bandit, *serve(bandit, sessions=40, plays=6, seed=seed)) for seed, bandit in enumerate(worlds)]


@pytest.fixture(scope="module")
def many(logs):
    """(true value of the target, of the logging policy, report) of each log."""
    return [
        (
            bandit.value(bandit.target),
            bandit.value(bandit.logging),
            evaluate_policy(decisions, policy, bandit.features, seed),
        )
        for seed, (bandit, decisions, policy) in enumerate(logs)
    ]


def test_the_estimates_recover_the_true_value_within_their_intervals(many):
    # 95 % nominal; the bound is three standard errors of sixty logs below it.
    bound = 0.95 - 3 * np.sqrt(0.95 * 0.05 / LOGS)
    for name in ("snips", "doubly_robust"):
        inside = [getattr(report, name).low <= truth <= getattr(report, name).high for truth, _, report in many]
        assert np.mean(inside) >= bound


def test_what_was_served_is_no_estimate_of_the_target(many):
    inside = [report.logged.low <= truth <= report.logged.high for truth, _, report in many]
    assert np.mean(inside) < 0.6
    own = [report.logged.low <= truth <= report.logged.high for _, truth, report in many]
    assert np.mean(own) > 0.8


def test_the_lead_has_no_bias_that_many_logs_would_show(many):
    errors = np.array([report.lead.mean - (truth - logged) for truth, logged, report in many])
    assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(LOGS)


def test_a_log_that_lies_about_its_propensities_leads_snips_astray(logs):
    """So the proofs above could have failed."""
    lying, honest = [], []
    for seed, (bandit, decisions, policy) in enumerate(logs):
        truth = bandit.value(bandit.target)
        uniform = replace(decisions, propensity=np.full(len(decisions), 1 / 30))
        lying.append(evaluate_policy(uniform, policy, np.empty((30, 0)), seed).snips.mean - truth)
        honest.append(evaluate_policy(decisions, policy, np.empty((30, 0)), seed).snips.mean - truth)
    assert abs(np.mean(lying)) > 4 * np.std(lying) / np.sqrt(LOGS)
    assert abs(np.mean(honest)) < 3 * np.std(honest) / np.sqrt(LOGS)


def test_snips_and_doubly_robust_are_what_the_formulas_say():
    decisions, policy, features = small()
    report = evaluate_policy(decisions, policy, features)
    expected, predicted = cross_fitted(decisions, policy, features, 0)
    weighted = weights = robust = 0.0
    for row in range(len(decisions)):
        weight = min(policy.chosen[row] / decisions.propensity[row], CAP)
        weighted += weight * decisions.reward[row]
        weights += weight
        robust += weight * (decisions.reward[row] - predicted[row])
    assert report.snips.mean == pytest.approx(weighted / weights)
    assert report.doubly_robust.mean == pytest.approx(expected.mean() + robust / weights)
    assert report.logged.mean == pytest.approx(decisions.reward.mean())
    assert report.lead.mean == pytest.approx(report.doubly_robust.mean - report.logged.mean)


def test_a_policy_that_is_the_logging_one_is_worth_what_was_served():
    decisions, _, features = small(count=60)
    own = Policy("own", decisions.propensity, np.zeros(61, np.int64), np.empty(0, np.int64), np.empty(0))
    report = evaluate_policy(decisions, own, features)
    assert report.snips.mean == pytest.approx(decisions.reward.mean())
    assert report.effective == pytest.approx(60)


def test_no_decision_is_judged_by_a_model_that_has_seen_its_session():
    decisions, policy, features = small()
    _, before = cross_fitted(decisions, policy, features, 0)
    session = int(decisions.session[0])
    own = decisions.session == session
    changed = replace(decisions, reward=np.where(own, 1.0 - decisions.reward, decisions.reward))
    _, after = cross_fitted(changed, policy, features, 0)
    assert after[own] == pytest.approx(before[own])
    assert not np.allclose(after[~own], before[~own])


def test_the_outcome_model_is_a_ridge_regression():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(50, 3))
    track = rng.integers(50, size=400)
    truth = np.clip(0.5 + features @ [0.1, -0.05, 0.0], 0, 1)
    level, quality = fit_outcome(track, truth[track], features)
    assert level == pytest.approx(truth[track].mean())
    assert np.corrcoef(quality, truth)[0, 1] > 0.99


def test_weights_are_capped_and_how_many_is_said():
    decisions, policy, features = small()
    far = replace(decisions, propensity=np.where(np.arange(40) == 3, 1e-4, decisions.propensity))
    report = evaluate_policy(far, policy, features)
    assert report.capped == pytest.approx(1 / 40)
    assert report.largest_weight > CAP
    assert report.effective < evaluate_policy(decisions, policy, features).effective


def test_too_few_effective_decisions_or_sessions_are_no_ground_for_a_verdict():
    decisions, policy, features = small(count=60)
    report = evaluate_policy(decisions, policy, features)
    assert report.effective < FEWEST_EFFECTIVE or not report.refusal
    thin = replace(policy, chosen=np.where(np.arange(60) < 20, policy.chosen, 0.0))
    refused = evaluate_policy(decisions, thin, features)
    assert refused.effective < FEWEST_EFFECTIVE
    assert refused.verdict.startswith("No verdict: of 60 decisions only")
    one_evening = replace(decisions, session=np.zeros(60, np.int64))
    own = replace(policy, chosen=decisions.propensity)
    alone = evaluate_policy(one_evening, own, features)
    assert "listening sessions" in alone.verdict
    assert alone.snips.low is None


def test_a_verdict_needs_the_interval_and_what_is_not_known_to_lie_on_one_side():
    rng = np.random.default_rng(4)
    track = rng.integers(2, size=400)
    decisions = Decisions(np.arange(400) // 10, track, 0.2 + 0.6 * track, np.full(400, 0.5))
    better = full("better", np.tile([0.1, 0.9], (400, 1)))(track)
    report = evaluate_policy(decisions, better, np.array([[0.0], [1.0]]))
    assert report.verdict.startswith("“better” would have been liked better")
    worse = full("worse", np.tile([0.9, 0.1], (400, 1)))(track)
    assert "liked less" in evaluate_policy(decisions, worse, np.array([[0.0], [1.0]])).verdict
    hidden = replace(better, probability=better.probability * 0.5)
    unsure = evaluate_policy(decisions, hidden, np.array([[0.0], [1.0]]))
    assert unsure.unknown == pytest.approx(0.5)
    assert unsure.verdict.startswith("Nothing speaks for a difference")


def test_without_decisions_there_is_a_sentence():
    nothing = Decisions(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))
    policy = Policy("x", np.empty(0), np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0))
    assert "No decision" in evaluate_policy(nothing, policy, np.empty((3, 0))).verdict


def test_the_effective_size_is_kishs():
    assert effective_size(np.ones(7)) == pytest.approx(7)
    assert effective_size(np.array([3.0, 0.0, 0.0])) == pytest.approx(1)
    assert effective_size(np.zeros(3)) == 0.0


@pytest.mark.parametrize(
    "change", [{"propensity": np.zeros(40)}, {"reward": np.full(40, 1.5)}, {"session": np.zeros(39, np.int64)}]
)
def test_columns_that_cannot_be_are_refused(change):
    decisions, _, _ = small()
    with pytest.raises(ValueError, match="must"):
        replace(decisions, **change)
