"""Line numbers stay right whatever is wrong with a line, and nothing but that line is lost."""

import csv
import gzip
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.datasets.dataset import DatasetError
from recommender.datasets.text import LONGEST_LINE, Layout, read_batches

LAYOUT = Layout(wanted={"a": "a", "c": "c"})


def read(path, layout=LAYOUT):
    """{line: (a, c)} and {line: reason} of a file."""
    rows, problems = {}, {}
    for batch in read_batches(path, layout):
        texts = [np.array(values)[codes].tolist() if values else [] for codes, values in
                 (batch.columns[role].encoded() for role in ("a", "c"))]  # fmt: skip
        rows |= dict(zip(batch.lines.tolist(), zip(*texts, strict=True), strict=True))
        problems |= {problem.line: problem.reason for problem in batch.problems}
    return rows, problems


@pytest.fixture(params=[1 << 22, 37], ids=["one block", "many blocks"])
def blocks(request, monkeypatch):
    monkeypatch.setattr("recommender.datasets.text.BLOCK_BYTES", request.param)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"1,2", "2 columns"),
        (b"1,2,3,4", "4 columns"),
        (b"x\0y,2,3", "NUL"),
        (b"caf\xe9,2,3", "not UTF-8"),
        (b"1\r2,2,3", "carriage return"),
        (b'"1,2,3', "quote"),
        (b'"1"x,2,"3', "quote"),
        (b"y" * (LONGEST_LINE + 5) + b",2,3", "longer than 1 MiB"),
    ],
)
def test_a_bad_line_is_reported_under_its_number_and_its_neighbours_are_kept(write, blocks, bad, reason):
    good = [f"a{number},b,c{number}".encode() for number in range(40)]
    path = write("t.csv", b"\n".join([b"a,b,c", *good[:20], bad, *good[20:]]))
    rows, problems = read(path)
    assert list(problems) == [22]
    assert reason in problems[22]
    assert rows == {n + 2 + (n >= 20): (f"a{n}", f"c{n}") for n in range(40)}


def test_two_quotes_that_do_not_close_cost_two_lines_and_not_what_lies_between(write, blocks):
    path = write("t.csv", ["a,b,c", '"1,2,3', "4,5,6", '7,8",9', '10,11,"12'])
    rows, problems = read(path)
    assert 3 in rows
    assert {2, 5} <= set(problems)


def test_blank_lines_windows_line_ends_and_a_byte_order_mark_do_no_harm(write, blocks):
    path = write("t.csv", b"\xef\xbb\xbfa,b,c\r\n1,2,3\r\n\r\n   \r\n4,5,6\r\n\n7,,\n8,9,10")
    assert read(path) == ({2: ("1", "3"), 5: ("4", "6"), 7: ("7", ""), 8: ("8", "10")}, {})


def test_values_in_quotes_may_hold_the_separator_and_quotes(write, blocks):
    path = write("t.csv", ["a,b,c", '"Smith, John",x,"12"" single"'])
    assert read(path) == ({2: ("Smith, John", '12" single')}, {})


def test_a_separator_of_two_characters_is_understood(write, blocks):
    layout = Layout(wanted={"a": "a", "c": "c"}, separator="::", quoted=False, names=("a", "b", "c"))
    rows, problems = read(write("t.dat", ["1::2::3", "4::5", "\x1f::6::7"]), layout)
    assert rows == {1: ("1", "3"), 3: ("\x1f", "7")}
    assert list(problems) == [2]


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=8)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=12), quoting=st.sampled_from([csv.QUOTE_ALL, 0]))
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, rows, quoting):
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator="\n").writerows([("a", "b", "c"), *rows])
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(text.getvalue().encode())
    assert read(path) == ({line: (row[0], row[2]) for line, row in enumerate(rows, start=2)}, {})


@pytest.mark.slow
def test_a_damaged_archive_is_named_with_the_line_up_to_which_it_is_whole(write, monkeypatch):
    monkeypatch.setattr("recommender.datasets.text.BLOCK_BYTES", 1 << 18)
    rng = np.random.default_rng(0)
    lines = "\n".join(["a,b,c", *(f"{n},{v},x" for n, v in enumerate(rng.random(150_000)))]).encode()
    whole = gzip.compress(lines)
    with pytest.raises(DatasetError, match=r"cut\.csv\.gz is damaged somewhere after line \d{4,}"):
        read(write("cut.csv.gz", whole[: len(whole) - 1000]))
    with pytest.raises(DatasetError, match=r"no\.csv\.gz is damaged somewhere after line 0"):
        read(write("no.csv.gz", b"not gzip at all"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"PAR1\x00\x01", "not a text file"),
        (b"a\0,b,c\n", "not a text file"),
        ("a,b,c".encode("utf-16"), "not UTF-8 text"),
        (b'"a,b,c\n', "quote in the first line"),
        (b"a,b\n1,2\n", "has no column 'c'; it has a, b"),
        (b"a,a,c\n1,2,3\n", "has 2 columns called 'a'"),
        (b"x" * (LONGEST_LINE + (1 << 23)), "does not begin with a line"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_a_sentence(write, content, message):
    with pytest.raises(DatasetError, match=message) as caught:
        read(write("t.csv", content))
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(DatasetError, match="There is no file"):
        read(tmp_path / "absent.csv")
    with pytest.raises(DatasetError, match="is a folder"):
        read(tmp_path)
