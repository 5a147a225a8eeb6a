"""``player status``, ``pause``, ``previous``, ``up``, ``down``, ``seek``, ``volume``, ``stop``: driving the running player.

``player play``, ``next`` and ``queue`` without a station do so too.
"""

import re
from typing import Annotated

import typer

from player.cli.options import DataDir, Json
from player.errors import UsageError
from player.remote.drive import PLAIN, drive

SIGNED = {"ignore_unknown_options": True}
"""Lets -10 be an argument."""
_PLACE = re.compile(r"([+-]?)(?:(\d{1,3}):)?(?:(\d{1,4}):)?(\d{1,6}(?:\.\d{1,3})?)")
_CHANGE = re.compile(r"([+-]?)(\d{1,3})%?")

Track = Annotated[
    int | None,
    typer.Argument(metavar="[TRACK]", help="A track, as `player tracks` numbers it; without one, what plays."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    app.command()(pause)
    app.command()(previous)
    app.command()(stop)
    app.command()(up)
    app.command()(down)
    app.command(context_settings=SIGNED)(seek)
    app.command(context_settings=SIGNED)(volume)


def status(data_dir: DataDir = None, json: Json = False) -> None:
    """Show what the running player plays."""
    drive(data_dir, as_json=json)


def pause(data_dir: DataDir = None, json: Json = False) -> None:
    """Pause the running player; `player play` goes on."""
    drive(data_dir, *PLAIN["pause"], as_json=json)


def previous(data_dir: DataDir = None, json: Json = False) -> None:
    """Start the track again, or, at its very beginning, go back to the one before."""
    drive(data_dir, *PLAIN["previous"], as_json=json)


def stop(data_dir: DataDir = None, json: Json = False) -> None:
    """Stop the music; the player stays, keeps its place and `player play` goes on there."""
    drive(data_dir, *PLAIN["stop"], as_json=json)


def up(track: Track = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Thumb up what plays, on its station."""
    drive(data_dir, *PLAIN["up"], *_named(track), as_json=json)


def down(track: Track = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Thumb down what plays, on its station, and go on to the next track."""
    drive(data_dir, *PLAIN["down"], *_named(track), as_json=json)


def _named(track: int | None) -> tuple[str, ...]:
    return () if track is None else (f"track:{track}",)


def seek(
    place: Annotated[str, typer.Argument(metavar="PLACE", help="1:30, 90 (seconds), or +10 and -10 from here.")],
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Go to another place of the track."""
    found = _PLACE.fullmatch(place)
    if found is None:
        raise UsageError(f"“{place}” is no place in a track; write 1:30, 90, +10 or -10.")
    sign, *parts = found.groups()
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + float(part or 0)
    drive(data_dir, "seekcur", f"{sign}{seconds:.3f}", as_json=json)


def volume(
    change: Annotated[
        str | None, typer.Argument(metavar="[PERCENT]", help="0 to 100, or +5 and -5.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Show or set the volume."""
    if change is None:
        drive(data_dir, as_json=json)
        return
    found = _CHANGE.fullmatch(change)
    if found is None or (not found[1] and int(found[2]) > 100):  # noqa: PLR2004 - percent
        raise UsageError(f"“{change}” is no volume; write 0 to 100, or +5 or -5.")
    drive(data_dir, "volume" if found[1] else "setvol", f"{found[1]}{found[2]}", as_json=json)
