"""The controller: one listener, one station at a time; what is pressed becomes events, events become the queue.

The screen and the headless player use it alike. All methods may be called from any thread; each takes the session's
lock, records what happened durably, and only then changes what is shown. The work is done by its parts:
:class:`Transport` moves the music, :class:`Telling` takes feedback, :class:`Tuning` turns to stations, :class:`Pinning`
puts tracks at the front, :class:`Hearing` follows the audio process, :class:`Loop` serves and ranks, :class:`Bookmark`
keeps the place; they share one :class:`Session`.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from player.audio import messages as audio
from player.audio.client import AudioClient
from player.config import Paths, Settings
from player.feedback.correction import Correction
from player.feedback.events import LoggedEvent
from player.insight.library_map import Colour, Colouring
from player.insight.neighbours import SimilarTrack, similar_tracks
from player.insight.terminal_map import MapMaker, MapView, colour_map
from player.learning.auto_training import AutoTraining
from player.library.tracks import TrackRow
from player.playback.audio_events import Hearing
from player.playback.background import Background, JobName
from player.playback.bookmark import Bookmark
from player.playback.current_track import SoundLoan
from player.playback.explanations import Explaining
from player.playback.feedback_commands import Telling
from player.playback.library_snapshot import read_knowledge
from player.playback.pin_commands import Pinning
from player.playback.player_state import Session
from player.playback.queue_loop import Loop
from player.playback.silence import Silence
from player.playback.sleep_commands import Sleeping
from player.playback.station_commands import Tuning
from player.playback.transport_commands import Transport
from player.stations.resume import load_resume_point
from player.stations.snapshot import Snapshot, StationRow
from player.stations.track_views import TrackStory, Why
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
    play: bool = False
    """Let the music sound even where the listener had paused it."""
    notice: str = ""
    """A first sentence on the screen."""


class Controller:
    """Plays stations and learns.

    Args:
        database: the listener's data.
        paths: where models and logs lie.
        settings: the listener's settings.
        origin: ``TUI`` or ``HEADLESS``; it is written into every event.
        opening: what to begin with.
        on_logged: called with every event this controller records, after it is on disk.
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
    ) -> None:
        self._opening = opening or Opening()
        self._closing, self._closed = threading.Lock(), False
        notice = self._opening.notice
        self._session = Session(database, paths, settings, origin=origin, notice=notice, on_logged=on_logged)
        self._loop = Loop(self._session)
        self._loop.take(self._session.known)
        self._transport = Transport(self._session, self._loop)
        self._telling = Telling(self._session, self._loop)
        self._tuning = Tuning(self._session, self._loop)
        self._pinning = Pinning(self._session, self._loop)
        self._sleeping = Sleeping(self._session)
        self._explaining = Explaining(self._session, self._loop)
        self._hearing = Hearing(self._session, self._loop, self._sleeping, notice)
        self._bookmark = Bookmark(self._session, self._loop)
        auto = AutoTraining(Registry(paths.models), settings.learning.auto_after, self._answers)
        self._background = Background(database, paths, self._from_outside, self._job_changed, self._look_after, auto)
        self._map = MapMaker(paths.data, self._map_changed)

    # --- what is shown ---------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """What there is to show now; never waits."""
        return self._session.snapshot

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call back, from any thread, whenever the snapshot changed."""
        self._session.subscribe(callback)

    def catalogue(self) -> list[TrackRow]:
        """The tracks that can be played, as :meth:`search` indexes them."""
        return self._session.known.playable

    def search(self, query: str) -> list[int]:
        """Indices into :meth:`catalogue` of the tracks that match."""
        return self._session.known.index.search(query)

    def seed_suggestions(self, text: str) -> list[tuple[str, str, int]]:
        """(kind, value, tracks) of seeds whose name contains the text; what the text finds as a search is one too."""
        return self._session.known.seed_suggestions(text)

    def similar(self, track_id: int, count: int) -> list[SimilarTrack]:
        """The playable tracks that sound most like a track.

        Raises:
            PlayerError: the track is unknown or was not listened to yet.
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
        with self._session.lock:
            self._session.show()

    # --- opening and closing ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the sound output and go on where the listener stopped, or with the station that was asked for."""
        session, opening = self._session, self._opening
        point = load_resume_point(session.database)
        audio_settings = session.settings.audio
        client = AudioClient(
            self._hearing.heard,
            engine=audio_settings.engine,
            device=audio_settings.device,
        )
        with session.lock:
            session.playback.attach(client)
            self.set_volume(point.volume)
            if opening.station_id is None or opening.station_id == point.station_id:
                self._bookmark.take_up(point, play=opening.play or point.playing)
            if opening.station_id is not None and session.current is None:
                self.open_station(opening.station_id)
        self._background.start(opening.music)

    def close(self) -> None:
        """Keep the place, say that the listener quit, and end the sound; a second call waits for the first."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._close()

    def _close(self) -> None:
        session = self._session
        with session.lock:
            client = session.playback.detach()
        try:
            with session.lock:
                self._bookmark.save()
                if session.current is not None and not self._loop.record_ending():
                    session.record([session.event(Kind.STOP, session.current, action=Action.QUIT)])
        finally:
            if client is not None:
                # Not under the lock: the client's thread may be waiting for it to deliver an event.
                client.close()
            self._background.close()
            self._map.close()

    @property
    def silence(self) -> Silence:
        """Why no music sounds, if none does."""
        return self._session.playback.silence

    def _look_after(self) -> None:
        """What is done again and again: keep the place, and try what the store refused."""
        with self._session.lock:
            if self._session.playback.attached:
                self._loop.retry()
        self._bookmark.keep()

    # --- transport -------------------------------------------------------------------------------------------------

    def toggle_pause(self) -> None:
        """Pause or go on; with nothing playing, start the queue."""
        self._transport.toggle_pause()

    def next(self) -> None:
        """Skip to the next track of the queue."""
        self._transport.next()

    def previous(self) -> None:
        """Start the track again, or, at its very beginning, go back to the one before."""
        self._transport.previous()

    def seek(self, seconds: float, *, relative: bool = False) -> None:
        """Go to a place of the track, in seconds from its start or, ``relative``, from here."""
        self._transport.seek(seconds, relative=relative)

    def set_volume(self, volume: float) -> None:
        """Set the loudness, 0…1."""
        self._transport.set_volume(volume)

    def play_track(self, track_id: int) -> None:
        """Play a track chosen by hand; the station goes on after it."""
        self._transport.play_track(track_id)

    # --- feedback --------------------------------------------------------------------------------------------------

    def thumb(self, value: Literal[1, -1]) -> None:
        """Thumb the playing track up or down on this station; the same thumb again clears it. Down plays the next."""
        self._telling.thumb(value)

    def thumb_track(self, track_id: int, value: Literal[1, -1]) -> None:
        """Thumb a track of the queue."""
        self._telling.thumb_track(track_id, value)

    def thumb_everywhere(self, value: Literal[1, -1], track_id: int | None = None) -> None:
        """Thumb a track (the playing one without an id) for all stations; the same again clears it."""
        self._telling.thumb_everywhere(value, track_id)

    def not_now(self, track_id: int | None = None, seconds: float | None = None) -> None:
        """Rest a track (the playing one without an id) for so many seconds, or a day."""
        self._telling.not_now(track_id, seconds)

    def never(self, track_id: int | None = None) -> None:
        """Never play a track (the playing one without an id) again, anywhere."""
        self._telling.never(track_id)

    def replay(self) -> None:
        """Hear the playing track again from its start: it must be good."""
        self._telling.replay()

    def undo(self) -> None:
        """Take back the last feedback told here."""
        self._telling.undo()

    def turn_sleep_timer(self) -> None:
        """Set the sleep timer to its next choice: the end of the track, 15, 30 or 60 minutes, off."""
        self._sleeping.turn()

    # --- reasons ---------------------------------------------------------------------------------------------------

    def why(self, track_id: int | None = None) -> Why:
        """Why a track (the playing one without an id) stands where it stands.

        Raises:
            PlayerError: there is no station, no such track, or nothing plays.
        """
        return self._explaining.why(track_id)

    def less(self, track_id: int, reason: str) -> None:
        """Let a reason, by its key in :class:`Why`, count no more on this station.

        Raises:
            PlayerError: it cannot be taken away; the sentence says why.
        """
        self._explaining.less(track_id, reason)

    def story(self, track_id: int | None = None) -> TrackStory:
        """Everything known about a track (the playing one without an id).

        Raises:
            PlayerError: there is no such track, or nothing plays.
        """
        return self._explaining.story(track_id)

    def correct(self, correction: Correction) -> None:
        """Put right what the log says of a track.

        Raises:
            PlayerError: there is nothing to put right.
        """
        self._explaining.correct(correction)

    # --- stations --------------------------------------------------------------------------------------------------

    def stations(self) -> list[StationRow]:
        """Every station."""
        return self._tuning.stations()

    def open_station(self, station_id: int) -> None:
        """Turn to a station and play it."""
        self._tuning.open_station(station_id)

    def create_station(self, name: str, seeds: Sequence[tuple[str, str]], mode: str = "station") -> StationRow:
        """Make a station from (kind, value) seeds.

        Raises:
            PlayerError: the name is taken, a seed names nothing, or there is no such mode.
        """
        return self._tuning.create_station(name, seeds, mode)

    def more_like(self, track_id: int | None = None) -> None:
        """Turn to the station that grows from a track (the playing one without an id); the playing track plays on."""
        self._tuning.more_like(track_id)

    def back(self) -> None:
        """Turn to the station that was on before."""
        self._tuning.back()

    def turn_dial(self, by: int) -> None:
        """Make the station more familiar (below 0) or more adventurous, by so many hundredths."""
        self._tuning.turn_dial(by)

    def set_mode(self, mode: str) -> None:
        """Let the station play in another way.

        Raises:
            PlayerError: there is no such mode.
        """
        self._tuning.set_mode(mode)

    # --- pins ------------------------------------------------------------------------------------------------------

    def pin_next(self, track_id: int) -> None:
        """Play a track next, before all other pins."""
        self._pinning.pin_next(track_id)

    def pin_last(self, track_id: int) -> None:
        """Play a track after the other pins; one that is pinned already is taken off."""
        self._pinning.pin_last(track_id)

    def move_pin(self, track_id: int, places: int) -> None:
        """Move a pin so many places on, or back where negative."""
        self._pinning.move_pin(track_id, places)

    # --- the survey ------------------------------------------------------------------------------------------------

    def survey_waits(self) -> bool:
        """Whether nothing is known of this listener's taste yet, so that a survey is worth offering."""
        return not self._session.history.labels

    def survey(self) -> SurveySession:
        """Clips of this library to be liked or not. From its start till its end the sound is its own; the music waits."""
        session = self._session
        return SurveySession(
            session.database,
            lambda: plan_of(session.known.collection),
            self._lend_sound,
            volume=session.snapshot.volume,
            output=session.snapshot.output,
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
        with session.lock:
            if not session.playback.attached:
                return
            self.set_volume(volume)
            session.recorder.catch_up(session.history)
            self._loop.rerank()

    # --- jobs and other processes ----------------------------------------------------------------------------------

    def start_job(self, name: JobName) -> None:
        """Scan, embed or retrain in the background."""
        self._background.run(name)

    def pause_job(self) -> None:
        """Pause listening to the library, or go on with it; why something else cannot be paused is shown."""
        if problem := self._background.pause():
            with self._session.lock:
                self._session.show(notice=problem)

    def stop_job(self) -> None:
        """Ask the running job to stop and keep what it has."""
        self._background.stop()

    def _answers(self) -> int:
        """How many events so far say something about taste."""
        with self._session.lock:
            return sum(item.signal.label != 0 for item in self._session.history.labels)

    def _job_changed(self) -> None:
        with self._session.lock:
            self._session.show(job=self._background.view)

    def _from_outside(self, *, library: bool) -> None:
        """Another process wrote: take up its events, or its tracks, vectors and models too."""
        session = self._session
        # Read before the lock is taken: at 100,000 tracks this takes seconds, and the music's events must not wait.
        known = read_knowledge(session.database, session.paths) if library else None
        with session.lock:
            if known is not None:
                self._loop.take(known)
                self._loop.look_again()
            elif not (session.recorder.catch_up(session.history) | self._loop.look_again()):
                return
            self._loop.rerank("" if known is None else known.problem)
