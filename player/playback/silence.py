"""Why no sound comes: a set of reasons, each with what brings it and what takes it away.

The listener's reasons (a pause, the sleep timer) end by the listener alone; the player's own (a lost device, a store that
refuses, an audio process that died) end with their cause. There is sound while there is no reason left. Pure values: what
is sent to the audio process follows from two states, see :class:`player.playback.current_track.Playback`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Reason(Enum):
    """Something that keeps the music silent."""

    PAUSED = "paused"
    ASLEEP = "asleep"
    """The sleep timer, which the listener had set."""
    ENDED = "ended"
    """There is nothing left to play."""
    DEVICE = "device"
    STORE = "store"
    """What happened cannot be recorded, so nothing new begins."""
    PROCESS = "process"
    """The audio process died too often."""


class SoundChange(Enum):
    """Something that brings or takes away reasons."""

    PAUSE = "the listener pauses"
    GO_ON = "the listener goes on"
    CHOOSE = "the listener turns to something else"
    SLEEP = "the sleep timer is due"
    NEXT = "the player goes on to the next track"
    NOTHING_LEFT = "there is no next track"
    DEVICE_LOST = "the device went away"
    DEVICE_BACK = "there is a device again"
    STORE_REFUSED = "the store refused"
    STORE_WROTE = "the store took what it had refused"
    PROCESS_DIED = "the audio process was given up"
    PROCESS_BACK = "there is an audio process again"


BY_LISTENER = frozenset({Reason.PAUSED, Reason.ASLEEP})
_NONE: frozenset[Reason] = frozenset()

TRANSITIONS: Mapping[SoundChange, tuple[frozenset[Reason], frozenset[Reason]]] = {
    SoundChange.PAUSE: (frozenset({Reason.PAUSED}), _NONE),
    SoundChange.GO_ON: (_NONE, BY_LISTENER),
    SoundChange.CHOOSE: (_NONE, BY_LISTENER | {Reason.ENDED}),
    SoundChange.SLEEP: (frozenset({Reason.ASLEEP}), _NONE),
    SoundChange.NEXT: (_NONE, frozenset({Reason.ENDED})),
    SoundChange.NOTHING_LEFT: (frozenset({Reason.ENDED}), _NONE),
    SoundChange.DEVICE_LOST: (frozenset({Reason.DEVICE}), _NONE),
    SoundChange.DEVICE_BACK: (_NONE, frozenset({Reason.DEVICE})),
    SoundChange.STORE_REFUSED: (frozenset({Reason.STORE}), _NONE),
    SoundChange.STORE_WROTE: (_NONE, frozenset({Reason.STORE})),
    # A new process looks for its device itself, and says so where it finds none.
    SoundChange.PROCESS_DIED: (frozenset({Reason.PROCESS}), frozenset({Reason.DEVICE})),
    SoundChange.PROCESS_BACK: (_NONE, frozenset({Reason.PROCESS, Reason.DEVICE})),
}
"""For each change, the reasons it brings and those it takes away."""


@dataclass(frozen=True, slots=True)
class Silence:
    """The reasons there are now; none while music sounds."""

    reasons: frozenset[Reason] = _NONE

    def after(self, change: SoundChange) -> "Silence":
        """The reasons once this has happened."""
        brought, taken = TRANSITIONS[change]
        return Silence((self.reasons - taken) | brought)

    @property
    def sounding(self) -> bool:
        """Whether music is to be heard."""
        return not self.reasons

    @property
    def wanted(self) -> bool:
        """Whether the listener wants music: what is to be gone on with at the next start."""
        return not self.reasons & BY_LISTENER
