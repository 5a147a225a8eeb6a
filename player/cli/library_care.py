"""``player library``, ``private``, ``forget`` and ``playlist``: the library's state, what nothing is learned from, and lists of tracks."""

import re
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from player.cli.library import find_tracks
from player.cli.library_insight import duplicates
from player.cli.options import (
    DataDir,
    Home,
    Json,
    QueryCommand,
    StationName,
    check_folder,
    emit_json,
    keep,
    opened,
    say,
)
from player.errors import PlayerError, UsageError
from player.library.paths import file_of

if TYPE_CHECKING:
    from player.feedback.hygiene import KeptExclusion
    from player.library.tracks import TrackRow

library_app = typer.Typer(help="What the library holds and lacks, and what stations leave out.", no_args_is_help=True)
playlist_app = typer.Typer(help="Bring playlists in and out, and keep searches as playlists.", no_args_is_help=True)
SHOWN_MISSING = 20
_AGO = re.compile(r"(\d{1,5})\s*(min|h|d|w)")
_AGO_SECONDS = {"min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}
MICROSECONDS = 1e6
Query = Annotated[list[str] | None, typer.Argument(metavar="[QUERY]…", help="See `player search --help`.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    library_app.command()(stats)
    library_app.command()(missing)
    library_app.command()(duplicates)
    library_app.command("forget")(forget_missing)
    library_app.command()(relocate)
    library_app.command(cls=QueryCommand)(exclude)
    app.add_typer(library_app, name="library")
    app.command()(private)
    app.command()(forget)
    playlist_app.command("import")(import_playlist)
    playlist_app.command("export")(export_playlist)
    playlist_app.command("list")(list_playlists)
    playlist_app.command("save", cls=QueryCommand)(save_playlist)
    playlist_app.command("remove")(remove_one)
    playlist_app.command("rename")(rename_one)
    app.add_typer(playlist_app, name="playlist")


def stats(data_dir: DataDir = None, json: Json = False) -> None:
    """Count what the library holds: tracks, artists, albums, hours and bytes, and what is missing or excluded."""
    from player.library.upkeep import library_stats

    with opened(data_dir) as home:
        figures = library_stats(home.database) | {"excluded": len(_excluded(home))}
        if json:
            emit_json(figures)
            return
        for name, value in figures.items():
            print(f"{name:<10} {value:>14,}" if name != "hours" else f"{name:<10} {value:>14,.1f}")


def _excluded(home: Home) -> set[int]:
    """The playable tracks that are excluded now from any station."""
    from player.feedback.event_history import load_history
    from player.stations.collection import load_rows

    rows = load_rows(home.database)
    groups = load_history(home.database, rows).hygiene.excluded
    there = {row.id for row in rows if not row.missing}
    return {track for group in groups if group.holds(group.station_id, time.time()) for track in group.tracks & there}


def missing(data_dir: DataDir = None, json: Json = False) -> None:
    """List the tracks whose files are gone; they come back whole, with plays and thumbs, when a scan finds the files again."""
    from player.library.upkeep import missing_tracks

    with opened(data_dir) as home:
        found = missing_tracks(home.database)
        if json:
            emit_json(
                [{"id": row.id, "title": row.title, "artist": row.artist, "path": file_of(row.path)} for row in found]
            )
            return
        for row in found:
            print(f"{row.id:>6}  {row.artist} – {row.title}  {row.path}")
        if not found:
            say("No track is missing.")


def forget_missing(
    tracks: Annotated[list[int] | None, typer.Argument(metavar="[TRACK]…", help="Missing tracks.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are missing.")] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Take missing files off the list for good. Plays and thumbs stay in the log, and count again if the music comes back."""
    from player.library.upkeep import forget_files, missing_tracks

    with opened(data_dir) as home:
        gone = {row.id for row in missing_tracks(home.database)}
        if not tracks and not everything:
            raise UsageError("name tracks that `player library missing` lists, or --all.")
        wanted = gone if everything else set(tracks or ())
        if wrong := sorted(wanted - gone):
            raise PlayerError(f"Track {wrong[0]} is not missing; nothing was forgotten.")
        forget_files(home.database, wanted)
        if json:
            emit_json({"forgotten": sorted(wanted)})
        else:
            print(f"{len(wanted)} missing tracks forgotten.")


def relocate(
    old: Annotated[Path, typer.Argument(help="The folder as it was.")],
    new: Annotated[Path, typer.Argument(help="The folder as it is now.")],
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Tell that a folder of the library now lies elsewhere, without reading the files again."""
    from player.library.upkeep import move_root

    target = new.expanduser().absolute()
    if not target.is_dir():
        raise PlayerError(f"There is no folder {target}; name the folder as it is now.")
    with opened(data_dir) as home:
        moved, absent = move_root(home.database, old.expanduser().absolute(), target)
        if not moved + absent:
            raise PlayerError(f"Nothing of the library lies in {old}; `player tracks --json` shows where it lies.")
        if json:
            emit_json({"moved": moved, "missing": absent})
        else:
            print(f"{moved} files now lie in {target}" + (f", {absent} are not there." if absent else "."))


def exclude(
    query: Query = None,
    station: StationName = None,
    season: Annotated[
        str | None,
        typer.Option("--season", metavar="MM-DD..MM-DD", help="When they may play after all.", show_default=False),
    ] = None,
    remove: Annotated[int | None, typer.Option("--remove", help="Lift an exclusion.", show_default=False)] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the exclusions.")] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Exclude what a query finds from all stations, or one: no station plays it by itself, and nothing is learned from it.

    It can still be played by hand. With --season 12-01..12-26 it is left out but in these days. --list shows what is excluded,
    --remove lifts it.
    """
    from player.feedback.hygiene import add_exclusion, exclusions, remove_exclusion
    from player.stations.stations import Stations

    with opened(data_dir) as home:
        names = {one.id: one.name for one in Stations(home.database).all()}
        if remove is not None:
            remove_exclusion(home.database, remove)
        if remove is not None or listing or not query:
            shown = [_exclusion(home, one, names) for one in exclusions(home.database)]
            if json:
                emit_json(shown)
                return
            for one in shown:
                where = "" if one["station"] is None else f"  on “{one['station']}”"
                when = "" if one["season"] is None else f"  but in {one['season']}"
                print(f"{one['id']:>4}  {one['query']}  ({one['tracks']} tracks){where}{when}")
            if not shown:
                say("Nothing is excluded.")
            return
        number = None if station is None else Stations(home.database).find(station).id
        document = _exclusion(home, add_exclusion(home.database, " ".join(query), number, season), names)
        if json:
            emit_json(document)
        else:
            print(f"{document['tracks']} tracks excluded (number {document['id']}); they can still be played by hand.")


def _exclusion(home: Home, one: "KeptExclusion", names: dict[int, str]) -> dict[str, Any]:
    station = None if one.station_id is None else names.get(one.station_id)
    tracks = len(find_tracks(home, one.query))
    return {"id": one.id, "query": one.query, "station": station, "season": one.season, "tracks": tracks}


def private(
    switch: Annotated[str, typer.Argument(metavar="on|off", help="Begin or end; without, show.")] = "",
    length: Annotated[
        str | None, typer.Option("--for", metavar="hour|day|queue", help="How long; else until it is ended.")
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Begin or end a private session: music plays and reorders, and nothing is learned. A running player follows at once."""
    from player.feedback.events import now_us
    from player.feedback.hygiene import begin_private, end_private
    from player.feedback.unlearned_times import load_times

    if switch not in {"", "on", "off"} or (length is not None and switch != "on"):
        raise UsageError("write player private on [--for hour|day|queue], or player private off.")
    with opened(data_dir) as home:
        if switch == "on":
            begin_private(home.database, length)
        elif switch == "off":
            end_private(home.database)
        span = load_times(home.database).private
        until = None if span is None or span.until_us is None else span.until_us / MICROSECONDS
        if json:
            emit_json({"private": span is not None, "until": until, "tracks": None if span is None else span.tracks})
        else:
            print("Private is off." if span is None else f"Private is on, {span.left(now_us())}.")


def forget(
    since: Annotated[str | None, typer.Option("--since", help="A moment, or 2h, 3d ago.", show_default=False)] = None,
    until: Annotated[str | None, typer.Option("--until", help="The same; now if absent.", show_default=False)] = None,
    undo: Annotated[int | None, typer.Option("--undo", help="Let that time count again.", show_default=False)] = None,
    listing: Annotated[bool, typer.Option("--list", help="List what was forgotten.")] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Let what happened in a time count for nothing, as if it had been a private session. Nothing is deleted: --undo takes it back."""
    from player.feedback import hygiene
    from player.feedback.events import now_us
    from player.library.upkeep import events_between

    with opened(data_dir) as home:
        if undo is not None:
            span = hygiene.remember(home.database, undo)
            document: Any = {"id": span.id, "undone": True}
            words = "That time counts again."
        elif listing:
            document = [
                {
                    "id": span.id,
                    "since": span.since_us / MICROSECONDS,
                    "until": (span.until_us or now_us()) / MICROSECONDS,
                    "private": span.private,
                }
                for span in hygiene.load_times(home.database).times
            ]
            words = (
                "\n".join(f"{one['id']:>4}  {_local(one['since'])} – {_local(one['until'])}" for one in document)
                or "Nothing was forgotten."
            )
        else:
            if since is None:
                raise UsageError(
                    "name a time: player forget --since 2h, or --since 2026-05-01T20:00 --until 2026-05-02T02:00."
                )
            first, last = moment_of(since), now_us() if until is None else moment_of(until)
            if first >= last:
                raise UsageError("--since lies behind --until.")
            count = events_between(home.database, first, last)
            number = hygiene.forget(home.database, first, last)
            document = {"id": number, "since": first / MICROSECONDS, "until": last / MICROSECONDS, "events": count}
            words = f"{count} events count for nothing now; `player forget --undo {number}` takes that back."
        if json:
            emit_json(document)
        else:
            print(words)


def _local(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "minutes")[:16]


def moment_of(text: str) -> int:
    """Microseconds since 1970 of a moment on this machine's clock, or so long ago.

    Raises:
        UsageError: it is neither.
    """
    if ago := _AGO.fullmatch(text.strip()):
        return round((time.time() - int(ago[1]) * _AGO_SECONDS[ago[2]]) * MICROSECONDS)
    try:
        return round(datetime.fromisoformat(text.strip()).timestamp() * MICROSECONDS)
    except (ValueError, OverflowError):
        raise UsageError(f"“{text}” is no moment; write 2h, 3d, 2026-05-01 or 2026-05-01T20:00.") from None


def import_playlist(
    file: Annotated[Path, typer.Argument(help="M3U, M3U8, PLS, XSPF or JSPF.")],
    name: Annotated[str, typer.Option("--name", help="What to call it; else its title, else the file's name.")] = "",
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Bring a playlist in; entries that are not in the library are reported, and kept by their names."""
    from player.integrations.playlists import take_in

    with opened(data_dir) as home:
        taken = take_in(home.database, file.expanduser(), name)
        if json:
            emit_json({"name": taken.name, "matched": taken.matched, "missing": list(taken.missing)})
            return
        print(
            f"“{taken.name}”: {taken.matched} tracks"
            + (f", {len(taken.missing)} not in the library:" if taken.missing else ".")
        )
        for written in taken.missing[:SHOWN_MISSING]:
            say(f"  {written}")
        if len(taken.missing) > SHOWN_MISSING:
            say(f"  … and {len(taken.missing) - SHOWN_MISSING} more (--json lists all)")


def save_playlist(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    query: Query = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Keep a search as a smart playlist: it holds what the search finds whenever it is asked. `playlist:NAME` plays and searches it."""
    from player.integrations.playlists import save_query

    with opened(data_dir) as home:
        text = " ".join(query or [])
        save_query(home.database, name, text)
        found = len(find_tracks(home, text))
        if json:
            emit_json({"name": name, "query": text, "tracks": found})
        else:
            print(f"“{name}” holds {found} tracks now.")


def list_playlists(data_dir: DataDir = None, json: Json = False) -> None:
    """List the playlists."""
    from player.integrations.playlists import playlists

    with opened(data_dir) as home:
        documents = [
            {
                "name": one.name,
                "query": one.query,
                "tracks": len(find_tracks(home, one.query or "") if one.tracks is None else one.tracks),
                "missing": list(one.missing),
            }
            for one in playlists(home.database)
        ]
        if json:
            emit_json(documents)
            return
        for one in documents:
            smart = f"  {one['query']}" if one["query"] else ""
            print(f"{one['name']}  ({one['tracks']} tracks){smart}")
        if not documents:
            say("There are no playlists; `player playlist import FILE` brings one in.")


def remove_one(name: Annotated[str, typer.Argument(help="Its name.")], data_dir: DataDir = None) -> None:
    """Remove a playlist; no track is touched. Says which stations, smart playlists and exclusions ask for it."""
    from player.integrations.playlists import remove_playlist

    with opened(data_dir) as home:
        if asking := remove_playlist(home.database, name):
            say(f"“{name}” is gone, but still used by {', '.join(asking)}.")


def rename_one(
    name: Annotated[str, typer.Argument(help="Its name.")],
    new: Annotated[str, typer.Argument(help="Its new name.")],
    data_dir: DataDir = None,
) -> None:
    """Rename a playlist; stations, smart playlists and exclusions that ask for it go on."""
    from player.integrations.playlists import find_playlist, rename_playlist

    with opened(data_dir) as home:
        print(f"It is called “{rename_playlist(home.database, find_playlist(home.database, name).name, new)}” now.")


def export_playlist(
    name: Annotated[str, typer.Argument(help="Its name.")],
    file: Annotated[Path, typer.Argument(help="Where to; the ending says the format.")],
    relative: Annotated[bool, typer.Option("--relative", help="Paths relative to the file's folder.")] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Write a playlist as M3U, M3U8, PLS, XSPF or JSPF for another player."""
    from player.integrations.playlists import find_playlist

    with opened(data_dir) as home:
        kept = find_playlist(home.database, name)
        if kept.tracks is None:
            rows = find_tracks(home, kept.query or "")
        else:
            known = {row.id: row for row in find_tracks(home, "")}
            rows = [known[track] for track in kept.tracks if track in known]
        write_playlist(rows, kept.name, file, relative=relative)
        if json:
            emit_json({"path": str(file.absolute()), "tracks": len(rows)})
        else:
            print(f"{len(rows)} tracks written to {file}.")


def write_playlist(rows: "list[TrackRow]", name: str, file: Path, *, relative: bool, kind: str = "") -> None:
    """Write tracks as a playlist's file.

    Raises:
        PlayerError: the ending names no format, or the file cannot be written.
    """
    from player.integrations.playlist_files import FORMATS, written_playlist

    kind = kind or file.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        raise UsageError(f"the file's ending names no format; there are {', '.join(FORMATS)}.")
    check_folder(file, f"{name}.{kind}")
    folder = file.absolute().parent if relative else None
    keep(file, lambda path: path.write_bytes(written_playlist(kind, name, rows, folder)))
