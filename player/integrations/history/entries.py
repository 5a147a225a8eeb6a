"""What every reader of a history gives: entries, what was left out and why, and what is malformed."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Literal

from player.feedback.events import AHEAD_US, MICROSECONDS, now_us
from player.integrations.history.archive import Export
from player.storage.event_kinds import Kind

_KEY_BYTES = 16
_SEPARATOR = "\x1f"
_EARLIEST_US = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * MICROSECONDS
"""Before this no player kept a history: such a date is a clock that was not set."""
"""A clock may be a time zone ahead, not more."""
IMPOSSIBLE_DATE = "with an impossible date"
NO_NAME = "without a title or an artist"


@dataclass(frozen=True, slots=True)
class TrackName:
    """How a source names a track; empty texts where it does not say.

    Attributes:
        recording_id: the MusicBrainz recording.
        path: relative to the other player's music folder.
        seconds: the track's length.
    """

    artist: str
    title: str
    album: str = ""
    recording_id: str = ""
    path: str = ""
    seconds: float | None = None

    def __str__(self) -> str:
        if self.artist or self.title:
            return f"{self.artist} – {self.title}"
        return self.path or f"recording {self.recording_id}"


class End(Enum):
    """How a play ended."""

    FINISHED = auto()
    NEXT = auto()
    """The listener pressed next."""
    BACK = auto()
    """The listener went back to the track before."""
    CHOSE = auto()
    """The listener chose another track."""
    STOPPED = auto()
    """Playing ended: paused for good, logged out, crashed."""
    FAILED = auto()
    UNTOLD = auto()
    """The source says how long it was heard, not why it ended."""


@dataclass(frozen=True, slots=True)
class Play:
    """A track was heard.

    Attributes:
        end: how it ended.
        started_us, ended_us: microseconds since 1970; a source knows one of the two at least.
        heard: seconds; None where the source does not say.
        chosen: whether the listener picked the track by hand.
    """

    end: End
    started_us: int | None = None
    ended_us: int | None = None
    heard: float | None = None
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """The listener said (or showed, by coming back to it) what they think of a track."""

    kind: Literal[Kind.UP, Kind.DOWN, Kind.REPLAY]
    at_us: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing a history tells; ``key`` is the same every time it is read, and of no other entry."""

    key: bytes
    name: TrackName
    said: Play | Judgement


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry that is well-formed and not for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """An entry that cannot be understood."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


Item = Entry | LeftOut | Malformed
Reader = Callable[[Export], Iterator[Item]]


def key_of(*parts: object) -> bytes:
    """The key of the entry that these facts single out."""
    text = _SEPARATOR.join(str(part) for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()


def possible(moment_us: int) -> bool:
    """Whether anything can have been heard then."""
    return _EARLIEST_US <= moment_us <= now_us() + AHEAD_US
