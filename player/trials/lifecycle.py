"""The course of a trial: it begins on a station, is settled when the time has come, or is stopped."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from player.errors import PlayerError
from player.feedback.event_history import EventHistory, load_history
from player.folders import Paths
from player.jobs import JobProgress, trainer_lock
from player.learning.retraining import load_material
from player.stations.collection import Collection, load_collection
from player.stations.resume import load_resume_point
from player.stations.station_scoring import frontend_id
from player.stations.stations import StationInfo, Stations
from player.stations.trial_arms import CONTROL, Arm, TrialArms, TrialInfo, Trials, controls, name_arm, open_arms
from player.storage.database import Database
from player.trials.report import TrialReport, ending_of, report_trial, stopped_sentence
from recommender.models.registry import VERSION_PATTERN, ModelError, Registry

if TYPE_CHECKING:
    from recommender.training.sequential_recommender import EpochReport

STAGE = "Training the control"


def make_control(
    database: Database, paths: Paths, report: Callable[[JobProgress], None], should_stop: Callable[[], bool]
) -> str:
    """Train the live model's control and keep it; returns its version.

    Raises:
        PlayerError: no trained model serves, there is nothing to train on, another job is running, or it cannot be kept.
    """
    from recommender.training.trial_control import ControlError, train_control  # noqa: PLC0415 - imports torch

    def tell(epoch: "EpochReport") -> None:
        report(JobProgress(STAGE, epoch.epoch, epoch.epochs, None, epoch.validation_auc))

    with trainer_lock(paths.trainer_lock):
        material = load_material(database)
        try:
            live = Registry(paths.models).load_current(frontend_id(material.collection))
            if live is None:
                raise PlayerError(
                    "No trained model serves yet, so there is none to try without negatives; `player retrain` makes one, or "
                    "compare others with --arms."
                )
            control = train_control(live, material.log, material.catalogue, tell, should_stop)
            return controls(paths).save(control).version
        except (ModelError, ControlError) as error:
            raise PlayerError(str(error)) from error


PLAIN_MODE = "station"
"""A trial takes place while its station plays as a plain station: album order, say, leaves an arm nothing to choose."""


@dataclass(frozen=True, slots=True)
class TrialWish:
    """What a listener asks for.

    Attributes:
        arms: names of the two.
        station: its name; none for the one that was last on.
        most_pairs: at which the trial ends without a winner.
        hours: after which it does too; none for no such limit.
    """

    arms: tuple[str, str]
    station: str | None
    most_pairs: int
    hours: float | None


def begin_trial(
    database: Database,
    paths: Paths,
    wish: TrialWish,
    report: Callable[[JobProgress], None],
    should_stop: Callable[[], bool],
) -> TrialInfo:
    """Begin a trial, after training its control where that is one of the arms.

    Raises:
        PlayerError: the station or an arm is unknown, both are one, a trial is running, or no control can be trained.
    """
    stations, trials = Stations(database), Trials(database)
    station = find_station(database, wish.station)
    if (running := trials.running(station.id)) is not None:
        raise PlayerError(
            f"Trial {running.id} is still running on “{station.name}”; `player ab status` shows it and "
            "`player ab stop` ends it."
        )
    if station.mode != PLAIN_MODE:
        raise PlayerError(
            f"“{station.name}” plays in the mode “{station.mode}”, which leaves an arm little to choose; a trial needs a plain "
            "station."
        )
    collection = load_collection(database)
    if not collection.playable.any():
        raise PlayerError("The library is empty; add music with `player scan FOLDER`.")

    def arm(name: str) -> Arm:
        return Arm(CONTROL, "") if name == CONTROL else name_arm(name, paths, collection)

    arms = arm(wish.arms[0]), arm(wish.arms[1])
    if not all(arm.version for arm in arms):
        control = make_control(database, paths, report, should_stop)
        arms = tuple(replace(arm, version=arm.version or control) for arm in arms)
    trial = trials.start(station.id, (arms[0], arms[1]), wish.most_pairs, wish.hours)
    try:
        open_arms(trial, collection, stations.all(), station, paths)
    except PlayerError as error:
        trials.end(trial, str(error))
        raise
    return trial


def find_station(database: Database, name: str | None) -> StationInfo:
    """The station of that name; without one, the station that was last on, or the only one.

    Raises:
        PlayerError: there is none.
    """
    stations = Stations(database)
    if name is not None:
        return stations.find(name)
    everything = stations.all()
    last = load_resume_point(database).station_id
    found = [station for station in everything if station.id == last] or (everything if len(everything) == 1 else [])
    if not found:
        raise PlayerError("Name a station with --station; `player station list` shows them.")
    return found[0]


def settle(database: Database, paths: Paths, trial: TrialInfo, history: EventHistory) -> str | None:
    """End a trial whose time has come and say so; None while it goes on.

    A winner that is a trained version serves from now on, if the arm it beat is what serves.
    """
    ending = ending_of(database, trial, history)
    if ending is None:
        return None
    sentence = ending.sentence
    if ending.winner is not None and _promote(paths, trial, ending.winner):
        sentence = f"{sentence} It serves from now on."
    Trials(database).end(trial, sentence)
    return sentence


def arms_on(
    database: Database, paths: Paths, history: EventHistory, collection: Collection, station: StationInfo
) -> tuple[TrialArms | None, str]:
    """The arms of the trial that runs on a station, after settling it where its time has come.

    Returns:
        The arms, none without a trial, and the sentence of one that ended just now: it was won or is over, or a version is
        gone.
    """
    trials = Trials(database)
    trial = trials.running(station.id)
    if trial is None:
        return None, ""
    sentence = settle(database, paths, trial, history)
    if sentence is not None:
        return None, sentence
    try:
        return open_arms(trial, collection, Stations(database).all(), station, paths), ""
    except PlayerError as error:
        # The version is gone or the library has other vectors: that will not be otherwise at the next track.
        trials.end(trial, str(error))
        return None, str(error)


def _promote(paths: Paths, trial: TrialInfo, winner: Arm) -> bool:
    """Let a winner serve that may; whether it came to that."""
    registry = Registry(paths.models)
    beaten = next(arm.version for arm in trial.arms if arm is not winner)
    try:
        trained = VERSION_PATTERN.fullmatch(winner.version) and (registry.root / winner.version).is_dir()
        if not trained or registry.current() != beaten:
            return False
        registry.promote(winner.version)
    except ModelError:
        return False
    return True


def stop_trial(database: Database, paths: Paths, station: str | None) -> TrialInfo:
    """End the trial on a station before its time.

    Raises:
        PlayerError: none is running there.
    """
    trial = running_on(database, station)
    report = report_of(database, paths, trial)
    if report.trial.ended_us is None:
        Trials(database).end(trial, stopped_sentence(trial, report.test))
    return next(info for info in Trials(database).all() if info.id == trial.id)


def running_on(database: Database, station: str | None) -> TrialInfo:
    """The running trial on a station, or the only running one.

    Raises:
        PlayerError: there is none, or there are several and no station is named.
    """
    trials = Trials(database)
    if station is not None:
        found = Stations(database).find(station)
        running = trials.running(found.id)
        if running is None:
            raise PlayerError(f"No trial is running on “{found.name}”; `player ab start` begins one.")
        return running
    everything = [trial for trial in trials.all() if trial.ended_us is None]
    if not everything:
        raise PlayerError(
            "No trial is running; `player ab start` begins one and `player ab list` shows those that were."
        )
    if len(everything) > 1:
        raise PlayerError("Several trials are running; name a station with --station.")
    return everything[0]


def report_of(database: Database, paths: Paths, trial: TrialInfo) -> TrialReport:
    """What a trial has shown; one whose time has come is settled first."""
    collection = load_collection(database)
    history = load_history(database, collection.rows)
    if trial.ended_us is None and settle(database, paths, trial, history) is not None:
        trial = next(info for info in Trials(database).all() if info.id == trial.id)
    names = {station.id: station.name for station in Stations(database).all()}
    return report_trial(database, trial, names.get(trial.station_id, "a station that is gone"), history, collection)
