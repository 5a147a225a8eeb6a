"""The two arms of a trial on the air: what each chooses by, and the queue they fill in turn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from player.config import Paths, StationSettings
from player.errors import PlayerError
from player.stations.collection import Collection
from player.stations.station_queue import Listening, RankedQueue, RowArm, rank_station
from player.stations.station_scoring import CONTENT_VERSION, StationScorer, frontend_id
from player.stations.stations import StationInfo
from player.stations.trials import Arm, TrialInfo
from recommender.models.model_scorer import WithoutNegatives
from recommender.models.registry import VERSION_PATTERN, ModelError, Registry
from recommender.ranking.interleaving import interleave, pair_of

LIVE, UNTRAINED, CONTROL = "live", "untrained", "without-negatives"
"""Arms with a name of their own; any other is a version."""
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
        if name == UNTRAINED:
            return Arm(UNTRAINED, CONTENT_VERSION)
        if name == LIVE:
            return Arm(LIVE, registry.current() or CONTENT_VERSION)
        found = [card.version for card in registry.versions() if card.version.startswith(name)]
        if len(found) != 1:
            raise PlayerError(
                f"“{name}” names {len(found) or 'no'} version{'s' if found else ''}; an arm is {LIVE}, {UNTRAINED}, "
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
        if arm.version == CONTENT_VERSION:
            return StationScorer(collection, stations, station, None)
        kept = controls(paths)
        frontend = frontend_id(collection)
        if VERSION_PATTERN.fullmatch(arm.version) and (kept.root / arm.version).is_dir():
            return StationScorer(collection, stations, station, kept.load(arm.version, frontend), WithoutNegatives)
        return StationScorer(collection, stations, station, Registry(paths.models).load(arm.version, frontend))

    try:
        return TrialArms(trial, (scorer(trial.arms[0]), scorer(trial.arms[1])))
    except ModelError as error:
        raise PlayerError(f"Trial {trial.id} cannot go on: {error}") from error
