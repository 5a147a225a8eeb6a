"""The exported log: every column, three formats that say the same, and read back as a data set it is the log."""

import csv
import io
import json
from dataclasses import fields

import numpy as np
import pytest
from pyarrow import parquet

from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.feedback.labels import build_log
from player.feedback.served import Served, pack_eligible
from player.integrations.event_export import COLUMNS, EventRow, exported_events, write_csv, write_json, write_parquet
from player.stations.collection import load_rows
from player.storage.event_kinds import Origin
from player.storage.models import Station
from recommender.datasets.opening import open_dataset
from recommender.events import Outcome
from tests.integrations.conftest import library_track

SECOND = 1_000_000
START = 1_588_327_200 * SECOND
MAPPING = {
    "listener": "listener",
    "track": "track_id",
    "station": "station_id",
    "time": "epoch",
    "outcome": "outcome",
    "share": "share",
}


def tell(database, *events, origin="cli"):
    return EventStore(database, origin).append_all(
        [
            NewEvent(kind, track, station, position=position, action=action, at_us=START + second * SECOND)
            for second, kind, track, station, position, action in events
        ]
    )


@pytest.fixture
def listened(database):
    """A log with everything in it: thumbs changed and undone, skips at all places, imports, a second station."""
    with database.session() as session:
        session.add(Station(id=2, name="=Morning", noise_seed=1, created_us=1))
    tell(
        database,
        (0, "start", 1, 1, 0.0, "chose"),
        (125, "finish", 1, 1, 125.0, "end"),
        (130, "up", 1, 1, None, None),
        (140, "down", 1, 1, None, None),
        (150, "up", 2, 1, None, None),
        (160, "skip", 3, 2, 10.0, "next"),
        (190, "skip", 4, 2, 200.0, "next"),
        (220, "skip", 4, None, None, "next"),
        (250, "skip", 5, 2, 20.0, "chose"),
        (280, "stop", 5, 2, 20.0, "quit"),
        (300, "not-now", 6, 2, None, None),
        (310, "never", 6, 2, None, None),
        (320, "replay", 2, 1, None, None),
    )
    tell(database, (330, "undo", 2, 1, None, None))
    tell(database, (-9000, "finish", 5, None, None, "end"), (-8000, "skip", 2, None, 3.0, "next"), origin=Origin.IMPORT)
    return database


@pytest.mark.slow
def test_every_event_is_there_in_time_order_with_its_names(listened):
    rows = list(exported_events(listened))
    assert len(rows) == len(EventStore(listened, "cli").read())
    assert [row.time for row in rows] == sorted(row.time for row in rows)
    finish = next(row for row in rows if row.kind == "finish" and row.track_id == 1)
    assert (finish.artist, finish.title, finish.album, finish.duration) == ("The Beatles", "Yesterday", "Help!", 125.0)
    assert (finish.station, finish.station_id, finish.path) == ("Evening", 1, "/music/The Beatles/Yesterday.flac")
    assert finish.time.isoformat() == "2020-05-01T10:02:05+00:00"
    assert (finish.outcome, finish.label, finish.weight, finish.share, finish.explicit) == (
        "finish",
        1,
        0.5,
        1.0,
        False,
    )


def test_what_says_nothing_any_more_has_no_label(listened):
    rows = {(row.kind, row.track_id): row for row in exported_events(listened)}
    assert rows["up", 1].label is None  # a later thumb took its place
    assert rows["up", 1].stands
    assert rows["down", 1].label == -1
    assert rows["stop", 5].label is rows["not-now", 6].label is None
    assert not rows["replay", 2].stands
    assert rows["undo", 2].undoes == rows["replay", 2].event_id


def test_how_long_a_rest_lasts_and_which_reason_counts_no_more_are_told(listened):
    EventStore(listened, "cli").append_all(
        [NewEvent("not-now", 1, value=3600.0), NewEvent("less", 1, 1, note="part:sequence")]
    )
    rest, less = list(exported_events(listened))[-2:]
    assert (rest.kind, rest.value, rest.note) == ("not-now", 3600.0, None)
    assert (less.kind, less.value, less.note) == ("less", None, "part:sequence")


def test_imported_events_say_so_and_weigh_half(listened):
    first = next(exported_events(listened))
    assert (first.origin, first.weight, first.station, first.station_id) == ("import", 0.25, None, 0)


def test_what_was_served_stands_beside_the_event(database):
    log = EventStore(database, "tui")
    (decision,) = log.serve(
        [Served(1, 1, 0, 0, 1, 0.75, 0.25, "content", "live", 0.5, 6, 1.5, pack_eligible([1, 2], [0.5, 0.25]))]
    )
    log.append(NewEvent("finish", 1, 1, position=125.0, action="end", decision_id=decision))
    (row,) = exported_events(database)
    assert (row.decision_id, row.model_version, row.arm, row.slot, row.rank) == (decision, "content", "live", 0, 1)
    assert (row.score, row.propensity, row.temperature, row.eligible_count) == (0.75, 0.25, 0.5, 6)


def exported(database, write, **options) -> bytes:
    sink = io.BytesIO()
    write(exported_events(database, **options), sink)
    return sink.getvalue()


@pytest.mark.slow
def test_the_three_formats_say_the_same(listened):
    from_json = json.loads(exported(listened, write_json), parse_constant=pytest.fail)
    from_parquet = parquet.read_table(io.BytesIO(exported(listened, write_parquet))).to_pylist()
    for row in from_parquet:
        row["time"] = row["time"].isoformat(timespec="microseconds")
    assert from_parquet == from_json
    from_csv = list(csv.DictReader(io.StringIO(exported(listened, write_csv).decode())))
    assert [row["event_id"] for row in from_csv] == [str(row["event_id"]) for row in from_json]
    assert [row["weight"] for row in from_csv] == [
        "" if row["weight"] is None else str(row["weight"]) for row in from_json
    ]
    assert {tuple(row) for row in from_json} == {tuple(from_csv[0])} == {COLUMNS}


def test_an_empty_log_is_an_empty_table(database):
    assert json.loads(exported(database, write_json)) == []
    assert exported(database, write_csv).decode().strip() == ",".join(COLUMNS)
    assert parquet.read_table(io.BytesIO(exported(database, write_parquet))).num_rows == 0


def test_a_name_that_is_a_formula_is_none_in_csv_and_itself_elsewhere(listened):
    with listened.session() as session:
        session.add(library_track(9, "-M-", '=HYPERLINK("http://example.org")'))
    tell(listened, (400, "skip", 9, 2, 30.0, "next"))
    *_, row = csv.DictReader(io.StringIO(exported(listened, write_csv).decode()))
    assert (row["artist"], row["title"], row["station"]) == ("'-M-", '\'=HYPERLINK("http://example.org")', "'=Morning")
    assert row["label"] == "-1"  # numbers are left alone
    *_, row = json.loads(exported(listened, write_json))
    assert (row["artist"], row["station"]) == ("-M-", "=Morning")


def test_every_column_is_described_in_the_documentation(request):
    text = (request.config.rootpath / "docs" / "guide" / "import-export.md").read_text("utf-8")
    described = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert {field.name for field in fields(EventRow)} <= described


@pytest.mark.parametrize(("name", "write"), [("parquet", write_parquet), ("csv", write_csv)])
def test_read_back_as_a_data_set_it_is_the_log_that_the_player_learns_from(listened, tmp_path, name, write):
    path = tmp_path / f"events.{name}"
    path.write_bytes(exported(listened, write, only_feedback=True))
    dataset = open_dataset(f"{name}:{path}", columns=MAPPING)
    rows = load_rows(listened)
    index = {row.id: number for number, row in enumerate(rows)}
    own = build_log(load_history(listened, rows).labels, index, {1: 0, 2: 1})
    read = dataset.log
    assert len(read) == len(own) > 8
    assert dataset.reading.malformed == 0
    ids = np.array([row.id for row in rows])
    assert dataset.tracks[read.track].tolist() == ids[own.track].astype(str).tolist()
    assert read.time.tolist() == own.time.tolist()
    np.testing.assert_array_equal(read.outcome, own.outcome)
    np.testing.assert_array_equal(read.label, own.label)
    np.testing.assert_array_equal(read.explicit, own.explicit)
    shares = ~np.isnan(own.share)
    assert (
        np.isnan(read.share[read.outcome == Outcome.SKIP_LATE]).tolist()
        == np.isnan(own.share[own.outcome == Outcome.SKIP_LATE]).tolist()
    )
    np.testing.assert_allclose(read.share[shares], own.share[shares])
    # Stations are numbered by each in its own order: the same events share one.
    assert _grouping(read.station) == _grouping(own.station)
    # A table has no column for weights: what was heard here has the player's, what was imported is twice as heavy.
    imported = own.time < START / SECOND
    np.testing.assert_allclose(read.weight[~imported], own.weight[~imported], rtol=1e-6)
    assert imported.sum() == 2
    np.testing.assert_allclose(read.weight[imported], 2 * own.weight[imported], rtol=1e-6)


def _grouping(stations) -> list[int]:
    return [stations.tolist().index(station) for station in stations.tolist()]
