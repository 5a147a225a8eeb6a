"""Trials of two arms on a station: begun, found, ended with a sentence, and on the air, where each arm chooses in turn."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from player.config import Paths, StationSettings
from player.errors import PlayerError
from player.feedback.events import MICROSECONDS, now_us
from player.stations.collection import Collection
from player.stations.station_queue import Listening, RankedQueue, RowArm, rank_station
from player.stations.station_scoring import CONTENT_VERSION, StationScorer, frontend_id
from player.stations.stations import StationInfo
from player.storage.database import Database
from player.storage.key_value import keep_fact, read_fact
from player.storage.models import Trial
from recommender.models.model_scorer import WithoutNegatives
from recommender.models.plain_scorers import PLAIN
from recommender.models.registry import VERSION_PATTERN, ModelError, Registry
from recommender.models.station_scorer import LiveScorer
from recommender.ranking.interleaving import interleave, pair_of

MOST_PAIRS = 400
"""Pairs at which a trial ends without a winner unless told otherwise: an effect of about .1 is then found four times of
five, and at 30 tracks a day it is a month."""
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the two ways of choosing: what the listener calls it, and the version that chooses."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class TrialInfo:
    """A trial as it is kept.

    Attributes:
        id: its number.
        station_id: where it takes place.
        arms: the two.
        coin_seed: says which arm has the first slot of each pair.
        started_us, ended_us: microseconds since 1970; not ended: None.
        conclusion: the sentence it ended with.
        most_pairs: at so many pairs it ends without a winner.
        until_us: at that moment it does too; None for no such moment.
    """

    id: int
    station_id: int
    arms: tuple[Arm, Arm]
    coin_seed: int
    started_us: int
    ended_us: int | None
    conclusion: str | None
    most_pairs: int
    until_us: int | None

    @property
    def words(self) -> str:
        """The arms as a sentence names them."""
        return f"“{self.arms[0].name}” against “{self.arms[1].name}”"


class Trials:
    """Begins, finds and ends trials.

    Args:
        database: the listener's data.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, station_id: int, arms: tuple[Arm, Arm], most_pairs: int, hours: float | None = None) -> TrialInfo:
        """Begin a trial; the station's next slots are the arms' in turn.

        Raises:
            PlayerError: the station has one, or the arms are one.
        """
        one, other = arms
        if one.version == other.version or one.name == other.name:
            raise PlayerError(
                f"“{one.name}” and “{other.name}” are the same version, {one.version}; name two that differ."
            )
        with self._database.session() as session:
            running = session.scalar(_running(station_id))
            if running is not None:
                raise PlayerError(
                    f"Trial {running.id} is still running on this station; `player ab status` shows it and "
                    "`player ab stop` ends it."
                )
            row = Trial(
                station_id=station_id,
                arm_a=one.name,
                arm_b=other.name,
                version_a=one.version,
                version_b=other.version,
                coin_seed=secrets.randbits(62),
                started_us=now_us(),
            )
            session.add(row)
            session.flush()
            until = None if hours is None else row.started_us + round(hours * SECONDS_PER_HOUR * MICROSECONDS)
            keep_fact(session, _limits_key(row.id), {"pairs": most_pairs, "until_us": until})
            return _info(session, row)

    def running(self, station_id: int) -> TrialInfo | None:
        """The trial that is running on a station."""
        with self._database.reader() as session:
            row = session.scalar(_running(station_id))
            return None if row is None else _info(session, row)

    def all(self) -> list[TrialInfo]:
        """Every trial, oldest first."""
        with self._database.reader() as session:
            return [_info(session, row) for row in session.scalars(select(Trial).order_by(Trial.id))]

    def end(self, trial: TrialInfo, conclusion: str) -> None:
        """End a trial with a sentence; one that has ended keeps its own."""
        with self._database.session() as session:
            row = session.get(Trial, trial.id)
            if row is not None and row.ended_us is None:
                row.ended_us = now_us()
                row.conclusion = conclusion


def _running(station_id: int) -> Any:
    return select(Trial).where(Trial.station_id == station_id, Trial.ended_us.is_(None)).order_by(Trial.id.desc())


def _limits_key(trial_id: int) -> str:
    return f"trial.{trial_id}.limits"


def _info(session: Session, row: Trial) -> TrialInfo:
    kept = read_fact(session, _limits_key(row.id))
    limits = cast("dict[str, Any]", kept) if isinstance(kept, dict) else {}
    pairs, until = limits.get("pairs"), limits.get("until_us")
    return TrialInfo(
        id=row.id,
        station_id=row.station_id,
        arms=(Arm(row.arm_a, row.version_a), Arm(row.arm_b, row.version_b)),
        coin_seed=row.coin_seed,
        started_us=row.started_us,
        ended_us=row.ended_us,
        conclusion=row.conclusion,
        most_pairs=pairs if isinstance(pairs, int) and pairs > 0 else MOST_PAIRS,
        until_us=until if isinstance(until, int) else None,
    )


LIVE, UNTRAINED, CONTROL = "live", "untrained", "without-negatives"
"""Arms with a name of their own; any other is a version."""
_PLAIN_NAMES = ", ".join(PLAIN)
CONTROLS = ".controls"
"""Folder of the controls among the models. They are in no list and cannot be promoted or rolled back to: a control never
serves alone."""


def controls(paths: Paths) -> Registry:
    """Where the controls of trials are kept."""
    return Registry(paths.models / CONTROLS)


@dataclass(frozen=True, slots=True)
class TrialArms:
    """A trial with the scorers of its two arms."""

    trial: TrialInfo
    scorers: tuple[StationScorer, StationScorer]

    def turn_to(self, station: StationInfo) -> None:
        """Go on with another dial of the same station."""
        for scorer in self.scorers:
            scorer.station = station

    def rank(
        self, listening: Listening, settings: StationSettings, places: int, *, commit_first: int = 0
    ) -> RankedQueue:
        """Rank the station's queue, each place by the arm whose slot it is.

        Args:
            listening: the state of things.
            settings: breadth and diversity, for both.
            places: how many rows.
            commit_first: how many places get their propensity at once, because they are all being served.

        Returns:
            The queue; beside its rows it is the first arm's.
        """
        one, other = (rank_station(scorer, listening, settings, 0) for scorer in self.scorers)
        requests = replace(one.request, places=places), replace(other.request, places=places)
        catalogue = self.scorers[0].collection.catalogue
        mixed = interleave(catalogue, requests, self.trial.coin_seed, commit_first)
        queues = (
            replace(one, request=requests[0], ranking=mixed.ranking),
            replace(other, request=requests[1], ranking=mixed.ranking),
        )
        arms = tuple(
            None if arm is None else self._row_arm(arm, row.slot, queues[arm])
            for row, arm in zip(mixed.ranking.rows, mixed.arms, strict=True)
        )
        return replace(queues[0], arms=arms)

    def _row_arm(self, arm: int, slot: int, queue: RankedQueue) -> RowArm:
        return RowArm(self.trial.arms[arm].name, self.trial.id, pair_of(slot), queue, self.scorers[arm])


def name_arm(name: str, paths: Paths, collection: Collection) -> Arm:
    """The arm that the listener means; ``CONTROL`` is not among them, for it is made by training.

    Raises:
        PlayerError: there is no such version, it cannot be used, or none serves.
    """
    registry = Registry(paths.models)
    try:
        if name in (UNTRAINED, *PLAIN):
            return Arm(name, CONTENT_VERSION if name == UNTRAINED else name)
        if name == LIVE:
            return Arm(LIVE, registry.current() or CONTENT_VERSION)
        found = [card.version for card in registry.versions() if card.version.startswith(name)]
        if len(found) != 1:
            raise PlayerError(
                f"“{name}” names {len(found) or 'no'} version{'s' if found else ''}; an arm is {LIVE}, {UNTRAINED}, {_PLAIN_NAMES}, "
                f"{CONTROL} or a version that `player models` lists."
            )
        registry.load(found[0], frontend_id(collection))
    except ModelError as error:
        raise PlayerError(str(error)) from error
    return Arm(found[0], found[0])


def open_arms(
    trial: TrialInfo, collection: Collection, stations: Sequence[StationInfo], station: StationInfo, paths: Paths
) -> TrialArms:
    """Load what both arms choose by.

    Raises:
        PlayerError: a version of the trial is gone or cannot be used with the library as it is.
    """

    def scorer(arm: Arm) -> StationScorer:
        if arm.version in (CONTENT_VERSION, *PLAIN):
            plain = StationScorer(collection, stations, station, None, live=PLAIN.get(arm.version, LiveScorer))
            plain.version = arm.version
            return plain
        kept = controls(paths)
        frontend = frontend_id(collection)
        if VERSION_PATTERN.fullmatch(arm.version) and (kept.root / arm.version).is_dir():
            return StationScorer(collection, stations, station, kept.load(arm.version, frontend), WithoutNegatives)
        return StationScorer(collection, stations, station, Registry(paths.models).load(arm.version, frontend))

    try:
        return TrialArms(trial, (scorer(trial.arms[0]), scorer(trial.arms[1])))
    except ModelError as error:
        raise PlayerError(f"Trial {trial.id} cannot go on: {error}") from error
