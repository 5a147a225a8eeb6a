"""What the audio callback does: frames from the decks, joined, crossed and faded, and gains that never jump.

:meth:`Mixer.render` runs in the device's thread; it takes no lock, waits for nothing and makes no arrays. The control thread
only replaces whole attributes (``playing``, the gains, the wanted deck), and render notices.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

import numpy as np
from numpy.typing import NDArray

from player.audio.deck import Deck
from player.audio.fader import CHUNK, Fader, multiply
from player.audio.ring import CHANNELS

FADE_SECONDS = 0.15
"""Of a pause, a stop, a skip, a seek: felt as at once, heard as a breath instead of a click."""

FULL_SCALE = np.float32(1.0)


@dataclass(slots=True)
class _Voice:
    """A deck as the device's thread sees it."""

    deck: Deck
    fader: Fader
    primed: bool = False
    started: bool = False
    ended: bool = False
    held: bool = False
    """Not to sound under the fade of what a pause and a switch leave behind."""


@dataclass(frozen=True, slots=True)
class _Follower:
    """What comes when the current deck is over, or so many frames before it."""

    voice: _Voice
    crossfade: int


@dataclass(frozen=True, slots=True)
class Listeners:
    """What is called in the device's thread, and must not wait.

    Attributes:
        started: a deck's first frames were rendered.
        ended: a deck's last frame was rendered, and nothing follows.
        joined: the second deck goes on after the first, or fades in over it.
    """

    started: Callable[[Deck], None]
    ended: Callable[[Deck], None]
    joined: Callable[[Deck, Deck], None]


@dataclass(slots=True)
class Mixer:
    """One deck after the other, and for the time of a fade, several at once.

    Attributes:
        rate: frames per second.
        listeners: who is told.
        playing: whether frames are to be taken.
        gains: of the left and the right channel, to be reached within a chunk.
        underruns: how often a deck had too few frames.
        tap: is given every block that was rendered; None while nobody looks.
    """

    rate: int
    listeners: Listeners
    playing: bool = False
    gains: tuple[float, float] = (1.0, 1.0)
    underruns: int = 0
    tap: Callable[[NDArray[np.float32]], None] | None = None
    fade_seconds: float = FADE_SECONDS
    _wanted: _Voice | None = None
    _followers: "deque[_Follower]" = field(default_factory=lambda: deque(maxlen=1))
    # From here on, only the device's thread writes.
    _voice: _Voice | None = None
    _leaving: list[_Voice] = field(default_factory=list["_Voice"])
    _asked: _Voice | None = None
    """What was wanted when it was last looked at."""
    _fade: Fader = field(default_factory=lambda: Fader(0.0))
    _reached: tuple[float, float] = (1.0, 1.0)
    _scratch: NDArray[np.float32] = field(default_factory=lambda: np.zeros((CHUNK, CHANNELS), np.float32))
    _ramp: NDArray[np.float32] = field(default_factory=lambda: np.zeros(CHUNK, np.float32))

    @property
    def silent(self) -> bool:
        """Whether nothing is heard and nothing will be before the next command."""
        voice = self._voice
        if self._wanted is not self._asked:
            return False
        return (not self.playing and self._fade.silent) or ((voice is None or voice.ended) and not self._leaving)

    def uses(self, deck: Deck) -> bool:
        """Whether frames of a deck are still to be heard."""
        wanted = self._wanted
        return any(
            voice is not None and voice.deck is deck
            for voice in (self._voice, *self._leaving, wanted if wanted is not self._asked else None)
        )

    def switch(self, deck: Deck | None) -> None:
        """Leave the current deck for ``deck`` at the next callback; what was to follow does not any more."""
        self._followers.clear()
        self._wanted = None if deck is None else _Voice(deck, Fader(1.0))

    def follow(self, deck: Deck | None, crossfade_seconds: float = 0.0) -> bool:
        """Let ``deck`` go on after the current one; False where the one that was to is current by now."""
        untaken = bool(self._followers)
        try:
            if untaken:
                self._followers.pop()
        except IndexError:
            untaken = False
        if deck is not None:
            frames = int(crossfade_seconds * self.rate)
            self._followers.append(_Follower(_Voice(deck, Fader(1.0)), frames))
        return untaken

    def render(self, out: NDArray[np.float32]) -> None:
        """Fill ``out`` (N, 2) with the next frames, or silence."""
        if self._wanted is not self._asked:
            self._turn()
        fade = self._fade
        if fade.target != float(self.playing):
            fade.go(float(self.playing), self.fade_seconds * self.rate)
        if self.playing and self._voice is not None:
            self._voice.held = False
        if self.playing and (self._voice is None or not self._voice.started):
            fade.level = fade.target  # a track's beginning is heard as it is
            self._reached = self.gains
        place, count = 0, len(out)
        while place < count and not fade.silent:
            self._cross_over()
            size = min(CHUNK, count - place) if self._moving else count - place
            if not self.playing:
                size = min(size, max(1, ceil(fade.frames_left)))
            self._chunk(out[place : place + size])
            place += size
        if fade.silent:
            self._fall_silent(out[place:])
        if self.tap is not None:
            self.tap(out)

    @property
    def _moving(self) -> bool:
        """Whether any gain is on its way."""
        voice = self._voice
        return bool(
            self._leaving
            or self._fade.moving
            or self._reached != self.gains
            or (voice is not None and voice.fader.moving)
        )

    def _fall_silent(self, out: NDArray[np.float32]) -> None:
        out.fill(0)
        self._leaving.clear()
        if self._voice is not None:
            self._voice.held = False

    def _turn(self) -> None:
        """Make the wanted voice the current one; the others fade out under it."""
        old, self._asked = self._voice, self._wanted
        new = self._voice = self._asked
        if old is not None and not old.ended and old.started and not self._fade.silent:
            self._leaving.append(old)
        frames = FADE_SECONDS * self.rate
        for voice in self._leaving:
            voice.fader.go(0.0, frames)
        if new is not None:
            new.held = not self.playing and not self._fade.silent
            if new.deck.origin > 0:  # in the middle of a wave
                self._fade_in(new, frames)

    @staticmethod
    def _fade_in(voice: _Voice, frames: float) -> None:
        voice.fader.level = 0.0
        voice.fader.go(1.0, frames)

    def _chunk(self, out: NDArray[np.float32]) -> None:
        self._read(out)
        for voice in self._leaving:
            scratch = self._scratch[: len(out)]
            got = voice.deck.ring.read_into(scratch)
            scratch[got:] = 0
            voice.fader.apply(scratch)
            np.add(out, scratch, out=out)
            voice.ended = voice.fader.silent or voice.deck.ring.drained
        if any(voice.ended for voice in self._leaving):
            self._leaving = [voice for voice in self._leaving if not voice.ended]
        self._fade.apply(out)
        self._set_level(out)
        np.minimum(out, FULL_SCALE, out=out)
        np.maximum(out, -FULL_SCALE, out=out)

    def _set_level(self, out: NDArray[np.float32]) -> None:
        gains, reached = self.gains, self._reached
        if gains == reached == (1.0, 1.0):
            return
        for channel in range(CHANNELS):
            multiply(out[:, channel], reached[channel], gains[channel], self._ramp)
        self._reached = gains

    def _cross_over(self) -> None:
        """Let the follower fade in over the end of the current deck, when its time has come."""
        voice, follower = self._voice, self._followers[0] if self._followers else None
        if voice is None or follower is None or follower.crossfade == 0 or not voice.started:
            return
        left = voice.deck.frames_left
        if left > follower.crossfade or not self._is_primed(follower.voice):
            return
        frames = max(1.0, min(left, follower.crossfade))
        new = self._next(voice)
        if new is not None:
            voice.fader.go(0.0, frames)
            self._leaving.append(voice)
            self._fade_in(new, frames)

    def _next(self, old: _Voice) -> _Voice | None:
        """Go over to what follows, if anything does."""
        try:
            follower = self._followers.pop()
        except IndexError:
            return None
        new = self._voice = follower.voice
        self.listeners.joined(old.deck, new.deck)
        return new

    def _read(self, out: NDArray[np.float32]) -> None:
        """Fill with the current voice, and where it ends, with what follows."""
        place = 0
        while place < len(out):
            voice = self._voice
            if voice is None or voice.ended or voice.held or not self._is_primed(voice):
                break
            got = voice.deck.ring.read_into(out[place:])
            voice.fader.apply(out[place : place + got])
            place += got
            if got > 0 and not voice.started:
                voice.started = True
                self.listeners.started(voice.deck)
            if voice.deck.ring.drained:
                self._end(voice)
            elif place < len(out):
                self.underruns += 1
                voice.primed = False
                self._fade_in(voice, FADE_SECONDS * self.rate)
                break  # what is decoded by now begins with the next call, in chunks that a fade can follow
        out[place:] = 0

    def _end(self, voice: _Voice) -> None:
        new = self._next(voice)
        if new is None:
            voice.ended = True
            self.listeners.ended(voice.deck)
        elif not self._is_primed(new):
            self.underruns += 1

    def _is_primed(self, voice: _Voice) -> bool:
        if not voice.primed:
            voice.primed = voice.deck.primed
        return voice.primed
