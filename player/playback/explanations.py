"""Why a track, less because of this, everything known about it, and putting that right."""

import time

from player.errors import PlayerError
from player.feedback.correction import Correction
from player.feedback.event_recorder import correcting
from player.feedback.events import NewEvent
from player.playback.active_station import TunedStation
from player.playback.player_state import Session
from player.playback.queue_loop import Loop
from player.stations.reason_keys import check_less, parse_reason
from player.stations.snapshot import ordinal
from player.stations.track_details import StationView, reason_words, track_story
from player.stations.track_views import TrackStory, Why
from player.stations.why import why
from player.storage.event_kinds import Kind


class Explaining:
    """Answers what the listener asks about tracks, and takes corrections."""

    def __init__(self, session: Session, loop: Loop) -> None:
        self._session = session
        self._loop = loop

    def why(self, track_id: int | None = None) -> Why:
        """Why a track (the playing one without an id) stands where it stands on the station that is on.

        Raises:
            PlayerError: there is no station, no such track, or nothing plays.
        """
        session = self._session
        with session.lock:
            return self._why(self._tuned(), self._track(track_id))

    def less(self, track_id: int, reason: str) -> None:
        """Let a reason count no more on the station that is on.

        Args:
            track_id: the track that it was said about.
            reason: the key, as :class:`Why` gives it.

        Raises:
            PlayerError: it is no reason that can be taken away; the sentence says why.
        """
        session = self._session
        with session.lock:
            tuned, history = self._tuned(), session.history
            key = parse_reason(reason)
            check_less(key, tuned.station.seeds, history.state.muted.get(tuned.station.id, ()))
            tuned.forget()
            before = self._why(tuned, track_id)
            session.tell([NewEvent(Kind.LESS, track_id, tuned.station.id, note=str(key))])
            self._loop.rerank()
            after = self._why(tuned, track_id)
            words = reason_words(session.known.collection, str(key))
            session.show(notice=f"On {tuned.station.name}, {words} counts no more: {_moved(before, after)}")

    def story(self, track_id: int | None = None) -> TrackStory:
        """Everything known about a track (the playing one without an id).

        Raises:
            PlayerError: there is no such track, or nothing plays.
        """
        session = self._session
        with session.lock:
            tuned, known = session.tuned, session.known
            view = None
            if tuned is not None and tuned.ranked is not None:
                view = StationView(tuned.station.name, tuned.ranked.scores.parts, tuned.ranked.open)
            return track_story(
                session.database,
                known.collection,
                session.history,
                session.stations.all(),
                self._track(track_id),
                now=time.time(),
                view=view,
            )

    def correct(self, correction: Correction) -> None:
        """Put something right; what follows from it is shown at once.

        Raises:
            PlayerError: there is nothing to put right.
        """
        session = self._session
        with session.lock:
            session.recorder.catch_up(session.history)
            session.record(correcting(session.history, correction))
            if session.tuned is not None:
                session.tuned.forget()
            title = session.known.title(correction.track_id)
            words = {
                "undo": f"Took event {correction.event_id} back: “{title}”.",
                "clear": f"Cleared the thumb on “{title}”.",
                "lift-never": f"“{title}” may be played again.",
                "lift-rest": f"“{title}” rests no more.",
                "unmute": f"{reason_words(session.known.collection, correction.reason)} counts again.",
            }[correction.kind]
            self._loop.rerank(words[0].upper() + words[1:])

    def _tuned(self) -> TunedStation:
        tuned = self._session.tuned
        if tuned is None:
            raise PlayerError("Without a station there are no reasons; s picks one.")
        return tuned

    def _track(self, track_id: int | None) -> int:
        if track_id is not None:
            return track_id
        current = self._session.current
        if current is None:
            raise PlayerError("Nothing is playing.")
        return current.track.id

    def _why(self, tuned: TunedStation, track_id: int) -> Why:
        session = self._session
        row = session.known.collection.index.get(track_id)
        if row is None:
            raise PlayerError(f"There is no track {track_id}; `player tracks` lists them.")
        if tuned.ranked is None:
            self._loop.rerank()
        current = None if session.current is None else session.known.collection.index.get(session.current.track.id)
        queue, played = tuned.standing(row, current)
        return why(queue, tuned.scorer, session.history.state, row, time.time(), played=played)


def _moved(before: Why, after: Why) -> str:
    """How a track's rank changed, as the end of a sentence."""
    if before.rank == after.rank:
        return f"“{before.track.title}” stays {ordinal(after.rank)} of {after.eligible:,}."
    return f"“{before.track.title}” goes from {ordinal(before.rank)} to {ordinal(after.rank)} of {after.eligible:,}."
