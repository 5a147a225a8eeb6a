"""The loop without a screen: what comes next, and playing it."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from player.config import Paths, Settings
from player.errors import PlayerError
from player.listening.collection import Collection, load_collection
from player.listening.controller import Controller, Opening
from player.listening.journal import load_journal
from player.listening.log import FeedbackLog, LoggedEvent
from player.listening.measures import DiversityCourse
from player.listening.models import load_served_model
from player.listening.queue import Listening, rank_station, served
from player.listening.reasons import queue_rows
from player.listening.scoring import StationScorer
from player.listening.stations import Stations
from player.listening.view import Measure, QueueRow
from player.storage.database import Database

EMPTY_LIBRARY = "The library is empty; add music with `player scan FOLDER`."


@dataclass(frozen=True, slots=True)
class ServedList:
    """What a station plays next.

    Attributes:
        model_version: what chose.
        queue: the rows, each with its propensity.
        diversity: as it will be when they have been played.
        shortfall: why there are fewer than asked; empty when there are not.
        problem: why a trained model could not be used; empty when it could.
    """

    model_version: str
    queue: tuple[QueueRow, ...]
    diversity: tuple[Measure, ...]
    shortfall: str
    problem: str


def serve_next(database: Database, paths: Paths, settings: Settings, station_name: str, count: int) -> ServedList:
    """Rank a station's next ``count`` tracks and log them as served.

    Raises:
        PlayerError: the station is unknown or the library empty.
    """
    stations = Stations(database)
    station = stations.find(station_name)
    collection = load_collection(database)
    _check_not_empty(collection)
    log, journal = FeedbackLog(database, "cli"), load_journal(database, collection.rows)
    finding = load_served_model(paths, collection)
    scorer = StationScorer(collection, stations.all(), station, finding.model)
    now = time.time()
    queue = rank_station(
        scorer, Listening(journal.state, journal.labelled, now), settings.station, count, commit_first=count
    )
    log.serve([served(queue, scorer, place) for place in range(len(queue.ranking.rows))])
    return ServedList(
        model_version=scorer.version,
        queue=queue_rows(queue, scorer, journal.state, (), now),
        diversity=DiversityCourse(scorer).measure(queue, journal.state),
        shortfall=queue.shortfall,
        problem=finding.problem,
    )


def play_headless(
    database: Database,
    paths: Paths,
    settings: Settings,
    station_name: str,
    seconds: float | None,
    emit: Callable[[dict[str, object]], None],
) -> None:
    """Play a station until interrupted, or for so many seconds; every recorded event is emitted.

    Raises:
        PlayerError: the station is unknown, or nothing can be played.
    """
    station = Stations(database).find(station_name)
    _check_not_empty(load_collection(database))
    stop = threading.Event()
    notices: list[str] = []

    def tell(event: LoggedEvent) -> None:
        row = rows.get(event.track_id)
        emit(
            {
                "event": event.kind,
                "time": datetime.fromtimestamp(event.seconds, UTC).isoformat(),
                "track_id": event.track_id,
                "title": "" if row is None else row.title,
                "artist": "" if row is None else row.artist,
                "station": station.name,
                "position": event.position,
                "action": event.action,
            }
        )

    controller = Controller(
        database, paths, settings, origin="headless", opening=Opening(station_id=station.id), on_logged=tell
    )
    rows = {row.id: row for row in controller.catalogue()}

    def look() -> None:
        snapshot = controller.snapshot()
        if snapshot.output and snapshot.output not in notices:
            notices.append(snapshot.output)
            emit({"event": "output", "output": snapshot.output, "notice": snapshot.notice})

    controller.subscribe(look)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    controller.start()
    try:
        _wait(controller, stop, seconds)
    finally:
        controller.close()


def _wait(controller: Controller, stop: threading.Event, seconds: float | None) -> None:
    deadline = None if seconds is None else time.monotonic() + seconds
    while not stop.wait(0.1):
        if deadline is not None and time.monotonic() >= deadline:
            return
        snapshot = controller.snapshot()
        if snapshot.now is None and not snapshot.queue:
            raise PlayerError(snapshot.notice or "There is nothing to play.")


def _check_not_empty(collection: Collection) -> None:
    if not collection.playable.any():
        raise PlayerError(EMPTY_LIBRARY)
