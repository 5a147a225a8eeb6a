"""What the audio process says: where the music is, that a track ended or cannot be played, what became of the output."""

import logging
from functools import partial

from player.audio import messages as audio
from player.errors import PlayerError
from player.playback.player_state import Session
from player.playback.queue_loop import Loop
from player.playback.silence import Change, Reason
from player.playback.sleep_commands import Sleeping
from player.stations.snapshot import output_words
from player.storage.event_kinds import Action, Kind

_LOG = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 5
"""So many tracks that cannot be played, one after the other, are no accident: stop and say so."""


class Hearing:
    """Follows the audio process.

    Args:
        session: what is shared.
        loop: goes on when a track is over.
        sleeping: ends the music when the sleep timer is due.
        greeting: what was said at the opening; it stays readable beside the note about the device.
    """

    def __init__(self, session: Session, loop: Loop, sleeping: Sleeping, greeting: str) -> None:
        self._session = session
        self._loop = loop
        self._sleeping = sleeping
        self._greeting = greeting
        self._failures = 0

    def heard(self, event: audio.Event) -> None:
        """Take an event of the audio process, on its client's thread."""
        try:
            self._hear(event)
        except Exception as error:  # noqa: BLE001 - the thread that brings the events lives on
            _LOG.exception("An event of the audio process was not followed.")
            words = str(error) if isinstance(error, PlayerError) else "Something went wrong; player.log says what."
            with self._session.lock:
                self._session.show(notice=words)

    def _hear(self, event: audio.Event) -> None:
        session = self._session
        if (borrower := session.playback.borrower) is not None:
            borrower(event)
        with session.lock:
            if session.playback.attached or isinstance(event, audio.Ready):
                self._follow(event)

    def _follow(self, event: audio.Event) -> None:
        session = self._session
        playback = session.playback
        match event:
            case audio.Ready(engine, device, note):
                self._process_back()
                notice = " ".join(filter(None, (self._greeting, note))) or session.snapshot.notice
                session.show(output=output_words(engine, device), notice=notice)
            case audio.Position(token) if playback.is_current(token):
                playback.moved(event)
                self._failures = 0
                session.show()
                self._sleeping.look()
            case audio.Finished(token) if playback.is_current(token):
                self._finished()
            case audio.Failed(token, message) if playback.is_current(token):
                self._failed(message)
            case audio.Damaged(token, message) if playback.is_current(token):
                session.show(notice=message)
            case audio.DeviceLost(message):
                session.happened(Change.DEVICE_LOST, message)
            case audio.GaveUp(message):
                session.happened(Change.PROCESS_DIED, message)
            case audio.DeviceChanged(device):
                session.happened(Change.DEVICE_BACK)
                session.show(output=device)
            case audio.Restarted(message):
                session.show(notice=message)
            case _:
                pass

    def _process_back(self) -> None:
        """A new audio process was told of the current track by its client, unless that had given up."""
        session = self._session
        given_up = Reason.PROCESS in session.playback.silence.reasons
        session.happened(Change.PROCESS_BACK)
        if given_up:
            session.playback.reload()

    def _finished(self) -> None:
        session = self._session
        session.playback.ended()
        now = session.current
        assert now is not None
        if self._sleeping.ends_with_track:
            self._loop.end_track(session.event(Kind.FINISH, now, action=Action.SLEEP), self._fall_asleep)
        else:
            self._loop.end_track(
                session.event(Kind.FINISH, now, action=Action.END), partial(self._loop.advance, keep_next=True)
            )

    def _fall_asleep(self) -> None:
        self._sleeping.end()
        self._loop.rerank("The sleep timer ended the music with this track. Space goes on.")

    def _failed(self, message: str) -> None:
        session = self._session
        now = session.current
        assert now is not None
        session.unplayable |= {now.track.id}
        self._failures += 1
        self._loop.end_track(session.event(Kind.STOP, now, action=Action.ERROR), partial(self._pass_over, message))

    def _pass_over(self, message: str) -> None:
        """Go on to the next track, unless too many in a row cannot be played."""
        if self._failures < FAILURES_IN_A_ROW:
            self._loop.advance(message, keep_next=True)
            return
        self._failures = 0
        self._session.playback.stop()
        self._loop.rerank(f"{message} Several tracks in a row could not be played; see `player doctor`.")
