"""Pins: what the listener puts at the front of the queue, and takes off again."""

import time

from player.playback.player_state import Session
from player.playback.queue_loop import Loop
from player.stations.pins import Pins, why_not


class Pinning:
    """What the listener does with the front of the queue."""

    def __init__(self, session: Session, loop: Loop) -> None:
        self._session = session
        self._loop = loop

    def pin_next(self, track_id: int) -> None:
        """Play a track next, before all other pins."""
        with self._session.lock:
            if title := self._allowed(track_id):
                self._keep(self._session.pins.put_next(track_id), f"“{title}” plays next.")

    def pin_last(self, track_id: int) -> None:
        """Play a track after the other pins; one that is pinned already is taken off."""
        with self._session.lock:
            pins = self._session.pins
            if track_id in pins:
                self._keep(pins.without(track_id), f"“{self._session.known.title(track_id)}” is pinned no more.")
            elif title := self._allowed(track_id):
                pins = pins.put_last((track_id,))
                self._keep(pins, f"Pinned “{title}” as number {len(pins)}.")

    def move_pin(self, track_id: int, places: int) -> None:
        """Move a pin so many places on, or back where negative; a row that is none is pinned first."""
        with self._session.lock:
            pins = self._session.pins
            if track_id in pins:
                self._keep(pins.moved(track_id, places), "")
            elif title := self._allowed(track_id):
                self._keep(pins.put_last((track_id,)), f"Pinned “{title}” as number {len(pins) + 1}.")

    def _keep(self, pins: Pins, notice: str) -> None:
        self._session.pin(pins)
        self._loop.rerank(notice)

    def _allowed(self, track_id: int) -> str:
        """The track's title when it can be pinned; else empty, and why not is on show."""
        session = self._session
        track = session.playable_track(track_id)
        if track is None:
            return ""
        if session.current is not None and session.current.track.id == track_id:
            session.show(notice=f"“{track.title}” is playing already.")
            return ""
        station = None if session.station is None else session.station.id
        if reason := why_not(session.history.state, station, track_id, time.time()):
            session.show(notice=f"“{track.title}” is not pinned: {reason}; take that back first.")
            return ""
        return track.title
