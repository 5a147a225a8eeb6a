"""Ending the music for the night: after some minutes or with the track, without a verdict on what was playing."""

import time

from player.playback.player_state import Session
from player.playback.silence import Change
from player.playback.sleep_timer import SleepTimer
from player.storage.event_kinds import Action, Kind


class Sleeping:
    """Sets the sleep timer, and ends the music when it is due."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._timer = SleepTimer()

    def turn(self) -> None:
        """Set the timer to the next of its choices: the end of the track, a quarter of an hour, …, off."""
        session = self._session
        with session.lock:
            self._timer = self._timer.turned(time.monotonic())
            session.show(notice=self._timer.words)

    def set_off(self) -> None:
        """Forget the timer: whoever goes on listening after it was due is awake."""
        self._timer = SleepTimer()

    def look(self) -> None:
        """Pause if the moment has come; called, under the lock, whenever the music has moved on."""
        session, current = self._session, self._session.current
        if current is None or not current.playing or not self._timer.due(time.monotonic()):
            return
        self.set_off()
        session.record([session.event(Kind.STOP, current, action=Action.SLEEP)])
        session.playback.happened(Change.SLEEP)
        session.show(notice="The sleep timer paused the music. Space goes on.")

    @property
    def ends_with_track(self) -> bool:
        """Whether the music is to end with the track that is playing."""
        return self._timer.ends_with_track

    def end(self) -> None:
        """End the music with the track that is over; called under the lock."""
        session, current = self._session, self._session.current
        self.set_off()
        if current is not None:
            session.remember(current)
        session.playback.stop()
        session.playback.happened(Change.SLEEP)
