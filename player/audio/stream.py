"""The engine of our own: decks feed a mixer, the mixer feeds an output (a PortAudio device, or the clocked null)."""

import logging
import time
from dataclasses import replace
from functools import partial
from math import inf

from player.audio.deck import Deck, Way
from player.audio.engine import Emit, Post, Watcher, amplitude_of
from player.audio.messages import (
    Damaged,
    DeviceChanged,
    DeviceLost,
    Failed,
    Finished,
    Load,
    Position,
    Prepare,
    Refused,
    SetVolume,
    Started,
    Underrun,
)
from player.audio.mixer import FADE_SECONDS, Listeners, Mixer
from player.audio.null import NullOutput
from player.audio.output import Output, OutputError
from player.audio.portaudio import AbsentOutput, PortAudioOutput
from player.audio.source import display_name
from player.audio.tempo import FASTEST, SLOWEST

_LOG = logging.getLogger(__name__)

STUCK_SECONDS = 20.0
"""So long without a decoded sample while the device waits for it, and a track is given up: a disk that was asleep has woken
up by then, and a network that has not answered does not soon."""

LONGEST_END_SECONDS = 0.5
"""Closing waits no longer for the end to be heard."""

REST_SECONDS = 0.5
"""So long must it have been silent before the device is stopped; what it holds is heard by then."""

REOPEN_SECONDS = 2.0
"""How often a lost device is looked for."""

LOOK_SECONDS = 5.0
"""How often a device is looked for while tracks run silently for want of one: a look takes 25 ms of the processor."""

JOIN_SECONDS = 0.5
"""How long closing waits for a decoder; its thread is a daemon, so a hung disk cannot keep the process."""


class StreamEngine:
    """Decodes with FFmpeg, mixes with numpy, plays through an output."""

    def __init__(self, output: Output, emit: Emit, post: Post, wanted: AbsentOutput | None = None) -> None:
        """Run ``output``, silently.

        Args:
            output: not started yet; the engine closes it.
            emit: where events go.
            post: runs functions on the control thread.
            wanted: the device to go over to as soon as it is there; None where ``output`` is what was asked for.

        Raises:
            OutputError: the device refuses.
        """
        self.cannot = ""
        self._wanted, self._look_at = wanted, time.monotonic() + LOOK_SECONDS
        self._emit = emit
        self._post = post
        self._deck: Deck | None = None
        self._prepared: Deck | None = None
        self._crossfade = 0.0
        self._retired: list[Deck] = []
        """Decks that may still be heard fading."""
        self._announced: int | None = None
        self._examined: Deck | None = None
        self._playing = False
        self._gains = (1.0, 1.0)
        self._way = Way()
        self._told_underruns = self._earlier_underruns = 0
        self._silent_since = inf
        self._lost_at: float | None = None
        self._starved: tuple[Deck, int, float] | None = None
        """The deck that has nothing to play, how much it had decoded by then, and when that was noticed."""
        self._output, self._mixer = output, self._start(output)

    @property
    def name(self) -> str:
        """``null`` while the clock alone is played to."""
        return "null" if isinstance(self._output, NullOutput) else "stream"

    @property
    def device(self) -> str:
        """As the output calls it."""
        return self._output.device

    def load(self, track: Load) -> None:
        """Take a track, from where it is known already: it goes on by itself, or it was prepared."""
        current, prepared = self._deck, self._prepared
        if current is not None and current.is_for(track):
            self._set_playing(playing=track.play)
            return
        self._announced = None
        self._playing = track.play
        self._way = replace(self._way, repeat=None)
        if prepared is not None and prepared.is_for(track):
            self._prepared = None
            self._take(prepared)
            if prepared.ring.finished:
                self._stopped(prepared)
            return
        self._follow(None)
        self._take(self._new_deck(track))

    def prepare(self, track: Prepare) -> None:
        """Let a track follow the current one by itself."""
        self._crossfade = track.crossfade
        load = track.load()
        if self._prepared is None or not self._prepared.is_for(load):
            self._follow(self._follower(load))

    def prepare_nothing(self) -> None:
        """Let the music end with the current track."""
        self._follow(None)

    def play(self) -> None:
        """Go on."""
        self._set_playing(playing=True)

    def pause(self, fade_seconds: float) -> None:
        """Fall silent."""
        self._mixer.fade_seconds = fade_seconds
        self._set_playing(playing=False)

    def seek(self, seconds: float) -> None:
        """Continue from another place, on a fresh deck."""
        deck = self._deck
        if deck is not None:
            self._take(self._new_deck(replace(deck.track, position=seconds), deck.duration))

    def set_speed(self, speed: float) -> None:
        """Play faster or slower, within what keeps the pitch."""
        self._set_way(replace(self._way, speed=min(FASTEST, max(SLOWEST, speed))))

    def repeat_part(self, start: float, end: float) -> None:
        """Go round between two places that are far enough from each other to be heard."""
        self._set_way(replace(self._way, repeat=(max(0.0, start), end) if end - start >= FADE_SECONDS else None))

    def _set_way(self, way: Way) -> None:
        if way != self._way:
            self._way = way
            place = self.position()
            if place is not None:
                self.seek(place.seconds)
            self._prepare_anew()

    def set_volume(self, volume: SetVolume) -> None:
        """Set the amplitudes of both channels."""
        full = 0.0 if volume.muted else amplitude_of(volume.level)
        left, right = (full * min(1.0, max(0.0, 1 + side * volume.balance)) for side in (-1, 1))
        self._gains = self._mixer.gains = (left, right)

    def set_device(self, name: str) -> None:
        """Open another device and go on there; where it refuses, the old one is kept."""
        before = self._output
        try:
            self._open_another(AbsentOutput(name).reopened() if self.name == "null" else PortAudioOutput(name))
        except OutputError as error:
            self._emit(Refused(str(error)))
            return
        before.close()
        self._lost_at = None
        self._emit(DeviceChanged(self.device, switched=True))

    def stop(self) -> None:
        """Drop the track, and what was to follow it."""
        self._follow(None)
        self._take(None)

    def position(self) -> Position | None:
        """Where the current track is as heard, that is without what the device has not played yet."""
        deck = self._deck
        if deck is None:
            return None
        unheard = int(self._output.unheard() * self._output.rate)
        heard = max(0.0, deck.place(deck.ring.consumed - min(unheard, deck.ring.consumed)))
        return Position(
            token=deck.token,
            seconds=heard,
            duration=max(deck.duration, heard) if deck.duration else 0.0,
            playing=self._playing,
            underruns=self._underruns,
        )

    def watch(self, watcher: Watcher | None) -> int:
        """Show every block that is rendered, or none any more."""
        self._mixer.tap = watcher
        return self._output.rate

    def unheard(self) -> float:
        """As the device tells it."""
        return self._output.unheard()

    def check(self) -> None:
        """Notice that the device went away; look for it until it is back."""
        if self._lost_at is not None:
            if time.monotonic() - self._lost_at >= REOPEN_SECONDS:
                self._reopen()
        elif self._output.failed():
            self._lose()
        else:
            self._watch_decoder()
            self._tell_underruns()
            self._rest_when_silent()
            self._look_for_wanted()
        for deck in [deck for deck in self._retired if not self._mixer.uses(deck)]:
            deck.close()
            self._retired.remove(deck)

    def close(self) -> None:
        """Fade out, let what was rendered be heard, and let the device and the decoders go."""
        if self.name != "null" and self._lost_at is None:
            sounding = self._deck is not None and self._playing
            if sounding:
                self._set_playing(playing=False)
            time.sleep(min(LONGEST_END_SECONDS, self.unheard() + (FADE_SECONDS if sounding else 0.0)))
        self._output.close()
        for deck in (self._deck, self._prepared, *self._retired):
            if deck is not None:
                deck.close()
                deck.join(JOIN_SECONDS)

    def _rest_when_silent(self) -> None:
        """Let the device rest once all that was rendered has been heard, for resting drops the rest."""
        if not self._mixer.silent:
            self._silent_since = inf
            return
        self._silent_since = min(self._silent_since, time.monotonic())
        if time.monotonic() - self._silent_since >= REST_SECONDS:
            self._output.rest()

    @property
    def _underruns(self) -> int:
        return self._earlier_underruns + self._mixer.underruns + self._output.underruns

    def _tell_underruns(self) -> None:
        if self._underruns > self._told_underruns:
            self._told_underruns = self._underruns
            self._emit(Underrun(self._told_underruns))

    def _set_playing(self, *, playing: bool) -> None:
        self._playing = playing
        if playing:
            self._mixer.fade_seconds = FADE_SECONDS
        self._mixer.playing = playing
        self._wake()

    def _new_deck(self, track: Load, duration: float = 0.0) -> Deck:
        primed = self._when_primed
        return Deck(track, self._output.rate, self._when_decoded, duration, way=self._way, on_primed=primed)

    def _follower(self, track: Load) -> Deck:
        """A deck for what comes next."""
        way = replace(self._way, repeat=None)
        joins, primed = self._crossfade == 0, self._when_primed
        return Deck(track, self._output.rate, self._when_decoded, joins=joins, way=way, on_primed=primed)

    def _take(self, deck: Deck | None) -> None:
        """Make ``deck`` the current one; what was prepared follows it."""
        old, self._deck = self._deck, deck
        self._mixer.fade_seconds = FADE_SECONDS
        self._mixer.playing = self._playing
        if deck is not None:
            deck.stand_alone()
        self._mixer.switch(deck)
        self._follow(self._prepared)
        if old is not None:
            old.close()
        self._wake()

    def _wake(self) -> None:
        """Let the device ask for frames once there are some: those it takes first are heard last."""
        if self._playing and self._deck is not None and self._deck.primed:
            self._output.wake()

    def _follow(self, deck: Deck | None) -> None:
        """Let a deck follow the current one in place of the one that was to."""
        before, self._prepared = self._prepared, deck
        if deck is not None and self._deck is not None:
            self._deck.lead(deck)
        untaken = self._mixer.follow(deck if self._deck is not None else None, self._crossfade)
        if before is not None and before is not deck:
            if untaken or not self._mixer.uses(before):
                before.close()
            else:
                self._retired.append(before)

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

    def _when_primed(self, deck: Deck) -> None:
        if deck is self._deck:
            self._post(self._wake)

    def _when_decoded(self, deck: Deck) -> None:
        self._post(partial(self._stopped, deck))

    def _when_started(self, deck: Deck) -> None:
        self._post(partial(self._started, deck))

    def _when_ended(self, deck: Deck) -> None:
        self._post(partial(self._ended, deck))

    def _when_joined(self, old: Deck, new: Deck) -> None:
        self._post(partial(self._joined, old, new))

    def _stopped(self, deck: Deck) -> None:
        """The decoder is done. A track of which nothing could be decoded fails now, others when they were heard."""
        if deck is not self._deck or deck is self._examined:
            return
        self._examined = deck
        self._wake()
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

    def _joined(self, old: Deck, new: Deck) -> None:
        """The music has gone over to the next track."""
        if old is not self._deck:
            return  # by now something else was asked for
        self._deck, self._announced = new, None
        self._retired.append(old)
        if self._prepared is new:
            self._prepared = None
        elif self._prepared is not None:
            new.lead(self._prepared)
        self._emit(Failed(old.token, old.error) if old.error else Finished(old.token))
        if new.ring.finished:
            self._stopped(new)

    # The device.

    def _start(self, output: Output) -> Mixer:
        listeners = Listeners(self._when_started, self._when_ended, self._when_joined)
        mixer = Mixer(output.rate, listeners, gains=self._gains)
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
            self._open_another(self._output.reopened())
        except OutputError:
            self._lost_at = time.monotonic()
            return
        self._lost_at = None
        self._emit(DeviceChanged(self.device))

    def _look_for_wanted(self) -> None:
        """Go over from silence to a device that has appeared."""
        if self._wanted is None or time.monotonic() < self._look_at:
            return
        silent = self._output
        try:
            self._open_another(self._wanted.reopened())
        except OutputError:
            self._look_at = time.monotonic() + LOOK_SECONDS
            return
        silent.close()
        self._emit(DeviceChanged(self.device))

    def _open_another(self, output: Output) -> None:
        """Go on through another output; raises OutputError, and changes nothing, where it refuses."""
        place = self.position()
        mixer = self._start(output)
        self._earlier_underruns = self._underruns
        self._output, self._mixer, self._wanted = output, mixer, None
        if place is not None:
            self.seek(place.seconds)
        self._prepare_anew()

    def _prepare_anew(self) -> None:
        if self._prepared is not None:
            self._follow(self._follower(self._prepared.track))
