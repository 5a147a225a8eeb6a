"""Logs of which the truth is known, to prove estimators and tests on: one policy serves, the value of another is computed.

Simulation, not people. A session has an hour, which policies know, and a mood, which nobody knows and which makes the
rewards of a session hang together. Tracks are chosen by the player's own ranking (:func:`recommender.ranking.rank.rank`), so
it is its propensities that are on trial.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.offpolicy import Decisions, Policy
from recommender.ranking.rank import Request, Settings, TrackTable, rank
from recommender.ranking.rules import Spacing

Floats = NDArray[np.float64]

HOURS = 4
"""Contexts that a session may have."""
QUALITY_SPREAD, MOOD_SPREAD = 1.2, 0.8
"""Standard deviations, in logits of a reward of 1: of the tracks at an hour, and of the sessions."""
MOODS = 33
"""Points of the Gauss-Hermite rule with which moods are averaged out of the true value."""
FEATURES = 4
"""Noisy hints about the tracks that the outcome model is given; it is wrong about all they do not say."""


@dataclass(frozen=True, slots=True)
class Bandit:
    """A world of tracks and two policies.

    Attributes:
        quality: (hours, tracks) log odds of a reward of 1, before the mood.
        logging, target: (hours, tracks) scores by which the two policies choose.
        temperature: of both.
        features: (tracks, f) what the outcome model is given.
    """

    quality: Floats
    logging: Floats
    target: Floats
    temperature: float
    features: Floats

    @staticmethod
    def draw(tracks: int, agreement: float, seed: int) -> "Bandit":
        """A world in which both policies know something of the qualities, and the target more.

        Args:
            tracks: how many.
            agreement: 0…1, how much of the logging policy's errors the target shares.
            seed: of the world.
        """
        rng = np.random.default_rng(seed)
        own = rng.normal(size=tracks)
        quality = QUALITY_SPREAD * (0.8 * own + 0.6 * rng.normal(size=(HOURS, tracks)))
        error = rng.normal(size=(HOURS, tracks))
        other = agreement * error + np.sqrt(1.0 - agreement**2) * rng.normal(size=(HOURS, tracks))
        features = own[:, None] + rng.normal(size=(tracks, FEATURES))
        return Bandit(quality, 0.3 * quality + 0.5 * error, 0.6 * quality + 0.5 * other, 0.5, features)

    def probabilities(self, scores: Floats) -> Floats:
        """(hours, tracks) softmax(scores / temperature)."""
        scaled = scores / self.temperature
        weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)

    def rewards(self, mood: float) -> Floats:
        """(hours, tracks) probability of a reward of 1 in that mood."""
        return 1.0 / (1.0 + np.exp(-(self.quality + mood)))

    def value(self, scores: Floats) -> float:
        """The true value of choosing by these scores: its mean reward over hours and moods."""
        points, weights = np.polynomial.hermite_e.hermegauss(MOODS)
        chosen = self.probabilities(scores)
        by_mood = [(chosen * self.rewards(MOOD_SPREAD * point)).sum(axis=1).mean() for point in points]
        return float(np.asarray(by_mood) @ weights / weights.sum())


def serve(bandit: Bandit, sessions: int, plays: int, seed: int) -> tuple[Decisions, Policy]:
    """Let the logging policy serve, and say how the target would have chosen.

    Args:
        bandit: the world.
        sessions: how many.
        plays: of each session.
        seed: of hours, moods, noise and rewards.

    Returns:
        sessions · plays decisions, and the target's choices at them.
    """
    rng = np.random.default_rng(seed)
    tracks = bandit.quality.shape[1]
    catalogue = TrackTable(
        ids=np.arange(tracks, dtype=np.int64),
        vectors=np.zeros((tracks, 1), np.float32),
        artist=np.arange(tracks, dtype=np.int64),
        album=np.arange(tracks, dtype=np.int64),
    )
    settings = Settings(
        temperature=bandit.temperature, diversity=0.0, window=0, artist_penalty=0.0, album_penalty=0.0,
        spacing=Spacing(artist=0, track=0),
    )  # fmt: skip
    target = bandit.probabilities(bandit.target)
    hours = rng.integers(HOURS, size=sessions)
    moods = MOOD_SPREAD * rng.normal(size=sessions)
    session = np.repeat(np.arange(sessions), plays)
    track, propensity = np.empty(len(session), np.int64), np.empty(len(session))
    for decision, of in enumerate(session):
        request = Request(
            scores=bandit.logging[hours[of]], candidates=np.ones(tracks, np.bool_), first_slot=decision, places=1,
            noise_seed=seed, settings=settings,
        )  # fmt: skip
        row = rank(catalogue, request, commit_first=1).rows[0]
        track[decision], propensity[decision] = row.track, row.propensity or 0.0
    odds = bandit.quality[hours[session], track] + moods[session]
    reward = (rng.random(len(session)) < 1.0 / (1.0 + np.exp(-odds))).astype(np.float64)
    chosen = target[hours[session], track]
    return Decisions(session, track, reward, propensity), Policy(
        name="target",
        chosen=chosen,
        start=np.arange(len(session) + 1, dtype=np.int64) * tracks,
        track=np.tile(np.arange(tracks, dtype=np.int64), len(session)),
        probability=target[hours[session]].reshape(-1),
    )
