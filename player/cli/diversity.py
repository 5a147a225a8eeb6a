"""``player diversity``: how varied a period was, who was played, and how that changed."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from player.cli.options import DataDir, Json, StationName, check_folder, emit_json, keep, opened
from player.errors import UsageError

if TYPE_CHECKING:
    from player.insight.diversity_history import DiversityFigure, DiversityHistory

LORENZ_CELLS, COURSE_CELLS = (36, 14), (64, 10)
"""Columns and rows; the Lorenz curve's frame is about square."""
NAME_CELLS, FIGURE_CELLS = 16, 15

UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
DURATION = re.compile(r"(\d{1,4})\s*([hdw])", re.ASCII)
"""Four digits of weeks are two centuries; more are a slip of the finger."""
EARLIEST_YEAR = 1900
"""There was no player before, and the period before a period has to fit into the calendar too."""
HOW = "write 30d, 12h, 2w or a day such as 2026-10-01"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(diversity)


def diversity(
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="How far back: 30d, 12h, 2w or a day such as 2026-10-01.")
    ] = "30d",
    station: StationName = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page too.", show_default=False)
    ] = None,
    png: Annotated[
        Path | None, typer.Option("--png", metavar="FILE", help="Write a picture too.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Show how varied your listening was: plays by artist, the Gini index over time, and what changed.

    Changes are since the period before, which is as long, over equally many plays; beside each stands what chance alone gives.
    The page needs no network. Models are marked where another one began to choose.
    """
    from player.insight.diversity_history import diversity_history
    from player.reports.diversity import diversity_page, save_picture

    until = datetime.now().astimezone()
    start = moment_of(since, until)
    for path, example in ((html, "diversity.html"), (png, "diversity.png")):
        if path is not None:
            check_folder(path, example)
    with opened(data_dir) as home:
        history = diversity_history(home.database, start, until, station)
    if html is not None:
        keep(html, lambda path: path.write_text(diversity_page(history), "utf-8"))
    if png is not None:
        keep(png, lambda path: save_picture(history, path))
    if json:
        emit_json(_document(history, html, png))
        return
    _print(history)
    for path in (html, png):
        if path is not None:
            print(f"Drawn in {path.absolute()}")


def moment_of(text: str, now: datetime) -> datetime:
    """The moment that a duration before ``now`` or a day names; a day begins at midnight where the listener is.

    Args:
        text: as written.
        now: with a time zone.

    Raises:
        UsageError: it names no moment, or none before now.
    """
    text = text.strip().lower()
    found = DURATION.fullmatch(text)
    moment = _day(text, now) if found is None else now - int(found[1]) * UNITS[found[2]]
    if moment >= now:
        raise UsageError(f"--since {text} lies not in the past; {HOW}.")
    return moment


def _day(text: str, now: datetime) -> datetime:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=now.tzinfo)
    except ValueError:
        day = None
    if day is None or day.year < EARLIEST_YEAR:
        raise UsageError(f"“{text}” is no time to look back to; {HOW}.")
    return day


def _print(history: "DiversityHistory") -> None:
    from player.reports.diversity import about, table

    print(history.sentence)
    print(about(history))
    print()
    for row in table(history):
        print(f"  {row[0]:<{NAME_CELLS}}" + "".join(f"{cell:>{FIGURE_CELLS}}" for cell in row[1:4]) + f"  {row[4]}")
    _print_lorenz(history)
    _print_course(history)
    print("\n  Most played")
    for artist in history.top:
        print(f"  {artist.plays:>6}  {_plain(artist.artist)}")


def _plain(text: str) -> str:
    from player.tui.text import plain

    return plain(text)


def _print_lorenz(history: "DiversityHistory") -> None:
    import numpy as np

    from player.cli.plots import DOTTED, Curve, PlotFrame, plot

    columns, rows = LORENZ_CELLS
    print(f"\n  Plays by artist (Lorenz curve, Gini {history.figure('gini').value:.2f}; dotted: all alike)")
    frame = PlotFrame(columns, rows, "100 % of plays", "0 %", "0 %", f"{history.artists:,} artists")
    even = np.array([[0.0, 0.0], [1.0, 1.0]])
    for line in plot(frame, [Curve(history.lorenz), Curve(even, DOTTED)]):
        print(f"  {line}")


def _print_course(history: "DiversityHistory") -> None:
    import numpy as np

    from player.cli.plots import DOTTED, Curve, PlotFrame, plot
    from player.reports.diversity import span_of, when

    span = span_of(history)
    points = np.array([span.place(point.time, point.gini) for point in history.course], np.float64)
    marks = [np.array([[x, 0.0], [x, 1.0]]) for x in (span.across(mark.time) for mark in history.models[1:])]
    columns, rows = COURSE_CELLS
    frame = PlotFrame(
        columns,
        rows,
        f"{span.highest:.2f}",
        f"{span.lowest:.2f}",
        when(history, history.since),
        when(history, history.until),
    )
    print(f"\n  Gini of the last {history.window} plays (dotted: another model began to choose)")
    for line in plot(frame, [Curve(points), *(Curve(mark, DOTTED) for mark in marks)]):
        print(f"  {line}")
    for mark in history.models:
        print(f"  {when(history, mark.time):>16}  model {_plain(mark.version)}")


def _document(history: "DiversityHistory", html: Path | None, png: Path | None) -> dict[str, Any]:
    from player.reports.diversity import iso

    return {
        "since": iso(history.since),
        "until": iso(history.until),
        "station": history.station,
        "sentence": history.sentence,
        "plays": history.plays,
        "plays_before": history.before,
        "compared_plays": history.compared,
        "artists": history.artists,
        "artists_played": history.artists_played,
        "tracks": history.tracks,
        "measures": {figure.key: _measure(figure) for figure in history.figures},
        "lorenz": history.lorenz.tolist(),
        "window": history.window,
        "gini_over_time": [{"time": iso(point.time), "gini": point.gini} for point in history.course],
        "models": [{"time": iso(mark.time), "version": mark.version} for mark in history.models],
        "most_played": [{"artist": artist.artist, "plays": artist.plays} for artist in history.top],
        "html": None if html is None else str(html.absolute()),
        "png": None if png is None else str(png.absolute()),
    }


def _measure(figure: "DiversityFigure") -> dict[str, Any]:
    change = figure.change
    if change is None:
        return {"value": figure.value, "change": None}
    return {
        "value": figure.value,
        "change": {
            "now": change.now,
            "before": change.before,
            "difference": change.difference,
            "chance_low": change.low,
            "chance_high": change.high,
            "p": change.p,
            "beyond_chance": change.beyond_chance,
        },
    }
