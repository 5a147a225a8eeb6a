"""Where a training takes its rows from: parts of whole listeners, each an objective of its own, over one catalogue."""

from hashlib import sha256
from typing import Protocol

import numpy as np

from recommender.baselines.feedback import LabelMatrix
from recommender.configuration import SequentialConfig
from recommender.events import EventLog
from recommender.sequence.items import likes_of
from recommender.sequence.objective import Objective
from recommender.sequence.track_counts import TrackCounts
from recommender.training.listener_parts import part_of


class TrainingRows(Protocol):
    """What is learned from, in one part or in many of which few are in memory at a time."""

    @property
    def parts(self) -> int:
        """How many parts there are; no listener is in two."""
        ...

    @property
    def rows(self) -> int:
        """Rows of all parts together."""
        ...

    @property
    def stations(self) -> int:
        """How many stations there are: their numbers are below it."""
        ...

    @property
    def counts(self) -> TrackCounts:
        """What was heard how often, over all parts."""
        ...

    @property
    def likes(self) -> LabelMatrix | None:
        """Who liked what, over all parts; None where that is not in memory."""
        ...

    @property
    def fingerprint(self) -> str:
        """Says which rows these are: others have another one."""
        ...

    def objective(self, part: int, config: SequentialConfig) -> Objective:
        """The loss over the windows of one part, which may have to be read for it."""
        ...


class RowsInMemory:
    """A log at hand, whole or dealt into parts.

    Args:
        log: all rows.
        parts: how many; with one, the log is taken as it is.
    """

    def __init__(self, log: EventLog, parts: int = 1) -> None:
        self.parts = parts
        self.rows = len(log)
        self.stations = int(log.station.max(initial=-1)) + 1
        self._log = log
        self._objectives: dict[tuple[int, SequentialConfig], Objective] = {}

    @property
    def counts(self) -> TrackCounts:
        """What was heard how often."""
        return TrackCounts.of(self._log)

    @property
    def likes(self) -> LabelMatrix:
        """Who liked what."""
        return likes_of(self._log)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the columns."""
        digest = sha256(f"{self._log.tracks} {self.parts} ".encode())
        for name, column in self._log.columns().items():
            digest.update(name.encode() + np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def objective(self, part: int, config: SequentialConfig) -> Objective:
        """The loss over one part; kept, since the rows are in memory in any case."""
        key = part, config
        if key not in self._objectives:
            whole = self.parts == 1
            mine = self._log if whole else self._log.where(part_of(self._log.listener, self.parts) == part)
            self._objectives[key] = Objective(mine, config)
        return self._objectives[key]
