"""An archive embedded into Parquet: once a file, whatever stopped it."""

import pytest
from pyarrow import parquet

from player.cli import run
from player.errors import PlayerError
from player.folders import locate
from player.library.archive import embed_archive

pytestmark = pytest.mark.slow


def embed(songs, out, data, *, stop_after=None):
    told = []
    return embed_archive(
        [songs],
        out,
        frontend="musicnn",
        weights=None,
        cache=locate(data).cache,
        cluster=None,
        workers=1,
        report=told.append,
        should_stop=lambda: len(told) == stop_after,
    )


def rows(out):
    return [row for part in out.glob("*.parquet") for row in parquet.read_table(part).to_pylist()]


def test_a_stopped_run_goes_on_and_every_file_has_one_row(songs, tmp_path):
    out = tmp_path / "vectors"
    first = embed(songs, out, tmp_path, stop_after=3)
    assert (first.embedded, first.left) == (3, 5)
    assert embed(songs, out, tmp_path).embedded == 5
    assert embed(songs, out, tmp_path).embedded == 0
    assert sorted(row["path"] for row in rows(out)) == sorted(str(path) for path in songs.iterdir())
    assert {(len(row["vector"]), len(row["tags"]), row["error"]) for row in rows(out)} == {(200, 50, None)}


def test_a_file_that_cannot_be_decoded_has_a_row_that_says_why(tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    (music / "damaged.mp3").write_bytes(b"no sound")
    report = embed(music, tmp_path / "vectors", tmp_path)
    ((path, why),) = report.failed
    assert [(row["path"], row["error"], row["vector"]) for row in rows(tmp_path / "vectors")] == [(path, why, None)]


def test_a_part_that_is_none_is_named(songs, tmp_path):
    (tmp_path / "part.parquet").write_bytes(b"text")
    with pytest.raises(PlayerError, match=r"part\.parquet is no file of embeddings"):
        embed(songs, tmp_path, tmp_path)


def test_folders_without_a_place_for_the_result_are_wrong_usage(monkeypatch, capsys, songs):
    monkeypatch.setattr("sys.argv", ["player", "embed", str(songs)])
    assert run() == 2
    assert "--out" in capsys.readouterr().err
