"""What was played, as rows of the library, kept up play by play: a long history is read once, not at each ranking."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from player.feedback.events import ListeningState, TrackTally

Integers = NDArray[np.int64]


class StationPlays:
    """What one station played.

    Args:
        index: track id → row; plays of others are left out.
        station_id: which station.
    """

    def __init__(self, index: Mapping[int, int], station_id: int) -> None:
        self._index = index
        self._station_id = station_id
        self._plays: list[tuple[int | None, int]] | None = None
        self._seen = 0
        self._rows: Integers = np.empty(0, np.int64)

    def of(self, state: ListeningState) -> Integers:
        """(m,) rows of all its plays, oldest first."""
        if state.plays is not self._plays:
            self._plays, self._seen, self._rows = state.plays, 0, self._rows[:0]
        known = self._index
        new = [
            known[track]
            for station, track in state.plays[self._seen :]
            if station == self._station_id and track in known
        ]
        self._seen = len(state.plays)
        if new:
            self._rows = np.append(self._rows, np.array(new, np.int64))
        return self._rows


class TimesPlayed:
    """How often each track was played on any station and elsewhere, skips included.

    Args:
        index: track id → row.
    """

    def __init__(self, index: Mapping[int, int]) -> None:
        self._index = index
        self._state: ListeningState | None = None
        self._seen = 0
        self._times: Integers = np.zeros(len(index), np.int64)

    def of(self, state: ListeningState) -> Integers:
        """(n,) by row."""
        if state is self._state:
            ended = set(state.ended[self._seen :])
            times = self._times.copy() if ended else self._times
        else:
            ended = set(state.tallies)
            times = np.zeros(len(self._index), np.int64)
        for track in ended:
            row = self._index.get(track)
            if row is not None:
                tally = state.tallies.get(track)
                times[row] = 0 if tally is None else _times(tally)
        self._state, self._seen, self._times = state, len(state.ended), times
        return times


def _times(tally: TrackTally) -> int:
    """A play that was left some other way counts once, however often it happened."""
    return max(tally.plays + tally.skips, int(tally.last_played is not None))
