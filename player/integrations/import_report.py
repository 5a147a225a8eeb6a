"""What an import found, name by name, as a CSV file to go through."""

import csv
from pathlib import Path

from player.integrations.csv_escape import safe_cell
from player.integrations.history_import import ImportReport

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
