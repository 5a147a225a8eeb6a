"""The loop without a screen: what comes next, and playing it."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from player.config import Paths, Settings
from player.errors import PlayerError
from player.feedback.event_history import EventHistory, load_history
from player.feedback.event_store import EventStore
from player.feedback.events import LoggedEvent
from player.insight.diversity_panel import DiversityCourse
from player.learning.served_model import load_served_model
from player.playback.active_station import QUEUE_ROWS
from player.playback.controller import Controller, Opening
from player.playback.silence import Reason
from player.stations.collection import Collection, load_collection
from player.stations.modes import mode_named
from player.stations.pins import Pins, load_pins
from player.stations.queue_builder import Programme, ProgrammeQueue, dial_words, last_heard
from player.stations.reasons import queue_rows
from player.stations.snapshot import Measure, QueueRow
from player.stations.station_queue import Listening, served
from player.stations.station_scoring import StationScorer
from player.stations.stations import Stations
from player.storage.database import Database
from player.storage.event_kinds import Origin
from player.trials.lifecycle import arms_on

EMPTY_LIBRARY = "The library is empty; add music with `player scan FOLDER`."


@dataclass(frozen=True, slots=True)
class ServedList:
    """What a station plays next.

    Attributes:
        model_version: what chose.
        queue: the rows, each with its propensity.
        diversity: as it will be when they have been played.
        shortfall: why there are fewer than asked; empty when there are not.
        notes: what the station has to say for itself: its mode finds nothing, its seeds are gone, rules gave way.
        dial_effect: what its dial did to the queue, in figures; empty in its middle.
        problem: why a trained model could not be used, and how a trial ended just now; empty without either.
    """

    model_version: str
    queue: tuple[QueueRow, ...]
    diversity: tuple[Measure, ...]
    shortfall: str
    notes: tuple[str, ...]
    dial_effect: str
    problem: str


def serve_next(database: Database, paths: Paths, settings: Settings, station_name: str, count: int) -> ServedList:
    """Rank a station's next ``count`` tracks and log them as served.

    Raises:
        PlayerError: the station is unknown or the library empty.
    """
    ahead = _look_ahead(database, paths, settings, station_name, count)
    if ahead is None:
        raise PlayerError(EMPTY_LIBRARY)
    ranked, scorer, state = ahead.queue.ranked, ahead.scorer, ahead.history.state
    chosen = [served(ranked, scorer, place) for place, row in enumerate(ranked.ranking.rows) if not row.pinned]
    EventStore(database, Origin.CLI).serve(chosen)
    rows = queue_rows(ranked, scorer, state, (), ahead.now)
    return ServedList(
        model_version=scorer.version,
        queue=ahead.queue.worded(rows, scorer.collection.index, ahead.pins),
        diversity=DiversityCourse(scorer).measure(replace(ranked, open=ahead.queue.within), state),
        shortfall=ranked.shortfall,
        notes=ahead.queue.notes,
        dial_effect=dial_words(scorer, state, ranked),
        problem=ahead.problem,
    )


def what_the_dial_does(database: Database, paths: Paths, settings: Settings, station_name: str) -> str:
    """What a station's dial does to its queue, in figures; nothing is logged, and an empty library has none.

    Raises:
        PlayerError: the station is unknown.
    """
    ahead = _look_ahead(database, paths, settings, station_name, QUEUE_ROWS)
    return "" if ahead is None else dial_words(ahead.scorer, ahead.history.state, ahead.queue.ranked)


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A station's queue, and what it was ranked from."""

    queue: ProgrammeQueue
    scorer: StationScorer
    history: EventHistory
    pins: Pins
    now: float
    problem: str


def _look_ahead(database: Database, paths: Paths, settings: Settings, station_name: str, count: int) -> _Ahead | None:
    """Rank a station's next tracks; None when there are no tracks at all."""
    stations = Stations(database)
    station = stations.find(station_name)
    collection = load_collection(database)
    if not collection.playable.any():
        return None
    history, finding = load_history(database, collection.rows), load_served_model(paths, collection)
    scorer = StationScorer(collection, stations.all(), station, finding.model)
    arms, ended = arms_on(database, paths, history, collection, station)
    programme = Programme(scorer, mode_named(station.mode, collection, database), arms)
    pins, index, now = load_pins(database, station.id), collection.index, time.time()
    pinned = tuple(index[track] for track in pins.tracks if track in index)
    queue = programme.rank(
        Listening(history.state, history.labels, now, pinned=pinned),
        settings.station,
        count,
        thread=last_heard(history.state, station.id, index),
        commit_first=count,
    )
    return _Ahead(queue, scorer, history, pins, now, " ".join(filter(None, (finding.problem, ended))))


def play_headless(
    database: Database,
    paths: Paths,
    settings: Settings,
    station_name: str,
    seconds: float | None,
    emit: Callable[[dict[str, object]], None],
    companions: Callable[[Controller, Database, Paths, Settings], AbstractContextManager[None]],
) -> None:
    """Play a station until interrupted, or for so many seconds; every recorded event and every notice is emitted.

    ``companions`` go along with the player: its remote controls.

    Raises:
        PlayerError: the station is unknown, or nothing can be played.
    """
    station = Stations(database).find(station_name)
    _check_not_empty(load_collection(database))
    stop = threading.Event()
    told = {"output": "", "notice": ""}

    def say(document: dict[str, object]) -> None:
        try:
            emit(document)
        except OSError:  # nobody reads any more, or the terminal is gone
            stop.set()

    def tell(event: LoggedEvent) -> None:
        row = rows.get(event.track_id)
        say(
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
        database,
        paths,
        settings,
        origin=Origin.HEADLESS,
        opening=Opening(station_id=station.id, play=True),
        on_logged=tell,
    )
    rows = {row.id: row for row in controller.catalogue()}

    def look() -> None:
        snapshot = controller.snapshot()
        if snapshot.output and snapshot.output != told["output"]:
            told.update(output=snapshot.output, notice=snapshot.notice)
            say({"event": "output", "output": snapshot.output, "notice": snapshot.notice})
        elif snapshot.notice != told["notice"]:
            # An empty one takes back the one before: it is no longer true.
            told["notice"] = snapshot.notice
            say({"event": "notice", "time": datetime.now(UTC).isoformat(), "notice": snapshot.notice})

    controller.subscribe(look)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: stop.set())
    with companions(controller, database, paths, settings):
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
        if Reason.ENDED in controller.silence.reasons:
            raise PlayerError(snapshot.notice or "There is nothing to play.")


def _check_not_empty(collection: Collection) -> None:
    if not collection.playable.any():
        raise PlayerError(EMPTY_LIBRARY)
