"""The controller: one listener, one station at a time; what is pressed becomes events, events become the queue.

The screen and the headless player use it alike. All methods may be called from any thread. Those that do something are
commands (see :meth:`PlayerSession.command`), each defined once, in one of the classes that the controller consists of; those
that only read take the lock, or what was published last.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from player.audio import messages as audio
from player.audio.client import AudioClient
from player.config import Paths, Settings
from player.errors import PlayerError
from player.feedback.events import LoggedEvent
from player.feedback.unlearned_times import load_times
from player.insight.library_map import Colour, Colouring
from player.insight.neighbours import SimilarTrack, similar_tracks
from player.insight.terminal_map import MapMaker, MapView, colour_map
from player.learning.auto_training import AutoTraining
from player.library.embed_priority import PriorityKeeper
from player.library.folder_offers import FolderOffer, offered_files, offered_folders
from player.library.loudness import Level
from player.library.tracks import TrackRow
from player.playback.audio_events import AudioEvents
from player.playback.background import Background, JobName
from player.playback.commands import PinCommands, TransportCommands
from player.playback.current_track import SoundLoan
from player.playback.feedback_commands import FeedbackCommands
from player.playback.library_snapshot import read_library
from player.playback.player_state import PlayerSession
from player.playback.playlist_commands import PlaylistCommands
from player.playback.queue_loop import QueueLoop
from player.playback.silence import Silence, SoundChange
from player.playback.station_commands import StationCommands
from player.playback.track_queries import TrackQueries
from player.stations.resume import ResumePoint, load_resume_point
from player.stations.snapshot import Snapshot
from player.storage.database import Database
from player.storage.event_kinds import Action, Kind, Origin
from player.survey.session import SurveySession, plan_of
from recommender.models.registry import Registry


@dataclass(frozen=True, slots=True)
class Opening:
    """What to begin with."""

    music: str | None = None
    """A folder to scan in the background."""
    station_id: int | None = None
    """A station to play, instead of going on where the listener stopped."""
    tracks: tuple[TrackRow, ...] = ()
    """Music to play in this order, instead of either; then the station, if there is one, goes on."""
    play: bool = False
    """Let the music sound even where the listener had paused it."""
    notice: str = ""
    """A first sentence on the screen."""


class Controller(TransportCommands, PinCommands, PlaylistCommands, FeedbackCommands, StationCommands, TrackQueries):
    """Plays stations and learns.

    Args:
        database: the listener's data.
        paths: where models and logs lie.
        settings: the listener's settings.
        origin: ``TUI`` or ``HEADLESS``; it is written into every event.
        opening: what to begin with.
        on_logged: called with every event this controller records, after it is on disk.
        on_sound: called with everything the audio process says, after it was followed.
    """

    def __init__(
        self,
        database: Database,
        paths: Paths,
        settings: Settings,
        *,
        origin: Origin,
        opening: Opening | None = None,
        on_logged: Callable[[LoggedEvent], None] | None = None,
        on_sound: Callable[[audio.Event], None] | None = None,
    ) -> None:
        self._opening = opening or Opening()
        self._closing, self._closed = threading.Lock(), False
        notice = self._opening.notice
        session = PlayerSession(database, paths, settings, origin=origin, notice=notice, on_logged=on_logged)
        super().__init__(session, QueueLoop(session))
        self._loop.take(session.known)
        self._audio_events = AudioEvents(session, self._loop, notice, on_sound)
        self._wishes = PriorityKeeper(database)
        auto = AutoTraining(Registry(paths.models), settings.learning.auto_after, self._answers)
        self._background = Background(
            database, paths, self._from_outside, self._job_changed, self._look_after, auto, settings.library
        )
        self._history: tuple[str, ...] = ()
        """Source and path of the history that was read through last."""
        self._map = MapMaker(paths.data, self._map_changed)

    # --- what is shown ---------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Everything there is to show now; never waits."""
        shown, current = self._session.shown, self._session.current
        if shown.now is None or current is None or shown.now.track is not current.track:
            return shown
        return replace(shown, now=replace(shown.now, position=current.position))

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call back, from any thread, whenever the snapshot changed."""
        self._session.subscribe(callback)

    def catalogue(self) -> list[TrackRow]:
        """The tracks that can be played, as :meth:`search` indexes them; the same list until the library has changed."""
        return self._session.known.playable

    def search(self, query: str) -> list[int]:
        """Indices into :meth:`catalogue` of the tracks that match.

        Raises:
            QueryError: the query means nothing.
        """
        return self._session.known.index.search(query, heard=self._heard)

    def _heard(self, name: str) -> dict[int, float]:
        with self._session.lock:
            return self._session.history.state.heard(name)

    def seed_suggestions(self, text: str) -> list[tuple[str, str, int]]:
        """(kind, value, tracks) of seeds whose name contains the text; what the text finds as a search is one too."""
        return self._session.known.seed_suggestions(text)

    def similar(self, track_id: int, count: int) -> list[SimilarTrack]:
        """The playable tracks that sound most like a track, most alike first.

        Raises:
            PlayerError: the track is unknown or was not analysed yet.
        """
        return similar_tracks(self._session.known.collection, track_id, count)

    def make_map(self) -> None:
        """Place the library's tracks on a map; :meth:`map_view` follows how far it is."""
        self._map.ask(self._session.known.collection)

    def map_view(self) -> MapView:
        """The map as it stands; never waits."""
        return self._map.view

    def map_colours(self, tracks: Sequence[TrackRow], colour: Colour) -> Colouring:
        """Groups or values of the tracks; thumbs and scores are those of the station that is on.

        Raises:
            PlayerError: scores were asked for without a station.
        """
        session = self._session
        with session.lock:
            tuned = session.tuned
            station, scorer = (None, None) if tuned is None else (tuned.station, tuned.scorer)
            return colour_map(session.known.collection, session.history, station, scorer, tracks, colour)

    def _map_changed(self) -> None:
        with self._session.command():
            self._session.show()

    def play_named(self, track_ids: Sequence[int], then: str = "") -> None:
        """Play tracks that were named, in their order: those too that have been read just now and are in no list.

        Args:
            track_ids: what can be played of them is.
            then: the station that goes on afterwards; the one that is on where it is empty.

        Raises:
            PlayerError: the station is unknown, or there is no such track.
        """
        session = self._session
        if any(track not in session.known.collection.index for track in track_ids):
            self._from_outside(library=True)
        index, rows = session.known.collection.index, session.known.collection.rows
        tracks = tuple(rows[index[track]] for track in track_ids if track in index)
        if not tracks:
            raise PlayerError("There is no such track.")
        station = session.stations.find(then) if then else session.station
        with session.command():
            self._loop.play_named(tracks, None if station is None else station.id)

    # --- opening and closing ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the sound output and go on where the listener stopped, or with the station that was asked for."""
        session, opening = self._session, self._opening
        point = load_resume_point(session.database)
        audio_settings = session.settings.audio
        client = AudioClient(
            self._audio_events.heard,
            engine=audio_settings.engine,
            device=audio_settings.device or None,
        )
        with session.lock:
            session.playback.attach(client)
            with session.command():
                session.playback.set_volume(point.volume, muted=point.muted, balance=point.balance)
                session.show(volume=point.volume, muted=point.muted, balance=point.balance)
                if opening.tracks:
                    self._loop.play_named(opening.tracks, opening.station_id)
                elif opening.station_id is None or opening.station_id == point.station_id:
                    self._resume(point, play=opening.play or point.playing)
                if opening.station_id is not None and session.current is None:
                    self.open_station(opening.station_id)
        self._background.start(opening.music)
        threading.Thread(target=session.levels.read, name="levels", daemon=True).start()

    def close(self) -> None:
        """Keep the place, say that the listener quit, and end the sound; a second call waits for the first."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._close()

    def _close(self) -> None:
        session = self._session
        self._background.stop_children()  # they keep what they have meanwhile
        with session.lock:
            client = session.playback.detach()
        try:
            with session.command():
                if session.unfinished is not None:
                    session.record(session.unfinished.ending)
                elif session.current is not None:
                    session.record(session.event(Kind.STOP, session.current, action=Action.QUIT))
                session.keep_place()
        finally:
            if client is not None:
                # Not under the lock: the client's thread may be waiting for it to deliver an event.
                client.close()
            self._background.close()
            self._map.close()

    @property
    def level(self) -> Level | None:
        """How loud the current track is, and what is done about it."""
        current = self._session.current
        return None if current is None else current.level

    @property
    def silence(self) -> Silence:
        """Why no music sounds, if none does; what is being done now is done, recorded and told before."""
        with self._session.lock:
            return self._session.playback.silence

    def _look_after(self) -> None:
        """What is done again and again: keep the place, and try what the store refused."""
        with self._session.lock:
            if self._session.playback.attached:
                self._loop.retry()
            private = self._session.history.hygiene.private
        if private is not None and load_times(self._session.database).private != private:
            self.private_over()
        self._keep_place()

    def _resume(self, point: ResumePoint, *, play: bool) -> None:
        """Go on with a station and its track, or with a track that played without one, where they are still there.

        Args:
            point: where the listener stopped.
            play: let the music sound, or wait until the listener goes on.
        """
        session = self._session
        station = self._loop.find_station(point.station_id)
        if station is not None:
            self._loop.open(station)
        elif point.station_id is not None:
            return
        track = session.known.playable_track(point.track_id)
        if track is not None:
            if not play:
                session.playback.happened(SoundChange.PAUSE)
            session.playback.load(track, point.reason, point.decision_id, position=point.position)
            words = "Going on where you stopped." if play else "Space goes on where you stopped."
            self._loop.rerank(f"{session.known.problem} {words}".strip())

    def _keep_place(self) -> None:
        """Keep where the listener is, and let whoever embeds know what is about to be played, while there is any to embed."""
        session = self._session
        session.keep_place()
        with session.lock:
            if session.tuned is None or session.known.collection.embedded >= len(session.known.playable):
                return
            playing = [] if session.current is None else [session.current.track.id]
            station, upcoming = session.tuned.station.id, [row.track.id for row in session.tuned.rows]
        self._wishes.keep(station, [*playing, *upcoming])

    # --- the survey ------------------------------------------------------------------------------------------------

    def survey_waits(self) -> bool:
        """Whether nothing is known of this listener's taste yet, so that a survey is worth offering."""
        with self._session.lock:
            return not self._session.history.labels

    def survey(self) -> SurveySession:
        """Clips of this library to be liked or not. From its start till its end the sound is its own; the music waits."""
        session = self._session
        return SurveySession(
            session.database,
            lambda: plan_of(session.known.collection),
            self._lend_sound,
            volume=session.shown.volume,
            output=session.shown.output,
            closed=self._survey_closed,
        )

    def _lend_sound(self, heard: Callable[[audio.Event], None]) -> SoundLoan:
        with self._session.lock:
            return self._session.playback.lend(heard, self._sound_returned)

    def _sound_returned(self) -> None:
        with self._session.lock:
            self._session.playback.take_back()

    def _survey_closed(self, volume: float) -> None:
        session = self._session
        with session.command():
            if not session.playback.attached:
                return
            self.set_volume(volume)
            session.recorder.catch_up(session.history)
            self._loop.rerank()

    # --- jobs and other processes ----------------------------------------------------------------------------------

    def start_job(self, name: JobName) -> None:
        """Scan, embed or retrain in the background; its progress is in the snapshot."""
        self._background.run(name)

    def offered_folders(self, text: str) -> list[FolderOffer]:
        """Folders that may hold the listener's music, for a path as far as it was typed; reads folders."""
        return offered_folders(text)

    def add_music(self, folder: str) -> None:
        """Add a folder to the library, and look through it in the background.

        Raises:
            PlayerError: a job is running.
        """
        self._begin("scan", folder)

    def offered_files(self, text: str) -> list[FolderOffer]:
        """Files and folders that a path may mean, as far as it was typed; reads folders."""
        return offered_files(text)

    def import_history(self, source: str, path: str) -> None:
        """Read another player's history through in the background, and count what it would come to; nothing is recorded.

        Raises:
            PlayerError: a job is running.
        """
        self._begin("import", source, path, "--dry-run")
        self._history = (source, path)

    def record_history(self) -> None:
        """Record the history that was read through last, in the background.

        Raises:
            PlayerError: a job is running.
        """
        if self._history:
            self._begin("import", *self._history)

    def _begin(self, name: JobName, *arguments: str) -> None:
        view = self._background.view
        if view is not None and not view.finished and not view.quiet and not view.paused:
            raise PlayerError(f"{view.title} goes on; come back when that is done, or ctrl+x stops it.")
        self._background.run(name, *arguments)

    def pause_job(self) -> None:
        """Pause listening to the library, or go on with it; why something else cannot be paused is shown."""
        if problem := self._background.pause():
            with self._session.command():
                self._session.show(notice=problem)

    def stop_job(self) -> None:
        """Ask the running job to stop and keep what it has."""
        self._background.stop()

    def _answers(self) -> int:
        """How many events so far say something about taste."""
        with self._session.lock:
            return sum(item.signal.label != 0 for item in self._session.history.labels)

    def _job_changed(self) -> None:
        with self._session.command():
            self._session.show(job=self._background.view)

    def _from_outside(self, *, library: bool) -> None:
        """Another process wrote: take up its events, or its tracks, vectors and models too."""
        session = self._session
        # Read before the lock is taken: at 100,000 tracks this takes seconds, and the music's events must not wait.
        known = read_library(session.database, session.paths) if library else None
        if library:
            session.levels.read()
        with session.command():
            if known is not None:
                self._loop.take(known)
                self._loop.look_again()
            elif not (session.recorder.catch_up(session.history) | self._loop.look_again() | session.keep_clean()):
                return
            self._loop.rerank("" if known is None else known.problem)
