"""Tracks that the listener put at the front of a queue, in their order; they outlive the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from player.feedback.events import ListeningState
from player.storage.database import Database
from player.storage.key_value import keep_fact, look_up_fact

FREE_QUEUE = 0
"""Stands for no station: the pins of a queue that nothing else fills."""


@dataclass(frozen=True, slots=True)
class Pins:
    """Ids of pinned tracks, the next one first; each once."""

    tracks: tuple[int, ...] = ()

    def __contains__(self, track: int) -> bool:
        return track in self.tracks

    def __len__(self) -> int:
        return len(self.tracks)

    def put_next(self, track: int) -> "Pins":
        """With the track before all others."""
        return Pins((track, *self.without(track).tracks))

    def put_last(self, tracks: Sequence[int]) -> "Pins":
        """With the tracks behind all others; one that is pinned already keeps its place."""
        return Pins(tuple(dict.fromkeys((*self.tracks, *tracks))))

    def without(self, track: int) -> "Pins":
        """Without the track."""
        return Pins(tuple(pinned for pinned in self.tracks if pinned != track))

    def moved(self, track: int, places: int) -> "Pins":
        """With the track so many places further on, or back where negative; it stays within the pins."""
        if track not in self.tracks:
            return self
        place = max(0, min(self.tracks.index(track) + places, len(self.tracks) - 1))
        others = self.without(track).tracks
        return Pins((*others[:place], track, *others[place:]))


NO_PINS = Pins()


def why_not(state: ListeningState, station_id: int | None, track: int, now: float) -> str:
    """Why a track cannot be pinned: what the listener said of it; empty when nothing forbids it."""
    if track in state.never:
        return "it was banned"
    if state.thumbs_on(station_id).get(track, 0) < 0:
        return "it was thumbed down here"
    return "it rests" if state.resting_until.get(track, 0.0) > now else ""


def load_pins(database: Database, station_id: int | None) -> Pins:
    """What is pinned on a station, or to the free queue; nothing when nothing readable was kept."""
    with database.look_up() as connection:
        kept: Any = look_up_fact(connection, _key(station_id))
    if not isinstance(kept, list):
        return Pins()
    return Pins(tuple(dict.fromkeys(track for track in kept if type(track) is int)))


def save_pins(database: Database, station_id: int | None, pins: Pins) -> None:
    """Keep what is pinned."""
    with database.session() as session:
        keep_fact(session, _key(station_id), list(pins.tracks))


def _key(station_id: int | None) -> str:
    return f"pins:{FREE_QUEUE if station_id is None else station_id}"
