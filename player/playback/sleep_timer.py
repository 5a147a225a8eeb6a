"""The sleep timer: the music ends after a while, or with the track that is playing, and that is no verdict on it."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

SECONDS_PER_MINUTE = 60.0
FADE_SECONDS = 20.0
"""For so long before its moment the music grows softer."""
CHOICES: tuple[int | Literal["track"] | None, ...] = (None, 15, 30, 60, "track")
"""What one key goes through: off, minutes, and the end of this track."""


@dataclass(frozen=True, slots=True)
class SleepTimer:
    """Off, waiting for a moment, or waiting for the end of the track.

    Attributes:
        choice: one of :data:`CHOICES`, or any other number of minutes.
        due_at: seconds on a clock that never goes back; None where no moment was named.
    """

    choice: int | Literal["track"] | None = None
    due_at: float | None = None

    @staticmethod
    def set_to(choice: int | Literal["track"] | None, now: float) -> "SleepTimer":
        """A timer that starts at ``now``."""
        return SleepTimer(choice, now + choice * SECONDS_PER_MINUTE if isinstance(choice, int) else None)

    def turned(self, now: float) -> "SleepTimer":
        """The next of the choices, beginning at ``now``."""
        place = CHOICES.index(self.choice) if self.choice in CHOICES else 0
        return SleepTimer.set_to(CHOICES[(place + 1) % len(CHOICES)], now)

    def due(self, now: float) -> bool:
        """Whether its moment has come."""
        return self.due_at is not None and now >= self.due_at

    def share(self, now: float) -> float:
        """The part of the volume that is left, 0…1: all of it until the fade begins."""
        return 1.0 if self.due_at is None else min(1.0, max(0.0, (self.due_at - now) / FADE_SECONDS))

    def shown(self, now: float) -> str:
        """What stands beside the track while it waits; empty while it is off."""
        if self.due_at is None:
            return "stops after this track" if self.ends_with_track else ""
        return f"sleep in {max(1, ceil(round(self.due_at - now) / SECONDS_PER_MINUTE))} min"

    @property
    def ends_with_track(self) -> bool:
        """Whether the music is to end with the track that is playing."""
        return self.choice == "track"

    @property
    def words(self) -> str:
        """What it is set to, as a sentence."""
        if self.choice is None:
            return "Sleep timer off."
        if self.choice == "track":
            return "The music stops at the end of this track; esc takes that back."
        return f"The music stops in {self.choice} minutes; esc takes that back."
