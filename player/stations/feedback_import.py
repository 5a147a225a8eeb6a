"""Feedback told from outside: one event on the command line, or a file of them."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embeddings.audio_file import open_regular
from player.errors import PlayerError
from player.feedback.events import MICROSECONDS, NewEvent, can_be
from player.feedback.signals import TOLD
from player.stations.reason_keys import parse_reason
from player.storage.event_kinds import Action, Kind

THUMBS = frozenset({Kind.UP, Kind.DOWN, Kind.CLEAR})
"""They hold for one station, as on a radio station, unless they are said to be meant everywhere."""
LARGEST_BATCH = 64 << 20
"""Bytes: half a million events, each a line. It is read whole, since nothing is recorded where one is wrong."""
LONGEST_REST = 10 * 365 * 24 * 3600.0
"""Seconds; a track that is to rest for longer than ten years is to be played never."""
FIELDS = frozenset({"event", "track_id", "station", "position", "at", "everywhere", "seconds", "reason"})


@dataclass(frozen=True, slots=True)
class Told:
    """One event as told, before its names are looked up."""

    event: str
    track_id: int
    station: str | None = None
    position: float | None = None
    at: str | None = None
    everywhere: bool = False
    """A thumb for all stations."""
    seconds: float | None = None
    """For a not-now: how long the track rests; a day without it."""
    reason: str | None = None
    """For a less: the key of the reason."""


def parse_time(text: str) -> int:
    """ISO 8601 to microseconds since 1970; without a zone it is local time.

    Raises:
        PlayerError: the text is not a time, or nothing can have happened then.
    """
    try:
        # Years at the ends of the calendar have no counterpart in another zone.
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PlayerError(
            f"“{text}” is not a time; write it as 2026-05-31T18:30:00 or with a zone, …+02:00."
        ) from error
    time_us = round(moment.timestamp() * MICROSECONDS)
    if not can_be(time_us):
        raise PlayerError(f"“{text}” cannot be when it happened: it is before 1970 or more than a day in the future.")
    return time_us


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
    _check_where(told)
    if told.station is not None and told.station not in stations:
        known = ", ".join(stations) or "none yet"
        raise PlayerError(f"There is no station “{told.station}”; there are: {known}.")
    return NewEvent(
        kind=Kind(told.event),
        track_id=told.track_id,
        station_id=None if told.station is None else stations[told.station],
        position=_position(told.position, durations[told.track_id]),
        action=Action.NEXT if told.event == Kind.SKIP else None,
        at_us=None if told.at is None else parse_time(told.at),
        value=_rest(told),
        note=_reason(told),
    )


def _check_where(told: Told) -> None:
    """Raise PlayerError unless a thumb says where it holds, and a less on which station."""
    if told.everywhere and (told.event not in THUMBS or told.station is not None):
        raise PlayerError("Only a thumb is meant everywhere (up, down or clear), and then on no single station.")
    if told.event in THUMBS and told.station is None and not told.everywhere:
        raise PlayerError(f"“{told.event}” holds for one station; name it with --station, or say --everywhere.")
    if told.event == Kind.LESS and told.station is None:
        raise PlayerError("“less” holds for one station; name it with --station.")


def _rest(told: Told) -> float | None:
    if told.seconds is None:
        return None
    if told.event != Kind.NOT_NOW:
        raise PlayerError("Only a not-now takes a length of rest.")
    if not 0 < told.seconds <= LONGEST_REST:
        raise PlayerError(f"A rest of {told.seconds:g} seconds is wrong; it is more than 0 and ten years at most.")
    return told.seconds


def _reason(told: Told) -> str | None:
    if (told.reason is None) != (told.event != Kind.LESS):
        raise PlayerError("A less takes a reason, and nothing else does; `player why TRACK` lists them.")
    return None if told.reason is None else str(parse_reason(told.reason))


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
        with open_regular(file) as stream:
            data = stream.read(LARGEST_BATCH + 1)
        if len(data) > LARGEST_BATCH:
            raise PlayerError(
                f"{file} is larger than {LARGEST_BATCH >> 20} MiB; nothing was recorded, tell it in pieces."
            )
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlayerError(f"{file} cannot be read ({error}); nothing was recorded.") from error
    return list(_parse(text.split("\n"), file))


def _parse(lines: Iterable[str], file: Path) -> Iterator[tuple[int, Told]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield number, _told(json.loads(line))
        except RecursionError:
            raise PlayerError(f"{file}, line {number}: it is nested too deeply; nothing was recorded.") from None
        except (ValueError, OverflowError, PlayerError) as error:
            raise PlayerError(
                f"{file}, line {number}: {error}; nothing was recorded, fix the line and try again."
            ) from error


def _told(document: Any) -> Told:
    if not isinstance(document, dict):
        raise PlayerError('a line is a JSON object such as {"event": "up", "track_id": 12, "station": "Evening"}')
    values: dict[str, Any] = {str(key): value for key, value in document.items()}
    if unknown := values.keys() - FIELDS:
        raise PlayerError(f"unknown field {min(unknown)}; the fields are {', '.join(sorted(FIELDS))}")
    event, track, station = values.get("event"), values.get("track_id"), values.get("station")
    position, at, seconds = values.get("position"), values.get("at"), values.get("seconds")
    everywhere, reason = values.get("everywhere", False), values.get("reason")
    if not isinstance(event, str) or isinstance(track, bool) or not isinstance(track, int):
        raise PlayerError("“event” must be a word and “track_id” a whole number")
    if not (isinstance(station, str | None) and isinstance(at, str | None) and isinstance(reason, str | None)):
        raise PlayerError("“station”, “at” and “reason” must be texts")
    if not isinstance(everywhere, bool):
        raise PlayerError("“everywhere” must be true or false")
    return Told(
        event,
        track,
        station,
        _number("position", position),
        at,
        everywhere,
        _number("seconds", seconds),
        reason,
    )


def _number(name: str, value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise PlayerError(f"“{name}” must be a number of seconds")
    return None if value is None else float(value)
