"""One track on its way to the device: a decoder thread that fills the track's own ring buffer.

Seeking makes a new deck instead of emptying a ring that two threads share; a prepared next track is a deck that is
already full. (The name is the DJ's: two of them feed one mixer.)
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread

from numpy import float32
from numpy.typing import NDArray

from player.audio.messages import Load
from player.audio.ring import RingBuffer
from player.audio.source import AudioError, AudioSource, display_name

_LOG = logging.getLogger(__name__)

DECIBELS_PER_DECADE = 20.0
"""Of amplitude."""

BUFFER_SECONDS = 4.0
"""How far the decoder runs ahead: enough for a sleepy disk, 1.5 MB at 48 kHz."""

ROOM_WAIT_SECONDS = 0.1
"""How long the decoder sleeps when the ring is full: a small part of the buffer, and few wake-ups."""

CUT_SHORT_SECONDS = 2.0
"""A file that ends this much before its declared end is said to be cut short; encoders' rounding is far below."""


class Deck:
    """A track being decoded from one place to its end.

    Attributes:
        track, path, token, rate: what is decoded, its file, the caller's name for it, samples per second.
        ring: decoded frames, for one reader.
        origin: seconds of the ring's first frame.
        duration: seconds, the best known; 0 when unknown.
        error: why decoding stopped before the end, empty when it did not; set before ``ring.finished``.
        damage: what could not be decoded, empty when everything could; set before ``ring.finished``.
    """

    def __init__(
        self,
        track: Load,
        rate: int,
        on_stopped: Callable[["Deck"], None],
        duration: float = 0.0,
    ) -> None:
        """Start decoding.

        Args:
            track: the file, and where to start in it.
            rate: samples per second wanted.
            on_stopped: called from the decoder's thread when it reached the end or could not go on.
            duration: what is known of it from decoding it before, 0 when nothing.
        """
        self.track, self.path, self.token = track, track.path, track.token
        self.rate = rate
        self._gain = float32(10 ** (track.gain_db / DECIBELS_PER_DECADE))
        self.ring = RingBuffer(int(BUFFER_SECONDS * rate))
        self.origin = max(0.0, track.position)
        self.duration = duration
        self.error = ""
        self.damage = ""
        self._on_stopped = on_stopped
        self._source: AudioSource | None = None
        self._closing = Event()
        self._thread = Thread(target=self._decode, name=f"decoder-{track.token}", daemon=True)
        self._thread.start()

    @property
    def position(self) -> float:
        """Seconds into the track of the next frame to be read."""
        return self.origin + self.ring.consumed / self.rate

    def is_for(self, track: Load) -> bool:
        """Whether this is what such a command asks for."""
        return replace(track, play=self.track.play) == self.track

    def close(self) -> None:
        """Stop decoding; frames already in the ring can still be read."""
        self._closing.set()
        if self._source is not None:
            self._source.cancel()

    def join(self, timeout: float) -> None:
        """Wait for the decoder's thread to end."""
        self._thread.join(timeout)

    def _decode(self) -> None:
        try:
            with AudioSource(self.path) as source:
                self._source = source
                if self._closing.is_set():
                    return
                self.duration = self.duration or source.duration or 0.0
                for block in source.blocks(self.rate, self.origin):
                    if self.ring.written == 0:
                        self.origin = source.origin
                    if not self._push(block if self._gain == 1 else block * self._gain):
                        return
                self._compare_with_declared(source)
        except AudioError as error:
            self.error = str(error)
        except Exception as error:  # noqa: BLE001 - a file must not be able to end this thread without a word
            _LOG.exception("Decoding %s failed.", display_name(self.path))
            reason = "takes more memory than there is" if isinstance(error, MemoryError) else "cannot be decoded"
            self.error = f"{display_name(self.path)} {reason}; it may be damaged, so it is passed over."
        self.ring.finished = True
        self._on_stopped(self)

    def _push(self, block: NDArray[float32]) -> bool:
        """Write all of ``block`` as room appears; False when the deck was closed meanwhile."""
        while len(block) > 0:
            if self._closing.is_set():
                return False
            count = self.ring.write(block)
            block = block[count:]
            if len(block) > 0:
                self._closing.wait(ROOM_WAIT_SECONDS)
        return True

    def _compare_with_declared(self, source: AudioSource) -> None:
        """Take the true end as the duration, and say so where the file promised more."""
        declared, end = self.duration, self.origin + self.ring.written / self.rate
        if self.ring.written > 0:
            self.duration = end
        name = display_name(self.path)
        if self.ring.written > 0 and declared - end > max(CUT_SHORT_SECONDS, source.lost_seconds):
            self.damage = f"{name} ends after {end:.0f} of {declared:.0f} seconds; it may have been cut short."
        elif source.damaged_packets > 0 or source.lost_seconds > 0:
            self.damage = f"{name} is damaged in places; the rest of it is played."
