import gzip

import numpy as np
import pytest

from recommender.datasets.dataset import DatasetError
from recommender.datasets.opening import open_dataset
from recommender.datasets.stream import stream_dataset
from recommender.datasets.summary import statistics
from recommender.events import Outcome
from tests.recommender.datasets.sessions import FLAGS, MSSD_HEADER, mssd_row, mssd_sessions


def test_the_most_severe_flag_says_what_a_row_means(mssd_folder):
    whats = ["skip_1", "skip_2", "skip_3", "not_skipped", "none"]
    name = mssd_folder([mssd_row("s", place, f"t{place}", what) for place, what in enumerate(whats, start=1)])
    dataset = open_dataset(name)
    log = dataset.log
    assert log.outcome.tolist() == [Outcome.SKIP_EARLY, Outcome.SKIP_EARLY, Outcome.SKIP_LATE, Outcome.FINISH]
    assert log.label.tolist() == [-1, -1, -1, 1]
    assert log.weight[0] > log.weight[1] > log.weight[2] > 0
    assert not log.explicit.any()
    np.testing.assert_array_equal(log.share, np.array([np.nan, np.nan, np.nan, 1], np.float32))
    assert dataset.reading.excluded == 1


@pytest.mark.parametrize("reason", ["trackerror", "logout", "unexpected-exit"])
def test_a_skip_that_nobody_meant_is_excluded_but_a_finish_is_not(mssd_folder, reason):
    name = mssd_folder([
        mssd_row("s", 1, "a", "skip_1", reason=reason),
        mssd_row("s", 2, "b", "not_skipped", reason=reason),
        mssd_row("s", 3, "c", "skip_1", reason="fwdbtn"),
    ])  # fmt: skip
    dataset = open_dataset(name)
    assert dataset.tracks[dataset.log.track].tolist() == ["b", "c"]


def test_only_radio_is_read_unless_another_context_is_asked_for(mssd_folder):
    name = mssd_folder(mssd_sessions(400, contexts=("radio", "catalog", "charts", "user_collection")))
    assert statistics(stream_dataset(name)).events == 100
    several = open_dataset(name, columns={"context": "radio+charts"})
    assert (len(several.log), several.log.station.max()) == (200, 1)
    assert statistics(open_dataset(name, columns={"context": "all"})).stations == 4
    assert any("context radio" in note for note in open_dataset(name).notes)


def test_a_session_is_a_listener_even_across_blocks_and_files(mssd_folder, monkeypatch):
    monkeypatch.setattr("recommender.datasets.text.BLOCK_BYTES", 1000)
    name = mssd_folder(mssd_sessions(200, length=20), [line.replace("0_", "1_", 1) for line in mssd_sessions(60)])
    dataset = open_dataset(name)
    assert len(dataset.listeners) == 10 + 6
    assert np.bincount(dataset.log.listener).tolist() == [20] * 10 + [10] * 6
    assert dataset.listeners[0] == "0_00000000"
    assert dataset.listeners[-1] == "1_00000005"


def test_time_orders_the_rows_of_a_session_and_the_days(mssd_folder):
    name = mssd_folder([
        mssd_row("later", 2, "d", "skip_1", date="2018-07-16"),
        mssd_row("later", 1, "c", "skip_1", date="2018-07-16"),
        mssd_row("earlier", 1, "a", "not_skipped"),
        mssd_row("earlier", 20, "b", "not_skipped"),
    ])  # fmt: skip
    dataset = open_dataset(name)
    assert dataset.tracks[dataset.log.track].tolist() == ["a", "b", "c", "d"]
    assert dataset.log.time[0] == np.datetime64("2018-07-15T00:00:01").astype("datetime64[s]").astype(int)


def test_packed_logs_are_read_as_plain_ones(mssd_folder, tmp_path, write):
    rows = mssd_sessions(500)
    plain = statistics(stream_dataset(mssd_folder(rows)))
    path = write("packed/log_0.csv.gz", gzip.compress("\n".join([MSSD_HEADER, *rows]).encode()))
    assert statistics(stream_dataset(f"mssd:{path.parent}")) == plain


def test_acoustic_features_become_content_vectors_of_the_tracks_heard(mssd_folder, write):
    heard = [("b", "skip_1"), ("a", "not_skipped"), ("unknown", "not_skipped")]
    name = mssd_folder([mssd_row("s", place, track, what) for place, (track, what) in enumerate(heard, start=1)])
    write("mssd/tf_000000000000.csv", ["track_id,duration,mode,tempo", "a,200.5,major,120", "x,1,minor,2"])
    write("mssd/tf_000000000001.csv", ["track_id,duration,mode,tempo", "b,100,minor,90"])
    dataset = open_dataset(name)
    assert dataset.tracks.tolist() == ["b", "a", "unknown"]
    np.testing.assert_array_equal(dataset.content, np.array([[100, 90], [200.5, 120], [np.nan] * 2], np.float32))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (mssd_row("s", 0, "t", "skip_1"), "session_position '0'"),
        (mssd_row("s", "first", "t", "skip_1"), "session_position 'first'"),
        (mssd_row("s", 1, "t", "skip_1", date="15.7.2018"), "date '15.7.2018'"),
        (mssd_row("s", 1, "t", "skip_1", date="2018-02-30"), "date '2018-02-30'"),
        (mssd_row("s", 1, "", "skip_1"), "name of the track"),
        (mssd_row("", 1, "t", "skip_1"), "name of the listener"),
        (mssd_row("s", 1, "t", "true,maybe,true,false"), "neither true nor false"),
        ("s,1,20", "3 columns"),
    ],
)
def test_a_malformed_row_is_named_by_file_and_line_and_the_rest_is_read(mssd_folder, row, reason):
    rows = mssd_sessions(300)
    dataset = open_dataset(mssd_folder(rows[:150], [*rows[150:200], row, *rows[200:]]))
    assert dataset.reading.malformed == 1
    problem = dataset.reading.problems[0]
    assert (problem.file, problem.line) == ("log_1_20180715.csv", 52)
    assert reason in problem.reason
    assert len(dataset.log) == 300


def test_python_spells_truth_in_its_own_way_and_is_understood(mssd_folder):
    rows = [row.replace("true", "True").replace("false", "False") for row in mssd_sessions(100)]
    assert statistics(stream_dataset(mssd_folder(rows))) == statistics(stream_dataset(mssd_folder(mssd_sessions(100))))
    assert set(FLAGS) == {"skip_1", "skip_2", "skip_3", "not_skipped", "none"}


def test_a_folder_without_logs_or_a_file_in_its_place_is_refused(tmp_path, write):
    with pytest.raises(DatasetError, match=r"holds no log_\*\.csv"):
        stream_dataset(f"mssd:{tmp_path}")
    with pytest.raises(DatasetError, match="There is no folder"):
        stream_dataset(f"mssd:{tmp_path}/absent")
    with pytest.raises(DatasetError, match="is a file; name the folder"):
        stream_dataset(f"mssd:{write('a.csv', ['x'])}")
