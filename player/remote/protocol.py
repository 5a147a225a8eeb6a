"""The wire of MPD's protocol, version 0.23: words of a line, pairs of an answer, errors.

Source: https://mpd.readthedocs.io/en/latest/protocol.html
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

VERSION = "0.23.5"
"""What the greeting claims: the version whose commands are spoken, as far as they are spoken at all."""
LONGEST_LINE = 65_536
"""Bytes of one command; MPD's own buffer is a quarter of this."""
_WORD = re.compile(r'[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s"\']+))(?=[ \t]|$)')
_ESCAPED = re.compile(r"\\(.)")

Pair = tuple[str, object]


class Ack(IntEnum):
    """MPD's error codes."""

    NOT_LIST = 1
    ARG = 2
    PASSWORD = 3
    PERMISSION = 4
    UNKNOWN = 5
    NO_EXIST = 50
    SYSTEM = 52


class AckError(Exception):
    """A command that is refused.

    Args:
        code: why, in MPD's numbers.
        message: why, in words.
    """

    def __init__(self, code: Ack, message: str) -> None:
        super().__init__(message)
        self.code = code

    def line(self, place: int, command: str) -> bytes:
        """The answer: its place in a command list, the command and the message."""
        return f"ACK [{self.code.value}@{place}] {{{command}}} {one_line(str(self))}\n".encode()


@dataclass(frozen=True, slots=True)
class Binary:
    """Bytes in an answer, as pictures come.

    Attributes:
        pairs: what goes before.
        chunk: the bytes.
    """

    pairs: tuple[Pair, ...]
    chunk: bytes


Answer = Iterable[Pair] | Binary | None


def split_words(line: str) -> list[str]:
    """The words of a command line; a quoted one may hold blanks, and a backslash in it takes the next character as it is.

    Raises:
        AckError: a quote is open, or stands where none may.
    """
    words: list[str] = []
    place = 0
    while line[place:].strip():
        found = _WORD.match(line, place)
        if found is None:
            raise AckError(Ack.ARG, "a quote is missing or in the wrong place")
        quoted, plain = found[1], found[2]
        words.append(plain if plain is not None else _ESCAPED.sub(r"\1", quoted))
        place = found.end()
    return words


def one_line(text: str) -> str:
    """Text as a value of an answer, where a line break would end it."""
    return text.replace("\r", " ").replace("\n", " ")


def encode(answer: Answer) -> bytes:
    """An answer as it goes over the wire, without the OK behind it."""
    if isinstance(answer, Binary):
        return encode((*answer.pairs, ("binary", len(answer.chunk)))) + answer.chunk + b"\n"
    lines = (f"{key}: {one_line(str(value))}\n" for key, value in answer or ())
    return "".join(lines).encode("utf-8", "replace")


def whole(text: str) -> int:
    """A word as a whole number.

    Raises:
        AckError: it is none.
    """
    try:
        return int(text[:20])
    except ValueError:
        raise AckError(Ack.ARG, f"“{text[:40]}” is no whole number") from None


def number(text: str) -> float:
    """A word as a finite number.

    Raises:
        AckError: it is none.
    """
    try:
        value = float(text[:40])
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e12:  # noqa: PLR2004 - seconds and percents are far below; NaN fails too
        raise AckError(Ack.ARG, f"“{text[:40]}” is no number")
    return value


def span(text: str, length: int) -> range:
    """A position, or START:END with the end left out for the last, as the places within a list.

    Raises:
        AckError: it is neither, or begins behind the list.
    """
    start, colon, end = text.partition(":")
    first = whole(start)
    last = (whole(end) if end else length) if colon else first + 1
    if first < 0 or last < first or (not colon and first >= length):
        raise AckError(Ack.ARG, f"“{text[:40]}” is no place in a list of {length}")
    return range(min(first, length), min(last, length))
