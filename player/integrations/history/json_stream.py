"""JSON too large to hold: the items of an array, or the lines of JSON lines, one at a time with their line numbers."""

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

from player.integrations.history.archive import ExportError, ExportPart

_CHUNK = 1 << 18
_LONGEST_ITEM = 1 << 22
"""Characters of one item; real ones have a few thousand."""
_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def json_items(part: ExportPart) -> Iterator[tuple[int, Any]]:
    """The items of a file that holds one JSON array, or one JSON value a line, with the lines they begin on.

    A line that is no JSON comes as the error that says so; a damaged array cannot be gone on with.

    Raises:
        ExportError: the file cannot be read, or its array is damaged.
    """
    with part.text() as stream:
        text = _Text(stream, part.name)
        if text.peek() == "[":
            yield from _array(text)
        else:
            yield from _lines(text)


def begins_with(part: ExportPart, character: str) -> bool:
    """Whether ``character`` is the first of a file that is not blank."""
    with part.text() as stream:
        return _Text(stream, part.name).peek() == character


class _Text:
    """The text of a file, of which only the part being looked at is held."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self.name = name
        self._held = ""
        self._at = 0
        self.line = 1

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            blank = _BLANK.match(self._held, self._at)
            assert blank is not None
            self._advance(blank.end())
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Go over the character just peeked at."""
        self._advance(self._at + 1)

    def value(self) -> Any:
        """The JSON value that begins here."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._held, self._at)
            except (ValueError, RecursionError) as error:
                if len(self._held) - self._at > _LONGEST_ITEM or not self._more():
                    raise self.damaged() from error
                continue
            # A number at the end of what is held may go on.
            if end == len(self._held) and self._more():
                continue
            self._advance(end)
            return value

    def rest_of_line(self) -> str | None:
        """What is left of this line; None where it is too long to be one."""
        while (end := self._held.find("\n", self._at)) < 0 and len(self._held) - self._at <= _LONGEST_ITEM:
            if not self._more():
                end = len(self._held)
                break
        if end < 0:
            self._drop_line()
            return None
        line = self._held[self._at : end]
        self._advance(end)
        return line

    def damaged(self) -> ExportError:
        """The error of a text that is no JSON from here on."""
        return ExportError(
            f"{self.name}, line {self.line}: the file is damaged or no JSON; nothing was recorded. Fetch the export anew."
        )

    def _drop_line(self) -> None:
        while (end := self._held.find("\n", self._at)) < 0:
            self._at = len(self._held)
            if not self._more():
                return
        self._at = end

    def _advance(self, end: int) -> None:
        self.line += self._held.count("\n", self._at, end)
        self._at = end

    def _more(self) -> bool:
        chunk = self._stream.read(_CHUNK)
        self._held = self._held[self._at :] + chunk
        self._at = 0
        return bool(chunk)


def _array(text: _Text) -> Iterator[tuple[int, Any]]:
    text.skip()
    if text.peek() == "]":
        return
    while text.peek():
        line = text.line
        yield line, text.value()
        after = text.peek()
        if after == "]":
            return
        if after != ",":
            break
        text.skip()
    raise text.damaged()


def _lines(text: _Text) -> Iterator[tuple[int, Any]]:
    while text.peek():
        number, line = text.line, text.rest_of_line()
        try:
            value: Any = ValueError("the line is too long") if line is None else json.loads(line)
        except (ValueError, RecursionError):
            value = ValueError("the line is no JSON")
        yield number, value
