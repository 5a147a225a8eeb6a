import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from recommender.datasets.stream import stream_dataset
from recommender.evaluation.splits import split_listener_last
from recommender.sequence.items import TrackCounts
from recommender.sequence.windows import joined
from recommender.training.conversion import HISTORY_ROWS, convert, mixed, part_of
from recommender.training.shards import MANIFEST, ShardError, ShardFolder, read_log


def together(folder):
    logs = [folder.read(part) for part in range(folder.parts)]
    whole = logs[0]
    for log in logs[1:]:
        whole = joined(whole, log)[0]
    return whole


def test_shards_hold_every_row_once_and_every_listener_whole(make_many, make_shards, sorted_rows):
    log = make_many()
    folder = ShardFolder(make_shards(log, shard_rows=300))
    assert folder.parts > 5
    assert np.array_equal(sorted_rows(together(folder)), sorted_rows(log))
    listeners = [set(folder.read(part).listener.tolist()) for part in range(folder.parts)]
    assert sum(map(len, listeners)) == len(set.union(*listeners)) == len(np.unique(log.listener))
    assert folder.rows == len(log)


def test_the_counts_of_the_tracks_are_those_of_the_rows_in_the_shards(make_many, make_shards):
    log = make_many()
    folder = ShardFolder(make_shards(log, shard_rows=300, asked_listeners=20))
    counted = TrackCounts.of(together(folder))
    for name in ("heard", "liked", "disliked"):
        assert np.array_equal(getattr(folder.counts, name), getattr(counted, name))
    assert folder.manifest.positives == counted.liked.sum() == together(folder).positives


def test_a_listener_with_more_rows_than_a_shard_stays_whole(make_many, make_shards):
    log = make_many()
    log = replace(log, listener=np.where(log.listener < 100, 5, log.listener))
    heavy = np.count_nonzero(log.listener == 5)
    assert heavy > 400
    folder = ShardFolder(make_shards(log, shard_rows=200))
    holding = [folder.read(part) for part in range(folder.parts) if np.any(folder.read(part).listener == 5)]
    assert len(holding) == 1
    assert np.count_nonzero(holding[0].listener == 5) == heavy
    others = [shard.rows for shard in folder.manifest.shards if shard.rows != len(holding[0])]
    assert max(others) <= 200


def test_rows_of_one_moment_keep_the_order_of_the_stream(make_many, make_shards):
    log = make_many(rows=3000)
    log = replace(log, time=np.zeros(3000))
    found = together(ShardFolder(make_shards(log, shard_rows=200)))
    for listener in np.unique(log.listener):
        assert np.array_equal(found.track[found.listener == listener], log.track[log.listener == listener])


def test_listeners_are_mixed_as_splitmix64_does_and_dealt_evenly():
    assert mixed(np.array([0])).tolist() == [0xE220A8397B1DCDAF]  # the generator's first number from seed 0
    counts = np.bincount(part_of(np.arange(70_000) * 64, 7), minlength=7)
    assert counts.min() > 9_600
    assert counts.max() < 10_400


def test_the_newest_rows_of_the_listeners_asked_are_held_out_and_their_history_is_kept(
    make_many, make_shards, sorted_rows
):
    log = make_many()
    folder = ShardFolder(make_shards(log, shard_rows=500, asked_listeners=60))  # as many as there are: all are asked
    split = split_listener_last(log, test=0.2, validation=0.0)
    history, held_out = folder.validation()
    assert np.array_equal(sorted_rows(held_out), sorted_rows(split.test))
    assert np.array_equal(sorted_rows(together(folder)), sorted_rows(split.train))
    assert np.bincount(split.train.listener).max() < HISTORY_ROWS
    assert np.array_equal(sorted_rows(history), sorted_rows(split.train))


@pytest.mark.slow
def test_of_many_listeners_about_as_many_are_asked_as_was_said(make_many, make_shards):
    log = make_many(listeners=2000, rows=20_000)
    folder = ShardFolder(make_shards(log, shard_rows=5000, asked_listeners=200))
    history, held_out = folder.validation()
    assert 140 < len(np.unique(held_out.listener)) < 270
    assert set(held_out.listener) <= set(history.listener)


def test_of_a_long_history_the_newest_rows_are_kept(make_many, make_shards):
    log = make_many(listeners=2, rows=1500)
    folder = ShardFolder(make_shards(log, shard_rows=5000, asked_listeners=2))
    train, history = together(folder), folder.validation()[0]
    for listener in np.unique(log.listener):
        assert np.array_equal(
            history.track[history.listener == listener], train.track[train.listener == listener][-HISTORY_ROWS:]
        )


def test_an_interrupted_conversion_leaves_nothing_and_is_begun_again(make_many, make_stream, tmp_path):
    log, target = make_many(), tmp_path / "shards"
    with pytest.raises(RuntimeError, match="plug"):
        convert(make_stream(log, fail_after=1000), target, shard_rows=300)
    assert list(tmp_path.iterdir()) == []
    again = convert(make_stream(log), target, shard_rows=300)
    assert again == convert(make_stream(log), tmp_path / "other", shard_rows=300)


def test_a_folder_that_is_in_use_is_not_written_over(make_many, make_stream, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ShardError, match="is not empty"):
        convert(make_stream(make_many()), tmp_path)


def test_a_log_without_a_positive_is_refused(make_many, make_stream, tmp_path):
    log = make_many()
    with pytest.raises(ShardError, match="no positive"):
        convert(make_stream(replace(log, label=-np.ones(len(log), np.int8))), tmp_path / "shards")


def test_a_table_becomes_shards_with_the_names_of_its_tracks(tmp_path):
    lines = ["user,song,what", *(f"u{i % 9},s{i % 5},{'up' if i % 3 else 'down'}" for i in range(200))]
    (tmp_path / "plays.csv").write_text("\n".join(lines) + "\n")
    stream = stream_dataset(
        f"csv:{tmp_path / 'plays.csv'}", columns={"listener": "user", "track": "song", "outcome": "what"}
    )
    manifest = convert(stream, tmp_path / "shards", asked_listeners=0)
    assert (manifest.rows, manifest.listeners, manifest.tracks, manifest.ordered) == (200, 9, 5, False)
    names = parquet.read_table(tmp_path / "shards" / "tracks.parquet").column("name").to_pylist()
    assert names == ["s0", "s1", "s2", "s3", "s4"]


@pytest.mark.parametrize("place", [0.3, 0.6])
def test_a_damaged_shard_is_refused_in_a_sentence(make_many, make_shards, place):
    path = make_shards(make_many(), shard_rows=5000) / "shard-00000.parquet"
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ShardError, match=r"shard-00000.parquet is missing or damaged .*: convert the data set anew"):
        ShardFolder(path.parent).read(0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("track", 30, "track indices"),
        ("station", 2, "column station holds values outside"),
        ("outcome", 99, "column outcome holds values outside"),
        ("label", 3, "column label holds values outside"),
        ("weight", np.nan, "column weight holds values outside"),
        ("time", -1.0, "time order"),
    ],
)
def test_values_that_no_log_has_are_refused(make_many, make_shards, column, value, said):
    path = make_shards(make_many(), shard_rows=5000) / "shard-00000.parquet"
    table = parquet.read_table(path)
    values = table.column(column).to_numpy().copy()
    values[-1] = value
    parquet.write_table(table.set_column(table.schema.get_field_index(column), column, pa.array(values)), path)
    with pytest.raises(ShardError, match=said):
        read_log(path, 30, 2)


def test_a_column_of_another_type_or_none_is_refused(make_many, make_shards):
    path = make_shards(make_many(), shard_rows=5000) / "shard-00000.parquet"
    table = parquet.read_table(path)
    parquet.write_table(table.drop_columns(["share"]), path)
    with pytest.raises(ShardError, match="share"):
        read_log(path, 30, 2)


def test_a_folder_without_a_manifest_or_with_a_foreign_one_is_refused(make_many, make_shards, tmp_path):
    with pytest.raises(ShardError, match="no finished folder of shards"):
        ShardFolder(tmp_path)
    folder = make_shards(make_many(), shard_rows=500)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["shards"][0]["file"] = "../outside.parquet"
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ShardError, match="not of format"):
        ShardFolder(folder)
    (folder / MANIFEST).write_text("{}")
    with pytest.raises(ShardError, match="damaged"):
        ShardFolder(folder)
