"""The log as a table for one's own analysis: one row an event, with its names, what it counts as and what was served.

``docs/guide/import-export.md`` describes every column.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from itertools import islice
from typing import IO, Any

from sqlalchemy import func, select

from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import MICROSECONDS, standing
from player.feedback.labels import LabelledEvent
from player.feedback.unlearned_times import load_times
from player.integrations.csv_escape import safe_cell
from player.library.paths import file_of
from player.library.tracks import TrackRow, load_catalogue
from player.storage.database import Database
from player.storage.event_kinds import Origin
from player.storage.models import Decision, Event, Station

LISTENER = "you"
NO_STATION = 0
_ROWS_AT_A_TIME = 10_000


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event, as it is exported; the names of these attributes are those of the columns."""

    event_id: int
    time: datetime
    epoch: float
    listener: str
    track_id: int
    artist: str
    title: str
    album: str
    path: str
    station_id: int
    station: str | None
    session_id: int | None
    kind: str
    action: str | None
    position: float | None
    duration: float
    share: float | None
    outcome: str | None
    label: int | None
    weight: float | None
    explicit: bool | None
    stands: bool
    forgotten: bool
    undoes: int | None
    value: float | None
    note: str | None
    origin: str
    decision_id: int | None
    model_version: str | None
    arm: str | None
    slot: int | None
    rank: int | None
    score: float | None
    propensity: float | None
    temperature: float | None
    eligible_count: int | None
    trial_id: int | None
    pair: int | None


COLUMNS = tuple(field.name for field in fields(EventRow))
_NAMES_FROM_TAGS = frozenset({"artist", "title", "album", "path", "station", "note"})


_OF_EVENT = "time_us track_id session_id kind action position value note origin decision_id"
_OF_DECISION = "model_version arm slot rank score propensity temperature eligible_count trial_id pair"
_TOLD: Mapping[str, Any] = {
    "event_id": Event.id,
    "station_id": func.coalesce(Event.station_id, NO_STATION),
    "station": Station.name,
    "undoes": Event.undoes_id,
    **{name: getattr(Event, name) for name in _OF_EVENT.split()},
    **{name: getattr(Decision, name) for name in _OF_DECISION.split()},
}
"""Field of an :class:`EventRow` → what is read for it."""


def exported_events(database: Database, *, only_feedback: bool = False) -> Iterator[EventRow]:
    """The log in time order.

    Args:
        database: the listener's.
        only_feedback: leave out what says nothing about taste; the rest is what the player learns from.
    """
    with database.reader() as session:
        rows = {row.id: row for row in load_catalogue(session)}
    labels = {item.event.id: item for item in load_history(database, rows.values()).labels}
    log, times = EventStore(database, Origin.CLI).read(), load_times(database)
    stands = {event.id for event in standing(log)}
    forgotten = {event.id for event in log if times.forgotten(event)}
    query = (
        select(*(column.label(name) for name, column in _TOLD.items()))
        .outerjoin(Station, Station.id == Event.station_id)
        .outerjoin(Decision, Decision.id == Event.decision_id)
        .order_by(Event.time_us, Event.id)
    )
    with database.reader() as session:
        for found in session.execute(query).mappings().yield_per(_ROWS_AT_A_TIME):
            event, said = found["event_id"], labels.get(found["event_id"])
            if said is not None or not only_feedback:
                marks = {"stands": event in stands, "forgotten": event in forgotten}
                yield _row({**found, **marks}, rows[found["track_id"]], said)


def _row(told: dict[str, Any], track: TrackRow, said: LabelledEvent | None) -> EventRow:
    signal, epoch = None if said is None else said.signal, told.pop("time_us") / MICROSECONDS
    return EventRow(
        time=datetime.fromtimestamp(epoch, UTC),
        epoch=epoch,
        listener=LISTENER,
        artist=track.artist,
        title=track.title,
        album=track.album,
        path=file_of(track.path),
        duration=track.duration,
        share=None if said is None or math.isnan(said.share) else said.share,
        outcome=None if signal is None else signal.outcome.name.lower(),
        label=None if signal is None else signal.label,
        weight=None if signal is None else signal.weight,
        explicit=None if signal is None else signal.explicit,
        **told,
    )


def write_parquet(rows: Iterator[EventRow], sink: IO[bytes]) -> int:
    """Write Parquet with typed columns (``time`` is a UTC timestamp); returns how many rows."""
    import pyarrow as pa  # noqa: PLC0415 - only this needs Arrow
    from pyarrow import parquet  # noqa: PLC0415

    kinds = {
        int: pa.int64(),
        float: pa.float64(),
        str: pa.string(),
        bool: pa.bool_(),
        datetime: pa.timestamp("us", "UTC"),
    }
    schema = pa.schema([(field.name, kinds[_plain_type(field.type)]) for field in fields(EventRow)])
    count = 0
    with parquet.ParquetWriter(sink, schema) as writer:
        while batch := list(islice(rows, _ROWS_AT_A_TIME)):
            columns = {name: [getattr(row, name) for row in batch] for name in COLUMNS}
            writer.write_table(pa.table(columns, schema=schema))
            count += len(batch)
    return count


def _plain_type(annotation: Any) -> type:
    """``float`` of ``float | None``."""
    members = getattr(annotation, "__args__", (annotation,))
    return next(member for member in members if member is not type(None))


def write_csv(rows: Iterator[EventRow], sink: IO[bytes]) -> int:
    """Write UTF-8 CSV with a header; empty where there is nothing, names safe for spreadsheets; returns how many rows."""
    text = io.TextIOWrapper(sink, "utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the last number is the answer
        writer.writerow([_cell(name, value) for name, value in _plain(row).items()])
    text.detach()
    return count


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return safe_cell(value) if name in _NAMES_FROM_TAGS and isinstance(value, str) else value


def write_json(rows: Iterator[EventRow], sink: IO[bytes]) -> int:
    """Write one JSON array of objects, one a line; returns how many rows."""
    count = 0
    for count, row in enumerate(rows, 1):
        sink.write(b"[\n" if count == 1 else b",\n")
        sink.write(json.dumps(_plain(row), ensure_ascii=False, allow_nan=False).encode())
    sink.write(b"\n]\n" if count else b"[]\n")
    return count


def _plain(row: EventRow) -> dict[str, Any]:
    """A row of plain values: the time in ISO 8601, and no number that is not finite."""
    values = asdict(row)
    values["time"] = row.time.isoformat(timespec="microseconds")
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values.items()
    }


Writer = Callable[[Iterator[EventRow], IO[bytes]], int]
WRITERS: Mapping[str, Writer] = {"parquet": write_parquet, "csv": write_csv, "json": write_json}
