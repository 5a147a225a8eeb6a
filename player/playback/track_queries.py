"""Questions about tracks without a screen: the same answers, from the state of things as it is on disk."""

import time

from player.config import Paths, Settings
from player.errors import PlayerError
from player.feedback.event_history import load_history
from player.learning.served_model import load_served_model
from player.stations.collection import load_collection
from player.stations.modes import mode_named
from player.stations.queue_builder import Programme
from player.stations.station_queue import Listening, RankedQueue
from player.stations.station_scoring import StationScorer
from player.stations.stations import Stations
from player.stations.track_details import StationView, track_story
from player.stations.track_views import TrackStory, Why
from player.stations.why import why
from player.storage.database import Database

PLACES = 25
"""As many as the screen shows."""


class Answers:
    """What can be asked of a data folder.

    Args:
        database: the listener's data.
        paths: where models lie.
        settings: the listener's settings.
    """

    def __init__(self, database: Database, paths: Paths, settings: Settings) -> None:
        self._database = database
        self._paths = paths
        self._settings = settings
        self._stations = Stations(database)
        self._collection = load_collection(database)
        self.history = load_history(database, self._collection.rows)

    def why(self, station_name: str, track_id: int) -> Why:
        """Why a track stands where it stands in a station's queue, with nothing playing.

        Raises:
            PlayerError: the station or the track is unknown.
        """
        row = self._row(track_id)
        queue, scorer = self._rank(station_name)
        return why(queue, scorer, self.history.state, row, time.time())

    def story(self, track_id: int, station_name: str | None = None) -> TrackStory:
        """Everything known about a track, and, of a station, what it makes of it.

        Raises:
            PlayerError: the station or the track is unknown.
        """
        self._row(track_id)
        view = None
        if station_name is not None:
            queue, scorer = self._rank(station_name)
            view = StationView(scorer.station.name, queue.scores.parts, queue.open)
        return track_story(
            self._database,
            self._collection,
            self.history,
            self._stations.all(),
            track_id,
            now=time.time(),
            view=view,
        )

    def _row(self, track_id: int) -> int:
        row = self._collection.index.get(track_id)
        if row is None:
            raise PlayerError(f"There is no track {track_id}; `player tracks` lists them.")
        return row

    def _rank(self, station_name: str) -> tuple[RankedQueue, StationScorer]:
        station = self._stations.find(station_name)
        model = load_served_model(self._paths, self._collection).model
        scorer = StationScorer(self._collection, self._stations.all(), station, model)
        programme = Programme(scorer, mode_named(station.mode, self._collection, self._database))
        listening = Listening(self.history.state, self.history.labels, time.time())
        return programme.rank(listening, self._settings.station, PLACES).ranked, scorer
