"""Feedback: what the listener says of a track becomes an event, and the event has its effect at once."""

from dataclasses import replace
from typing import Literal

from player.feedback.events import NewEvent
from player.feedback.hygiene import begin_private, end_private
from player.feedback.snooze import rest_words
from player.feedback.unlearned_times import Hygiene
from player.playback.commands import Commands, command
from player.storage.event_kinds import Action, Kind


class FeedbackCommands(Commands):
    """Thumbs, rests, bans, replays, and taking the last of them back."""

    def thumbs(self) -> dict[int, int]:
        """Track id → +1 or -1 as it holds on the station that is on; for all stations where none is."""
        session = self._session
        with session.lock:
            return session.history.state.thumbs_on(None if session.station is None else session.station.id)

    def hygiene(self) -> Hygiene:
        """What nothing is learned from, and nobody else is told."""
        with self._session.lock:
            return self._session.history.hygiene

    @command
    def thumb(self, value: Literal[1, -1], track_id: int | None = None) -> None:
        """Thumb a track (the playing one without an id) up or down on this station; the same thumb again clears it.

        A thumb down of the playing track goes on to the next.
        """
        session = self._session
        now = session.current
        if track_id is not None and (now is None or now.track.id != track_id):
            self._thumb_row(track_id, value)
        elif now is None or session.station is None:
            session.show(notice="A thumb needs a playing track and a station.")
        elif session.thumb_of(now.track.id) == value:
            self._clear(now.track.id)
        elif value > 0:
            session.tell(session.event(Kind.UP, now))
            self._loop.rerank(f"Thumbed up “{now.track.title}”.")
        else:
            self._end_with(Kind.DOWN, f"Thumbed down “{now.track.title}”: off this station.")

    def _thumb_row(self, track_id: int, value: Literal[1, -1]) -> None:
        session = self._session
        if session.thumb_of(track_id) == value:
            self._clear(track_id)
            return
        session.tell(session.about(Kind.UP if value > 0 else Kind.DOWN, track_id))
        words = "Thumbed up" if value > 0 else "Thumbed down"
        self._loop.rerank(f"{words} “{session.known.title(track_id)}”.")

    @command
    def thumb_everywhere(self, value: Literal[1, -1], track_id: int | None = None) -> None:
        """Thumb a track (the playing one without an id) for all stations; the same again clears it.

        A thumb that a station was given itself holds there whatever is said for all.
        """
        session = self._session
        now = session.current
        track = track_id if track_id is not None else None if now is None else now.track.id
        if track is None:
            session.show(notice="Nothing is playing that could be thumbed.")
            return
        title = session.known.title(track)
        if session.history.state.everywhere.get(track) == value:
            session.tell(NewEvent(Kind.CLEAR, track))
            self._loop.rerank(f"Cleared the thumb on “{title}” for all stations.")
            return
        told = NewEvent(Kind.UP if value > 0 else Kind.DOWN, track)
        if value < 0 and now is not None and now.track.id == track:
            here = replace(told, position=round(now.position, 3), decision_id=now.decision_id)
            session.tell(here, session.event(Kind.SKIP, now, action=Action.DOWN))
            self._loop.advance(f"Thumbed down “{title}” on all stations.", redraw=True)
            return
        session.tell(told)
        self._loop.rerank(f"Thumbed {'up' if value > 0 else 'down'} “{title}” on all stations.")

    @command
    def not_now(self, track_id: int | None = None, seconds: float | None = None) -> None:
        """Rest a track (the playing one without an id) for so many seconds, or a day."""
        self._put_away(Kind.NOT_NOW, track_id, f"rests {rest_words(seconds)}", seconds)

    @command
    def never(self, track_id: int | None = None) -> None:
        """Never play a track (the playing one without an id) again, anywhere."""
        self._put_away(Kind.NEVER, track_id, "will not be played again (z takes it back)")

    @command
    def replay(self) -> None:
        """Hear the playing track again from its start: it must be good."""
        session = self._session
        now = session.current
        if now is not None:
            session.tell(session.event(Kind.REPLAY, now))
            session.playback.seek(0.0)
            self._loop.rerank(f"Once more: “{now.track.title}”.")

    @command
    def private(self, length: str | None = None) -> None:
        """Begin a private session (for an hour, a day, the queue, or until it is ended), or end the one that goes on."""
        session = self._session
        if session.history.hygiene.private is not None and length is None:
            end_private(session.database)
            self.private_over()
            return
        begin_private(session.database, length)
        session.keep_clean()
        self._loop.rerank("A private session: music plays and reorders, and nothing is learned.")

    @command
    def private_over(self) -> None:
        """Let what a private session changed be as it was before."""
        self._session.keep_clean()
        self._loop.rerank("The private session is over; nothing of it counts.")

    @command
    def undo(self) -> None:
        """Take back the last feedback told here, or what was done to stations and playlists after it."""
        session = self._session
        if session.take_back is not None:
            take_back, session.take_back = session.take_back, None
            session.show(notice=take_back())
            return
        events = session.recorder.take_back(session.history)
        if not events:
            session.show(notice="There is nothing to undo.")
            return
        if session.tuned is not None and any(event.kind == Kind.LESS for event in events):
            session.tuned.forget()
        words = " and ".join(event.kind for event in events)
        self._loop.rerank(f"Took back {words}: “{session.known.title(events[0].track_id)}”.")

    def _clear(self, track_id: int) -> None:
        """Clear the thumb that holds here: the station's own, else the one for all stations."""
        session = self._session
        station = session.station
        own = station is not None and track_id in session.history.state.thumbs.get(station.id, {})
        where = "" if own else " for all stations"
        session.tell(session.about(Kind.CLEAR, track_id) if own else NewEvent(Kind.CLEAR, track_id))
        self._loop.rerank(f"Cleared the thumb on “{session.known.title(track_id)}”{where}.")

    def _put_away(self, kind: Kind, track_id: int | None, words: str, seconds: float | None = None) -> None:
        session = self._session
        now = session.current
        if now is not None and track_id in {None, now.track.id}:
            self._end_with(kind, f"“{now.track.title}” {words}.", seconds)
        elif track_id is not None:
            session.tell(replace(session.about(kind, track_id), value=seconds))
            self._loop.rerank(f"“{session.known.title(track_id)}” {words}.")

    def _end_with(self, kind: Kind, notice: str, seconds: float | None = None) -> None:
        """Record feedback that ends the playing track, and go on; a verdict draws the next place anew, a rest does not."""
        session = self._session
        now = session.current
        assert now is not None
        said = replace(session.event(kind, now), value=seconds)
        session.tell(said, session.event(Kind.SKIP, now, action=Action(kind)))
        self._loop.advance(notice, redraw=kind in {Kind.DOWN, Kind.NEVER})
