"""What is sounding: the current track, its place, and the commands that move it. No events are recorded here."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from player.audio import messages as audio
from player.audio.client import AudioClient
from player.feedback.listened_ranges import Heard
from player.library.loudness import Level
from player.library.paths import span_of, text_to_path
from player.library.tracks import TrackRow
from player.playback.silence import Reason, Silence, SoundChange

SLOWEST, FASTEST = 0.5, 2.0
"""What the audio process can play without another pitch."""


@dataclass(frozen=True, slots=True)
class Current:
    """The track that is playing or paused.

    Attributes:
        track: which.
        token: names this play of it to the audio process.
        reason: why it was chosen.
        decision_id: what was logged when it was served; None when the listener chose.
        position: seconds.
        duration: seconds, the best known.
        playing: or paused.
        heard: which seconds of it were played.
        level: how loud it is, and what is done about it.
    """

    track: TrackRow
    token: int
    reason: str
    decision_id: int | None
    position: float
    duration: float
    playing: bool
    heard: Heard
    level: Level


class SoundLoan:
    """The audio process in other hands, while the music waits.

    Args:
        send: where commands go.
        returned: called once, when it is given back.
    """

    def __init__(self, send: Callable[[audio.Command], None], returned: Callable[[], None]) -> None:
        self._send = send
        self._returned = returned

    def send(self, command: audio.Command) -> None:
        """Pass a command on."""
        self._send(command)

    def close(self) -> None:
        """Give it back."""
        self._returned()


class Playback:
    """Keeps the current track; before a client is attached, and after it is taken, everything is silent.

    Args:
        gapless: let the audio process go on to the next track by itself, without a gap.
        crossfade: seconds for which tracks overlap then, unless they are of one album.
    """

    def __init__(self, *, gapless: bool = True, crossfade: float = 0.0) -> None:
        self._gapless, self._crossfade = gapless, crossfade
        self._next: TrackRow | None = None
        self._speed = 1.0
        self._part: tuple[int, float, bool] | None = None
        """Of which play a part is to be repeated, where it begins, and whether it is repeated by now."""
        self._ending = False
        self.current: Current | None = None
        self._client: AudioClient | None = None
        self._token = 0
        self._held: tuple[audio.Command, ...] | None = None
        """What waits to be sent, while anything does."""
        self.silence = Silence()
        """Why no music sounds, if none does."""
        self.level_of: Callable[[TrackRow], Level] = lambda _track: Level()
        """By how much a track is made louder or softer, so that all sound as loud."""
        self._volume = audio.SetVolume(1.0)
        """As the listener has it."""
        self._faded_to = 1.0
        """The part of it that the sleep timer leaves."""
        self.borrower: Callable[[audio.Event], None] | None = None
        """Who has the audio process and is told its events; nothing of the music is sent or believed meanwhile."""

    @property
    def attached(self) -> bool:
        """Whether there is an audio process."""
        return self._client is not None

    def attach(self, client: AudioClient) -> None:
        """Send commands to this client from now on."""
        self._client = client

    def detach(self) -> AudioClient | None:
        """Give up the client, for its owner to close."""
        client, self._client = self._client, None
        return client

    def hold(self) -> None:
        """Let the audio process wait for what it is to do until :meth:`release`."""
        self._held = ()

    def release(self) -> None:
        """Send what waited."""
        held, self._held = self._held or (), None
        for command in held:
            self._pass_on(command)

    def lend(self, borrower: Callable[[audio.Event], None], returned: Callable[[], None]) -> SoundLoan:
        """Fall silent and let another have the audio process; the track waits at its place."""
        self._send(audio.Pause())
        self.borrower = borrower
        return SoundLoan(self._pass_on, returned)

    def take_back(self) -> None:
        """Have the audio process again, and go on where the music was."""
        self.borrower = None
        self.reload()

    def reload(self) -> None:
        """Bring an audio process that knows nothing of the current track to its place."""
        now = self.current
        if now is None:
            self._send(audio.Stop())
            return
        self._token += 1
        self.current = replace(now, token=self._token, playing=self.silence.sounding)
        self._load(self.current)

    def load(self, track: TrackRow, reason: str, decision_id: int | None = None, *, position: float = 0.0) -> Current:
        """Make a track the current one; it sounds unless there is a reason for silence."""
        self._revive()
        self._token += 1
        play = self.silence.sounding
        heard = Heard.up_to(position, time.monotonic())
        level = self.level_of(track)
        self.current = Current(track, self._token, reason, decision_id, position, track.duration, play, heard, level)
        self._load(self.current)
        return self.current

    def adopt(self, reason: str) -> Current:
        """Let the current track play on for another reason: not served, but chosen."""
        assert self.current is not None
        self.current = replace(self.current, reason=reason, decision_id=None)
        return self.current

    def prepare(self, track: TrackRow) -> None:
        """Let a track follow the current one by itself; when it does, it is still to be loaded, as the next token."""
        self._next, now = track, self.current
        if self._ending or not self._gapless:
            return
        one_album = now is not None and now.track.album == track.album != ""
        crossfade, level = 0.0 if one_album else self._crossfade, self.level_of(track)
        self._send(
            audio.Prepare(
                str(text_to_path(track.path)),
                self._token + 1,
                level.gain_db,
                level.excess_db,
                crossfade,
                track.duration,
                *span_of(track.path),
            )
        )

    def end_with_track(self, *, ending: bool) -> None:
        """Let the music end with the current track, or go on after all."""
        self._ending = ending
        if ending:
            self._send(audio.PrepareNothing())
        elif self._next is not None:
            self.prepare(self._next)

    def toggle(self) -> None:
        """Pause or go on, as the listener wishes; a process that was given up is tried again."""
        if Reason.PROCESS in self.silence.reasons:
            self._revive()
            self.happened(SoundChange.GO_ON)
            self.reload()
        else:
            self.happened(SoundChange.PAUSE if self.silence.wanted else SoundChange.GO_ON)

    def happened(self, change: SoundChange) -> None:
        """Note what brings or takes away a reason for silence, and fall silent or go on accordingly."""
        before, self.silence = self.silence, self.silence.after(change)
        sounding = self.silence.sounding
        if sounding and not before.sounding:
            self.fade(1.0)
        if self.current is not None and sounding != before.sounding:
            self._send(audio.Play() if sounding else audio.Pause())
            self.current = replace(self.current, playing=sounding)

    def _revive(self) -> None:
        """A track that is loaded makes a client that gave up try again."""
        if Reason.PROCESS in self.silence.reasons:
            self.silence = self.silence.after(SoundChange.PROCESS_BACK)

    def seek(self, seconds: float) -> None:
        """Go to a place of the track; before its start or past its end counts as there."""
        now = self.current
        if now is not None:
            target = max(0.0, min(seconds, now.duration) if now.duration > 0 else seconds)
            self._send(audio.Seek(target))
            self.current = replace(now, position=target, heard=now.heard.jumped(target, time.monotonic()))

    def set_volume(
        self, volume: float | None = None, *, muted: bool | None = None, balance: float | None = None
    ) -> None:
        """Set the loudness, 0…1, mute, or the balance, −1…1; what is None stays."""
        now = self._volume
        self._volume = audio.SetVolume(
            now.level if volume is None else volume,
            now.balance if balance is None else balance,
            now.muted if muted is None else muted,
        )
        self.fade(self._faded_to, again=True)

    def fade(self, share: float, *, again: bool = False) -> None:
        """Play at so much of the volume, 0…1; nothing is sent where that is no news."""
        if again or share != self._faded_to:
            self._faded_to = share
            self._send(replace(self._volume, level=self._volume.level * share))

    def turn_speed(self, by: float) -> float:
        """Play faster, or slower where negative, at the same pitch; returns the speed, 1 as recorded."""
        self._speed = round(min(FASTEST, max(SLOWEST, self._speed + by)), 2)
        self._send(audio.SetSpeed(self._speed))
        return self._speed

    def repeat_part(self) -> str:
        """Note where a part of the track begins, then where it ends and repeat it, then go on; says which it was."""
        now, part = self.current, self._part
        if now is None:
            return ""
        if part is None or part[0] != now.token:
            self._part = (now.token, now.position, False)
            return "The part begins here; press again at its end."
        _, start, repeating = part
        if repeating or now.position <= start:
            self._part = None
            self._send(audio.RepeatPart(0.0, 0.0))
            return "The track goes on to its end."
        self._part = (now.token, start, True)
        self._send(audio.RepeatPart(start, now.position))
        return "This part is repeated; press again to go on."

    def set_device(self, name: str) -> None:
        """Let the sound come out elsewhere."""
        self._send(audio.SetDevice(name))

    def drop(self) -> None:
        """Forget the current track; what is loaded next silences it."""
        self.current = None

    def stop(self) -> None:
        """Fall silent, for there is nothing to play."""
        self._send(audio.Stop())
        self.current = None
        self.silence = self.silence.after(SoundChange.NOTHING_LEFT)

    def is_current(self, token: int) -> bool:
        """Whether an event with this token is about the current play."""
        return self.borrower is None and self.current is not None and self.current.token == token

    def moved(self, event: audio.Position) -> None:
        """Take up where the audio process says it is."""
        now = self.current
        if now is not None:
            duration = event.duration or now.track.duration
            heard = now.heard.reported(event.seconds, time.monotonic())
            self.current = replace(now, position=event.seconds, duration=duration, playing=event.playing, heard=heard)

    def ended(self) -> None:
        """The last sample was heard."""
        now = self.current
        if now is not None:
            heard = now.heard.reported(now.duration, time.monotonic())
            self.current = replace(now, position=now.duration, heard=heard)

    def _load(self, now: Current) -> None:
        path, track = str(text_to_path(now.track.path)), now.track
        gain = (now.level.gain_db, now.level.excess_db)
        within = span_of(track.path)
        self._send(audio.Load(path, now.position, now.token, now.playing, *gain, track.duration, *within))

    def watch(self, *, on: bool) -> None:
        """Let the sound be measured, or no more."""
        self._pass_on(audio.Watch(on))

    def _send(self, command: audio.Command) -> None:
        if self.borrower is not None:
            return
        if self._held is None:
            self._pass_on(command)
        else:
            self._held = (*self._held, command)

    def _pass_on(self, command: audio.Command) -> None:
        if self._client is not None:
            self._client.send(command)
