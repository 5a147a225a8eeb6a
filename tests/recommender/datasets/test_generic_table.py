import csv
import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from player.feedback import signals as feedback
from recommender.datasets.dataset import DatasetError, parse_columns, parse_name
from recommender.datasets.generic_table import WORDS
from recommender.datasets.opening import open_dataset
from recommender.events import Outcome

WHO = {"listener": "user", "track": "song"}


def test_the_words_of_the_player_mean_what_they_mean_to_the_player(write):
    """The player's own rules are the reference; this package may not import them, but its tests may."""
    lines = [f"u,{number},{word}" for number, word in enumerate(["up", "down", "never", "finish", "replay", "skip"])]
    path = write("t.csv", ["user,song,what", *lines])
    log = open_dataset(f"csv:{path}", columns={**WHO, "outcome": "what"}).log
    for row, word in enumerate(["up", "down", "never", "finish", "replay", "skip"]):
        signal = feedback.signal_of(word, position=None, duration=0, action=None)
        found = (log.outcome[row], log.label[row], pytest.approx(log.weight[row]), log.explicit[row])
        assert (signal.outcome, signal.label, signal.weight, signal.explicit) == found, word


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.85, 0.95, 1.0])
def test_a_skip_is_graded_by_the_share_played_as_the_player_grades_it(write, share):
    path = write("t.csv", ["user,song,what,share", f"u,a,skip,{share}", "u,b,up,", "u,c,down,"])
    log = open_dataset(f"csv:{path}", columns={**WHO, "outcome": "what", "share": "share"}).log
    # A track so short that the player's rule of seconds does not come into it.
    signal = feedback.signal_of("skip", position=share * 9.0, duration=9.0, action="next")
    assert (log.outcome[0], log.label[0]) == (signal.outcome, signal.label)
    assert log.weight[0] == pytest.approx(signal.weight)
    assert log.share[0] == pytest.approx(share)


def test_events_that_say_nothing_about_taste_are_excluded_and_unknown_words_malformed(write):
    rows = [f"u,{n},{'up' if n % 2 else 'down'}" for n in range(300)]
    path = write("t.csv", ["user,song,what", *rows, "u,x,not-now", "u,y,start", "u,z,adored"])
    reading = open_dataset(f"csv:{path}", columns={**WHO, "outcome": "what"}).reading
    assert (reading.rows, reading.excluded, reading.malformed) == (303, 2, 1)
    assert (reading.problems[0].line, reading.problems[0].reason) == (304, "outcome 'adored' is no word of the player")


def test_every_outcome_has_a_word():
    assert {signal.outcome for signal in WORDS.values()} == set(Outcome) - {Outcome.PADDING}


def test_numbers_become_thumbs_by_thresholds_and_labels_without(write):
    path = write("t.tsv", ["user\tsong\tstars\tside", "u\ta\t10\t1", "u\tb\t5\t0", "u\tc\t-2\t-1", "u\td\t7\t1.0"])
    rated = open_dataset(f"csv:{path}", columns={**WHO, "rating": "stars", "positive": "7", "negative": "3"}).log
    labelled = open_dataset(f"csv:{path}", columns={**WHO, "label": "side"}).log
    assert rated.label.tolist() == labelled.label.tolist() == [1, 0, -1, 1]


def test_dates_are_in_utc_unless_they_say_otherwise_and_numbers_are_seconds(write):
    whens = ["1970-01-01", "1970-01-01T00:01:00", "1970-01-01 02:00:00+02:00", "90.5", "1970-01-02T00:00:00Z"]
    rows = [f"u,{number},{'up' if number else 'down'},{when}" for number, when in enumerate(whens)]
    path = write("t.csv", ["user,song,what,when", *rows])
    dataset = open_dataset(f"csv:{path}", columns={**WHO, "outcome": "what", "time": "when"})
    assert dataset.ordered
    assert dict(zip(dataset.tracks[dataset.log.track].tolist(), dataset.log.time.tolist(), strict=True)) == {
        "0": 0, "1": 60, "2": 0, "3": 90.5, "4": 86400,
    }  # fmt: skip


NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=6)
# Without a zone, as most files have them: these are read as UTC.
MOMENTS = st.floats(0, 4e9).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None))
MIDDLE = dt.datetime.fromtimestamp(9e8, dt.UTC).replace(tzinfo=None)
ROWS = st.lists(
    st.fixed_dictionaries({
        "user": NAMES,
        "song": NAMES,
        "radio": NAMES,
        "what": st.sampled_from(["up", "down", "finish", "replay", "never", "chosen", "left", "neither"]),
        "when": MOMENTS,
        "share": st.one_of(st.none(), st.floats(0, 1, width=32)),
        "known": st.sampled_from([1, 0, -1]),
    }),
    max_size=20,
)  # fmt: skip
BOTH_SIDES = [
    {"user": user, "song": "s", "radio": "r", "what": what, "when": MIDDLE, "share": None, "known": -1}
    for user, what in (("a", "up"), ("b", "down"))
]
MAPPING = {**WHO, "station": "radio", "outcome": "what", "time": "when", "share": "share", "known": "known"}


def expected(rows):
    rows = sorted(rows, key=lambda row: row["when"])
    played = {"finish": 1.0, "replay": 1.0}
    return [
        (
            row["user"], row["song"], row["radio"], WORDS[row["what"]].outcome, WORDS[row["what"]].label,
            pytest.approx(row["when"].replace(tzinfo=dt.UTC).timestamp(), abs=1e-5),
            pytest.approx(played.get(row["what"], np.nan) if row["share"] is None else row["share"], nan_ok=True),
            row["known"],
        )
        for row in rows
    ]  # fmt: skip


def found(dataset, stations):
    log = dataset.log
    columns = (
        dataset.listeners[log.listener], dataset.tracks[log.track], np.array(stations)[log.station],
        log.outcome, log.label, log.time, log.share, log.known,
    )  # fmt: skip
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(rows=ROWS, kind=st.sampled_from(["csv", "parquet"]))
def test_a_table_that_is_written_is_read_back_as_it_was(tmp_path_factory, rows, kind):
    rows = [*rows, *BOTH_SIDES]
    path = tmp_path_factory.mktemp("table") / f"t.{kind}"
    if kind == "csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        parquet.write_table(pa.Table.from_pylist(rows), path)
    stations = list(dict.fromkeys(row["radio"] for row in rows))
    dataset = open_dataset(f"{kind}:{path}", columns=MAPPING)
    assert found(dataset, stations) == expected(rows)


def test_a_parquet_file_may_have_numbers_as_names_and_real_booleans(tmp_path):
    table = pa.table({"user": [7, 7, 8], "song": [1, 2, None], "side": [1, -1, 1], "known": [True, False, None]})
    parquet.write_table(pa.concat_tables([table] + [table.slice(0, 2)] * 100), tmp_path / "t.parquet")
    dataset = open_dataset(f"parquet:{tmp_path}/t.parquet", columns={**WHO, "label": "side", "known": "known"})
    assert dataset.listeners.tolist() == ["7"]
    assert dataset.log.known[:2].tolist() == [1, 0]
    assert [problem.line for problem in dataset.reading.problems] == [3]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "needs to be told the column of the listener and the track"),
        (WHO, "needs one of outcome, label and rating"),
        ({**WHO, "outcome": "what", "label": "what"}, "needs one of outcome, label and rating"),
        ({**WHO, "rating": "what"}, "Ratings need both thresholds"),
        ({**WHO, "rating": "what", "positive": "4"}, "Ratings need both thresholds"),
        ({**WHO, "rating": "what", "positive": "2", "negative": "4"}, "must lie below"),
        ({**WHO, "rating": "what", "positive": "many", "negative": "4"}, "positive=many is not a number"),
        ({**WHO, "label": "what", "positive": "4", "negative": "2"}, "takes no thresholds"),
        ({**WHO, "outcome": "what", "mood": "what"}, "takes no 'mood'"),
        ({**WHO, "outcome": "absent"}, "has no column 'absent'; it has user, song, what"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_wrong_mapping_is_refused_with_the_fix(tmp_path, kind, columns, message):
    path = tmp_path / f"t.{kind}"
    path.write_text("user,song,what\nu,s,up\n")
    if kind == "parquet":
        parquet.write_table(pa.table({"user": ["u"], "song": ["s"], "what": ["up"]}), path)
    with pytest.raises(DatasetError, match=message):
        open_dataset(f"{kind}:{path}", columns=columns)


def test_a_parquet_file_that_is_damaged_missing_a_folder_or_of_lists_is_refused(tmp_path):
    def opened(name):
        return open_dataset(f"parquet:{tmp_path / name}", columns={**WHO, "outcome": "what"})

    table = pa.table({"user": ["u"] * 9, "song": ["s"] * 9, "what": ["up"] * 9})
    parquet.write_table(table, tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    (tmp_path / "cut").write_bytes(whole[:-20])
    (tmp_path / "text").write_text("user,song,what\n")
    parquet.write_table(table.set_column(1, "song", [[["s"]] * 9]), tmp_path / "lists")
    for name, message in {
        "cut": "not a Parquet file", "text": "not a Parquet file", "absent": "There is no file", ".": "is a folder",
        "lists": "Column 'song' is of type list",
    }.items():  # fmt: skip
        with pytest.raises(DatasetError, match=message) as caught:
            opened(name)
        assert "\n" not in str(caught.value)


def test_names_of_data_sets_and_columns_are_checked():
    assert parse_name("csv:a:b.csv")[1].name == "a:b.csv"
    for name in ("ratings.csv", "csv:", "", "csv: "):
        with pytest.raises(DatasetError, match="write KIND:PATH"):
            parse_name(name)
    with pytest.raises(DatasetError, match="no kind of data set 'tsv'; there are mssd, yambda"):
        parse_name("tsv:a")
    assert parse_columns("listener=user, track = song,") == {"listener": "user", "track": "song"}
    with pytest.raises(DatasetError, match="key=value"):
        parse_columns("listener")
    with pytest.raises(DatasetError, match="given twice"):
        parse_columns("track=a,track=b")
    with pytest.raises(DatasetError, match="takes no 'listener'"):
        open_dataset("movielens:x", columns={"listener": "a"})
