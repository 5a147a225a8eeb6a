"""What plays and what comes next as MPD's queue: numbered places, ids that stay, a version that grows."""

from collections.abc import Iterator
from dataclasses import dataclass

from player.library.tracks import TrackRow
from player.remote.protocol import Ack, AckError
from player.stations.snapshot import Snapshot

AGAIN = 10_000_000
"""Added to the id of a track that is in the queue a second time; more than there are tracks."""


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One place of the queue.

    Attributes:
        id: names the entry as long as it is there: the track's own, where it is there once.
        track: which.
        reason: why it is there, in words.
        pinned: the listener put it there.
        propensity: the probability with which it was drawn; None where it was not.
    """

    id: int
    track: TrackRow
    reason: str
    pinned: bool = False
    propensity: float | None = None


class QueueView:
    """The queue as last looked at."""

    def __init__(self) -> None:
        self.entries: tuple[QueueEntry, ...] = ()
        self.version = 1
        self.playing = False
        """The first entry is what plays or is paused."""
        self._changed_at = [1]
        """For each place, the version in which it last became something else."""

    def look(self, snapshot: Snapshot) -> bool:
        """Take up what there is now; whether it is something else than before."""
        now = snapshot.now
        before, self.entries = self.entries, tuple(_entries(snapshot))
        self.playing = now is not None
        if before == self.entries:
            return False
        self.version += 1
        places = max(len(before), len(self.entries))
        kept = [*self._changed_at, *[self.version] * places][:places]
        self._changed_at = [
            version if before[place : place + 1] == self.entries[place : place + 1] else self.version
            for place, version in enumerate(kept)
        ]
        return True

    def changes(self, version: int) -> Iterator[tuple[int, QueueEntry]]:
        """(place, entry) of what changed after a version; everything for a version that never was."""
        everything = not 0 < version <= self.version
        for place, entry in enumerate(self.entries):
            if everything or self._changed_at[place] > version:
                yield place, entry

    def place(self, entry_id: int) -> int:
        """Where the entry of that id is.

        Raises:
            AckError: it is not there.
        """
        for place, entry in enumerate(self.entries):
            if entry.id == entry_id:
                return place
        raise AckError(Ack.NO_EXIST, f"there is no song {entry_id} in the queue")

    @property
    def pins(self) -> list[int]:
        """Ids of the pinned tracks, in their order."""
        return [entry.track.id for entry in self.entries if entry.pinned]

    @property
    def first_pin(self) -> int:
        """The place of the first pin, or where one would be."""
        return int(self.playing)


def _entries(snapshot: Snapshot) -> Iterator[QueueEntry]:
    seen: dict[int, int] = {}

    def entry_id(track: int) -> int:
        seen[track] = seen.get(track, -1) + 1
        return track + AGAIN * seen[track]

    if snapshot.now is not None:
        yield QueueEntry(entry_id(snapshot.now.track.id), snapshot.now.track, snapshot.now.reason)
    for row in snapshot.queue:
        yield QueueEntry(entry_id(row.track.id), row.track, row.reason, row.pinned, row.propensity)
