"""What a listener's log holds, in the few figures that a report on it states."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommender.evaluation.bootstrap import SESSION_GAP
from recommender.events import EventLog, Outcome


@dataclass(frozen=True, slots=True)
class LogFacts:
    """A log in figures.

    Attributes:
        events: rows.
        outcomes: rows of each outcome that occurs, most frequent first.
        likes, dislikes: judged rows, those that can be measured on.
        explicit: judged rows in which the listener said so (thumb, never).
        unjudged: rows too ambiguous to be right or wrong about.
        tracks: with any row.
        library: tracks there are.
        repeats: share of the rows about a track that had a row before; 0 without rows.
        stations: with any row.
        station_agreement: chance that two judged rows are of one station, 0…1; 1 without judged rows.
        sessions: separated by half an hour of silence.
        first, last: seconds on the log's clock; None without rows.
    """

    events: int
    outcomes: Mapping[Outcome, int]
    likes: int
    dislikes: int
    explicit: int
    unjudged: int
    tracks: int
    library: int
    repeats: float
    stations: int
    station_agreement: float
    sessions: int
    first: float | None
    last: float | None

    @property
    def judged(self) -> int:
        """Rows that can be measured on."""
        return self.likes + self.dislikes


def log_facts(log: EventLog) -> LogFacts:
    """Count one listener's log."""
    judged, events = log.judged, len(log)
    outcomes = {outcome: int(np.count_nonzero(log.outcome == outcome)) for outcome in Outcome}
    by_station = np.bincount(log.station[judged])
    heard = len(np.unique(log.track))
    return LogFacts(
        events=events,
        outcomes=dict(sorted(((o, n) for o, n in outcomes.items() if n), key=lambda pair: -pair[1])),
        likes=int(np.count_nonzero(judged & (log.label > 0))),
        dislikes=int(np.count_nonzero(judged & (log.label < 0))),
        explicit=int(np.count_nonzero(judged & log.explicit)),
        unjudged=int(np.count_nonzero(~judged)),
        tracks=heard,
        library=log.tracks,
        repeats=1.0 - heard / events if events else 0.0,
        stations=len(np.unique(log.station)),
        station_agreement=float(np.sum((by_station / by_station.sum()) ** 2)) if judged.any() else 1.0,
        sessions=int(events > 0) + int(np.count_nonzero(np.diff(log.time) > SESSION_GAP)),
        first=float(log.time[0]) if events else None,
        last=float(log.time[-1]) if events else None,
    )
