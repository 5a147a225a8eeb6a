"""The listener's commands for the music itself: pause, next, previous, seek, volume, and what is put before the queue."""

import functools
import time
from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from player.audio.devices import listed_devices
from player.errors import PlayerError
from player.insight.sound_path import sound_path
from player.library.albums import album_tracks
from player.playback.player_state import PlayerSession
from player.playback.queue_loop import QueueLoop
from player.playback.sleep_timer import SleepTimer
from player.stations.pins import Pins, why_not
from player.storage.event_kinds import Action, Kind

PATH_TRACKS = 10
"""With both ends; half an hour of music."""
RESTART_SECONDS = 3.0
"""Pressing "previous" later than this starts the track again; before, it goes back one."""


def _balance_words(balance: float) -> str:
    if balance == 0:
        return "Balance: centre."
    return f"Balance: {abs(balance):.0%} to the {'right' if balance > 0 else 'left'}."


CommandsT = TypeVar("CommandsT", bound="Commands")
ParametersT = ParamSpec("ParametersT")
ResultT = TypeVar("ResultT")


class Commands:
    """Commands of the controller; each part of it adds its own."""

    def __init__(self, session: PlayerSession, loop: QueueLoop) -> None:
        self._session = session
        self._loop = loop


def command(
    method: Callable[Concatenate[CommandsT, ParametersT], ResultT],
) -> Callable[Concatenate[CommandsT, ParametersT], ResultT]:
    """Make a method one command: see :meth:`PlayerSession.command`."""

    @functools.wraps(method)
    def run(self: CommandsT, /, *arguments: ParametersT.args, **named: ParametersT.kwargs) -> ResultT:
        with self._session.command():  # pyright: ignore[reportPrivateUsage] - of this class
            return method(self, *arguments, **named)

    return run


class TransportCommands(Commands):
    """Pause, next, previous, seek, volume, and tracks chosen by hand."""

    def toggle_pause(self) -> None:
        """Pause or go on; with nothing playing, start the queue. Where the store had refused, it is tried again."""
        with self._session.lock:
            if not self._loop.retry():
                self._toggle_pause()

    def set_playing(self, playing: bool) -> None:  # noqa: FBT001 - a state, not an option
        """Let the music sound, or pause it; nothing changes where it is so already."""
        with self._session.lock:
            if playing != (self._session.current is not None and self._session.playback.silence.wanted):
                self.toggle_pause()

    @command
    def _toggle_pause(self) -> None:
        session = self._session
        if session.current is None:
            self._loop.advance()
        else:
            session.playback.toggle()
            session.show()

    def next(self) -> None:
        """Skip to the next track of the queue; one that is over is not skipped."""
        with self._session.lock:
            if not self._loop.retry():
                self._next()

    @command
    def _next(self) -> None:
        session = self._session
        if session.current is not None:
            session.tell(session.event(Kind.SKIP, session.current, action=Action.NEXT))
        self._loop.advance()

    @command
    def previous(self) -> None:
        """Start the track again, or, at its very beginning, go back to the one before."""
        session = self._session
        now = session.current
        if now is None:
            return
        if now.position > RESTART_SECONDS or not session.played:
            self.seek(0.0)
            return
        *session.played, last = session.played
        track = session.playable_track(last)
        if track is not None:
            session.record(session.event(Kind.SKIP, now, action=Action.PREVIOUS))
            self._loop.play_by_hand(track, "you went back to it", action=Action.PREVIOUS)

    @command
    def seek(self, seconds: float) -> None:
        """Go to a place of the track, in seconds from its start."""
        if self._session.current is not None:
            self._session.playback.seek(seconds)
            self._session.show()

    @command
    def seek_by(self, seconds: float) -> None:
        """Go so many seconds on, or back where negative."""
        if self._session.current is not None:
            self.seek(self._session.current.position + seconds)

    @command
    def set_volume(self, volume: float) -> None:
        """Set the loudness, 0…1."""
        volume = min(1.0, max(0.0, volume))
        self._session.playback.set_volume(volume, muted=False)
        self._session.show(volume=volume, muted=False)

    @command
    def play_track(self, track_id: int) -> None:
        """Play a track chosen by hand; the station goes on after it."""
        session = self._session
        track = session.playable_track(track_id)
        if track is None:
            return
        if session.current is not None:
            session.remember(session.current)
            session.tell(session.event(Kind.SKIP, session.current, action=Action.CHOSE))
        self._loop.play_by_hand(track, "chosen by you", action=Action.CHOSE)

    @command
    def play_in_order(self, track_ids: Sequence[int]) -> None:
        """Play tracks one after the other, as an album: the first one now, the others pinned before all other pins."""
        session = self._session
        first, *rest = track_ids
        self.play_track(first)
        if session.current is not None and session.current.track.id == first:
            session.pin(Pins(tuple(dict.fromkeys((*rest, *session.pins.without(first).tracks)))))
            self._loop.rerank(f"In order: {len(rest)} more." if rest else "")

    @command
    def play_album(self, track_id: int) -> None:
        """Play the album of a track from its beginning, in order; the track alone where it is on none."""
        known = self._session.known
        tracks = album_tracks(self._session.database, track_id)
        self.play_in_order([track for track in tracks if known.playable_track(track) is not None] or [track_id])

    @command
    def turn_sleep_timer(self) -> None:
        """Set the sleep timer to its next choice: 15, 30 or 60 minutes, the end of the track, off."""
        self._session.set_sleep_timer(self._session.sleep_timer.turned(time.monotonic()))

    @command
    def stop_after_track(self) -> None:
        """Let the music stop at the end of this track, or go on after all."""
        ends = self._session.sleep_timer.ends_with_track
        self._session.set_sleep_timer(SleepTimer(None if ends else "track"))

    @command
    def cancel_sleep_timer(self) -> None:
        """Take the sleep timer back, if it is set."""
        if self._session.sleep_timer.choice is not None:
            self._session.set_sleep_timer(SleepTimer())

    @command
    def toggle_mute(self) -> None:
        """Mute the sound, or let it be heard again; the music goes on."""
        muted = not self._session.snapshot.muted
        self._session.playback.set_volume(muted=muted)
        self._session.show(muted=muted, notice="Muted." if muted else "")

    @command
    def set_balance(self, balance: float) -> None:
        """Set the balance, from −1, the left alone, to 1, the right alone."""
        balance = round(min(1.0, max(-1.0, balance)), 2)
        self._session.playback.set_volume(balance=balance)
        self._session.show(balance=balance, notice=_balance_words(balance))

    @command
    def turn_balance(self, by: float) -> None:
        """Move the balance to the right, or to the left where negative."""
        self.set_balance(self._session.snapshot.balance + by)

    @command
    def turn_speed(self, by: float) -> None:
        """Play faster, or slower where negative; the pitch stays."""
        speed = self._session.playback.turn_speed(by)
        self._session.show(notice="As fast as recorded." if speed == 1 else f"{speed:g} times as fast as recorded.")

    @command
    def repeat_part(self) -> None:
        """Mark the beginning of a part, then its end, and repeat it; then go on."""
        self._session.show(notice=self._session.playback.repeat_part())

    def watch_sound(self, on: bool) -> None:  # noqa: FBT001 - a state, not an option
        """Let the spectrum of what is heard be measured from now on, or no more; it costs some processor time."""
        with self._session.lock:
            self._session.playback.watch(on=on)

    def sound_bands(self) -> Sequence[float]:
        """0…1 of log-spaced bands from 40 Hz to 16 kHz, as heard now; never waits. Nothing where no engine measures it."""
        return self._session.bands

    @command
    def set_device(self, name: str) -> None:
        """Let the sound come out of another device, named by a part of its name; empty for the system's default."""
        from player.settings_file import change_setting  # noqa: PLC0415 - only a change needs the writer of TOML

        change_setting(self._session.paths, "audio.device", name)
        self._session.playback.set_device(name)

    def turn_device(self) -> None:
        """Let the sound come out of the next of the devices there are, and remember that."""
        names = [device.name for device in listed_devices() if device.engine == "stream"]
        output = self._session.shown.output
        here = next((place for place, name in enumerate(names) if output.endswith(name)), -1)
        if len(names) <= 1:
            with self._session.command():
                self._session.show(notice="There is no other output device.")
        else:
            self.set_device(names[(here + 1) % len(names)])


class PinCommands(Commands):
    """Tracks put at the front of the queue, and taken off again."""

    @command
    def pin_next(self, track_id: int) -> None:
        """Play a track next, before all other pins."""
        if title := self._allowed(track_id):
            self._pin(self._session.pins.put_next(track_id), f"“{title}” plays next.")

    @command
    def pin_last(self, track_id: int) -> None:
        """Play a track after the other pins; one that is pinned already is taken off."""
        pins = self._session.pins
        if track_id in pins:
            self._pin(pins.without(track_id), f"“{self._session.known.title(track_id)}” is pinned no more.")
        elif title := self._allowed(track_id):
            pins = pins.put_last((track_id,))
            self._pin(pins, f"Pinned “{title}” as number {len(pins)}.")

    @command
    def pin_all(self, track_ids: Sequence[int]) -> None:
        """Play tracks after the other pins, in their order; those that may not be played are left out."""
        allowed = [track for track in track_ids if self._allowed(track)]
        pins = self._session.pins.put_last(allowed)
        if allowed:
            more = len(pins) - len(self._session.pins)
            self._pin(pins, f"Pinned {more} {'track' if more == 1 else 'tracks'}.")

    @command
    def pin_path(self, track_id: int) -> None:
        """Pin a path by sound from the playing track to another one.

        Raises:
            PlayerError: one of them was not analysed yet.
        """
        session = self._session
        if session.current is None:
            session.show(notice="Nothing plays that a path could begin with.")
            return
        if not self._allowed(track_id):
            return
        collection, station = session.known.collection, None if session.station is None else session.station.id
        barred = [why_not(session.history.state, station, row.id, time.time()) != "" for row in collection.rows]
        steps = sound_path(collection, session.current.track.id, track_id, PATH_TRACKS, ~np.array(barred))
        pins = Pins(tuple(step.track.id for step in steps[1:]))
        self._pin(pins, f"A path of {len(pins)} tracks to “{steps[-1].track.title}” is pinned.")

    @command
    def move_pin(self, places: int, track_id: int) -> None:
        """Move a pin so many places on, or back where negative; a row that is none is pinned first."""
        pins = self._session.pins
        if track_id in pins:
            self._pin(pins.moved(track_id, places), "")
        elif title := self._allowed(track_id):
            self._pin(pins.put_last((track_id,)), f"Pinned “{title}” as number {len(pins) + 1}.")

    @command
    def arrange_pins(self, tracks: Sequence[int]) -> None:
        """Pin these tracks in this order and no others; of those that were not pinned, the ones that may not be are left out.

        Raises:
            PlayerError: none of the new ones may be pinned.
        """
        new = [track for track in tracks if track not in self._session.pins]
        left_out = {track for track in new if not self._allowed(track)}
        if new and len(left_out) == len(new):
            raise PlayerError(self._session.snapshot.notice)
        self._pin(Pins(tuple(dict.fromkeys(track for track in tracks if track not in left_out))), "")

    def _pin(self, pins: Pins, notice: str) -> None:
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
