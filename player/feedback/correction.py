"""A correction of the log, as the screen and scripts ask for one: plain values, imported before anything heavy is."""

from dataclasses import dataclass
from typing import Literal

CorrectionKind = Literal["undo", "clear", "lift-never", "lift-rest", "unmute"]


@dataclass(frozen=True, slots=True)
class Correction:
    """One thing to put right about a track.

    Attributes:
        kind: undo one event; clear a thumb; lift a ban or a rest; let a reason count again.
        track_id: the track it is about.
        event_id: the event to take back.
        station_id: whose thumb or reason; None for a thumb given everywhere.
        reason: the key of the reason that is to count again.
    """

    kind: CorrectionKind
    track_id: int
    event_id: int | None = None
    station_id: int | None = None
    reason: str = ""
