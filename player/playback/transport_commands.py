"""Pause, next, previous, seek, volume, and tracks chosen by hand."""

from player.playback.player_state import Session
from player.playback.queue_loop import Loop
from player.storage.event_kinds import Action, Kind

RESTART_SECONDS = 3.0
"""Pressing "previous" later than this starts the track again; before, it goes back one."""


class Transport:
    """What the listener does with the music that plays."""

    def __init__(self, session: Session, loop: Loop) -> None:
        self._session = session
        self._loop = loop

    def toggle_pause(self) -> None:
        """Pause or go on; with nothing playing, start the queue."""
        session = self._session
        with session.lock:
            if self._loop.retry():
                return
            if session.current is None:
                self._loop.advance()
            else:
                session.playback.toggle()
                session.show()

    def next(self) -> None:
        """Skip to the next track of the queue."""
        session = self._session
        with session.lock:
            if self._loop.retry():
                return
            if session.current is not None:
                session.tell([session.event(Kind.SKIP, session.current, action=Action.NEXT)])
            self._loop.advance()

    def previous(self) -> None:
        """Start the track again, or, at its very beginning, go back to the one before."""
        session = self._session
        with session.lock:
            now = session.current
            if now is None:
                return
            if now.position > RESTART_SECONDS or not session.played:
                self.seek(0.0)
                return
            track = session.playable_track(session.played.pop())
            if track is not None:
                session.record([session.event(Kind.SKIP, now, action=Action.PREVIOUS)])
                self._loop.play_by_hand(track, "you went back to it", action=Action.PREVIOUS)

    def seek(self, seconds: float, *, relative: bool = False) -> None:
        """Go to a place of the track, in seconds from its start or, ``relative``, from here."""
        session = self._session
        with session.lock:
            now = session.current
            if now is not None:
                session.playback.seek(now.position + seconds if relative else seconds)
                session.show()

    def set_volume(self, volume: float) -> None:
        """Set the loudness, 0…1."""
        session = self._session
        with session.lock:
            volume = min(1.0, max(0.0, volume))
            session.playback.set_volume(volume)
            session.show(volume=volume)

    def play_track(self, track_id: int) -> None:
        """Play a track chosen by hand; the station goes on after it."""
        session = self._session
        with session.lock:
            track = session.playable_track(track_id)
            if track is None:
                return
            if session.current is not None:
                session.remember(session.current)
                session.tell([session.event(Kind.SKIP, session.current, action=Action.CHOSE)])
            self._loop.play_by_hand(track, "chosen by you", action=Action.CHOSE)
