"""What the audio process says: where the music is, that a track ended or cannot be played, what became of the output."""

import logging
import time
from collections.abc import Callable
from functools import partial

from player.audio import messages as audio
from player.errors import PlayerError
from player.playback.player_state import PlayerSession
from player.playback.queue_loop import QueueLoop
from player.playback.silence import Reason, SoundChange
from player.playback.sleep_timer import SleepTimer
from player.stations.snapshot import output_words
from player.storage.event_kinds import Action, Kind

_LOG = logging.getLogger(__name__)

OFF_COURSE_SECONDS = 0.15
"""So far the music may be from where the clock has it before the place is shown anew."""
FAILURES_IN_A_ROW = 5
"""So many tracks that cannot be played, one after the other, are no accident: stop and say so."""


class AudioEvents:
    """Follows the audio process.

    Args:
        session: what is shared.
        loop: goes on when a track is over.
        greeting: what was said at the opening; it stays readable beside the note about the device.
        on_sound: called with every event once it was followed.
    """

    def __init__(
        self, session: PlayerSession, loop: QueueLoop, greeting: str, on_sound: Callable[[audio.Event], None] | None
    ) -> None:
        self._on_sound = on_sound
        self._session = session
        self._loop = loop
        self._greeting = greeting
        self._failures = 0
        self._note = ""
        """About the device; on show until there is another."""
        self._shown_at = time.monotonic()

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
        if isinstance(event, audio.Meters):
            session.bands = event.bands  # thirty times a second: without the lock, and nobody is told
            return
        if isinstance(event, audio.Underrun):
            _LOG.warning("%s (%d since the audio process started).", audio.FALTERED, event.count)
        if (borrower := session.playback.borrower) is not None:
            borrower(event)
        with session.lock:
            if isinstance(event, audio.Position):
                self._moved(event)
            elif session.playback.attached or isinstance(event, audio.Ready):
                self._follow(event)
        if self._on_sound is not None:
            self._on_sound(event)

    def _follow(self, event: audio.Event) -> None:
        session = self._session
        playback = session.playback
        match event:
            case audio.Ready(engine, device, note):
                self._process_back()
                self._note = note
                notice = " ".join(filter(None, (self._greeting, note))) or session.snapshot.notice
                session.show(output=output_words(engine, device), notice=notice)
            case audio.Finished(token) if playback.is_current(token):
                self._finished()
            case audio.Failed(token, message) if playback.is_current(token):
                self._failed(message)
            case audio.Damaged(token, message) if playback.is_current(token):
                session.show(notice=message)
            case audio.DeviceLost(message):
                session.happened(SoundChange.DEVICE_LOST, message)
            case audio.GaveUp(message):
                session.happened(SoundChange.PROCESS_DIED, message)
            case audio.DeviceChanged(device):
                session.happened(SoundChange.DEVICE_BACK)
                notice = session.snapshot.notice.removesuffix(self._note)
                session.show(output=output_words("stream", device), notice=notice.rstrip())
            case audio.Restarted(message) | audio.Refused(message):
                session.show(notice=message)
            case _:
                pass

    def _moved(self, event: audio.Position) -> None:
        """Follow the music; nothing is recorded or drawn for it, unless it left the course that whoever draws it goes on by."""
        session = self._session
        if not session.playback.is_current(event.token):
            return
        session.playback.moved(event)
        self._failures = 0
        now, told = session.current, session.shown.now
        assert now is not None
        passed = time.monotonic() - self._shown_at if told is not None and told.playing else 0.0
        if (
            told is None
            or (told.track.id, told.playing, told.duration) != (now.track.id, now.playing, now.duration)
            or abs(told.position + passed - now.position) > OFF_COURSE_SECONDS
        ):
            self._shown_at = time.monotonic()
            session.show()
        if session.sleep_timer.due_at is not None:
            self._follow_sleep_timer()

    def _process_back(self) -> None:
        """A new audio process was told of the current track by its client, unless that had given up."""
        session = self._session
        given_up = Reason.PROCESS in session.playback.silence.reasons
        session.happened(SoundChange.PROCESS_BACK)
        if given_up:
            session.playback.reload()

    def _finished(self) -> None:
        session = self._session
        session.playback.ended()
        now = session.current
        assert now is not None
        if session.sleep_timer.ends_with_track:
            self._loop.end_track(session.event(Kind.FINISH, now, action=Action.SLEEP), self._fall_asleep)
        else:
            self._loop.end_track(
                session.event(Kind.FINISH, now, action=Action.END), partial(self._loop.advance, change=SoundChange.NEXT)
            )

    def _fall_asleep(self) -> None:
        """End the music with the track that is over."""
        session = self._session
        session.sleep_timer = SleepTimer()
        session.playback.end_with_track(ending=False)
        if session.current is not None:
            session.remember(session.current)
        session.playback.stop()
        session.playback.happened(SoundChange.SLEEP)
        self._loop.rerank("The sleep timer ended the music with this track. Space goes on.")

    def _follow_sleep_timer(self) -> None:
        """Show how long it takes still, fade out, and pause at its moment."""
        session, now = self._session, time.monotonic()
        if session.sleep_timer.due(now):
            with session.command():
                self._sleep_when_due()
            return
        session.playback.fade(session.sleep_timer.share(now))
        if session.shown.sleep != session.sleep_timer.shown(now):
            session.show()

    def _sleep_when_due(self) -> None:
        """Pause when the moment of the sleep timer has come, without a verdict on what was playing."""
        session, current = self._session, self._session.current
        if current is None or not current.playing or not session.sleep_timer.due(time.monotonic()):
            return
        # Whoever goes on listening after it was due is awake.
        session.sleep_timer = SleepTimer()
        session.record(session.event(Kind.STOP, current, action=Action.SLEEP))
        session.playback.happened(SoundChange.SLEEP)
        session.show(notice="The sleep timer paused the music. Space goes on.")

    def _failed(self, message: str) -> None:
        session = self._session
        now = session.current
        assert now is not None
        session.unplayable |= {now.track.id}
        self._failures += 1
        self._loop.end_track(session.event(Kind.STOP, now, action=Action.ERROR), partial(self._pass_over, message))

    def _pass_over(self, message: str) -> None:
        """Go on to the next track, unless too many in a row cannot be played."""
        if self._failures < FAILURES_IN_A_ROW or self._session.chosen:
            self._loop.advance(message, change=SoundChange.NEXT)
            return
        self._failures = 0
        self._session.playback.stop()
        self._loop.rerank(f"{message} Several tracks in a row could not be played; see `player doctor`.")
