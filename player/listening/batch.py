"""Feedback told from outside: one event on the command line, or a file of them."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from player.errors import PlayerError
from player.listening.feedback import TOLD
from player.listening.log import MICROSECONDS, NewEvent

NEEDS_STATION = frozenset({"up", "down", "clear"})
"""Thumbs hold for one station, as on a radio station."""
FIELDS = frozenset({"event", "track_id", "station", "position", "at"})


@dataclass(frozen=True, slots=True)
class Told:
    """One event as told, before its names are looked up."""

    event: str
    track_id: int
    station: str | None = None
    position: float | None = None
    at: str | None = None


def parse_time(text: str) -> int:
    """ISO 8601 to microseconds since 1970; without a zone it is local time.

    Raises:
        PlayerError: the text is not a time.
    """
    try:
        # Years at the ends of the calendar have no counterpart in another zone.
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PlayerError(
            f"“{text}” is not a time; write it as 2026-05-31T18:30:00 or with a zone, …+02:00."
        ) from error
    return round(moment.timestamp() * MICROSECONDS)


def to_event(told: Told, stations: dict[str, int], durations: dict[int, float]) -> NewEvent:
    """Look up the names of a told event.

    Args:
        told: the event.
        stations: station name → id.
        durations: track id → seconds, for every known track.

    Raises:
        PlayerError: the event, the track, the station, the position or the time is wrong.
    """
    if told.event not in TOLD:
        raise PlayerError(f"“{told.event}” is not an event; events are {', '.join(TOLD)}.")
    if told.track_id not in durations:
        raise PlayerError(f"There is no track {told.track_id}; `player tracks` lists them.")
    if told.station is None and told.event in NEEDS_STATION:
        raise PlayerError(f"“{told.event}” holds for one station; name it with --station.")
    if told.station is not None and told.station not in stations:
        known = ", ".join(stations) or "none yet"
        raise PlayerError(f"There is no station “{told.station}”; there are: {known}.")
    return NewEvent(
        kind=told.event,
        track_id=told.track_id,
        station_id=None if told.station is None else stations[told.station],
        position=_position(told.position, durations[told.track_id]),
        action="next" if told.event == "skip" else None,
        at_us=None if told.at is None else parse_time(told.at),
    )


def _position(position: float | None, duration: float) -> float | None:
    if position is None:
        return None
    if not math.isfinite(position) or position < 0:
        raise PlayerError(f"The position {position} is wrong; it is in seconds from the start of the track.")
    return min(position, duration) if duration > 0 else position


def read_batch(file: Path) -> list[tuple[int, Told]]:
    """The events of a JSON-lines file with their line numbers.

    Raises:
        PlayerError: the file cannot be read or a line is wrong; nothing has been recorded then.
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlayerError(f"{file} cannot be read ({error}); nothing was recorded.") from error
    return list(_parse(text.splitlines(), file))


def _parse(lines: Iterable[str], file: Path) -> Iterator[tuple[int, Told]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield number, _told(json.loads(line))
        except (ValueError, OverflowError, PlayerError) as error:
            raise PlayerError(
                f"{file}, line {number}: {error}; nothing was recorded, mend the line and try again."
            ) from error


def _told(document: Any) -> Told:
    if not isinstance(document, dict):
        raise PlayerError('a line is a JSON object such as {"event": "up", "track_id": 12, "station": "Evening"}')
    values: dict[str, Any] = {str(key): value for key, value in document.items()}
    if unknown := values.keys() - FIELDS:
        raise PlayerError(f"unknown field {min(unknown)}; the fields are {', '.join(sorted(FIELDS))}")
    event, track, station = values.get("event"), values.get("track_id"), values.get("station")
    position, at = values.get("position"), values.get("at")
    if not isinstance(event, str) or isinstance(track, bool) or not isinstance(track, int):
        raise PlayerError("“event” must be a word and “track_id” a whole number")
    if not isinstance(station, str | None) or not isinstance(at, str | None):
        raise PlayerError("“station” and “at” must be texts")
    if isinstance(position, bool) or not isinstance(position, int | float | None):
        raise PlayerError("“position” must be a number of seconds")
    return Told(event, track, station, None if position is None else float(position), at)
