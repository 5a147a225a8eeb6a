"""The sound of a survey: one clip at a time, from its place in the track, faded in and out, then silence."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from player.audio import messages as audio
from player.library.paths import span_of, text_to_path
from player.survey.view import Clip

FADE_SECONDS = 0.3
"""At either end: no bang, and short beside the clip."""
STEP_SECONDS = 0.04
"""Between two steps of a fade; the mixer glides from one to the next."""
CHANGE = 0.01
"""Of the slider; smaller ones are not sent."""


class Sound(Protocol):
    """A sounder of clips: an ``AudioClient``, or a loan of one."""

    def send(self, command: audio.Command) -> None:
        """Pass a command on."""
        ...

    def close(self) -> None:
        """Give it back, or end it."""
        ...


class ClipSound:
    """Plays clips; safe to use from any thread.

    Its tokens are below zero, so what is said about its clips is never taken for the music's.

    Args:
        send: takes commands for the audio process.
        failed: called with a sentence, from the thread of :meth:`heard`, when the clip cannot be played.
        volume: the place of the slider, 0…1.
    """

    def __init__(self, send: Callable[[audio.Command], None], failed: Callable[[str], None], volume: float) -> None:
        self._send = send
        self._failed = failed
        self._volume = volume
        self._sent = volume
        self._clip: Clip | None = None
        self._token = 0
        self._began: float | None = None
        self._over = False
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._fade, name="clip", daemon=True)
        self._thread.start()

    @property
    def volume(self) -> float:
        """The place of the slider."""
        return self._volume

    @property
    def sounding(self) -> bool:
        """True while a clip is heard."""
        return self._began is not None and not self._over

    @property
    def over(self) -> bool:
        """True when the clip was heard to its end, or broke off."""
        return self._over

    @property
    def heard(self) -> float:
        """Seconds of the clip that were heard; all of it when it is over, nothing before it began."""
        clip, began = self._clip, self._began
        if clip is not None and self._over:
            return clip.seconds
        if clip is None or began is None:
            return 0.0
        return min(max(time.monotonic() - began, 0.0), clip.seconds)

    def play(self, clip: Clip) -> None:
        """Play a clip from its beginning, in place of what sounds."""
        with self._changed:
            self._token -= 1
            self._clip, self._began, self._over = clip, None, False
            self._set_level(0.0)
            begin, end = span_of(clip.track.path)
            path = str(text_to_path(clip.track.path))
            self._send(audio.Load(path, clip.start, self._token, play=True, start=begin, end=end))

    def stop(self) -> None:
        """Fall silent."""
        with self._changed:
            self._end()
            self._clip = None

    def set_volume(self, volume: float) -> None:
        """Move the slider."""
        with self._changed:
            self._volume = min(1.0, max(0.0, volume))
            if self.sounding:
                self._set_level(self._level())

    def close(self) -> None:
        """Fall silent for good, with the slider where it belongs."""
        with self._changed:
            self._closed = True
            self._end()
            self._set_level(self._volume)
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def take(self, event: audio.Event) -> None:
        """Take what the audio process says."""
        problem = ""
        with self._changed:
            clip = self._clip
            if clip is None or self._over or getattr(event, "token", self._token) != self._token:
                return
            match event:
                case audio.Started():
                    self._began = time.monotonic()
                    self._changed.notify()
                case audio.Position(_, seconds) if self._began is not None:
                    # Its own clock would not know of a stutter.
                    self._began = time.monotonic() - (seconds - clip.start)
                case audio.Failed(_, message):
                    problem = message
                case audio.Finished() if self._began is None:
                    problem = f"“{clip.track.title}” holds no sound where the clip would begin; it may be cut short."
                case audio.Finished() | audio.DeviceLost() | audio.GaveUp():
                    self._end()
                case _:
                    pass
            if problem:
                self._clip, self._began = None, None
        if problem:
            self._failed(problem)

    def _end(self) -> None:
        if self._clip is not None and not self._over:
            self._over = True
            self._send(audio.Stop())

    def _level(self) -> float:
        """Place of the slider now, on its way up, at the top or on its way down."""
        clip = self._clip
        if clip is None or self._over:
            return 0.0
        into = self.heard
        return self._volume * min(1.0, into / FADE_SECONDS, max(0.0, clip.seconds - into) / FADE_SECONDS)

    def _set_level(self, level: float) -> None:
        if level != self._sent and (abs(level - self._sent) >= CHANGE or level in {0.0, self._volume}):
            self._sent = level
            self._send(audio.SetVolume(level))

    def _fade(self) -> None:
        with self._changed:
            while not self._closed:
                if self._clip is None or not self.sounding:
                    self._changed.wait()
                    continue
                if self.heard >= self._clip.seconds:
                    self._end()
                    continue
                self._set_level(self._level())
                self._changed.wait(STEP_SECONDS)
