"""What every engine offers to the audio process, whatever makes the sound."""

from collections.abc import Callable
from typing import Protocol

from numpy import float32
from numpy.typing import NDArray

from player.audio.messages import Event, Load, Position, Prepare, SetVolume

Emit = Callable[[Event], None]
"""Sends an event to the player; safe from any thread."""

Post = Callable[[Callable[[], None]], None]
"""Runs a function on the control thread, soon; safe from any thread, and never waits."""


Watcher = Callable[[NDArray[float32]], None]
"""Is shown every block (N, 2) that is rendered, in the device's thread; must not wait."""


def amplitude_of(level: float) -> float:
    """The gain for a volume slider at ``level`` 0…1: its cube, as PulseAudio and VLC have it; clamped."""
    return min(1.0, max(0.0, level)) ** 3


class Engine(Protocol):
    """Plays one track at a time. All methods are called from the control thread alone, and none waits for sound.

    Attributes:
        name: ``stream``, ``vlc`` or ``null``.
        device: where the sound goes, for people to read.
        cannot: which commands are refused, see :class:`player.audio.messages.Ready`.
    """

    cannot: str

    @property
    def name(self) -> str:
        """Of the engine."""
        ...

    @property
    def device(self) -> str:
        """Of the output."""
        ...

    def load(self, track: Load) -> None:
        """Take a track in place of the current one."""
        ...

    def prepare(self, track: Prepare) -> None:
        """Let a track follow the current one."""
        ...

    def prepare_nothing(self) -> None:
        """Let the music end with the current track."""
        ...

    def play(self) -> None:
        """Go on."""
        ...

    def pause(self, fade_seconds: float) -> None:
        """Fall silent, keep the place."""
        ...

    def seek(self, seconds: float) -> None:
        """Go to a place in the current track."""
        ...

    def set_volume(self, volume: SetVolume) -> None:
        """Set slider and balance."""
        ...

    def set_speed(self, speed: float) -> None:
        """Play faster or slower."""
        ...

    def repeat_part(self, start: float, end: float) -> None:
        """Go round between two places of the current track; where there is nothing between them, no more."""
        ...

    def set_device(self, name: str) -> None:
        """Let the sound come out elsewhere."""
        ...

    def watch(self, watcher: Watcher | None) -> int:
        """Show what is rendered, or no more; returns its rate, 0 where it cannot be seen."""
        ...

    def unheard(self) -> float:
        """Seconds of what was rendered that are still to be heard."""
        ...

    def stop(self) -> None:
        """Drop the current track."""
        ...

    def position(self) -> Position | None:
        """Where the current track is, None without one."""
        ...

    def check(self) -> None:
        """Look after the device; called a few times a second."""
        ...

    def close(self) -> None:
        """Let device and threads go."""
        ...
