"""What the audio callback does: frames from the current deck, with a gain that never jumps.

:meth:`Mixer.render` runs in the device's thread; it takes no lock and waits for nothing. The control thread only
replaces whole attributes (``playing``, ``amplitude``, the wanted deck), and render notices.
"""

from collections.abc import Callable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from player.audio.deck import Deck

RAMP_SECONDS = 0.01
"""From silence to full: short enough to feel instant, long enough not to click."""

PRIME_SECONDS = 0.1
"""How much must be decoded before a deck sounds, and after an underrun: one wake-up of the decoder."""


class Mixer:
    """The frames of one deck at a time, faded at interruptions.

    Attributes:
        playing: whether frames are to be taken.
        amplitude: the gain to reach, 0…1.
        underruns: how often a deck had too few frames.
    """

    def __init__(self, rate: int, on_started: Callable[[Deck], None], on_ended: Callable[[Deck], None]) -> None:
        """Make a silent mixer.

        Args:
            rate: frames per second.
            on_started: called in the device's thread when a deck's first frames were rendered; must not wait.
            on_ended: called in the device's thread when a deck's last frame was rendered; must not wait.
        """
        self.playing = False
        self.amplitude = 1.0
        self.underruns = 0
        self._step = 1.0 / (RAMP_SECONDS * rate)
        self._prime = int(PRIME_SECONDS * rate)
        self._on_started = on_started
        self._on_ended = on_ended
        self._wanted: Deck | None = None
        # From here on, only the device's thread writes.
        self._deck: Deck | None = None
        self._gain = 0.0
        self._primed = False
        self._started = False
        self._ended = False

    @property
    def silent(self) -> bool:
        """Whether nothing is heard and nothing will be before the next command."""
        return self._wanted is self._deck and (
            self._deck is None or self._ended or (not self.playing and self._gain == 0)
        )

    def switch(self, deck: Deck | None) -> None:
        """Leave the current deck for ``deck`` at the next callback."""
        self._wanted = deck

    def render(self, out: NDArray[np.float32]) -> None:
        """Fill ``out`` (N, 2) with the next frames, or silence."""
        if self._wanted is not self._deck and not self._left(out):
            return
        deck = self._deck
        if deck is None or self._ended or not self._is_primed(deck):
            out.fill(0)
        elif self.playing:
            self._play(deck, out)
        else:
            self._fade_out(deck, out)

    def _left(self, out: NDArray[np.float32]) -> bool:
        """Whether the old deck is silent, so that the wanted one is now current; else ``out`` holds its fade."""
        wanted, old = self._wanted, self._deck
        if old is not None and self._gain > 0 and not self._ended:
            self._fade_out(old, out)
            return False
        self._deck = wanted
        self._primed = self._started = self._ended = False
        return True

    def _is_primed(self, deck: Deck) -> bool:
        if not self._primed:
            self._primed = deck.ring.finished or deck.ring.available >= self._prime
        return self._primed

    def _play(self, deck: Deck, out: NDArray[np.float32]) -> None:
        count = deck.ring.read_into(out)
        out[count:] = 0
        self._ramp(out[:count], self.amplitude)
        if count > 0 and not self._started:
            self._started = True
            self._on_started(deck)
        if deck.ring.drained:
            self._ended = True
            self._on_ended(deck)
        elif count < len(out):
            self.underruns += 1
            self._primed = False

    def _fade_out(self, deck: Deck, out: NDArray[np.float32]) -> None:
        """Take only the frames that the way down to silence needs."""
        count = deck.ring.read_into(out[: ceil(self._gain / self._step)])
        out[count:] = 0
        self._ramp(out[:count], 0.0)
        if count < len(out):
            self._gain = 0.0

    def _ramp(self, out: NDArray[np.float32], target: float) -> None:
        """Multiply by a gain that moves towards ``target`` by at most one step a frame."""
        gain, count = self._gain, len(out)
        if count == 0 or gain == target == 1.0:
            return
        if gain == target:
            out *= np.float32(gain)
            return
        way = np.arange(1, count + 1, dtype=np.float32) * self._step
        curve = np.minimum(gain + way, target) if gain < target else np.maximum(gain - way, target)
        out *= curve.astype(np.float32)[:, np.newaxis]
        self._gain = target if abs(target - gain) <= count * self._step else float(curve[-1])
