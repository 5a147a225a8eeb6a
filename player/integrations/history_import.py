"""Importing a history: read it through, match its names, then write – so that a bad file leaves the log as it was.

The history is read twice and never held: the first time for its names and what is wrong with it, the second time for its
entries, which are written in batches. One that is interrupted is gone on with by importing it again.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from player.errors import PlayerError
from player.integrations.csv_escape import safe_cell
from player.integrations.history import apple, lastfm, libraries, listenbrainz, mpd, navidrome, spotify, tag_ratings
from player.integrations.history.archive import Export, ExportError
from player.integrations.history.entries import Entry, LeftOut, Malformed, Reader, TrackName
from player.integrations.import_writer import Found, Recorded, Recorder
from player.integrations.library_tracks import load_tracks
from player.integrations.matching import Match, Matcher, Status, words_in_use
from player.jobs import Estimate, JobProgress
from player.storage.database import Database

READERS: Mapping[str, Reader] = {
    spotify.SOURCE: spotify.read_spotify,
    apple.SOURCE: apple.read_apple,
    listenbrainz.SOURCE: listenbrainz.read_listenbrainz,
    lastfm.SOURCE: lastfm.read_lastfm,
    mpd.SOURCE: mpd.read_mpd,
    navidrome.SOURCE: navidrome.read_navidrome,
    libraries.ITUNES: libraries.read_itunes,
    libraries.RHYTHMBOX: libraries.read_rhythmbox,
    libraries.QUODLIBET: libraries.read_quodlibet,
    tag_ratings.SOURCE: tag_ratings.read_tag_ratings,
}


BATCH = 5000
"""Entries a transaction: about 0.2 s, so that a thumb given meanwhile waits hardly longer."""
MALFORMED_SHARE = 0.05
"""More than this of malformed entries, and the file is something else than it was taken for."""
MALFORMED_FORGIVEN = 20
"""So many are forgiven in any case: a short history may hold a few bad ones."""
KEPT_PROBLEMS = 20
_TELL_EVERY = 500

Progress = Callable[[JobProgress], None]


@dataclass(frozen=True, slots=True)
class NameOutcome:
    """What became of one name, and how many entries bear it."""

    name: TrackName
    entries: int
    match: Match


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a history.

    Attributes:
        source: which.
        entries: that are for the log, matched or not.
        left_out: reason → how many entries.
        malformed: how many; ``problems`` holds the first of them.
        outcomes: every name, those of most entries first.
        recorded: what became of the entries that were matched.
        complete: whether it came to the end.
        dry_run: nothing was written; ``recorded`` is what would have been.
    """

    source: str
    entries: int
    left_out: Mapping[str, int]
    malformed: int
    problems: tuple[Malformed, ...]
    outcomes: tuple[NameOutcome, ...]
    recorded: Recorded
    complete: bool
    dry_run: bool

    def entries_with(self, status: Status) -> int:
        """How many entries bear names of that fate."""
        return sum(outcome.entries for outcome in self.outcomes if outcome.match.status is status)

    def names_with(self, status: Status) -> int:
        """How many names had that fate."""
        return sum(outcome.match.status is status for outcome in self.outcomes)

    def missing_artists(self, most: int) -> list[tuple[str, int]]:
        """The artists most heard of whom nothing was matched by name: (artist, entries)."""
        artists: Counter[str] = Counter()
        for outcome in self.outcomes:
            if outcome.match.status is Status.UNMATCHED and outcome.name.artist:
                artists[outcome.name.artist] += outcome.entries
        return artists.most_common(most)


@dataclass(slots=True)
class _Survey:
    """What the first reading finds."""

    names: Counter[TrackName] = field(default_factory=Counter[TrackName])
    left_out: Counter[str] = field(default_factory=Counter[str])
    malformed: int = 0
    problems: list[Malformed] = field(default_factory=list[Malformed])


def import_history(
    database: Database,
    source: str,
    path: Path,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ImportReport:
    """Take another player's history into the log.

    Args:
        database: the listener's.
        source: a key of :data:`player.integrations.history_import.READERS`.
        path: the export: a folder, a zip archive or a file.
        dry_run: match and count, write nothing.
        progress: told how far it is.
        should_stop: asked between batches; when true, what was written stays and the report says it is incomplete.

    Raises:
        PlayerError: the export cannot be read or is something else, the library is empty, or the database refuses.
    """
    tell, stop = progress or _ignore, should_stop or _never
    reader, export = READERS[source], Export(path)
    survey = _survey(reader, export, tell)
    _refuse_damaged(export, survey)
    matches = _match(database, survey.names, tell)
    recorder = Recorder(database, source, dry_run=dry_run)
    complete = _record(reader, export, recorder, matches, survey, tell, stop)
    outcomes = [NameOutcome(name, count, matches[name]) for name, count in survey.names.most_common()]
    return ImportReport(
        source=source,
        entries=survey.names.total(),
        left_out=dict(survey.left_out.most_common()),
        malformed=survey.malformed,
        problems=tuple(survey.problems),
        outcomes=tuple(outcomes),
        recorded=recorder.recorded,
        complete=complete,
        dry_run=dry_run,
    )


def _ignore(_progress: JobProgress) -> None:
    """Tell nobody."""


def _never() -> bool:
    """Go on."""
    return False


def _survey(reader: Reader, export: Export, tell: Progress) -> _Survey:
    survey, estimate = _Survey(), Estimate()
    size = sum(part.size for part in export.parts())
    for number, item in enumerate(reader(export), 1):
        match item:
            case Entry():
                survey.names[item.name] += 1
            case LeftOut():
                survey.left_out[item.reason] += 1
            case Malformed():
                survey.malformed += 1
                if len(survey.problems) < KEPT_PROBLEMS:
                    survey.problems.append(item)
        if number % _TELL_EVERY == 0:
            tell(JobProgress("Reading", number, seconds_left=estimate.seconds_left(export.consumed, size)))
    return survey


def _refuse_damaged(export: Export, survey: _Survey) -> None:
    total = survey.names.total() + survey.left_out.total() + survey.malformed
    if total == 0:
        raise ExportError(f"{export.shown} holds no entries; nothing was recorded. Check that the export is complete.")
    if survey.malformed == total or survey.malformed > max(MALFORMED_FORGIVEN, MALFORMED_SHARE * total):
        raise ExportError(
            f"{survey.malformed} of {total} entries of {export.shown} cannot be understood, the first at"
            f" {survey.problems[0]}; nothing was recorded. Check that it is the export it was called."
        )


def _match(database: Database, names: Mapping[TrackName, int], tell: Progress) -> dict[TrackName, Match]:
    tracks = load_tracks(database)
    if not tracks:
        raise PlayerError("The library is empty, so nothing can be matched; add music first: player scan FOLDER.")
    matcher, estimate = Matcher(tracks, words_in_use(names)), Estimate()
    matches: dict[TrackName, Match] = {}
    for number, name in enumerate(names, 1):
        matches[name] = matcher.match(name)
        if number % _TELL_EVERY == 0:
            tell(JobProgress("Matching names", number, len(names), estimate.seconds_left(number, len(names))))
    return matches


def _record(
    reader: Reader,
    export: Export,
    recorder: Recorder,
    matches: Mapping[TrackName, Match],
    survey: _Survey,
    tell: Progress,
    stop: Callable[[], bool],
) -> bool:
    """Write the entries whose track is known; whether it came to the end."""
    total = sum(count for name, count in survey.names.items() if matches[name].status is Status.MATCHED)
    done, estimate = 0, Estimate()
    for batch in _batches(reader, export, matches):
        if stop():
            return False
        recorder.record(batch)
        done += len(batch)
        tell(JobProgress("Recording", done, total, estimate.seconds_left(done, total)))
    return True


def _batches(reader: Reader, export: Export, matches: Mapping[TrackName, Match]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    for item in reader(export):
        # A name that was not there the first time: the file has changed meanwhile, and the next import takes it up.
        if isinstance(item, Entry) and (match := matches.get(item.name)) and match.status is Status.MATCHED:
            track = match.tracks[0]
            batch.append(Found(item, track.id, track.duration))
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


COLUMNS = (
    "status",
    "how",
    "entries",
    "artist",
    "title",
    "album",
    "recording_id",
    "path",
    "track_ids",
    "library_artist",
    "library_title",
    "library_album",
)


def write_report(report: ImportReport, path: Path) -> None:
    """One row a name, those of most entries first; of an ambiguous one the first track is named and all ids are listed."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for outcome in report.outcomes:
            name, match = outcome.name, outcome.match
            first = match.tracks[0] if match.tracks else None
            texts = (name.artist, name.title, name.album, name.recording_id, name.path)
            library = (first.artist, first.title, first.album) if first else ("", "", "")
            writer.writerow(
                [
                    match.status,
                    match.how or "",
                    outcome.entries,
                    *map(safe_cell, texts),
                    " ".join(str(track.id) for track in match.tracks),
                    *map(safe_cell, library),
                ]
            )
