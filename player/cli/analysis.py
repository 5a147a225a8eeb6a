"""``player embed``, ``frontends`` and ``loudness``: what is heard in the files, once each."""

import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from player.cli.library import find_tracks
from player.cli.options import (
    SHOWN_FAILURES,
    Attached,
    DataDir,
    Json,
    Query,
    QueryCommand,
    emit_json,
    opened,
    say,
)
from player.errors import PlayerError

if TYPE_CHECKING:
    from player.config import Settings
    from player.folders import Paths
    from player.jobs import Reporter
    from player.library.embed import EmbedReport


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(embed)
    app.command()(frontends)
    app.command(cls=QueryCommand)(loudness)


Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes; each uses one core.")]


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
