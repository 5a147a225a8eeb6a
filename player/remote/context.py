"""A command's surroundings: the player, the library and queue as clients see them, and the client that asks."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from player.library.paths import path_to_text
from player.library.scan_roots import CHANGED, known_roots
from player.playback.controller import Controller
from player.remote.filters import TAG_NAMES, TAGS
from player.remote.library_view import LibraryView
from player.remote.protocol import Answer, Pair
from player.remote.queue_view import QueueEntry, QueueView
from player.stations.snapshot import Snapshot
from player.storage.database import Database
from player.storage.key_value import look_up_fact

if TYPE_CHECKING:
    from player.library.tracks import TrackRow

JUMP_SECONDS = 2.0
"""A place further than this from where it should be was sought; the audio process reports more often."""
NANOSECONDS = 1_000_000_000
WORKING = frozenset({"scan"})
"""Jobs that MPD calls an update of the database."""


@dataclass(slots=True)
class Client:
    """One connection, as commands know it.

    Attributes:
        local: it came over the socket in the data folder.
        allowed: it may do everything, as no password is asked for or it has told it.
        tags: the tags it wants to be told, by their names in small letters.
        chunk: bytes of a picture that it takes at once.
    """

    local: bool
    allowed: bool
    tags: set[str] = field(default_factory=lambda: set(TAG_NAMES))
    chunk: int = 8192


class Remote:
    """The player as its remote controls see it; used by one thread at a time.

    Args:
        player: what plays.
        database: the listener's data.
        password: what a client over the network has to tell first; empty for nothing.
    """

    def __init__(self, player: Controller, database: Database, password: str = "") -> None:
        self.player = player
        self.password = password
        self.queue = QueueView()
        self.started = time.monotonic()
        self.stopped = False
        """A client stopped the music. Here that is a pause, but clients expect to see what they asked for."""
        self.updates = 0
        """How many updates of the library were asked for."""
        self._database = database
        self._library = LibraryView((), ())
        self._seen: dict[str, object] = {}
        self._place = (0.0, 0.0)
        self.look()

    @property
    def snapshot(self) -> Snapshot:
        """What there is to show now."""
        return self.player.snapshot()

    @property
    def library(self) -> LibraryView:
        """The library as it is now; named anew only when it has changed."""
        rows = self.player.catalogue()
        if rows is not self._library.rows:
            self._library = LibraryView(rows, self.roots)
        return self._library

    @property
    def roots(self) -> list[str]:
        """The music folders."""
        return [path_to_text(root) for root in known_roots(self._database)]

    @property
    def updated(self) -> int:
        """When a scan changed the library last, in seconds since 1970; 0 for never."""
        with self._database.look_up() as connection:
            return int(look_up_fact(connection, CHANGED) or 0) // NANOSECONDS

    def look(self) -> set[str]:
        """Take up what there is now; the subsystems, in MPD's words, in which something changed."""
        snapshot = self.snapshot
        self.queue.look(snapshot)
        now = snapshot.now
        if now is not None and now.playing:
            self.stopped = False
        seen: dict[str, object] = {
            "playlist": self.queue.version,
            "player": None if now is None else (now.track.id, now.playing, self.stopped),
            "mixer": snapshot.volume,
            "output": snapshot.output,
            "stored_playlist": None if snapshot.station is None else snapshot.station.name,
            "options": None if snapshot.station is None else (snapshot.station.dial, snapshot.station.mode),
            "sticker": (None if now is None else now.thumb, snapshot.station),
            "database": (snapshot.tracks, id(self.player.catalogue())),
            "update": updating(snapshot),
        }
        changed = {name for name, value in seen.items() if self._seen.get(name) != value}
        self._seen = seen
        if self._jumped(snapshot):
            changed.add("player")
        return changed

    def _jumped(self, snapshot: Snapshot) -> bool:
        """Whether the place is not where the last one leads to by now."""
        now, moment = snapshot.now, time.monotonic()
        position = 0.0 if now is None else now.position
        was, at = self._place
        self._place = position, moment
        ahead = moment - at if now is not None and now.playing else 0.0
        return now is not None and not -JUMP_SECONDS < position - was <= ahead + JUMP_SECONDS

    def song(self, client: Client, row: "TrackRow", uri: str = "") -> Iterator[Pair]:
        """A track as MPD tells of it."""
        yield "file", uri or self.library.uri(row)
        for tag, name in TAG_NAMES.items():
            if tag in client.tags:
                yield from ((name, value) for value in TAGS[tag](row) if value)
        yield "Time", round(row.duration)
        yield "duration", f"{row.duration:.3f}"

    def entry(self, client: Client, place: int, entry: QueueEntry) -> Iterator[Pair]:
        """A place of the queue: its track, why it is there (as the comment), its number and its id."""
        yield from self.song(client, entry.track)
        if entry.reason:
            yield "Comment", entry.reason
        yield "Pos", place
        yield "Id", entry.id


def updating(snapshot: Snapshot) -> bool:
    """Whether the library is being scanned."""
    job = snapshot.job
    return job is not None and job.name in WORKING and not job.finished


@dataclass(frozen=True, slots=True)
class Handler:
    """What carries a command out.

    Attributes:
        call: takes the surroundings, the client and the command's words.
        least, most: how many words.
        open: before the password too.
    """

    call: Callable[..., Answer]
    least: int
    most: int
    open: bool = False


HANDLERS: dict[str, Handler] = {}
"""Every command, by its name; the modules of ``player.remote.commands`` fill it."""
MANY = 10_000
"""For commands that take any number of words."""


def handles(
    name: str, least: int = 0, most: int | None = None, *, open_to_all: bool = False
) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Let a function carry a command out.

    Args:
        name: the command.
        least: how many words it takes.
        most: how many at most; no more than the least without it.
        open_to_all: it is answered before the password too.
    """

    def keep(call: Callable[..., Answer]) -> Callable[..., Answer]:
        HANDLERS[name] = Handler(call, least, least if most is None else most, open_to_all)
        return call

    return keep
