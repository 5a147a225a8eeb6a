"""Constant memory, limits, thresholds, and logs that stay on disk."""

import subprocess
import sys
import tracemalloc
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.datasets import summary
from recommender.datasets.dataset import DatasetError
from recommender.datasets.opening import dataset_of, open_dataset
from recommender.datasets.stream import stream_dataset
from recommender.datasets.summary import statistics
from tests.recommender.datasets.sessions import mssd_row, mssd_sessions

COLUMNS = {"listener": "u", "track": "t", "time": "when", "outcome": "what"}


def table(rows, seed=0, listeners=40):
    """Lines of scattered listeners in no order of time."""
    rng = np.random.default_rng(seed)
    who, what = rng.integers(listeners, size=rows) ** 2 // listeners, rng.choice(["up", "down", "finish", "skip"], rows)
    return ["u,t,when,what"] + [
        f"u{who[row]},t{rng.integers(60)},{rng.integers(rows // 3 + 1)},{what[row]}" for row in range(rows)
    ]


def peak_of_statistics(name):
    """Bytes at the peak, of Python and numpy, and of Arrow."""
    pool = pa.default_memory_pool()
    tracemalloc.start()
    arrow = 0
    try:
        for _ in stream_dataset(name):
            arrow = max(arrow, pool.bytes_allocated())
        tracemalloc.reset_peak()
        statistics(stream_dataset(name))
        return tracemalloc.get_traced_memory()[1], arrow
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_describing_six_times_the_rows_takes_no_more_memory(mssd_folder, monkeypatch):
    monkeypatch.setattr("recommender.datasets.text.BLOCK_BYTES", 1 << 20)
    sessions = mssd_sessions(40_000)
    few = peak_of_statistics(mssd_folder(sessions))
    # The same sessions under other names: 240,000 rows of 24,000 listeners.
    logs = [[line.replace("0_", f"{copy}_", 1) for line in sessions] for copy in range(6)]
    name = mssd_folder(*logs)
    assert statistics(stream_dataset(name)).listeners == 24_000
    many = peak_of_statistics(name)
    # A byte kept of each row would show as 200 kB, a pointer to each session as 160 kB.
    assert many[0] - few[0] < 100_000
    assert many[1] - few[1] < 100_000


@pytest.mark.parametrize("length", [1, 7, 10])
def test_the_figures_are_those_of_a_slow_count(mssd_folder, length, monkeypatch):
    monkeypatch.setattr("recommender.datasets.text.BLOCK_BYTES", 2000)
    rows = [*mssd_sessions(210, length=length), mssd_row("9", 1, "t_new", "not_skipped")]
    lengths = [length] * (210 // length) + [1]
    figures = statistics(stream_dataset(mssd_folder(rows)))
    assert figures.listeners == len(lengths)
    assert figures.events == 211
    assert figures.tracks == len({row.split(",")[3] for row in rows})
    assert figures.positive == sum(",false,false,false,true," in row for row in rows)
    assert figures.length_mean == pytest.approx(np.mean(lengths))
    assert figures.length_median == pytest.approx(np.median(lengths))
    assert figures.length_p95 == pytest.approx(np.quantile(lengths, 0.95))
    assert figures.length_max == max(lengths)
    assert figures.density == pytest.approx(211 / (len(lengths) * figures.tracks))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=9), min_size=1, max_size=6), q=st.floats(0, 1))
def test_run_lengths_and_quantiles_agree_with_numpy(parts, q):
    steps = np.concatenate([np.array(part) for part in parts]) > 1
    index = np.cumsum(steps) - steps[0]
    runs, counts = summary._RunLengths(), summary._Counts()
    for part in np.split(index, np.cumsum([len(part) for part in parts])[:-1]):
        runs.add(part)
        counts.add(part)
    lengths = np.bincount(index)
    for counted in (runs, counts):
        assert summary._quantile(*counted.by_length(), q) == pytest.approx(np.quantile(lengths, q))


def test_a_log_is_described_in_blocks_as_in_one(write, monkeypatch):
    dataset = open_dataset(f"csv:{write('t.csv', table(900))}", columns=COLUMNS)
    whole = statistics(dataset)
    monkeypatch.setattr("recommender.datasets.summary.BLOCK_ROWS", 100)
    assert statistics(dataset.log) == whole
    assert statistics(dataset_of(dataset.log)) == whole
    assert statistics(stream_dataset(dataset.name, columns=COLUMNS)) == whole
    assert all(np.isfinite(value) for key, value in asdict(whole).items() if key != "approximate")


def test_a_line_separator_of_unicode_in_a_name_ends_no_line(write):
    lines = ["u,t,when,what", "a\u2028b,x\u2029y,1,up", "c,x\u2029y,2,down", "d,z,3,nonsense", *["c,z,4,up"] * 400]
    name = f"csv:{write('t.csv', lines)}"
    dataset = open_dataset(name, columns=COLUMNS)
    assert dataset.listeners.tolist() == ["a\u2028b", "c"]
    assert dataset.tracks.tolist() == ["x\u2029y", "z"]
    assert [problem.line for problem in dataset.reading.problems] == [4]


@pytest.mark.parametrize("limit", [1, 50, 333, 899, 5000])
def test_a_limit_takes_the_first_listeners_whole(write, limit):
    name = f"csv:{write('t.csv', table(900))}"
    whole, some = (open_dataset(name, columns=COLUMNS, limit=most) for most in (None, limit))
    counts = np.bincount(whole.log.listener)
    kept = max(1, int(np.count_nonzero(np.cumsum(counts) <= limit)))
    assert some.listeners.tolist() == whole.listeners[:kept].tolist()
    assert np.bincount(some.log.listener).tolist() == counts[:kept].tolist()
    assert len(some.log) <= limit or kept == 1
    assert set(some.tracks) == set(whole.tracks[whole.log.track[whole.log.listener < kept]])


@pytest.mark.parametrize("limit", [3, 10, 95, 100, 10_000])
def test_a_limit_on_sessions_takes_whole_sessions_and_stops_reading(mssd_folder, limit, monkeypatch):
    monkeypatch.setattr("recommender.datasets.text.BLOCK_BYTES", 3000)
    dataset = open_dataset(mssd_folder(mssd_sessions(1000)), limit=limit)
    expected = min(1000, max(10, limit // 10 * 10))
    assert len(dataset.log) == expected
    assert dataset.reading.rows <= expected + 40
    assert np.bincount(dataset.log.listener).tolist() == [10] * (expected // 10)
    with pytest.raises(DatasetError, match="limit of 0"):
        open_dataset(dataset.name, limit=0)


def test_rows_of_one_moment_keep_the_order_of_the_file(write):
    lines = ["u,t,when,what"] + [f"u{n % 3},t{n},{7 - n % 2},{'up' if n % 2 else 'down'}" for n in range(50)]
    name = f"csv:{write('t.csv', lines)}"
    dataset = open_dataset(name, columns=COLUMNS)
    assert dataset.tracks[dataset.log.track].tolist() == [f"t{n}" for n in [*range(1, 50, 2), *range(0, 50, 2)]]


def test_one_bad_row_in_a_hundred_is_borne_and_more_are_not(write):
    good = table(990)
    assert open_dataset(f"csv:{write('t.csv', good + ['u,t'] * 10)}", columns=COLUMNS).reading.malformed == 10
    with pytest.raises(DatasetError, match=r"11 of 1001 rows are malformed, which is more than 1%.*t\.csv, line 992: "):
        open_dataset(f"csv:{write('t.csv', good + ['u,t'] * 11)}", columns=COLUMNS)


def test_a_hopeless_file_is_given_up_before_its_end(write, monkeypatch):
    monkeypatch.setattr("recommender.datasets.text.BLOCK_BYTES", 1000)
    monkeypatch.setattr("recommender.datasets.stream.JUDGED_FROM_ROWS", 500)
    stream = stream_dataset(f"csv:{write('t.csv', [*table(10), *['u,t'] * 20_000])}", columns=COLUMNS)
    with pytest.raises(DatasetError, match="rows are malformed"):
        statistics(stream)
    assert stream.reading.rows < 2000
    assert len(stream.reading.problems) == 20


@pytest.mark.parametrize("name", ["x" * 300, "  ", "a\x1b[31mred"])
def test_a_name_that_cannot_be_one_is_malformed(write, name):
    path = write("t.csv", [*table(200), f"u1,{name},5,up"])
    dataset = open_dataset(f"csv:{path}", columns=COLUMNS)
    assert [problem.line for problem in dataset.reading.problems] == [202]
    assert dataset.tracks.dtype.itemsize // 4 <= 3


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "holds no rows below its header"),
        (["u,t,1,up"] * 3, "holds no negative feedback in 3 rows"),
        (["u,t,1,down"] * 3, "holds no positive feedback in 3 rows"),
        (["u,t,1,start"] * 3, "no positive and negative feedback in 3 rows.*3 rows are left out"),
    ],
)
def test_a_set_with_nothing_to_tell_apart_is_refused(write, rows, message):
    with pytest.raises(DatasetError, match=message):
        open_dataset(f"csv:{write('t.csv', ['u,t,when,what', *rows])}", columns=COLUMNS)


def test_a_log_at_hand_becomes_a_data_set(make_log):
    log = make_log([(0, 0, 0, 1, 1), (1, 0, 2, 2, -1)], tracks=4)
    dataset = dataset_of(log, tracks=["a", "b", "c", "d"], notes=("Mine.",))
    assert (dataset.kind, dataset.ordered, dataset.notes) == ("log", True, ("Mine.",))
    assert dataset.listeners.tolist() == ["0", "1"]
    assert statistics(dataset).tracks == 2
    with pytest.raises(ValueError, match="1 names for 4 tracks"):
        dataset_of(log, tracks=["a"])
    with pytest.raises(ValueError, match="content has 2 rows"):
        dataset_of(log, content=np.zeros((2, 3), np.float32))


@pytest.mark.slow
def test_knowing_the_kinds_needs_no_arrow():
    code = (
        "import sys; from recommender.datasets.dataset import KINDS, Dataset, DatasetError, parse_name; parse_name('csv:a');"
        "assert 'pyarrow' not in sys.modules; from recommender.datasets.opening import open_dataset;"
        "assert 'pyarrow' in sys.modules and callable(open_dataset)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
