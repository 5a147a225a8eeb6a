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

from sqlalchemy import select

from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import MICROSECONDS, standing
from player.feedback.hygiene import load_times
from player.feedback.labels import LabelledEvent
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
        select(
            Event.id,
            Event.time_us,
            Event.track_id,
            Event.station_id,
            Station.name,
            Event.session_id,
            Event.kind,
            Event.action,
            Event.position,
            Event.undoes_id,
            Event.value,
            Event.note,
            Event.origin,
            Event.decision_id,
            Decision.model_version,
            Decision.arm,
            Decision.slot,
            Decision.rank,
            Decision.score,
            Decision.propensity,
            Decision.temperature,
            Decision.eligible_count,
            Decision.trial_id,
            Decision.pair,
        )
        .outerjoin(Station, Station.id == Event.station_id)
        .outerjoin(Decision, Decision.id == Event.decision_id)
        .order_by(Event.time_us, Event.id)
    )
    with database.reader() as session:
        for found in session.execute(query).yield_per(_ROWS_AT_A_TIME):
            said = labels.get(found.id)
            if said is not None or not only_feedback:
                marks = {"stands": found.id in stands, "forgotten": found.id in forgotten}
                yield _row(found, rows[found.track_id], said, marks)


def _row(found: Any, track: TrackRow, said: LabelledEvent | None, marks: Mapping[str, bool]) -> EventRow:
    signal = None if said is None else said.signal
    return EventRow(
        event_id=found.id,
        time=datetime.fromtimestamp(found.time_us / MICROSECONDS, UTC),
        epoch=found.time_us / MICROSECONDS,
        listener=LISTENER,
        track_id=found.track_id,
        artist=track.artist,
        title=track.title,
        album=track.album,
        path=file_of(track.path),
        station_id=NO_STATION if found.station_id is None else found.station_id,
        station=found.name,
        session_id=found.session_id,
        kind=found.kind,
        action=found.action,
        position=found.position,
        duration=track.duration,
        share=None if said is None or math.isnan(said.share) else said.share,
        outcome=None if signal is None else signal.outcome.name.lower(),
        label=None if signal is None else signal.label,
        weight=None if signal is None else signal.weight,
        explicit=None if signal is None else signal.explicit,
        **marks,
        undoes=found.undoes_id,
        value=found.value,
        note=found.note,
        origin=found.origin,
        decision_id=found.decision_id,
        model_version=found.model_version,
        arm=found.arm,
        slot=found.slot,
        rank=found.rank,
        score=found.score,
        propensity=found.propensity,
        temperature=found.temperature,
        eligible_count=found.eligible_count,
        trial_id=found.trial_id,
        pair=found.pair,
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
