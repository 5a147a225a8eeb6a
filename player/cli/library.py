"""``player scan``, ``tracks`` and ``search``: files become tracks, and are found again."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from player.cli.options import (
    SHOWN_FAILURES,
    Attached,
    DataDir,
    Home,
    Json,
    Limit,
    Query,
    QueryCommand,
    emit_json,
    opened,
    say,
)
from player.errors import PlayerError
from player.library.paths import file_of, span_of

if TYPE_CHECKING:
    from player.library.scan import ScanProgress, ScanReport
    from player.library.sound_tags import SoundTags
    from player.library.tracks import TrackRow

FEW = 1000
"""Of so many tracks the events are looked up one track after the other; of more, the whole log is read."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(scan)
    app.command(cls=QueryCommand)(tracks)
    app.command(cls=QueryCommand)(search)


def scan(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH]…", help="Folders or files to add.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Read files that did not change too.")] = False,
    data_dir: DataDir = None,
    json: Json = False,
    attached: Attached = False,
    changed: Annotated[bool, typer.Option("--changed", hidden=True)] = False,
) -> None:
    """Add music to the library, or look again at what was added before.

    Reads whatever FFmpeg can play; the content decides, not the file's name. Unchanged files are not opened again. A
    damaged file is reported and passed over. Your files are never written to. What to leave out is set in config.toml
    ([library] include, exclude).
    """
    from player.cli.progress import reporting
    from player.jobs import LOWEST_PRIORITY, WAITED_FOR_PRIORITY, Estimate, JobProgress, JobResult
    from player.library.files import Patterns
    from player.library.scan import ScanOptions, changed_paths
    from player.library.scan import scan as scan_roots
    from player.library.scan_roots import known_roots, remember_roots

    niceness = LOWEST_PRIORITY if changed else WAITED_FOR_PRIORITY
    with opened(data_dir) as home, reporting(attached=attached, niceness=niceness) as (reporter, stop):
        roots = [path.expanduser().absolute() for path in paths or []] or known_roots(home.database)
        if not roots:
            raise PlayerError("There is nothing to scan yet; name a folder: player scan FOLDER.")
        if changed and not (roots := changed_paths(home.database, roots)):
            reporter.result(JobResult(ok=True, summary=""))
            return
        estimate = Estimate()
        wishes = home.settings.library
        report = scan_roots(
            home.database,
            roots,
            progress=lambda at: reporter.progress(
                JobProgress(_stage(at), at.done, at.total, estimate.seconds_left(at.done, at.total))
            ),
            should_stop=stop.is_set,
            options=ScanOptions(
                Patterns(tuple(wishes.include), tuple(wishes.exclude)), tuple(wishes.artist_separators), again=again
            ),
        )
        if not changed:
            remember_roots(home.database, roots)
        reporter.result(JobResult(ok=True, summary=_summary(report)))
        if json:
            emit_json(_document(report))
        elif not attached:
            _print(report)


def _stage(progress: "ScanProgress") -> str:
    """The stage, with its rate once there is one."""
    rate = f", {progress.rate:,.0f} files/s" if progress.rate else ""
    return f"{progress.stage.capitalize()}{rate}"


def _document(report: "ScanReport") -> dict[str, object]:
    document: dict[str, object] = {
        "added": report.added,
        "updated": report.updated,
        "moved": report.moved,
        "missing": report.missing,
        "unchanged": report.unchanged,
        "failed": [{"path": failure.path, "error": failure.error} for failure in report.failed],
        "not_audio": list(report.not_audio),
        "seconds": round(report.seconds, 3),
    }
    # Only where there are any, so that scripts find the keys that they know.
    doubtful = [{"path": one.path, "error": one.error} for one in report.doubtful]
    return document | ({"doubtful": doubtful} if doubtful else {})


def _summary(report: "ScanReport") -> str:
    counts = {
        "added": report.added,
        "updated": report.updated,
        "moved": report.moved,
        "missing": report.missing,
        "unchanged": report.unchanged,
        "failed": len(report.failed),
        "doubtful": len(report.doubtful),
        "not audio": len(report.not_audio),
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing found"


def _print(report: "ScanReport") -> None:
    print(f"{_summary(report)} ({report.seconds:.1f} s)")
    for named in (report.failed, report.doubtful):
        for one in named[:SHOWN_FAILURES]:
            say(f"  {one.path}: {one.error}")
        if len(named) > SHOWN_FAILURES:
            say(f"  … and {len(named) - SHOWN_FAILURES} more (--json lists all)")


def search(query: Query = None, limit: Limit = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Search the library; the same words work on the screen, in smart playlists, stations and exclusions.

    A word finds words that begin with it, blind to case and accents, and forgives one typing error; in quotes it stands for
    itself. Fields: artist, album, title, genre, composer, work, path, playlist, tag, year, length, added, played, plays, skips and
    thumb. Numbers take 3, >3, <=3 and 2..5; lengths 3:30 or 20m; added and played 30d, 2w, 1y or a date; thumb is up, down or
    none. Conditions side by side all hold; or, - (not) and parentheses combine them.
    """
    with opened(data_dir) as home:
        _list_tracks(home, " ".join(query or []), limit, json=json)


def tracks(query: Query = None, limit: Limit = None, data_dir: DataDir = None, json: Json = False) -> None:
    """List the library, or what a query finds in it; see `player search --help`."""
    with opened(data_dir) as home:
        _list_tracks(home, " ".join(query or []), limit, json=json)


def _list_tracks(home: Home, text: str, limit: int | None, *, json: bool) -> None:
    documents = _track_documents(home, find_tracks(home, text)[:limit])
    if json:
        emit_json(documents)
        return
    for document in documents:
        year = f" ({document['year']})" if document["year"] else ""
        print(f"{document['id']:>6}  {document['artist']} – {document['title']}  [{document['album']}{year}]")
    if not documents:
        say("No track matches." if text.strip() else "The library is empty; add music with `player scan FOLDER`.")


def find_tracks(home: Home, text: str) -> "list[TrackRow]":
    """The playable tracks that meet a query.

    Raises:
        PlayerError: the query means nothing, or asks for a tag that there is not.
    """
    from player.library.query import narrowed
    from player.library.tracks import read_catalogue

    few, all_of_them = narrowed(home.database, text)
    with home.database.look_up() as connection:
        rows = [row for row in read_catalogue(connection, few) if not row.missing]
    if all_of_them or not text.strip():
        return rows
    from player.feedback.events import standing
    from player.feedback.log_reader import read_events
    from player.feedback.unlearned_times import load_times
    from player.library.search import TrackIndex

    tags = _sound_tags(home, rows, text)
    state = cache(lambda: load_times(home.database).state_of(standing(read_events(home.database))))
    index = TrackIndex(home.database, rows, lambda: tags)
    return [rows[place] for place in index.search(text, heard=lambda name: state().heard(name))]


def _sound_tags(home: Home, rows: "list[TrackRow]", query: str) -> "SoundTags | None":
    """The tags of ``rows`` where the query asks for any; vectors are read for no other query."""
    from player.library.search import tags_asked
    from player.library.sound_tags import load_sound_tags
    from player.stations.seeds import Seed
    from player.stations.stations import check_seed

    if not (asked := tags_asked(query)):
        return None
    with home.database.reader() as session:
        tags = load_sound_tags(session, [row.id for row in rows])
    for name in asked:
        check_seed(Seed("tag", name), rows, tags.names)
    if rows and not tags.known:
        raise PlayerError("No track was analysed yet, so none has tags; run `player embed`.")
    return tags


def _track_documents(home: Home, rows: "list[TrackRow]") -> list[dict[str, object]]:
    from player.feedback.events import standing
    from player.feedback.log_reader import read_events
    from player.feedback.unlearned_times import load_times
    from player.library.track_columns import load_columns

    few = len(rows) <= FEW
    state = load_times(home.database).state_of(
        standing(read_events(home.database, tracks=[row.id for row in rows] if few else None))
    )
    with home.database.look_up() as connection:
        columns = load_columns(connection, [row.id for row in rows])
        names: dict[int, str] = dict(connection.execute("SELECT id, name FROM station"))
    thumbs: dict[int, dict[str, str]] = {}
    for station, values in state.thumbs.items():
        for track, value in values.items():
            thumbs.setdefault(track, {})[names[station].partition("\n")[0]] = "up" if value > 0 else "down"
    return [
        {
            "id": row.id,
            "path": file_of(row.path),
            "start": span_of(row.path)[0],
            "title": row.title,
            "artist": row.artist,
            "artists": list(row.all_artists),
            "album": row.album,
            "album_artist": row.album_artist,
            "album_id": row.album_id,
            "genre": row.genre,
            "year": row.year,
            "duration": round(row.duration, 3),
            "plays": state.tallies[row.id].plays if row.id in state.tallies else 0,
            "skips": state.tallies[row.id].skips if row.id in state.tallies else 0,
            "thumbs": thumbs.get(row.id, {}),
            **columns[row.id],
        }
        for row in rows
    ]
