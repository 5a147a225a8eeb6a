"""The loop: serve a track, rank what comes after it with all that was told, show it."""

import time
from collections.abc import Callable

from player.errors import PlayerError
from player.feedback.events import NewEvent
from player.library.tracks import TrackRow
from player.playback.active_station import ActiveStation, Present
from player.playback.library_snapshot import LibrarySnapshot
from player.playback.player_state import PlayerSession, Unfinished
from player.playback.silence import Reason, SoundChange
from player.playback.sleep_timer import SleepTimer
from player.stations.modes import mode_named
from player.stations.pins import Pins, load_pins, save_pins, why_not
from player.stations.queue_builder import PINNED
from player.stations.seeds import Seed
from player.stations.snapshot import QueueRow
from player.stations.station_scoring import StationScorer
from player.stations.stations import StationInfo
from player.stations.trial_arms import Trials
from player.storage.event_kinds import Action, Kind
from player.text import printable
from player.trials.lifecycle import PLAIN_MODE, arms_on, settle
from player.trials.report import line_of

NAMED = "named by you"
SHOWN_NAMED = 100
"""A folder may hold thousands; so many rows are a screen's worth."""
STATIONS_BACK = 20
"""So many stations can be gone back through."""


class QueueLoop:
    """Keeps the music going on the session's station."""

    def __init__(self, session: PlayerSession) -> None:
        self._session = session
        self._trials = Trials(session.database)
        self._noted = ""
        """What the station said for itself last."""

    # --- the end of a track ----------------------------------------------------------------------------------------

    def end_track(self, ending: NewEvent, then: Callable[[], None]) -> None:
        """Record a track's end and do what follows, as one command; what the store refuses is done as soon as it takes it."""
        self._session.unfinished = Unfinished(ending, then)
        self.retry()

    def retry(self) -> bool:
        """Do what the store refused; whether there was anything. Not part of another command."""
        session = self._session
        with session.lock:
            unfinished = session.unfinished
            if unfinished is None:
                return False
            try:
                with session.command():
                    session.unfinished = None
                    session.record(unfinished.ending)
                    if Reason.STORE in session.playback.silence.reasons:
                        session.happened(SoundChange.STORE_WROTE)
                    unfinished.then()
            except PlayerError as error:
                if Reason.STORE not in session.playback.silence.reasons:
                    session.happened(SoundChange.STORE_REFUSED, str(error))
            return True

    # --- serving and ranking ---------------------------------------------------------------------------------------

    def advance(self, notice: str = "", *, change: SoundChange = SoundChange.CHOOSE, redraw: bool = False) -> None:
        """Go on to the first place of the queue.

        Args:
            notice: a sentence to show.
            change: CHOOSE where the listener goes on, which ends a pause; NEXT where the player does.
            redraw: draw the first place anew with all that has just been told, because what plays was judged so; otherwise
                it is a promise, and plays as it was drawn and shown.
        """
        session = self._session
        self._turn(change)
        tuned = session.tuned
        if tuned is None:
            self._advance_free(notice)
            return
        if session.current is not None:
            session.remember(session.current)
            session.playback.drop()
        promised = tuned.promised
        if redraw:
            tuned.release()
        notice = " ".join(filter(None, (notice, self._look_at_trial(tuned))))
        choice = tuned.choose(self._present())
        if choice is None:
            session.playback.stop()
        else:
            decision = None if choice.served is None else session.recorder.serve([choice.served])[0]
            current = session.playback.load(choice.track, choice.reason, decision)
            session.record(session.event(Kind.START, current, action=Action.CHOSE if choice.pinned else None))
            session.pin(session.pins.without(choice.track.id))
            if promised is not None and not choice.pinned:
                notice = _instead(notice, choice.track, promised)
        self._show_queue(tuned, notice)

    def rerank(self, notice: str = "") -> None:
        """Rank what is to come and show it; the first place stays, or it is said what comes instead."""
        session = self._session
        tuned = session.tuned
        if tuned is None:
            self._show_free(notice or session.snapshot.notice)
            return
        promised, playing = tuned.promised, None if session.current is None else session.current.track.id
        tuned.rerank(self._present(), playing)
        first = next(iter(tuned.rows), None)
        if promised is not None and first is not None and not first.pinned and promised.id != playing:
            notice = _instead(notice, first.track, promised)
        self._show_queue(tuned, notice)

    def _turn(self, change: SoundChange) -> None:
        """Leave the current track: what the listener chooses ends a pause, what the player goes on to does not."""
        session = self._session
        if change is SoundChange.CHOOSE and session.unfinished is not None:
            session.unfinished = None
            session.happened(SoundChange.STORE_WROTE)
        if change is SoundChange.CHOOSE and session.sleep_timer.ends_with_track:
            # It was meant for the track that is left now.
            session.set_sleep_timer(SleepTimer())
        session.playback.happened(change)

    def play_by_hand(self, track: TrackRow, reason: str, *, action: Action) -> None:
        """Play a track that the listener chose; the station goes on after it."""
        self._session.named = bool(self._session.chosen)
        self._turn(SoundChange.CHOOSE)
        self._play_chosen(track, reason, action)

    def _play_chosen(self, track: TrackRow, reason: str, action: Action, notice: str = "") -> None:
        session = self._session
        chosen = session.playback.load(track, reason)
        session.record(session.event(Kind.START, chosen, action=action))
        session.pin(session.pins.without(track.id))
        if session.tuned is not None:
            session.tuned.follow(track.id)
        self.rerank(notice)

    def _present(self) -> Present:
        """What a ranking starts from; pins that a rule forbids by now are taken off."""
        session = self._session
        state, now = session.history.state, time.time()
        station = None if session.station is None else session.station.id
        kept = tuple(track for track in session.pins.tracks if not why_not(state, station, track, now))
        session.pin(Pins(kept))
        return Present(session.history, session.unplayable, session.pins)

    # --- stations --------------------------------------------------------------------------------------------------

    def find_station(self, station_id: int | None) -> StationInfo | None:
        """The station of that id, unless it is gone."""
        return next((info for info in self._session.stations.all() if info.id == station_id), None)

    def open(self, station: StationInfo) -> None:
        """Make a station the current one; its queue is still to be ranked, unless it only gets a newer library."""
        session = self._session
        before = session.tuned if session.tuned is not None and session.tuned.station.id == station.id else None
        scorer = StationScorer(session.known.collection, session.stations.all(), station, session.known.model)
        mode = mode_named(station.mode, session.known.collection, session.database)
        free = session.pins if session.tuned is None else Pins()
        session.tuned = ActiveStation(scorer, session.settings.station, mode, before)
        trouble = self._take_up_trial(session.tuned)
        if trouble:
            session.show(notice=trouble)
        if before is None:
            session.chosen = ()
            session.pins = load_pins(session.database, station.id)
            # What was pinned while no station was on is not forgotten.
            session.pin(session.pins.put_last(free.tracks))
            if free.tracks:
                save_pins(session.database, None, Pins())

    def turn_to(self, station: StationInfo, *, first: TrackRow | None = None, reason: str = "") -> None:
        """Leave what is playing, without a verdict on it, and play a station.

        Args:
            station: which one.
            first: a track to begin with, chosen by hand; the station's own choice without it.
            reason: why that one.
        """
        session = self._session
        self._leave(station)
        if session.current is not None:
            session.remember(session.current)
            session.record(session.event(Kind.STOP, session.current, action=Action.STATION))
            session.playback.drop()
        self.open(station)
        if first is None:
            self.advance()
        else:
            self.play_by_hand(first, reason, action=Action.CHOSE)

    def turn_around(self, station: StationInfo, reason: str, *, chosen: bool = True) -> None:
        """Turn to a station while the music plays on.

        Args:
            station: which one.
            reason: why the track plays there.
            chosen: what is playing was chosen for it; otherwise it only goes on.
        """
        session = self._session
        now = session.current
        assert now is not None
        self._leave(station)
        session.record(session.event(Kind.STOP, now, action=Action.STATION))
        self.open(station)
        now = session.playback.adopt(reason)
        session.record(session.event(Kind.START, now, action=Action.CHOSE if chosen else None))
        self.rerank()

    def settle(self, station: StationInfo, notice: str) -> None:
        """Go on with another dial or mode of the station that is on."""
        session = self._session
        assert session.tuned is not None
        session.tuned.settle(station, mode_named(station.mode, session.known.collection, session.database))
        self.rerank(notice)

    def _leave(self, station: StationInfo) -> None:
        """Note which station was on, to come back to."""
        session = self._session
        if session.station is not None and session.station.id != station.id:
            session.came_from = [*session.came_from[-STATIONS_BACK + 1 :], session.station.id]

    def look_again(self) -> bool:
        """Take up the pins, the station and its trial as another process left them; whether anything was different."""
        session = self._session
        pins = load_pins(session.database, None if session.station is None else session.station.id)
        changed = pins != session.pins
        session.pins = pins
        tuned = session.tuned
        if tuned is None:
            return changed
        kept = self.find_station(tuned.station.id)
        if kept is not None and kept != tuned.station:
            if (kept.seeds, kept.leanings) == (tuned.station.seeds, tuned.station.leanings):
                tuned.settle(kept, mode_named(kept.mode, session.known.collection, session.database))
            else:
                self.open(kept)
            changed = True
        if tuned.trial is None and self._trials.running(tuned.station.id) is not None:
            self._take_up_trial(tuned)
            changed = True
        return changed

    def take(self, known: LibrarySnapshot) -> None:
        """Go on with what was read, and with what was recorded while it was being read."""
        session = self._session
        session.known = known
        session.recorder.catch_up(session.history)
        if session.tuned is not None:
            self.open(session.tuned.station)
        session.show(
            model_version=known.model_version,
            tracks=len(known.playable),
            embedded=known.collection.embedded,
            notice=known.problem or session.snapshot.notice,
        )

    def _show_queue(self, tuned: ActiveStation, notice: str) -> None:
        session = self._session
        if tuned.rows:
            session.playback.prepare(tuned.rows[0].track)
        # What a station has to say for itself is said when it is news, not after every thumb.
        news = tuned.note if tuned.note != self._noted else ""
        self._noted = tuned.note
        session.show(
            station=session.station_row(tuned.station),
            queue=tuned.rows,
            diversity=tuned.diversity,
            diversity_sentence=tuned.diversity_sentence,
            model_version=tuned.scorer.version,
            notice=" ".join(filter(None, (notice, news))) or ("" if tuned.rows else tuned.shortfall),
            rerank_ms=tuned.rerank_ms,
            trial=self._trial_line(tuned),
        )
        # What the dial did takes another ranking: the queue is on show meanwhile.
        session.after_command(lambda: self._show_dial_effect(tuned))

    def _show_dial_effect(self, tuned: ActiveStation) -> None:
        effect = tuned.dial_effect(self._session.history.state)
        if effect != self._session.snapshot.dial_effect:
            self._session.show(dial_effect=effect)

    # --- trials ----------------------------------------------------------------------------------------------------

    def _take_up_trial(self, tuned: ActiveStation) -> str:
        """Give a station the trial that runs on it, if any; the sentence of one that ended just now, else empty."""
        session = self._session
        arms, sentence = arms_on(
            session.database, session.paths, session.history, session.known.collection, tuned.station
        )
        tuned.enter(arms)
        return sentence

    def _look_at_trial(self, tuned: ActiveStation) -> str:
        """Before a track is served: settle a trial whose time has come, leave one that was ended elsewhere.

        One that begins elsewhere is noticed like all that other processes write, by :meth:`look_again`.

        Returns:
            The sentence of a trial that has ended; empty where none has.
        """
        session = self._session
        if tuned.trial is None:
            return ""
        on, running = tuned.trial.trial, self._trials.running(tuned.station.id)
        if running is None or running.id != on.id:
            return self._take_up_trial(tuned)
        sentence = settle(session.database, session.paths, on, session.history)
        if sentence is not None:
            tuned.enter(None)
        return sentence or ""

    def _trial_line(self, tuned: ActiveStation) -> str:
        """The quiet line of the trial; empty without one."""
        if tuned.trial is None or tuned.station.mode != PLAIN_MODE:
            return ""
        return line_of(self._session.database, tuned.trial.trial, self._session.history)

    # --- without a station -----------------------------------------------------------------------------------------

    def play_named(self, tracks: tuple[TrackRow, ...], then: int | None) -> None:
        """Play tracks in their order, in place of what is on; then a station, if there is one."""
        session = self._session
        if session.current is not None:
            session.record(session.event(Kind.STOP, session.current, action=Action.STATION))
        if session.tuned is not None:
            session.tuned, session.pins = None, load_pins(session.database, None)
            session.show(station=None)
        session.pin(Pins())
        session.chosen, session.then, session.named = tracks, then, True
        self.advance()

    def _advance_free(self, notice: str) -> None:
        """Play what is pinned, then what was named at the start; when that is over, go on as was wished.

        That is with a station, not at all, or, where nothing was named, for ever near what was heard last.
        """
        session = self._session
        last = session.current
        if last is not None:
            session.remember(last)
            session.playback.drop()
        self._present()
        pinned, named = self._free_tracks(), self._named_tracks()
        station = self.find_station(session.then)
        if pinned:
            self._play_chosen(pinned[0], PINNED, Action.CHOSE, notice)
        elif named:
            session.chosen = named[1:]
            self._play_chosen(named[0], NAMED, Action.CHOSE, notice)
        elif station is not None:
            self.open(station)
            self.advance(notice)
        elif session.named:
            session.playback.stop()
            session.show(queue=(), notice=notice or "That was all you named. Choose a station to go on (s).")
        elif last is not None:
            self.open(self.like(last.track))
            self.advance(f"The queue is over; it goes on with tracks like “{last.track.title}”.")
        else:
            session.playback.stop()
            session.show(notice=notice or "Choose a station first (s).")

    def like(self, track: TrackRow) -> StationInfo:
        """The station that grows from a track: made now, or before."""
        session = self._session
        seeds = [Seed("track", str(track.id))]
        collection = session.known.collection
        found = session.stations.with_seeds(seeds)
        if found is not None:
            return found
        # Tags are untrusted, and a station's name is typed on the command line.
        words = printable(f"{track.title} · {track.artist}")
        name = session.stations.free_name(" ".join(words.split()))
        return session.stations.create(name, seeds, collection.rows, collection.tag_names)

    def _free_tracks(self) -> list[TrackRow]:
        """What is pinned and can be played."""
        session = self._session
        known = (session.known.playable_track(track) for track in session.pins.tracks)
        return [track for track in known if track is not None and track.id not in session.unplayable]

    def _named_tracks(self) -> tuple[TrackRow, ...]:
        """What is still to be played of what was named, without what could not be."""
        session = self._session
        return tuple(track for track in session.chosen if track.id not in session.unplayable)

    def _show_free(self, notice: str) -> None:
        session = self._session
        tracks = [*((track, PINNED) for track in self._free_tracks()), *((row, NAMED) for row in self._named_tracks())]
        if tracks:
            session.playback.prepare(tracks[0][0])
        queue = tuple(
            QueueRow(track, place, 0.0, None, reason, pinned=True)
            for place, (track, reason) in enumerate(tracks[:SHOWN_NAMED])
        )
        session.show(queue=queue, notice=notice)


def _instead(notice: str, track: TrackRow, promised: TrackRow) -> str:
    """The notice, and that a track comes in the place of the one that had been shown first."""
    if track.id == promised.id:
        return notice
    return f"{notice} “{track.title}” comes instead of “{promised.title}”.".strip()
