"""Closed-loop simulation: a policy plays, a simulated listener reacts, the log grows, and the policy sees only the log.

Places are filled by the player's own ranking (:func:`recommender.ranking.rank.rank`): rules, temperature from breadth,
variety, keyed noise. What comes out is simulation and says nothing about how much a person gains; it shows whether the
loop learns at all, whether it narrows down, and whether it notices that a taste has changed.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.simulation.listener import DURATION, FIRST_SESSION, Listener, Temperament, logistic
from bench.simulation.log import GrowingLog, rows_of
from bench.simulation.policies import MakePolicy, Policy, Stage
from bench.simulation.world import World
from recommender.evaluation.metrics import pair_auc
from recommender.events import EventLog
from recommender.ranking.calibration import Mix, aspect_of_likes
from recommender.ranking.dial import NEUTRAL, dialled
from recommender.ranking.diversity import DiversityReport, Pool, report
from recommender.ranking.rank import Request, Settings, rank
from recommender.ranking.rules import Spacing, open_tracks, standing_rules
from recommender.ranking.temperature import temperature_for_breadth
from recommender.ranking.variety import Variety

BREADTH, DIVERSITY = 6.0, 1.0
"""The player's own settings of a station; a test holds them against its configuration."""
LOOK_BACK = 200
"""How many last plays the rules see, as in the player."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated.

    Attributes:
        plays: how many.
        check_every: plays between two looks at accuracy and diversity.
        taste_changes_at: the play before which the taste changes; None for never.
        seeded: whether the station has a track the listener likes as its seed; else it is of the whole library.
        temperament: the kind of listener.
        breadth, diversity: the station's settings.
        variety: how diversity is measured.
        dial: of the station, from familiar to discover; see ``recommender.ranking.dial``.
        kinds: (n,) the genre of each track, for calibration; none for a world without genres.
        calibration: logits a nat; see ``ranking_types.Settings``.
    """

    plays: int = 500
    check_every: int = 50
    taste_changes_at: int | None = None
    seeded: bool = False
    temperament: Temperament = field(default_factory=Temperament)
    breadth: float = BREADTH
    diversity: float = DIVERSITY
    variety: Variety = Variety.MMR
    dial: int = NEUTRAL
    kinds: tuple[int, ...] = ()
    calibration: float = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError when there is nothing to play or to look at."""
        if self.plays < 1 or self.check_every < 1:
            raise ValueError("plays and check_every must be at least 1")


@dataclass(frozen=True, slots=True)
class Check:
    """A look at one moment.

    Attributes:
        plays: how many there had been.
        accuracy: pair AUC of the policy's scores over all tracks never played, liked against disliked as the
            listener would judge them fresh and without mood; NaN where all are one kind.
        diversity: of the last 100 plays.
    """

    plays: int
    accuracy: float
    diversity: DiversityReport


@dataclass(frozen=True, slots=True)
class Run:
    """One listener under one policy; P plays.

    Attributes:
        track: (P,) what was played.
        liking: (P,) true probability of liking each play at its moment, boredom and mood included.
        taste: (P,) of liking that track fresh and without mood.
        skipped: (P,) whether it was left before its end, by a skip or a thumb down.
        early: (P,) whether it was left within 30 s.
        thumb: (P,) +1, -1 or 0.
        propensity: (P,) with which the ranking chose it.
        checks: every ``check_every`` plays.
        log: what the policy saw.
        notes: what the policy had to say.
    """

    track: NDArray[np.int64]
    liking: NDArray[np.float64]
    taste: NDArray[np.float64]
    skipped: NDArray[np.bool_]
    early: NDArray[np.bool_]
    thumb: NDArray[np.int8]
    propensity: NDArray[np.float64]
    checks: tuple[Check, ...]
    log: EventLog
    notes: tuple[str, ...]


def simulate(world: World, make_policy: MakePolicy, plan: Plan, seed: int) -> Run:
    """Let one listener hear what one policy plays.

    Args:
        world: what there is to hear.
        make_policy: makes the policy.
        plan: what is simulated.
        seed: the listener's. The same seed is the same person under every policy; the same arguments, the same run.
    """
    return _Loop(world, make_policy, plan, seed).run()


@dataclass(frozen=True, slots=True)
class _Play:
    """One play; the attributes are rows of the columns of :class:`Run`."""

    track: int
    liking: float
    taste: float
    skipped: bool
    early: bool
    thumb: int
    propensity: float


class _Loop:
    """One run while it lasts."""

    def __init__(self, world: World, make_policy: MakePolicy, plan: Plan, seed: int) -> None:
        self._world, self._plan, self._seed = world, plan, seed
        self._listener = Listener(world, plan.temperament, seed)
        seeds = self._listener.taste.liked[:1].tolist() if plan.seeded else []
        self._policy: Policy = make_policy(Stage(world, world.catalogue(seeds), self._listener, seed))
        self._verdicts = self._listener.verdicts()
        self._log = GrowingLog(len(world), plan.plays)
        self._now = FIRST_SESSION
        self._left_in_session = self._sessions = 0
        self._checks: list[Check] = []
        self._plays: list[_Play] = []

    def run(self) -> Run:
        """All plays."""
        for play in range(self._plan.plays):
            if play == self._plan.taste_changes_at:
                self._listener.change_taste()
                self._verdicts = self._listener.verdicts()
            self._come_back()
            self._plays.append(self._play(play))
            self._policy.learn(self._log.log(), play + 1)
            if (play + 1) % self._plan.check_every == 0:
                self._checks.append(self._check(play + 1))
        plays = self._plays
        return Run(
            track=self._heard(),
            liking=np.array([play.liking for play in plays], np.float64),
            taste=np.array([play.taste for play in plays], np.float64),
            skipped=np.array([play.skipped for play in plays], np.bool_),
            early=np.array([play.early for play in plays], np.bool_),
            thumb=np.array([play.thumb for play in plays], np.int8),
            propensity=np.array([play.propensity for play in plays], np.float64),
            checks=tuple(self._checks),
            log=self._log.log(),
            notes=self._policy.notes,
        )

    def _heard(self) -> NDArray[np.int64]:
        return np.array([play.track for play in self._plays], np.int64)

    def _come_back(self) -> None:
        """Begin a session when the last one is over."""
        while self._left_in_session == 0:
            self._left_in_session, pause = self._listener.begin_session(self._sessions)
            self._sessions += 1
            self._now += pause
        self._left_in_session -= 1

    def _play(self, number: int) -> _Play:
        track, propensity = self._choose(number)
        liking = float(self._listener.liking(self._now)[track])
        reaction = self._listener.react(liking, number)
        self._log.add(track, rows_of(reaction, self._now))
        self._now += reaction.share * DURATION
        self._listener.hear(track, reaction.share, self._now)
        return _Play(
            track=track,
            liking=float(logistic(np.array(liking))),
            taste=float(self._listener.taste.probability[track]),
            skipped=not reaction.finished,
            early=reaction.early,
            thumb=reaction.thumb,
            propensity=propensity,
        )

    def _choose(self, number: int) -> tuple[int, float]:
        """The next track as the player would serve it, and its propensity."""
        scores = self._policy.scores(self._log.log(), self._now).astype(np.float64)
        count = len(self._world)
        nothing = np.zeros(count, np.bool_)
        rules = standing_rules(never=nothing, thumbed_down=self._log.thumb < 0, resting=nothing)
        candidates = ~nothing
        plan = self._plan
        turned = dialled(plan.dial, plan.breadth, plan.diversity, Spacing().track)
        scores += turned.logits(np.bincount(self._heard(), minlength=count))
        temperature = temperature_for_breadth(scores[open_tracks(candidates, rules)], turned.breadth)
        request = Request(
            scores=scores,
            candidates=candidates,
            rules=rules,
            recent=tuple(play.track for play in self._plays[-LOOK_BACK:]),
            first_slot=number,
            places=1,
            noise_seed=self._seed,
            settings=Settings(
                temperature=temperature,
                diversity=turned.diversity,
                variety=plan.variety,
                calibration=plan.calibration,
                spacing=Spacing(track=turned.track_gap),
            ),
            mix=self._mix() if plan.kinds else None,
        )
        ranking = rank(self._world.ranking, request, commit_first=1)
        if not ranking.rows:
            raise ValueError(f"after {number} plays: {ranking.shortfall}")
        row = ranking.rows[0]
        return row.track, row.propensity or 0.0

    def _mix(self) -> Mix | None:
        """The shares of genres among the plays that the log says were liked."""
        log = self._log.log()
        liked = log.label > 0
        codes = np.array(self._plan.kinds, np.int64)
        aspect = aspect_of_likes(codes, log.track[liked], log.weight[liked].astype(np.float64))
        return None if aspect is None else Mix((aspect,))

    def _check(self, plays: int) -> Check:
        scores = self._policy.scores(self._log.log(), self._now)
        heard = self._heard()
        fresh = np.ones(len(self._world), np.bool_)
        fresh[heard] = False
        accuracy = pair_auc(scores[fresh & self._verdicts], scores[fresh & ~self._verdicts])
        pool = Pool(self._world.space.vectors, self._world.ranking.artist, np.ones(len(self._world), np.bool_))
        return Check(plays, np.nan if accuracy is None else accuracy, report(pool, heard))
