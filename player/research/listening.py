"""A person's listening history from another service as a data set: plays with their ends, in sessions, for any experiment."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player.errors import PlayerError, UsageError
from player.integrations.history import apple, lastfm, listenbrainz, spotify
from player.integrations.history.archive import Export
from player.integrations.history.entries import End, Entry, Judgement, LeftOut, Malformed, PlayEntry, Reader
from player.storage.event_kinds import Kind
from recommender.datasets.dataset import Dataset, Exclusion, Problem, Reading
from recommender.datasets.opening import dataset_of
from recommender.datasets.rows import DOWN, FINISH, NEITHER, REPLAY, SKIP_EARLY, UP, Judgements
from recommender.datasets.stream import MALFORMED_SHARE, PROBLEMS_KEPT
from recommender.events import EventLog
from recommender.habits.plays import UNTOLD, PlayedTracks, Plays, sessions_of, usual_lengths, verdicts

READERS: Mapping[str, Reader] = {
    spotify.SOURCE: spotify.read_spotify,
    apple.SOURCE: apple.read_apple,
    listenbrainz.SOURCE: listenbrainz.read_listenbrainz,
    lastfm.SOURCE: lastfm.read_lastfm,
}
MOST_PLAYS = 3_000_000
"""Of one listener: two hundred years of whole days. A longer history is something else than it was taken for."""
_MICROSECONDS = 1e6
_FINISHED = {End.FINISHED: 1, End.NEXT: -1, End.UNTOLD: UNTOLD}
_LONGEST_PLAY = 86_400.0
"""Seconds; a longer play is a clock that jumped."""
NEITHER_PLAY = REPLAY.__class__(NEITHER.outcome, 0, 0.0, explicit=False)
"""A play whose end says nothing."""
_SIGNALS = (FINISH, SKIP_EARLY, NEITHER_PLAY, UP, DOWN, REPLAY)
_TOLD = {Kind.UP: 3, Kind.DOWN: 4, Kind.REPLAY: 5}
STATIONS = ("session", "artist", "none")
"""What counts as a station, for what is measured within one: the session, the artist, or all is one."""


@dataclass(slots=True)
class _Rows:
    """The entries of a history as lists, in its own order."""

    track: list[int] = field(default_factory=list[int])
    ended: list[float] = field(default_factory=list[float])
    heard: list[float] = field(default_factory=list[float])
    told: list[int] = field(default_factory=list[int])
    """What the source says of the end, as ``verdicts`` takes it, or the place of a judgement in ``_SIGNALS``."""
    chosen: list[int] = field(default_factory=list[int])
    names: list[str] = field(default_factory=list[str])
    artist: list[int] = field(default_factory=list[int])
    album: list[int] = field(default_factory=list[int])
    length: list[float] = field(default_factory=list[float])
    """Seconds (n,) where a source states them, else NaN."""
    reasons: bool = False
    _tracks: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    _artists: dict[str, int] = field(default_factory=dict[str, int])
    _albums: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def add(self, entry: Entry) -> None:
        name, said = entry.name, entry.said
        artist = name.artist or name.album
        key = (artist, name.title)
        track = self._tracks.setdefault(key, len(self._tracks))
        if track == len(self.names):
            self.names.append(f"{name.artist} – {name.title}")
            self.artist.append(self._artists.setdefault(artist, len(self._artists)))
            self.album.append(self._albums.setdefault((artist, name.album), len(self._albums)))
            self.length.append(name.seconds or np.nan)
        self.track.append(track)
        if isinstance(said, Judgement):
            self.ended.append(said.at_us / _MICROSECONDS)
            self.heard.append(np.nan)
            self.told.append(_TOLD[said.kind])
            self.chosen.append(-1)
            return
        self._add_play(said)

    def _add_play(self, said: PlayEntry) -> None:
        heard = min(said.heard, _LONGEST_PLAY) if said.heard is not None else np.nan
        at = said.ended_us if said.ended_us is not None else said.started_us
        assert at is not None
        begun_only = said.ended_us is None and said.heard is not None
        self.ended.append(at / _MICROSECONDS + (heard if begun_only else 0.0))
        self.heard.append(heard)
        self.told.append(_FINISHED.get(said.end, 0))
        self.chosen.append(int(said.chosen) if said.end is not End.UNTOLD else -1)
        self.reasons |= said.end is not End.UNTOLD


def open_listening(kind: str, path: Path, name: str, columns: Mapping[str, str], limit: int | None) -> Dataset:
    """Read one listener's history.

    Args:
        kind: one of :data:`READERS`.
        path: a folder, a zip archive or a file, as the service hands it out.
        name: ``KIND:PATH``, what figures are headed with.
        columns: ``station`` may be one of :data:`STATIONS`; the session where it is left out.
        limit: only so many of the oldest plays.

    Raises:
        UsageError: the columns are not right.
        PlayerError: it cannot be read, too much of it is malformed, or it holds no play.
    """
    station = dict(columns).pop("station", STATIONS[0])
    if station not in STATIONS or set(columns) - {"station"}:
        raise UsageError(f"A listening history takes station={'|'.join(STATIONS)} among its columns, and no other.")
    rows = _Rows()
    reading = _read(READERS[kind](Export(path)), rows, name)
    if not rows.track:
        raise PlayerError(f"{name} holds no plays; name the export of somebody who listened.")
    plays, log = _columns(rows, station, limit)
    label = ("You",) if not path.stem else (path.stem,)
    made = dataset_of(log, name=name, listeners=label, tracks=rows.names, notes=_notes(rows))
    return Dataset(
        name=name,
        kind=kind,
        log=made.log,
        ordered=True,
        listeners=made.listeners,
        tracks=made.tracks,
        content=None,
        reading=reading,
        notes=made.notes,
        plays=plays,
        artist=plays.catalogue.artist,
    )


def _read(items: Iterator[object], rows: _Rows, name: str) -> Reading:
    """Take the items in; raises PlayerError where too many are malformed."""
    left_out: Counter[str] = Counter()
    problems: list[Problem] = []
    malformed = count = 0
    for item in items:
        count += 1
        if isinstance(item, Entry):
            rows.add(item)
            if len(rows.track) > MOST_PLAYS:
                raise PlayerError(f"{name} holds more than {MOST_PLAYS:,} plays, which is no one's; name one export.")
        elif isinstance(item, LeftOut):
            left_out[item.reason] += 1
        elif isinstance(item, Malformed):
            malformed += 1
            if len(problems) < PROBLEMS_KEPT:
                problems.append(Problem(item.file, item.line, item.reason))
    if malformed > MALFORMED_SHARE * count:
        raise PlayerError(
            f"{name}: {malformed} of {count} entries are malformed, which is more than {MALFORMED_SHARE:.0%}; the first is "
            f"{problems[0].file}, line {problems[0].line}: {problems[0].reason}."
        )
    exclusions = tuple(Exclusion(reason, number) for reason, number in left_out.items())
    return Reading(count, malformed, sum(left_out.values()), tuple(problems), exclusions)


def _columns(rows: _Rows, station: str, limit: int | None) -> tuple[Plays, EventLog]:
    """The plays, and the whole log with what was said outright, in time order."""
    order = np.argsort(np.array(rows.ended), kind="stable")[:limit]
    track, ended, heard = (np.array(column)[order] for column in (rows.track, rows.ended, rows.heard))
    told, chosen = np.array(rows.told)[order], np.array(rows.chosen, np.int8)[order]
    said = told > 1
    length = np.array(rows.length)
    known = np.isfinite(heard) & ~said
    estimated = usual_lengths(track[known], heard[known], len(rows.names))
    length = np.where(np.isfinite(length), length, estimated)
    # A source that states no time heard only lists what was heard.
    heard = np.where(np.isfinite(heard), heard, np.where(said, 0.0, length[track]))
    share = np.clip(heard / length[track], 0.0, 1.0)
    verdict = verdicts(share, np.minimum(told, 1).astype(np.int8))
    session = sessions_of(ended, heard)
    catalogue = PlayedTracks(np.array(rows.artist, np.int64), np.array(rows.album, np.int64), tuple(rows.names))
    own = ~said
    plays = Plays(catalogue, track[own], ended[own], heard[own], share[own], verdict[own], chosen[own], session[own])
    code = np.where(said, told, np.select([verdict > 0, verdict < 0], [0, 1], 2))
    judged = Judgements.of(_SIGNALS, code)
    stations = {"session": session, "artist": catalogue.artist[track], "none": np.zeros_like(track)}[station]
    return plays, _log(plays, track, ended, stations, judged, share)


def _log(
    plays: Plays,
    track: NDArray[np.int64],
    ended: NDArray[np.float64],
    station: NDArray[np.int64],
    judged: Judgements,
    share: NDArray[np.float64],
) -> EventLog:
    return EventLog(
        listener=np.zeros_like(track),
        station=station,
        track=track,
        time=ended,
        outcome=judged.outcome,
        label=judged.label,
        weight=judged.weight,
        explicit=judged.explicit,
        tracks=len(plays.catalogue),
        share=share.astype(np.float32),
    )


def _notes(rows: _Rows) -> tuple[str, ...]:
    return (
        "+ is a play that reached the track's end, − one that the listener ended before half of it; others are history."
        if rows.reasons
        else "+ is a play of 95 % of the track's usual length, − one of less than half; others are history.",
    )
