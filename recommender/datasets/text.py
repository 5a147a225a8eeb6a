"""Delimited text in blocks: constant memory, any size, gzip or not, and the right line number for every bad row.

A row is a line: a quoted value may hold the separator but no line break. That is what keeps line numbers true and lets
a damaged row harm nothing but itself. Blocks go through Arrow's parser; a block that holds anything unusual (a NUL, bytes
that are not UTF-8, a lone carriage return, quotes that do not close) is gone through line by line instead.
"""

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from recommender.datasets.dataset import DatasetError, Problem
from recommender.datasets.rows import ArrowColumn, RecordBatch

BLOCK_BYTES = 4 << 20
"""Read at once; large enough that the parser's start-up does not count."""
LONGEST_LINE = 1 << 20
"""Bytes. No row of feedback is this long; a line break must be missing."""
NEWLINE, RETURN = 10, 13
_STRAY = {b"\0": "NUL byte", b"\r": "carriage return"}
_UNIT = "\x1f"
"""Stands for separators of two characters, which Arrow does not know."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a text file is written.

    Attributes:
        wanted: the columns to read: {the reader's name: what the header may call it}.
        separator: between columns; None to find it in the header.
        quoted: whether double quotes enclose values.
        names: the columns of a file without header.
        canonical: how a name in the header is simplified before it is compared.
        optional: the reader's names that may be absent.
    """

    wanted: Mapping[str, str]
    separator: str | None = ","
    quoted: bool = True
    names: tuple[str, ...] | None = None
    canonical: Callable[[str], str] = str.strip
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Table:
    """A layout, settled by a file's header: the wanted columns' places and names, and how many columns a row has."""

    places: Mapping[str, int]
    called: Mapping[str, str]
    width: int
    separator: str
    quoted: bool


def read_batches(path: Path, layout: Layout) -> Iterator[RecordBatch]:
    """The rows of a text file, some thousands at a time.

    Raises:
        DatasetError: the file cannot be opened, is damaged, empty, not text, or lacks a column.
    """
    table: _Table | None = None
    line = 1
    for block, lost in _blocks(path):
        start = 0
        if table is None:
            table, start = _settled(path, layout, block)
            line += block[:start].count(b"\n")
        if lost:
            reason = f"the line is longer than {LONGEST_LINE >> 20} MiB"
            yield RecordBatch(path.name, _columns(table, {}), np.empty(0, np.int64), [Problem(path.name, line, reason)])
            line += 1
        elif start < len(block):
            body = block[start:]
            yield _parsed(path.name, table, body, line)
            line += body.count(b"\n") + (not body.endswith(b"\n"))
    if table is None:
        raise DatasetError(f"{path} is empty; it should hold a table of feedback.")


def header_of(path: Path, separator: str | None = ",") -> list[str]:
    """The names in a text file's first line; raises as :func:`read_batches`."""
    for block, _ in _blocks(path):
        first = _first_line(path, block)
        return _header_cells(path, first, separator or _separator_of(first), quoted=True)
    raise DatasetError(f"{path} is empty; it should hold a table of feedback.")


def open_bytes(path: Path) -> BufferedIOBase:
    """The bytes of a file, unpacked where its name ends in ``.gz``; raises DatasetError where it cannot be opened."""
    if path.is_dir():
        raise DatasetError(f"{path} is a folder; name a file in it.")
    try:
        return cast("BufferedIOBase", gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb"))
    except FileNotFoundError as error:
        raise DatasetError(f"There is no file {path}.") from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be opened: {_why(error)}.") from error


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _blocks(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Blocks of whole lines; (b"", True) in place of a line that is too long to be one."""
    done = 0
    with closing(open_bytes(path)) as stream:
        try:
            while block := stream.read(BLOCK_BYTES):
                tail = b"" if block.endswith(b"\n") else stream.readline(LONGEST_LINE)
                endless = len(tail) == LONGEST_LINE and not tail.endswith(b"\n")
                block = block[: block.rfind(b"\n") + 1] if endless else block + tail
                yield block, False
                done += block.count(b"\n") + endless
                if endless:
                    while tail and not tail.endswith(b"\n"):
                        tail = stream.readline(LONGEST_LINE)
                    yield b"", True
        except (EOFError, zlib.error, OSError) as error:
            raise DatasetError(
                f"{path} is damaged somewhere after line {done} ({_why(error)}); fetch or pack it anew."
            ) from error


def _settled(path: Path, layout: Layout, block: bytes) -> tuple[_Table, int]:
    """The table that the header describes, and where in the block its rows begin."""
    first = _first_line(path, block)
    separator = layout.separator or _separator_of(first)
    if layout.names is not None:
        names, start = list(layout.names), 3 if block.startswith(b"\xef\xbb\xbf") else 0
    else:
        names = _header_cells(path, first, separator, quoted=layout.quoted)
        start = block.find(b"\n") + 1 or len(block)
    canonical = [layout.canonical(name) for name in names]
    places: dict[str, int] = {}
    for role, name in layout.wanted.items():
        found = [place for place, given in enumerate(canonical) if given == name]
        if len(found) > 1:
            raise DatasetError(f"{path} has {len(found)} columns called {name!r}; rename all but one.")
        if not found and role not in layout.optional:
            had = ", ".join(names[:30]) if len(names) > 1 or names[0] else "none"
            raise DatasetError(f"{path} has no column {name!r}; it has {ascii(had)[1:-1]}.")
        if found:
            places[role] = found[0]
    called = {role: names[place].strip() for role, place in places.items()}
    return _Table(places, called, len(names), separator, layout.quoted), start


def _first_line(path: Path, block: bytes) -> str:
    head = block.split(b"\n", 1)[0].removesuffix(b"\r")
    if not block or len(head) > LONGEST_LINE:
        raise DatasetError(f"{path} does not begin with a line of text; it should hold a table of feedback.")
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 text from its first line on; convert it to UTF-8.") from error
    if "\0" in text or text.startswith("PAR1"):
        raise DatasetError(
            f"{path} is not a text file; Parquet files are read as parquet:PATH, packed ones as .csv.gz."
        )
    return text


def _separator_of(header: str) -> str:
    return max(",\t;", key=header.count)


def _header_cells(path: Path, line: str, separator: str, *, quoted: bool) -> list[str]:
    try:
        return _cells(line, separator, quoted=quoted)
    except csv.Error as error:
        raise DatasetError(f"A quote in the first line of {path} does not close; fix the header.") from error


def _cells(line: str, separator: str, *, quoted: bool) -> list[str]:
    """A line cut into columns; raises csv.Error where a quote does not close."""
    if len(separator) > 1 or not quoted or '"' not in line:
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator, strict=True), [""])


def _parsed(file: str, table: _Table, block: bytes, line: int) -> RecordBatch:
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == NEWLINE)
    if not block.endswith(b"\n"):
        ends = np.append(ends, len(block))
    lengths = np.diff(ends, prepend=-1) - 1
    # A quote left open in the last line would find no next row to swallow, and pass unnoticed.
    closed = not table.quoted or block[len(block) - 1 - int(lengths[-1]) :].count(b'"') % 2 == 0
    if closed and _usual(block, lengths):
        batch = _parsed_by_arrow(file, table, block, line, lengths)
        if batch is not None:
            return batch
    return _parsed_by_line(file, table, block, line)


def _usual(block: bytes, lengths: NDArray[np.int64]) -> bool:
    if b"\0" in block or _UNIT.encode() in block or lengths.max(initial=0) > LONGEST_LINE:
        return False
    if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
        return False
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parsed_by_arrow(
    file: str, table: _Table, block: bytes, line: int, lengths: NDArray[np.int64]
) -> RecordBatch | None:
    """The block through Arrow's parser; None where its rows are not the block's lines, for a quote spans some."""
    dropped: list[int] = []
    problems: list[Problem] = []

    def on_invalid(row: Any) -> str:
        dropped.append(row.number - 1)
        if table.quoted and '"' in row.text:
            # Perhaps miscounted because a quote does not close, which reading by line tells apart.
            return "error"
        if row.text.strip():
            problems.append(Problem(file, line + row.number - 1, _miscounted(row.actual_columns, table.width)))
        return "skip"

    body, separator = block, table.separator
    if len(separator) > 1:
        body, separator = block.replace(separator.encode(), _UNIT.encode()), _UNIT
    names = {role: f"c{place}" for role, place in table.places.items()}
    wanted = list(dict.fromkeys(names.values()))
    try:
        parsed = arrow_csv.read_csv(
            pa.BufferReader(body),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=len(body) + 1, column_names=[f"c{n}" for n in range(table.width)]
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=separator,
                quote_char='"' if table.quoted else False,
                ignore_empty_lines=False,
                invalid_row_handler=on_invalid,
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    if parsed.num_rows + len(dropped) != len(lengths):
        return None
    lines = np.arange(line, line + len(lengths))
    there = np.ones(len(lengths), np.bool_)
    there[dropped] = False
    lines, blank = lines[there], _blank(block, lengths)[there]
    columns = {
        role: ArrowColumn(table.called[role], parsed.column(name).combine_chunks()) for role, name in names.items()
    }
    if blank.any():
        columns = {role: column.where(~blank) for role, column in columns.items()}
        lines = lines[~blank]
    return RecordBatch(file, columns, lines, problems)


def _blank(block: bytes, lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which lines hold nothing; Arrow gives them as rows of empty values."""
    ends = np.cumsum(lengths + 1) - 1
    blank = lengths == 0
    single = np.flatnonzero(lengths == 1)
    blank[single] = np.frombuffer(block, np.uint8)[ends[single] - 1] == RETURN
    return blank


def _parsed_by_line(file: str, table: _Table, block: bytes, line: int) -> RecordBatch:
    problems: list[Problem] = []
    kept: list[list[str]] = []
    lines: list[int] = []
    for number, raw in enumerate(block.removesuffix(b"\n").split(b"\n"), start=line):
        row = _row(raw.removesuffix(b"\r"), table)
        if isinstance(row, str):
            problems.append(Problem(file, number, row))
        elif row:
            kept.append(row)
            lines.append(number)
    texts = {role: [row[place] for row in kept] for role, place in table.places.items()}
    return RecordBatch(file, _columns(table, texts), np.array(lines, np.int64), problems)


def _row(raw: bytes, table: _Table) -> list[str] | str:
    """The values of one line, none for a blank one, or what is wrong with it."""
    if len(raw) > LONGEST_LINE:
        return f"the line is longer than {LONGEST_LINE >> 20} MiB"
    for stray, called in _STRAY.items():
        if stray in raw:
            return f"the line holds a {called}"
    try:
        text = raw.decode()
        values = _cells(text, table.separator, quoted=table.quoted) if text.strip() else []
    except UnicodeDecodeError:
        return "the line is not UTF-8"
    except csv.Error:
        return "a quote in the line does not close"
    if not values:
        return []
    return values if len(values) == table.width else _miscounted(len(values), table.width)


def _miscounted(count: int, expected: int) -> str:
    return f"the line has {count} columns, the header {expected}"


def _columns(table: _Table, texts: Mapping[str, Sequence[str]]) -> dict[str, ArrowColumn]:
    return {role: ArrowColumn.of_texts(table.called[role], texts.get(role, ())) for role in table.places}
