"""The engine of our own: decks feed a mixer, the mixer feeds an output (a PortAudio device, or the clocked null)."""

import logging
import time
from dataclasses import replace
from functools import partial

from player.audio.deck import Deck
from player.audio.engine import Emit, Post, amplitude_of
from player.audio.messages import (
    Damaged,
    DeviceChanged,
    DeviceLost,
    Failed,
    Finished,
    Load,
    Position,
    Prepare,
    Started,
)
from player.audio.mixer import Mixer
from player.audio.output import Output, OutputError
from player.audio.source import display_name

_LOG = logging.getLogger(__name__)

STUCK_SECONDS = 20.0
"""So long without a decoded sample while the device waits for it, and a track is given up: a disk that was asleep has woken
up by then, and a network that has not answered does not soon."""

REOPEN_SECONDS = 2.0
"""How often a lost device is looked for."""

JOIN_SECONDS = 0.5
"""How long closing waits for a decoder; its thread is a daemon, so a hung disk cannot keep the process."""


class StreamEngine:
    """Decodes with FFmpeg, mixes with numpy, plays through an output."""

    def __init__(self, name: str, output: Output, emit: Emit, post: Post) -> None:
        """Run ``output``, silently.

        Args:
            name: ``stream`` or ``null``.
            output: not started yet; the engine closes it.
            emit: where events go.
            post: runs functions on the control thread.

        Raises:
            OutputError: the device refuses.
        """
        self.name = name
        self._emit = emit
        self._post = post
        self._deck: Deck | None = None
        self._prepared: Deck | None = None
        self._announced: int | None = None
        self._examined: Deck | None = None
        self._playing = False
        self._level = 1.0
        self._earlier_underruns = 0
        self._lost_at: float | None = None
        self._starved: tuple[Deck, int, float] | None = None
        """The deck that has nothing to play, how much it had decoded by then, and when that was noticed."""
        self._output, self._mixer = output, self._start(output)
        self.device = self._output.device

    def load(self, track: Load) -> None:
        """Take a track, from the prepared deck where it is the one that was announced."""
        self._announced = None
        self._playing = track.play
        prepared, self._prepared = self._prepared, None
        if prepared is not None and prepared.is_for(track):
            self._take(prepared)
            if prepared.ring.finished:
                self._stopped(prepared)
            return
        if prepared is not None:
            prepared.close()
        self._take(self._new_deck(track))

    def prepare(self, track: Prepare) -> None:
        """Decode the head of a track into a deck of its own."""
        if self._prepared is not None:
            self._prepared.close()
        self._prepared = self._new_deck(Load(track.path, 0.0, track.token, play=True, gain_db=track.gain_db))

    def play(self) -> None:
        """Go on."""
        self._set_playing(playing=True)

    def pause(self) -> None:
        """Fall silent."""
        self._set_playing(playing=False)

    def seek(self, seconds: float) -> None:
        """Continue from another place, on a fresh deck."""
        deck = self._deck
        if deck is not None:
            self._take(self._new_deck(replace(deck.track, position=seconds), deck.duration))

    def set_volume(self, level: float) -> None:
        """Set the slider."""
        self._level = level
        self._mixer.amplitude = amplitude_of(level)

    def stop(self) -> None:
        """Drop the track."""
        self._take(None)

    def position(self) -> Position | None:
        """Where the current track is as heard, that is without what the device has not played yet."""
        deck = self._deck
        if deck is None:
            return None
        heard = max(deck.origin, deck.position - (self._output.latency if self._playing else 0.0))
        return Position(
            token=deck.token,
            seconds=heard,
            duration=max(deck.duration, heard) if deck.duration else 0.0,
            playing=self._playing,
            underruns=self._earlier_underruns + self._mixer.underruns,
        )

    def check(self) -> None:
        """Notice that the device went away; look for it until it is back."""
        if self._lost_at is not None:
            if time.monotonic() - self._lost_at >= REOPEN_SECONDS:
                self._reopen()
        elif self._output.failed():
            self._lose()
        else:
            self._watch_decoder()
            if self._mixer.silent:
                self._output.rest()

    def close(self) -> None:
        """Let the device and the decoders go."""
        self._output.close()
        for deck in (self._deck, self._prepared):
            if deck is not None:
                deck.close()
                deck.join(JOIN_SECONDS)

    def _set_playing(self, *, playing: bool) -> None:
        self._playing = playing
        self._mixer.playing = playing
        if playing:
            self._output.wake()

    def _new_deck(self, track: Load, duration: float = 0.0) -> Deck:
        return Deck(track, self._output.rate, self._when_decoded, duration)

    def _take(self, deck: Deck | None) -> None:
        """Make ``deck`` the current one."""
        old, self._deck = self._deck, deck
        if old is not None:
            old.close()
        self._mixer.playing = self._playing
        self._mixer.switch(deck)
        self._output.wake()

    def _watch_decoder(self) -> None:
        """Give up a track that should sound and of which nothing comes."""
        deck = self._deck
        if deck is None or not self._playing or deck.ring.finished or deck.ring.available:
            self._starved = None
        elif self._starved is None or self._starved[:2] != (deck, deck.ring.written):
            self._starved = (deck, deck.ring.written, time.monotonic())
        elif time.monotonic() - self._starved[2] >= STUCK_SECONDS:
            self._starved = None
            _LOG.warning("No sound came of %s for %g s.", display_name(deck.path), STUCK_SECONDS)
            deck.error = f"{display_name(deck.path)} gives no sound; is its disk still there? It is passed over."
            deck.close()
            self._ended(deck)

    # From the decoder's and the device's threads, each handed to the control thread.

    def _when_decoded(self, deck: Deck) -> None:
        self._post(partial(self._stopped, deck))

    def _when_started(self, deck: Deck) -> None:
        self._post(partial(self._started, deck))

    def _when_ended(self, deck: Deck) -> None:
        self._post(partial(self._ended, deck))

    def _stopped(self, deck: Deck) -> None:
        """The decoder is done. A track of which nothing could be decoded fails now, others when they were heard."""
        if deck is not self._deck or deck is self._examined:
            return
        self._examined = deck
        if deck.damage:
            self._emit(Damaged(deck.token, deck.damage))
        if deck.error and deck.ring.written == 0:
            self._ended(deck)

    def _started(self, deck: Deck) -> None:
        if deck is self._deck and self._announced != deck.token:
            self._announced = deck.token
            self._emit(Started(deck.token))

    def _ended(self, deck: Deck) -> None:
        if deck is not self._deck:
            return
        self._deck = None
        self._mixer.switch(None)
        self._emit(Failed(deck.token, deck.error) if deck.error else Finished(deck.token))

    # The device.

    def _start(self, output: Output) -> Mixer:
        mixer = Mixer(output.rate, self._when_started, self._when_ended)
        mixer.amplitude = amplitude_of(self._level)
        try:
            output.start(mixer.render)
        except OutputError:
            output.close()
            raise
        return mixer

    def _lose(self) -> None:
        self._lost_at = time.monotonic()
        self._output.close()
        self._set_playing(playing=False)
        self._emit(DeviceLost(f"The output device {self.device} went away; the music waits until one is back."))

    def _reopen(self) -> None:
        try:
            output = self._output.reopened()
            mixer = self._start(output)
        except OutputError:
            self._lost_at = time.monotonic()
            return
        self._lost_at = None
        self._earlier_underruns += self._mixer.underruns
        self._output, self._mixer, self.device = output, mixer, output.device
        self._move_decks()
        self._emit(DeviceChanged(self.device))

    def _move_decks(self) -> None:
        """Decode the current track anew for another device, which may have another rate."""
        if self._prepared is not None:
            self._prepared.close()
            self._prepared = None
        if self._deck is not None:
            self.seek(self._deck.position)
