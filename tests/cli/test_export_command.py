"""``player export events``: to a file or standard output, in a format named or known by the file's ending."""

import csv
import io
import json
import os
import subprocess
import sys

import pytest
from pyarrow import parquet

pytestmark = pytest.mark.slow


@pytest.fixture
def listened(player, demo):
    """A thumb and a rest."""
    track = demo.track_ids[0]
    player("feedback", "up", track, "--station", "Evening")
    player("feedback", "not-now", track)
    return track


def exported(tmp_path, *arguments) -> bytes:
    """What the command writes to standard output, as bytes."""
    done = subprocess.run(
        [sys.executable, "-m", "player", "export", "events", *arguments],
        capture_output=True,
        env={**os.environ, "PLAYER_DATA_DIR": str(tmp_path / "data")},
        timeout=120,
        check=True,
    )
    return done.stdout


def test_standard_output_holds_the_table_and_nothing_else(listened, tmp_path):
    kinds = ["up", "not-now"]
    assert [row["kind"] for row in json.loads(exported(tmp_path, "--format", "json"))] == kinds
    table = parquet.read_table(io.BytesIO(exported(tmp_path, "--format", "parquet")))
    assert table.column("kind").to_pylist() == kinds
    assert [row["kind"] for row in csv.DictReader(io.StringIO(exported(tmp_path, "--format", "csv").decode()))] == kinds


@pytest.mark.parametrize("name", ["log.parquet", "log.csv", "log.JSON"])
def test_a_files_ending_names_the_format(player, listened, tmp_path, name):
    answer = player("export", "events", "--output", tmp_path / name)
    assert answer.code == 0, answer.err
    assert "2 events written" in answer.err
    assert (tmp_path / name).read_bytes()[:1] in {b"P", b"e", b"["}
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_only_feedback_leaves_out_what_says_nothing(player, listened, tmp_path):
    player("export", "events", "-o", tmp_path / "log.json", "--only-feedback")
    (row,) = json.loads((tmp_path / "log.json").read_text("utf-8"))
    assert (row["kind"], row["outcome"], row["track_id"], row["station"]) == ("up", "thumb_up", listened, "Evening")


def test_without_a_format_it_asks_for_one(player, demo, tmp_path):
    answer = player("export", "events", "--output", tmp_path / "log.txt")
    assert answer.code == 2
    assert "name a format" in answer.err


def test_a_place_that_cannot_be_written_is_one_sentence(player, demo, tmp_path):
    assert "There is no folder" in player("export", "events", "-o", tmp_path / "no" / "log.csv").sentence
