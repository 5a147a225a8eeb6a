"""Trials of two arms on a station: beginning one, finding it again, ending it with a sentence."""

import secrets
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from player.errors import PlayerError
from player.feedback.events import MICROSECONDS, now_us
from player.storage.database import Database
from player.storage.key_value import keep_fact, read_fact
from player.storage.models import Trial

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
