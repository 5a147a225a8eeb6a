"""Making the control of a trial: trained on the listener's log, kept where it cannot serve alone."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from player.config import Paths
from player.errors import PlayerError
from player.jobs import JobProgress, trainer_lock
from player.learning.retraining import load_material
from player.stations.station_scoring import frontend_id
from player.stations.trial_arms import controls
from player.storage.database import Database
from recommender.models.registry import ModelError, Registry

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
