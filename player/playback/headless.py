"""The loop without a screen: what comes next, and playing it."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import FrameType

from player.audio import messages as audio
from player.children import end_soon, kill_children
from player.config import Paths, Settings
from player.errors import PlayerError
from player.feedback.event_history import EventHistory, load_history
from player.feedback.event_store import EventStore
from player.feedback.events import LoggedEvent
from player.insight.diversity_panel import DiversityCourse
from player.learning.served_model import load_served_model
from player.library.tracks import TrackRow, find_tracks
from player.playback.active_station import QUEUE_ROWS
from player.playback.controller import Controller, Opening
from player.playback.library_snapshot import reading
from player.playback.silence import Reason
from player.stations.collection import load_collection
from player.stations.modes import mode_named
from player.stations.pins import Pins, load_pins
from player.stations.queue_builder import Programme, ProgrammeQueue, dial_words, last_heard
from player.stations.reasons import queue_rows
from player.stations.snapshot import Measure, QueueRow, output_words
from player.stations.station_queue import Listening, served
from player.stations.station_scoring import StationScorer
from player.stations.stations import Stations
from player.storage.database import Database
from player.storage.event_kinds import Kind, Origin
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


def upcoming(database: Database, paths: Paths, settings: Settings, station_name: str, count: int) -> list[TrackRow]:
    """What a station plays next, pins and all; nothing is logged.

    Raises:
        PlayerError: the station is unknown.
    """
    ahead = _look_ahead(database, paths, settings, station_name, count)
    return [] if ahead is None else [ahead.scorer.collection.rows[row] for row in ahead.queue.ranked.track_rows]


def what_the_dial_does(database: Database, paths: Paths, settings: Settings, station_name: str) -> tuple[str, int]:
    """What a station's dial does to its queue, in figures, and among how many tracks; nothing is logged.

    Raises:
        PlayerError: the station is unknown.
    """
    ahead = _look_ahead(database, paths, settings, station_name, QUEUE_ROWS)
    if ahead is None:
        return "", 0
    ranked = ahead.queue.ranked
    return dial_words(ahead.scorer, ahead.history.state, ranked), ranked.pool


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A station's queue, and what it was ranked from."""

    queue: ProgrammeQueue
    scorer: StationScorer
    history: EventHistory
    pins: Pins
    now: float
    problem: str


@reading()
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
    opening: Opening,
    seconds: float | None,
    emit: Callable[[dict[str, object]], None],
    companions: Callable[[Controller, Database, Paths, Settings], AbstractContextManager[None]],
) -> None:
    """Play a station, or music that was named, until it is over, interrupted, or so many seconds long.

    Every recorded event, every notice and what becomes of the sound output are emitted.

    ``companions`` go along with the player: its remote controls.

    Raises:
        PlayerError: nothing can be played.
    """
    if not opening.tracks:
        _check_not_empty(database)
    stop = threading.Event()
    teller = _Teller(database, emit, stop)
    controller = Controller(
        database,
        paths,
        settings,
        origin=Origin.HEADLESS,
        opening=replace(opening, play=True),
        on_logged=teller.logged,
        on_sound=teller.heard,
    )
    teller.follow(controller)

    def told_to_end(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():
            end_soon(0)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, told_to_end)
    with companions(controller, database, paths, settings):
        controller.start()
        try:
            _wait(controller, stop, seconds, teller)
        finally:
            controller.close()
    if stop.is_set():
        kill_children()


class _Teller:
    """What happens, as documents.

    Args:
        database: names tracks and stations.
        emit: where they go.
        stop: set when nobody reads any more.
    """

    def __init__(self, database: Database, emit: Callable[[dict[str, object]], None], stop: threading.Event) -> None:
        self._emit = emit
        self._stop = stop
        self._controller: Controller | None = None
        self._database = database
        self._stations = {info.id: info.name for info in Stations(database).all()}
        self._notice = ""
        self._output = ""
        self.finished = 0
        """Tracks that were heard to their end."""

    def follow(self, controller: Controller) -> None:
        """Tell what this one shows."""
        self._controller = controller
        controller.subscribe(self._look)

    def logged(self, event: LoggedEvent) -> None:
        """Tell a recorded event."""
        self.finished += event.kind == Kind.FINISH
        row = find_tracks(self._database, [event.track_id]).get(event.track_id)
        document = told(event, row, self._stations.get(event.station_id or 0))
        level = None if self._controller is None else self._controller.level
        if event.kind == Kind.START and level is not None:
            document |= level.told
        self._say(document)

    def heard(self, event: audio.Event) -> None:
        """Tell what became of the sound."""
        match event:
            case audio.Ready(engine, device, note) if (output := output_words(engine, device)) != self._output:
                lost = engine == "null" and note
                if lost or self._output:
                    self._output_is("lost" if lost else "switched", output, note)
                self._output = output
            case audio.DeviceLost(message):
                self._output_is("lost", "", message)
            case audio.DeviceChanged(device, switched):
                self._output_is("switched" if switched else "back", output_words("stream", device), "")
            case audio.Underrun(count):
                self._say({"event": "underrun", "time": datetime.now(UTC).isoformat(), "count": count})
            case _:
                pass

    def _output_is(self, state: str, output: str, notice: str) -> None:
        self._output = output
        self._say({"event": "output", "state": state, "output": output, "notice": notice})

    def _look(self) -> None:
        """Tell a notice; an empty one takes back the one before: it is no longer true."""
        assert self._controller is not None
        notice = self._controller.snapshot().notice
        if notice != self._notice:
            self._notice = notice
            self._say({"event": "notice", "time": datetime.now(UTC).isoformat(), "notice": notice})

    def _say(self, document: dict[str, object]) -> None:
        try:
            self._emit(document)
        except OSError:  # nobody reads any more, or the terminal is gone
            self._stop.set()


def told(event: LoggedEvent, row: TrackRow | None, station: str | None) -> dict[str, object]:
    """A recorded event as a document."""
    return {
        "event": event.kind,
        "time": datetime.fromtimestamp(event.seconds, UTC).isoformat(),
        "track_id": event.track_id,
        "title": "" if row is None else row.title,
        "artist": "" if row is None else row.artist,
        "station": station,
        "position": event.position,
        "action": event.action,
    }


def _wait(controller: Controller, stop: threading.Event, seconds: float | None, teller: _Teller) -> None:
    deadline = None if seconds is None else time.monotonic() + seconds
    while not stop.wait(0.1):
        if deadline is not None and time.monotonic() >= deadline:
            return
        snapshot = controller.snapshot()
        if Reason.ENDED in controller.silence.reasons:
            if teller.finished:
                return
            raise PlayerError(snapshot.notice or "There is nothing to play.")


def _check_not_empty(database: Database) -> None:
    with database.look_up() as connection:
        if connection.execute("SELECT 1 FROM track_file WHERE NOT missing LIMIT 1").fetchone() is None:
            raise PlayerError(EMPTY_LIBRARY)
