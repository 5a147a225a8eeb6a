"""Yambda and Piki, on rows written by their published schemas."""

import pyarrow as pa
import pytest
from pyarrow import parquet

from recommender.datasets.dataset import DatasetError
from recommender.datasets.opening import open_dataset
from recommender.events import Outcome


def test_yambda_s_events_become_plays_and_thumbs(tmp_path):
    rows = {
        "uid": pa.array([10, 10, 10, 20, 20, 20], pa.uint32()),
        "timestamp": pa.array([5, 10, 15, 20, 25, 30], pa.uint32()),
        "item_id": pa.array([1, 2, 1, 1, 3, 3], pa.uint32()),
        "is_organic": pa.array([1, 0, 1, 1, 1, 1], pa.uint8()),
        "played_ratio_pct": pa.array([120, 10, None, None, 49, None], pa.uint16()),
        "track_length_seconds": pa.array([200, 200, None, None, 180, None], pa.uint32()),
        "event_type": ["listen", "listen", "like", "dislike", "listen", "unlike"],
    }
    parquet.write_table(pa.table(rows), tmp_path / "multi_event.parquet")
    data = open_dataset(f"yambda:{tmp_path / 'multi_event.parquet'}")
    wanted = [Outcome.FINISH, Outcome.SKIP_EARLY, Outcome.THUMB_UP, Outcome.THUMB_DOWN, Outcome.SKIP_EARLY]
    assert data.log.outcome.tolist() == wanted
    assert data.log.share[[0, 1, 4]].tolist() == pytest.approx([1.0, 0.1, 0.49])
    assert (len(data.listeners), len(data.tracks), data.reading.excluded) == (2, 3, 1)
    del rows["event_type"]
    listens = {name: column.take(pa.array([0, 1, 4])) for name, column in rows.items()}
    parquet.write_table(pa.table(listens), tmp_path / "listens.parquet")
    assert open_dataset(f"yambda:{tmp_path / 'listens.parquet'}").log.label.tolist() == [1, -1, -1]
    (tmp_path / "none.parquet").write_text("no parquet")
    with pytest.raises(DatasetError, match="not a Parquet file"):
        open_dataset(f"yambda:{tmp_path / 'none.parquet'}")


def test_piki_s_answers_are_thumbs(tmp_path):
    path = tmp_path / "piki.csv"
    path.write_text(
        "timestamp,user_id,song_id,liked,personalized,spotify_popularity\n"
        "2021-01-01 10:00:00,1,7,0,0,50\n2021-01-01 10:00:30,1,8,2,1,60\n2021-01-01 10:01:00,2,7,1,0,50\n"
    )
    assert open_dataset(f"piki:{path}").log.label.tolist() == [-1, 1, 1]
