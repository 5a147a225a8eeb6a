"""MovieLens's four spellings, and what CM100k and Emotify refuse."""

import numpy as np
import pytest

from recommender.datasets.dataset import DatasetError
from recommender.datasets.opening import open_dataset
from recommender.events import Outcome

RATINGS = [("u1", "i1", 5, 30), ("u2", "i1", 2, 10), ("u1", "i2", 3, 20), ("u2", "i2", 4, 40), ("u3", "i3", 1, 50)]
SPELLINGS = {
    "m.inter": ["user_id:token\titem_id:token\trating:float\ttimestamp:float", *("{}\t{}\t{}\t{}",) * 5],
    "ratings.dat": ["{}::{}::{}::{}"] * 5,
    "ratings.csv": ["userId,movieId,rating,timestamp", *("{},{},{}.0,{}",) * 5],
    "u.data": ["{}\t{}\t{}\t{}"] * 5,
}


@pytest.mark.parametrize("file", SPELLINGS)
def test_every_spelling_of_movielens_gives_the_same_log_in_time_order(write, file):
    lines = SPELLINGS[file]
    header, rows = lines[: len(lines) - 5], lines[-5:]
    dataset = open_dataset(
        f"movielens:{write(file, [*header, *(r.format(*v) for r, v in zip(rows, RATINGS, strict=True))])}"
    )
    log = dataset.log
    assert dataset.listeners[log.listener].tolist() == ["u2", "u1", "u1", "u2", "u3"]
    assert dataset.tracks[log.track].tolist() == ["i1", "i2", "i1", "i2", "i3"]
    assert log.label.tolist() == [-1, 0, 1, 1, -1]
    assert log.outcome.tolist() == [Outcome.THUMB_DOWN, Outcome.CHOSEN, *[Outcome.THUMB_UP] * 2, Outcome.THUMB_DOWN]
    assert log.time.tolist() == [10, 20, 30, 40, 50]


def test_half_stars_lie_on_the_nearer_side(write):
    rows = [f"u,{stars},{stars},{number}" for number, stars in enumerate([0.5, 2, 2.5, 3.5, 4, 4.5])]
    log = open_dataset(f"movielens:{write('ratings.csv', ['userId,movieId,rating,timestamp', *rows])}").log
    assert log.label.tolist() == [-1, -1, 0, 0, 1, 1]


def test_cm100k_takes_artists_from_the_table_beside_it(write):
    path = write(
        "ratings.tsv", ["user_id\ttrack_id\trating\tknown", "u\ti\t4\t1", "u\tj\t1\t0", "v\tk\t3\t1", "v\tm\t3\t1"]
    )
    assert open_dataset(f"cm100k:{path}").artist is None
    write("items.tsv", ["Item\tUrl\tTitle\tArtist", "m\t-\tM\tB", "i\t-\tI\tA", "k\t-\tK\tA", "z\t-\tZ\tC"])
    artist = open_dataset(f"cm100k:{path}").artist
    assert artist[0] == artist[2] != artist[3]
    assert artist[1] == -1


def test_cm100k_reads_what_was_known(write):
    path = write("r.tsv", ["user_id\ttrack_id\trating\tknown", "1\ta\t1\t0", "1\tb\t4\t1", "1\tc\t2\t0"])
    log = open_dataset(f"cm100k:{path}").log
    assert (log.label.tolist(), log.known.tolist()) == ([-1, 1, 0], [0, 1, 0])
    assert np.isnan(log.share).all()


def test_emotify_is_read_under_the_published_header_too(write):
    header = "track id, genre, liked, disliked, age, gender, mother tongue"
    path = write("data.csv", [header, "1,rock,1,0,25,1,Dutch", "2,rock,0,1,25,1,Dutch", "3,rock,1,1,25,1,Dutch"])
    dataset = open_dataset(f"emotify:{path}")
    assert dataset.listeners.tolist() == ["25 · 1 · Dutch"]
    assert dataset.log.label.tolist() == [1, -1]


@pytest.mark.parametrize(
    ("kind", "lines", "reason"),
    [
        ("movielens", ["user_id\titem_id\trating\ttimestamp", "u\ti\tgood\t1"], "rating 'good'"),
        ("movielens", ["user_id\titem_id\trating\ttimestamp", "u\ti\t9\t1"], "rating '9'"),
        ("movielens", ["user_id\titem_id\trating\ttimestamp", "u\ti\t4\tnan"], "timestamp 'nan'"),
        ("cm100k", ["user_id\ttrack_id\trating\tknown", "u\ti\t5\t1"], "rating '5'"),
        ("cm100k", ["user_id\ttrack_id\trating\tknown", "u\ti\t4\tperhaps"], "known 'perhaps'"),
        ("emotify", ["track_id,liked,disliked,age,gender,mother_tongue", "1,2,0,25,1,Dutch"], "liked '2'"),
        ("emotify", ["track_id,liked,disliked,age,gender,mother_tongue", "1,1,0,,1,Dutch"], "age is empty"),
    ],
)
def test_a_file_full_of_nonsense_is_refused_naming_the_first_row(write, kind, lines, reason):
    with pytest.raises(DatasetError, match=rf"1 of 1 rows are malformed.*file\.inter, line 2: .*{reason}"):
        open_dataset(f"{kind}:{write('file.inter', lines)}")
