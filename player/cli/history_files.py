"""``player import`` and ``player export``: one's history comes in from elsewhere, and goes out for one's own analysis."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from player.cli.options import Attached, DataDir, Json, emit_json, opened, say
from player.errors import PlayerError, UsageError

if TYPE_CHECKING:
    from player.integrations.history_import import ImportReport

SHOWN_ARTISTS = 10
SHOWN_PROBLEMS = 5
export_app = typer.Typer(help="Write what the player knows for your own analysis.", no_args_is_help=True)


class HistorySource(StrEnum):
    """Sources of a history."""

    SPOTIFY = "spotify"
    APPLE = "apple"
    LISTENBRAINZ = "listenbrainz"
    LASTFM = "lastfm"
    MPD = "mpd"
    NAVIDROME = "navidrome-json"
    ITUNES = "itunes"
    RHYTHMBOX = "rhythmbox"
    QUODLIBET = "quodlibet"
    TAGS = "tags"


class TableFormat(StrEnum):
    """Formats of a table."""

    PARQUET = "parquet"
    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_history)
    export_app.command("events")(export_events)
    app.add_typer(export_app, name="export")


def import_history(
    source: Annotated[HistorySource, typer.Argument(help="Whose history it is.")],
    path: Annotated[Path, typer.Argument(help="The export: a folder, a zip archive or a file.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Match and count, but record nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.csv", help="Write what became of every name.")
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
    attached: Attached = False,
) -> None:
    """Bring your history from another player, so that stations know you from the first day.

    Spotify's extended streaming history (or the shorter one of the account data), Apple Music's play activity, ListenBrainz exports (listens, love and
    hate), Last.fm scrobbles (CSV, JSON of lastfmstats, Rockbox's .scrobbler.log), MPD's sticker database or log, and Navidrome's songs as JSON; the libraries of iTunes (Library.xml),
    Rhythmbox (rhythmdb.xml) and Quod Libet (songs), and the ratings in the tags of a folder's files (tags). Ratings count from four stars up and two down: --dry-run shows what
    that comes to. Names are matched to
    your library; what is not in it is reported and left out. Imported events keep their dates and weigh half.

    Importing the same again adds only what is new, so it can be interrupted and gone on with, and repeated after adding music.
    """
    from player.cli.options import check_folder, keep
    from player.cli.progress import reporting
    from player.integrations.history_import import import_history as take_in
    from player.integrations.history_import import write_report
    from player.jobs import JobResult

    if report is not None:
        check_folder(report, "import.csv")
    with opened(data_dir) as home, reporting(attached=attached) as (reporter, stop):
        try:
            found = take_in(
                home.database,
                source.value,
                path.expanduser(),
                dry_run=dry_run,
                progress=reporter.progress,
                should_stop=stop.is_set,
            )
        except KeyboardInterrupt:
            reporter.note("What was recorded is kept; run the same command again to go on.")
            raise
        reporter.result(JobResult(ok=found.complete, summary=_sentence(found)))
        if report is not None:
            keep(report, lambda file: write_report(found, file))
        if json:
            emit_json(_document(found))
        elif not attached:
            _print(found)


def _sentence(report: "ImportReport") -> str:
    """What became of it, for the screen."""
    from player.integrations.matching import Status

    recorded, missing = report.recorded, report.entries_with(Status.UNMATCHED)
    known = recorded.known + recorded.elsewhere
    before = f"; known already: {known:,}" if known else ""
    absent = f"; not in your library: {missing:,}" if missing else ""
    verb = (
        "would be recorded"
        if report.dry_run
        else "are recorded"
        if report.complete
        else "were recorded till it stopped"
    )
    return f"{recorded.entries:,} of {report.entries:,} entries {verb}{before}{absent}."


def _document(report: "ImportReport") -> dict[str, object]:
    from player.integrations.matching import Status

    recorded = report.recorded
    return {
        "source": report.source,
        "dry_run": report.dry_run,
        "complete": report.complete,
        "entries": report.entries,
        "left_out": dict(report.left_out),
        "malformed": report.malformed,
        "problems": [str(problem) for problem in report.problems],
        "matched": {"entries": report.entries_with(Status.MATCHED), "names": report.names_with(Status.MATCHED)},
        "ambiguous": {"entries": report.entries_with(Status.AMBIGUOUS), "names": report.names_with(Status.AMBIGUOUS)},
        "unmatched": {"entries": report.entries_with(Status.UNMATCHED), "names": report.names_with(Status.UNMATCHED)},
        "unmatched_artists": [
            {"artist": artist, "entries": entries} for artist, entries in report.missing_artists(SHOWN_ARTISTS)
        ],
        "recorded": {
            "entries": recorded.entries,
            "events": recorded.events,
            "known": recorded.known,
            "elsewhere": recorded.elsewhere,
            "silent": recorded.silent,
        },
    }


def _print(report: "ImportReport") -> None:
    from player.integrations.matching import Status

    recorded = report.recorded
    print(f"{report.entries:,} entries from {report.source}:")
    for status in Status:
        print(f"  {report.entries_with(status):>9,} {status.value}  ({report.names_with(status):,} names)")
    print("Of those matched:")
    verb = "would be recorded" if report.dry_run else "recorded"
    print(f"  {recorded.entries:>9,} {verb}, as {recorded.events:,} events")
    for count, words in (
        (recorded.known, "known from an earlier import"),
        (recorded.elsewhere, "known from another source, or heard here"),
        (recorded.silent, "say nothing about taste (stopped on the way, errors)"),
    ):
        if count:
            print(f"  {count:>9,} {words}")
    for reason, count in report.left_out.items():
        print(f"Left out: {count:,} {reason}.")
    if artists := report.missing_artists(SHOWN_ARTISTS):
        print("Most heard and not found: " + ", ".join(f"{artist} ({entries:,})" for artist, entries in artists) + ".")
    if report.malformed:
        say(f"{report.malformed:,} entries could not be understood:")
        for problem in report.problems[:SHOWN_PROBLEMS]:
            say(f"  {problem}")
    if not report.complete:
        say("It was stopped on the way; run the same command again to go on.")


def export_events(
    table_format: Annotated[
        TableFormat | None, typer.Option("--format", help="By the ending of --output if absent.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; standard output if absent.")
    ] = None,
    only_feedback: Annotated[
        bool, typer.Option("--only-feedback", help="Leave out what says nothing about taste.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Write every event of your log as a table, with what it counts as and what was served.

    The columns are described in docs/guide/import-export.md. Parquet and JSON hold every name as it is; in CSV a name that a spreadsheet
    would run as a formula gets an apostrophe in front.
    """
    from player.cli.options import check_folder
    from player.integrations.event_export import WRITERS, exported_events

    chosen = _format(table_format, output)
    if output is not None:
        check_folder(output, f"events.{chosen}")
    elif chosen is TableFormat.PARQUET and sys.stdout.isatty():
        raise UsageError("Parquet is no text; name a file with --output, or send standard output to one.")
    with opened(data_dir) as home:
        rows = exported_events(home.database, only_feedback=only_feedback)
        if output is None:
            WRITERS[chosen](rows, sys.stdout.buffer)
            return
        partial = output.with_name(f".{output.name}.{os.getpid()}.part")
        try:
            with partial.open("wb") as file:
                count = WRITERS[chosen](rows, file)
            partial.replace(output)
        except OSError as error:
            raise PlayerError(
                f"{output} cannot be written: {error.strerror or error}; choose another place."
            ) from error
        finally:
            partial.unlink(missing_ok=True)
        say(f"{count:,} events written to {output}.")


def _format(named: TableFormat | None, output: Path | None) -> TableFormat:
    if named is not None:
        return named
    ending = "" if output is None else output.suffix.lstrip(".").lower()
    if ending not in set(TableFormat):
        raise UsageError("name a format: --format parquet, csv or json.")
    return TableFormat(ending)
