"""What every engine offers to the audio process, whatever makes the sound."""

from collections.abc import Callable
from typing import Protocol

from player.audio.messages import Event, Load, Position, Prepare

Emit = Callable[[Event], None]
"""Sends an event to the player; safe from any thread."""

Post = Callable[[Callable[[], None]], None]
"""Runs a function on the control thread, soon; safe from any thread, and never waits."""


def amplitude_of(level: float) -> float:
    """The gain for a volume slider at ``level`` 0…1: its cube, as PulseAudio and VLC have it; clamped."""
    return min(1.0, max(0.0, level)) ** 3


class Engine(Protocol):
    """Plays one track at a time. All methods are called from the control thread alone, and none waits for sound.

    Attributes:
        name: ``stream``, ``vlc`` or ``null``.
        device: where the sound goes, for people to read.
    """

    name: str
    device: str

    def load(self, track: Load) -> None:
        """Take a track in place of the current one."""
        ...

    def prepare(self, track: Prepare) -> None:
        """Get a track ready that will be loaded from its beginning next."""
        ...

    def play(self) -> None:
        """Go on."""
        ...

    def pause(self) -> None:
        """Fall silent, keep the place."""
        ...

    def seek(self, seconds: float) -> None:
        """Go to a place in the current track."""
        ...

    def set_volume(self, level: float) -> None:
        """Set the slider, 0…1."""
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
