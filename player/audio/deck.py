"""One track on its way to the device: a decoder thread that fills the track's own ring buffer.

Seeking makes a new deck instead of emptying a ring that two threads share. The deck of the track that comes next opens its
file at once, and goes on decoding when the deck before has come to its end, so that both join as one stream of samples; until
then it costs nothing to replace it. (The name is the DJ's: several of them feed one mixer.)
"""

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import inf
from threading import Event, Thread

import numpy as np

from player.audio.limiter import Limiter, LimiterTail
from player.audio.messages import Load
from player.audio.resampling import CONTEXT, Resampler, Samples, Seam
from player.audio.ring import RingBuffer
from player.audio.source import AudioError, AudioSource, display_name
from player.audio.tempo import Tempo

_LOG = logging.getLogger(__name__)

DECIBELS_PER_DECADE = 20.0
"""Of amplitude."""

BUFFER_SECONDS = 4.0
"""How far the decoder runs ahead: enough for a sleepy disk, 1.5 MB at 48 kHz."""

ROOM_WAIT_SECONDS = 0.5
"""How long the decoder sleeps when the ring is full: a small part of the buffer, and few wake-ups."""

SEAM_WAIT_SECONDS = 0.1
"""How often it is looked whether the track that joins has begun."""

PRIME_SECONDS = 0.25
"""How much must be decoded before a deck sounds, and after an underrun: a device that begins takes 0.19 s at once."""

LAST_CALL_SECONDS = 0.5
"""So long before the last sample is heard, a deck that is to join must have begun; later ones do not fit in without a seam."""

CUT_SHORT_SECONDS = 2.0
"""A file that ends this much before its declared end is said to be cut short; encoders' rounding is far below."""


@dataclass(frozen=True, slots=True)
class Way:
    """The way through a track.

    Attributes:
        speed: 1 as recorded; pitch stays.
        repeat: seconds from and to which it goes round and round, None without.
    """

    speed: float = 1.0
    repeat: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class _End:
    """What the deck that joins has to know: of the file's samples, and of how they were limited, if they were."""

    seam: Seam
    limited: LimiterTail | None


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
        *,
        joins: bool = False,
        way: Way | None = None,
        on_primed: Callable[["Deck"], None] = lambda _deck: None,
    ) -> None:
        """Start decoding.

        Args:
            track: the file, and where to start in it.
            rate: samples per second wanted.
            on_stopped: called from the decoder's thread when it reached the end or could not go on.
            duration: what is known of it from decoding it before, 0 when nothing.
            joins: the first sample is to follow another deck's last, so that deck's end is waited for; see :meth:`lead`.
            way: speed and repetition.
            on_primed: called from the decoder's thread when enough is decoded to begin with.
        """
        self.track, self.path, self.token = track, track.path, track.token
        self.rate = rate
        self.ring = RingBuffer(int(BUFFER_SECONDS * rate))
        self.origin = max(0.0, track.position)
        self.duration = duration or track.duration
        self.error = ""
        self.damage = ""
        self._joins = joins
        self._before: Deck | None = None
        self._settled = False
        """Whether all is decoded, so that its neighbours are let go: each would keep the next in memory, for ever."""
        self._follower: Deck | None = None
        self._way = way or Way()
        self._gain = np.float32(10 ** (track.gain_db / DECIBELS_PER_DECADE))
        self._turns: list[tuple[int, float]] = [(0, self.origin)]
        """Frames in the ring at which the place in the track jumps, and whereto."""
        self._on_primed, self._on_stopped = on_primed, on_stopped
        self._primed = False
        self._source: AudioSource | None = None
        self._closing = Event()
        self._opened, self._head = Event(), (0, np.zeros((0, 2), np.float32))
        self._at_end, self._go_on = Event(), Event()
        self._end: _End | None = None
        self._thread = Thread(target=self._decode, name=f"decoder-{track.token}", daemon=True)
        self._thread.start()

    def place(self, frame: int) -> float:
        """Seconds into the track of a frame of the ring, counted from its first; before that, of what would precede it."""
        turns = self._turns
        first, seconds = turns[max(0, bisect_right(turns, frame, key=lambda turn: turn[0]) - 1)]
        return seconds + (frame - first) / self.rate * self._way.speed

    @property
    def primed(self) -> bool:
        """Whether there is enough to sound without faltering at once."""
        return self.ring.finished or self.ring.available >= PRIME_SECONDS * self.rate

    @property
    def frames_left(self) -> float:
        """How many frames are still to be read; a guess from the declared length before the end has been decoded."""
        if self.ring.finished:
            return self.ring.available
        if self.duration <= 0 or self._way.repeat is not None:
            return inf
        return (self.duration - self.place(self.ring.consumed)) / self._way.speed * self.rate

    def is_for(self, track: Load) -> bool:
        """Whether this is what such a command asks for."""
        return replace(track, play=self.track.play) == self.track

    def lead(self, follower: "Deck") -> None:
        """Let a deck that joins wait for this one's end, whichever it waited for before."""
        follower._before, self._follower = self, follower  # noqa: SLF001 - of this class
        for deck in (self, follower):
            if deck._settled:  # noqa: SLF001
                deck._before = deck._follower = None  # noqa: SLF001
        follower._go_on.set()  # noqa: SLF001

    def stand_alone(self) -> None:
        """Wait for no other deck any more."""
        self._joins = False
        self._go_on.set()

    def close(self) -> None:
        """Stop decoding; frames already in the ring can still be read."""
        self._closing.set()
        self._go_on.set()
        self._come_to_end()
        if self._source is not None:
            self._source.cancel()

    def join(self, timeout: float) -> None:
        """Wait for the decoder's thread to end."""
        self._thread.join(timeout)

    def _decode(self) -> None:
        try:
            with AudioSource(self.path, self.track.start, self.track.end) as source:
                self._source = source
                if self._closing.is_set():
                    return
                self.duration = self.duration or source.duration or 0.0
                if not self._fill(source):
                    return
        except AudioError as error:
            self.error = str(error)
        except Exception as error:  # noqa: BLE001 - a file must not be able to end this thread without a word
            _LOG.exception("Decoding %s failed.", display_name(self.path))
            reason = "takes more memory than there is" if isinstance(error, MemoryError) else "cannot be decoded"
            self.error = f"{display_name(self.path)} {reason}; it may be damaged, so it is passed over."
        finally:
            self._opened.set()
            self._come_to_end()
            self._settled, self._before, self._follower = True, None, None
        self.ring.finished = True
        self._on_stopped(self)

    def _fill(self, source: AudioSource) -> bool:
        """Decode to the end; False when the deck was closed meanwhile."""
        parts = self._with_head(self._parts(source))
        before = self._wait_for_end()
        resampler = Resampler(self.rate, before and before.seam)
        tempo = Tempo(self.rate, self._way.speed)
        limiter = Limiter(self.rate, before and before.limited) if self.track.excess_db > 0 else None
        seconds = 0.0
        for rate, samples in parts:
            seconds += len(samples) / rate
            if self.ring.written == 0:
                self._turns[0] = (0, source.origin)
                self.origin = source.origin
            made = self._louder(tempo.convert(resampler.convert(rate, samples)))
            if not self._push(made if limiter is None else limiter.convert(made)):
                return False
        self._compare_with_declared(source, self.origin + seconds)
        seam, limited = resampler.seam(), None
        rest, beyond = resampler.flush(self._what_follows(seam))
        rest = self._louder(np.concatenate([tempo.convert(rest), tempo.flush()]))
        if limiter is not None:
            rest = limiter.convert(rest)
            last, limited = limiter.flush(self._louder(beyond))
            rest = np.concatenate([rest, last])
        self._end = _End(seam, limited)
        self._come_to_end()
        return self._push(rest)

    def _parts(self, source: AudioSource) -> Iterator[tuple[int, Samples]]:
        """The way through the track."""
        repeat = self._way.repeat
        if repeat is None or self.origin >= repeat[1]:
            yield from source.native(self.origin)
            return
        yield from source.native(self.origin, repeat[1])
        some = True
        while some and not self._closing.is_set():
            self._turns.append((self.ring.written, repeat[0]))
            some = False
            for part in source.native(*repeat):
                some = True
                yield part

    def _with_head(self, parts: Iterator[tuple[int, Samples]]) -> Iterator[tuple[int, Samples]]:
        """The same, with so much decoded at once as the deck before has to see of it."""
        if not self._joins:
            return parts
        first = next(parts, None)
        if first is None:
            return iter(())
        rate, head = first
        held = [first]
        while len(head) < CONTEXT and (more := next(parts, None)) is not None:
            held.append(more)
            if more[0] != rate:
                break
            head = np.concatenate([head, more[1]])
        self._head = (rate, head)
        self._opened.set()

        def all_parts() -> Iterator[tuple[int, Samples]]:
            yield from held
            yield from parts

        return all_parts()

    def _come_to_end(self) -> None:
        self._at_end.set()
        if self._follower is not None:
            self._follower._go_on.set()  # noqa: SLF001 - of this class

    def _wait_for_end(self) -> _End | None:
        """What the deck before ends with, once it has; None where it was left before its end."""
        while self._joins and not self._closing.is_set():
            self._go_on.clear()
            before = self._before
            if before is not None and before._at_end.is_set():  # noqa: SLF001 - of this class
                return before._end if self._way.speed == 1 else None  # noqa: SLF001
            self._go_on.wait()
        return None

    def _what_follows(self, seam: Seam) -> Samples:
        """The beginning of the deck that joins, as long as it may still come; nothing where it has another rate."""
        while (seam.rate != self.rate or self.track.excess_db > 0) and not self._closing.is_set():
            follower = self._follower
            if follower is not None and follower._opened.is_set():  # noqa: SLF001 - of this class
                rate, head = follower._head  # noqa: SLF001
                return head if rate == seam.rate else head[:0]
            if self.ring.available <= LAST_CALL_SECONDS * self.rate:
                break
            self._closing.wait(SEAM_WAIT_SECONDS)
        return np.zeros((0, 2), np.float32)

    def _louder(self, samples: Samples) -> Samples:
        return samples if self._gain == 1 else samples * self._gain

    def _push(self, block: Samples) -> bool:
        """Write all of ``block`` as room appears; False when the deck was closed meanwhile."""
        while len(block) > 0:
            if self._closing.is_set():
                return False
            count = self.ring.write(block)
            block = block[count:]
            if not self._primed and self.primed:
                self._primed = True
                self._on_primed(self)
            if len(block) > 0:
                self._closing.wait(ROOM_WAIT_SECONDS)
        return not self._closing.is_set()

    def _compare_with_declared(self, source: AudioSource, end: float) -> None:
        """Take the true end as the duration, and say so where the file promised more."""
        declared, some = self.duration, end > self.origin
        if some:
            self.duration = end
        name = display_name(self.path)
        if some and source.steady and declared - end > max(CUT_SHORT_SECONDS, source.lost_seconds):
            self.damage = f"{name} ends after {end:.0f} of {declared:.0f} seconds; it may have been cut short."
        elif source.damaged_packets > 0 or source.lost_seconds > 0:
            self.damage = f"{name} is damaged in places; the rest of it is played."
