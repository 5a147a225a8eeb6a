"""``player map``, ``duplicates`` and ``outliers``: what the vectors say about the library as a whole."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from player.cli.options import (
    DataDir,
    Home,
    Json,
    StationName,
    check_folder,
    emit_json,
    keep,
    opened,
    say,
    track_document,
)
from player.errors import PlayerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from player.insight.library_map import LibraryMap
    from player.jobs import Reporter
    from player.library.tracks import TrackRow
    from player.stations.collection import Collection

DEFAULT_PAGE = "library-map.html"
FEW_TO_NAME = 20
"""Tracks in a command that is proposed."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("map")(draw_map)
    app.command()(duplicates)
    app.command()(outliers)
    app.command()(path)


def draw_map(
    colour: Annotated[
        Literal["genre", "thumb", "score"],
        typer.Option("--colour", "--color", help="What the colours show: genre, thumb or score."),
    ] = "genre",
    station: StationName = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.html", help=f"Where the page goes; {DEFAULT_PAGE} if absent.")
    ] = None,
    png: Annotated[
        Path | None, typer.Option("--png", metavar="FILE.png", help="Write a picture too.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Draw the library as a map on which tracks that sound alike lie side by side.

    The page opens in any browser and needs no network: drag to move, wheel to zoom, point at a dot for its name, type to
    search. Colours show genres, your thumbs (of every station, or of one) or a station's scores.
    """
    from player.cli.progress import reporting
    from player.insight.library_map import draw_map as draw
    from player.reports.map import map_page, save_picture
    from player.stations.collection import load_collection

    if station is not None and colour == "genre":
        raise UsageError("--station goes with --colour thumb or --colour score; genres are the same on every station.")
    page = out or Path(DEFAULT_PAGE)
    for path in (page, *([png] if png else [])):
        check_folder(path, DEFAULT_PAGE)
    with opened(data_dir) as home:
        with reporting(attached=False) as (reporter, _):
            collection = load_collection(home.database)
            drawn = draw(home.database, home.paths, collection, colour, station, _progress(reporter))
        keep(page, lambda path: path.write_text(map_page(drawn), "utf-8"))
        if png is not None:
            keep(png, lambda path: save_picture(drawn, path))
        if json:
            emit_json(_map_document(drawn, page, png))
            return
        print(f"{len(drawn.tracks)} tracks drawn in {page.absolute()}" + (f" and {png.absolute()}" if png else ""))
        if drawn.left_out:
            say(f"{drawn.left_out} tracks were not analysed yet and are not on it; run `player embed`.")


def _progress(reporter: "Reporter") -> "Callable[[str, int, int], None]":
    from player.jobs import Estimate, JobProgress

    estimate = Estimate()

    def tell(stage: str, done: int, total: int) -> None:
        reporter.progress(JobProgress(stage, done, total, estimate.seconds_left(done, total)))

    return tell


def _map_document(drawn: "LibraryMap", page: Path, png: Path | None) -> dict[str, object]:
    colouring = drawn.colouring
    return {
        "html": str(page.absolute()),
        "png": None if png is None else str(png.absolute()),
        "method": drawn.method,
        "colour": colouring.title,
        "left_out": drawn.left_out,
        "tracks": [
            {
                **track_document(track),
                "x": float(drawn.places[place, 0]),
                "y": float(drawn.places[place, 1]),
                "group": colouring.groups[place] if colouring.groups else None,
                "value": colouring.values[place] if colouring.values else None,
            }
            for place, track in enumerate(drawn.tracks)
        ],
    }


def duplicates(
    at_least: Annotated[
        float, typer.Option("--at-least", min=0.5, max=1.0, help="How alike: the cosine of the two vectors.")
    ] = 0.98,
    same_length: Annotated[
        bool, typer.Option("--same-length", help="Only those whose lengths agree within 2 s: no edits, fewer mistakes.")
    ] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """List pairs of tracks that are probably the same recording: another encoding, a copy on a compilation, an edit.

    They are found by their sound, whatever their tags say. Nothing is deleted; listen before you do.
    """
    from player.insight.neighbours import ANY_LENGTH, SAME_LENGTH, near_duplicates
    from player.stations.collection import load_collection

    with opened(data_dir) as home:
        collection = load_collection(home.database)
        pairs = near_duplicates(collection, at_least, SAME_LENGTH if same_length else ANY_LENGTH)
        if json:
            emit_json([{"a": pair.a.id, "b": pair.b.id, "similarity": pair.similarity} for pair in pairs])
            return
        for pair in pairs:
            print(f"{pair.similarity:.3f}  {pair.a.id:>6}  {pair.a.artist} – {pair.a.title}")
            print(f"       {pair.b.id:>6}  {pair.b.artist} – {pair.b.title}")
        if not pairs:
            say(f"No two of the {collection.embedded} tracks analysed are as alike as {at_least:g}.")


def outliers(
    ask: Annotated[bool, typer.Option("--ask", help="Show one after the other; e excludes it, q ends.")] = False,
    every: Annotated[
        bool, typer.Option("--every", help="Listen to every track for speech, a tenth of a second each.")
    ] = False,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """List what is perhaps no music: speech, and tracks that sound unlike the rest of the library.

    A spoken chapter, noise, silence or a test tone among songs is usually here, and so is now and then a song that is merely
    unusual. What the library holds many of is not unusual, unless its genre or folder calls it spoken. Speech is told by its
    pauses and sounds; beats with pauses are taken for it now and then.
    """
    from player.insight.neighbours import outliers as find_outliers
    from player.insight.speech import named_as_speech, sounds_like_speech
    from player.stations.collection import load_collection

    with opened(data_dir) as home:
        collection = load_collection(home.database)
        strange = {found.track.id: found for found in find_outliers(collection)}
        others = [row for row in collection.rows if not row.missing and row.id not in strange]
        called = [row for row in others if named_as_speech(row) or (every and sounds_like_speech(row))]
        found = [(one.track, one.strangeness, sounds_like_speech(one.track)) for one in strange.values()]
        found = [*found, *((row, 0.0, True) for row in called)]
        found.sort(key=lambda one: not one[2])
        if json:
            emit_json([{**track_document(row), "strangeness": value, "speech": speech} for row, value, speech in found])
            return
        for row, value, speech in found:
            print(f"{row.id:>6}  {value:.1f}  {'speech?  ' if speech else '         '}{row.artist} – {row.title}")
            if ask and not _keep_or_exclude(home, row):
                return
        if found and not ask:
            speech = [f"id:{row.id}" for row, _, speech in found if speech]
            query = " or ".join(speech[:FEW_TO_NAME]) or f"id:{found[0][0].id}"
            say(f"`player library exclude '{query}'` keeps it off every station, and nothing is learned from it;")
            say("`player outliers --ask` asks about each.")
        if not found:
            say(f"None of the {collection.embedded} tracks analysed stands out.")


def _keep_or_exclude(home: Home, row: "TrackRow") -> bool:
    """Ask for one key about a track; False when that is to be the end."""
    from player.feedback.hygiene import add_exclusion

    print("        e exclude, q quit, any other key keeps it: ", end="", flush=True)
    key = typer.getchar()
    print(key if key.isprintable() else "")
    if key == "e":
        add_exclusion(home.database, f"id:{row.id}", None, None)
    return key != "q"


def path(
    start: Annotated[str, typer.Argument(metavar="A", help="Where it begins: a track's number, or a search.")],
    end: Annotated[str, typer.Argument(metavar="B", help="Where it leads to, likewise.")],
    count: Annotated[int, typer.Option("-n", min=2, max=500, help="How many tracks, both ends included.")] = 12,
    station: Annotated[
        str | None, typer.Option("--station", help="Pin it to the front of this station's queue.", show_default=False)
    ] = None,
    playlist: Annotated[
        str | None, typer.Option("--playlist", metavar="NAME", help="Keep it as a playlist.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Find a way by sound from track A to track B: every step is small and leads on.

    Banned, missing and excluded tracks are not on it, nor are those that were not analysed yet.
    """
    import time

    import numpy as np

    from player.feedback.event_history import load_history
    from player.insight.sound_path import sound_path
    from player.integrations.playlists import keep_tracks
    from player.stations.collection import load_collection
    from player.stations.pins import load_pins, save_pins
    from player.stations.stations import Stations

    with opened(data_dir) as home:
        collection, state = load_collection(home.database), load_history(home.database, ()).state
        found = None if station is None else Stations(home.database).find(station).id
        barred = {*state.never, *state.off_stations(found or 0, time.time())}
        allowed = ~np.isin(collection.catalogue.ids, list(barred))
        steps = sound_path(collection, _named(collection, start), _named(collection, end), count, allowed)
        if station is not None:
            pins = load_pins(home.database, found).put_last([step.track.id for step in steps])
            save_pins(home.database, found, pins)
        if playlist is not None:
            keep_tracks(home.database, playlist, [step.track for step in steps])
        if json:
            emit_json([{**track_document(step.track), "similarity": round(step.similarity, 4)} for step in steps])
            return
        for step in steps:
            print(f"{step.track.id:>6}  {step.similarity:.2f}  {step.track.artist} – {step.track.title}")
        if len(steps) < count:
            say(f"The library has tracks for {len(steps)} of {count} places on this way.")


def _named(collection: "Collection", words: str) -> int:
    """The id of the track that a number or a search names."""
    if words.isdecimal():
        return int(words)
    found = [row for row in collection.search(words) if collection.playable[row]]
    if not found:
        raise PlayerError(f"No track matches “{words}”; name one by its number in `player tracks`, or by a search.")
    analysed = [row for row in found if collection.vectors.present[row]]
    return collection.rows[(analysed or found)[0]].id
