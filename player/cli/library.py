"""``player scan``, ``embed``, ``frontends`` and ``tracks``: files become tracks, tracks become vectors."""

import time
from contextlib import ExitStack
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from player.cli.options import DataDir, Home, Json, QueryCommand, emit_json, opened, say
from player.errors import PlayerError

if TYPE_CHECKING:
    from player.config import Settings
    from player.folders import Paths
    from player.jobs import Reporter
    from player.library.embed import EmbedReport
    from player.library.scan import ScanProgress, ScanReport
    from player.library.sound_tags import SoundTags
    from player.library.tracks import TrackRow

Attached = Annotated[bool, typer.Option("--attached", hidden=True)]
Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes; each uses one core.")]
SHOWN_FAILURES = 10
FEW = 1000
"""Of so many tracks the events are looked up one track after the other; of more, the whole log is read."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(scan)
    app.command()(embed)
    app.command()(frontends)
    app.command(cls=QueryCommand)(tracks)
    app.command(cls=QueryCommand)(search)
    app.command(cls=QueryCommand)(loudness)


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
    from player.jobs import Estimate, JobProgress, JobResult
    from player.library.files import Patterns
    from player.library.scan import ScanOptions, changed_paths
    from player.library.scan import scan as scan_roots
    from player.library.scan_roots import known_roots, remember_roots

    with opened(data_dir) as home, reporting(attached=attached) as (reporter, stop):
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
    return {
        "added": report.added,
        "updated": report.updated,
        "moved": report.moved,
        "missing": report.missing,
        "unchanged": report.unchanged,
        "failed": [{"path": failure.path, "error": failure.error} for failure in report.failed],
        "not_audio": list(report.not_audio),
        "seconds": round(report.seconds, 3),
    }


def _summary(report: "ScanReport") -> str:
    counts = {
        "added": report.added,
        "updated": report.updated,
        "moved": report.moved,
        "missing": report.missing,
        "unchanged": report.unchanged,
        "failed": len(report.failed),
        "not audio": len(report.not_audio),
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing found"


def _print(report: "ScanReport") -> None:
    print(f"{_summary(report)} ({report.seconds:.1f} s)")
    for failure in report.failed[:SHOWN_FAILURES]:
        say(f"  {failure.path}: {failure.error}")
    if len(report.failed) > SHOWN_FAILURES:
        say(f"  … and {len(report.failed) - SHOWN_FAILURES} more (--json lists all)")


def embed(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]…", help="With --out: the folders or files of the archive.", show_default=False),
    ] = None,
    frontend: Annotated[
        str, typer.Option("--frontend", help="Which pretrained network listens; see `player frontends`.")
    ] = "musicnn",
    weights: Annotated[
        Path | None,
        typer.Option("--weights", help="The network's weights file, instead of the one the set-up fetched."),
    ] = None,
    command: Annotated[
        str | None,
        typer.Option("--command", help="The program that runs the network, for one that is no part of the player."),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the network's weights first, if they are not there.")
    ] = False,
    workers: Workers = 2,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="local|ADDRESS",
            help="Work on all machines of a Ray cluster (or on this one as a cluster), which reach the files under the same paths.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Write Parquet files there instead of into your library.", show_default=False
        ),
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try tracks again that could not be embedded.")] = False,
    data_dir: DataDir = None,
    json: Json = False,
    attached: Attached = False,
) -> None:
    """Let a pretrained network listen to every track that has no vector yet.

    The vectors are what stations and models know of the music. What the station played last wants comes first, then the
    newest. Ctrl-C stops it, and run again it goes on where it stopped: what was listened to is kept, track by track.
    """
    from player.errors import UsageError

    if (out is None) != (not folders):
        raise UsageError("--out DIR and the folders of an archive go together: player embed --out DIR FOLDER.")
    if cluster is not None and command is not None:
        raise UsageError("--cluster runs the player's own networks; leave --command out.")
    started = time.monotonic()
    with ExitStack() as open_things:
        if out is None:
            home = open_things.enter_context(opened(data_dir))
            settings, paths = home.settings, home.paths
        else:
            from player.config import load_settings
            from player.folders import locate

            paths = locate(data_dir)
            settings, home = load_settings(paths), None
        from player.cli.progress import reporting

        reporter, stop = open_things.enter_context(reporting(attached=attached))
        _take_commands(settings, paths, frontend, command)
        named = weights or (settings.musicnn_weights if frontend == "musicnn" else None)
        _say_demands(frontend, named, paths)
        if fetch:
            _fetch(frontend, named, paths)
        if home is None:
            from player.library.archive import embed_archive

            assert out is not None
            report = embed_archive(
                folders or [],
                out,
                frontend=frontend,
                weights=named,
                cache=paths.cache,
                cluster=cluster,
                workers=workers,
                report=reporter.progress,
                should_stop=stop.is_set,
            )
        else:
            from player.library.embed import embed_pending

            report = embed_pending(
                home.database,
                paths,
                frontend=frontend,
                weights=named,
                workers=workers,
                retry_failed=retry,
                report=reporter.progress,
                should_stop=stop.is_set,
                announce=reporter.note,
                cluster=cluster,
            )
        _tell_embedded(report, frontend, time.monotonic() - started, reporter, json=json, attached=attached)


def _tell_embedded(
    report: "EmbedReport", frontend: str, seconds: float, reporter: "Reporter", *, json: bool, attached: bool
) -> None:
    """Say what came of it."""
    from player.jobs import JobResult

    left = f", {report.left} left" if report.left else ""
    summary = f"{report.embedded} embedded, {len(report.failed)} failed{left}"
    reporter.result(JobResult(ok=True, summary=summary))
    if json:
        emit_json(
            {
                "frontend": frontend,
                "embedded": report.embedded,
                "failed": [{"path": path, "error": error} for path, error in report.failed],
                "left": report.left,
                "seconds": round(seconds, 3),
            }
        )
    elif not attached:
        print(f"{summary} ({seconds:.1f} s)")
        for path, error in report.failed[:SHOWN_FAILURES]:
            say(f"  {path}: {error}")


def _take_commands(settings: "Settings", paths: "Paths", frontend: str = "", command: str | None = None) -> None:
    """Let the command named here, and those of the settings, run the networks that are no part of the player."""
    from embeddings.errors import EmbeddingError
    from embeddings.registry import name_command, name_default_command

    try:
        if command is not None:
            name_command(frontend, command)
    except EmbeddingError as error:
        raise PlayerError(f"Embedding with {frontend}: {error}.") from error
    try:
        for name, text in settings.commands.items():
            name_default_command(name, text)
    except EmbeddingError as error:
        raise PlayerError(f"{paths.config_file}: in [commands], {error}; fix that line or remove it.") from error


def _say_demands(frontend: str, named: Path | None, paths: "Paths") -> None:
    """Demands of a network with large weights on the machine, before they are read; what is missing is told elsewhere."""
    from embeddings.errors import EmbeddingError
    from embeddings.registry import frontend_spec
    from embeddings.weights.files import WeightsFolder, find_weights

    try:
        wanted = frontend_spec(frontend).weights
        if isinstance(wanted, WeightsFolder) and find_weights(wanted, named=named, cache=paths.cache):
            say(f"{frontend}: the weights are about {wanted.size / 1e9:.0f} GB; {wanted.demands}.")
    except EmbeddingError:
        return


def _fetch(frontend: str, named: Path | None, paths: "Paths") -> None:
    """Download the weights unless they are there."""
    from embeddings.errors import EmbeddingError
    from embeddings.registry import frontend_spec
    from embeddings.weights.files import fetch_weights, find_weights

    try:
        wanted = frontend_spec(frontend).weights
        named = None if named is None else named.expanduser()
        if find_weights(wanted, named=named, cache=paths.cache) is None:
            say(f"Fetching {wanted.filename} …")
            fetch_weights(wanted, paths.cache)
    except EmbeddingError as error:
        raise PlayerError(f"Embedding with {frontend}: {error}.") from error


def frontends(data_dir: DataDir = None, json: Json = False) -> None:
    """List the pretrained networks that can listen to the library, and what each still needs."""
    from embeddings.registry import available
    from player.config import load_settings
    from player.folders import locate

    paths = locate(data_dir)
    settings = load_settings(paths)
    _take_commands(settings, paths)
    named = settings.musicnn_weights
    found = available(paths.cache, None if named is None else named.expanduser())
    if json:
        emit_json(
            [
                {"name": one.name, "dimension": one.dimension, "state": one.state.value}
                | {"weights": one.weights, "licence": one.licence}
                for one in found
            ]
        )
        return
    for one in found:
        print(f"{one.name:<8} {one.dimension:>5}-d  {one.state.value:<15}  {one.licence:<32}  {one.weights}")
        if one.fix:
            print(f"{'':17}{one.fix}")


Query = Annotated[
    list[str] | None,
    typer.Argument(metavar="[QUERY]…", help="As in: artist:bjork year:1990..1999 -live (genre:jazz or tag:mellow)."),
]
Limit = Annotated[int | None, typer.Option("--limit", "-n", min=0, help="At most so many.", show_default=False)]


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
    from player.feedback.events import standing
    from player.feedback.hygiene import load_times
    from player.feedback.log_reader import read_events
    from player.library.search import TrackIndex
    from player.library.tracks import read_catalogue

    with home.database.look_up() as connection:
        rows = [row for row in read_catalogue(connection) if not row.missing]
    if not text.strip():
        return rows
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
    from player.feedback.hygiene import load_times
    from player.feedback.log_reader import read_events
    from player.library.track_columns import load_columns
    from player.stations.stations import Stations
    from player.storage.database import driver_connection

    few = len(rows) <= FEW
    state = load_times(home.database).state_of(
        standing(read_events(home.database, tracks=[row.id for row in rows] if few else None))
    )
    with home.database.reader() as session:
        columns = load_columns(driver_connection(session), [row.id for row in rows])
    names = {station.id: station.name for station in Stations(home.database).all()}
    thumbs: dict[int, dict[str, str]] = {}
    for station, values in state.thumbs.items():
        for track, value in values.items():
            thumbs.setdefault(track, {})[names[station]] = "up" if value > 0 else "down"
    return [
        {
            "id": row.id,
            "path": row.path,
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


def loudness(
    query: Query = None,
    measure: Annotated[
        bool, typer.Option("--measure/--no-measure", help="Measure first what neither tags nor an earlier run tell.")
    ] = True,
    workers: Workers = 2,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Show how loud tracks are: integrated loudness (LUFS) and true peak (dBTP), from ReplayGain or R128 tags, or measured.

    What is not known yet is measured first, which takes about a second for a track; the player does so by itself while it
    analyses the library. Playback levels all music by these figures: see `replaygain` among the settings.
    """
    from player.cli.progress import reporting
    from player.library.embed import measure_pending
    from player.library.loudness import known_loudness

    with opened(data_dir) as home, reporting(attached=False) as (reporter, stop):
        rows = {row.id: row for row in find_tracks(home, " ".join(query or []))}
        if measure:
            try:
                measure_pending(
                    home.database,
                    home.paths,
                    track_ids=rows.keys(),
                    workers=workers,
                    report=reporter.progress,
                    should_stop=stop.is_set,
                )
            except PlayerError as error:
                say(f"{error} Shown is what is known by now.")
        with home.database.reader() as session:
            found = known_loudness(session, list(rows))
        if json:
            emit_json([asdict(one) for one in found])
            return
        for one in found:
            row, peak = rows[one.track_id], "" if one.true_peak_db is None else f"{one.true_peak_db:+.1f} dBTP"
            lufs = "silence" if one.lufs is None else f"{one.lufs:.1f} LUFS"
            print(f"{row.id:>6}  {lufs:>11} {peak:>10}  {one.source:<8}  {row.artist} – {row.title}")
        if len(found) < len(rows):
            say(f"{len(rows) - len(found)} not measured yet.")
