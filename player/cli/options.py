"""Shared by all commands: the data folder, opening the listener's data, JSON output, and files that are asked for."""

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from player.cli.home import Home, opened, say
from player.errors import PlayerError

__all__ = [
    "DataDir",
    "Home",
    "Json",
    "QueryCommand",
    "StationName",
    "check_folder",
    "emit_json",
    "emit_line",
    "keep",
    "opened",
    "say",
    "track_document",
]
"""Home, opened and say are those of ``player.cli.home``: every command takes all from here."""

if TYPE_CHECKING:
    from player.library.tracks import TrackRow

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of the database and models (or PLAYER_DATA_DIR).", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
StationName = Annotated[str | None, typer.Option("--station", help="Name of the station.", show_default=False)]

Attached = Annotated[bool, typer.Option("--attached", hidden=True)]
Query = Annotated[
    list[str] | None,
    typer.Argument(metavar="[QUERY]…", help="As in: artist:bjork year:1990..1999 -live (genre:jazz or tag:mellow)."),
]
Limit = Annotated[int | None, typer.Option("--limit", "-n", min=0, help="At most so many.", show_default=False)]
SHOWN_FAILURES = 10
"""Of files that cannot be used; --json lists all."""


class QueryCommand(TyperCommand):
    """A command that takes a query: what begins with a minus and is none of its options belongs to that."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the options first and the query behind "--"."""
        flags = {name: bool(getattr(one, "is_flag", False)) for one in self.get_params(ctx) for name in one.opts}
        options: list[str] = []
        query: list[str] = []
        left = iter(args)
        for arg in left:
            name, equals, _ = arg.partition("=")
            if arg == "--":
                query += left
            elif name in flags and name.startswith("-"):
                options += [arg] if equals or flags[name] else [arg, *islice(left, 1)]
            elif arg.startswith("--"):
                options.append(arg)  # an option that there is not: no query begins with two
            else:
                query.append(arg)
        return super().parse_args(ctx, [*options, "--", *query])


def emit_json(document: Any) -> None:
    """Print one JSON document; a number that is not finite becomes null."""
    json.dump(_finite(document), sys.stdout, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def emit_line(document: Any) -> None:
    """Print one JSON line at once."""
    emit_json(document)
    sys.stdout.flush()


def track_document(track: "TrackRow") -> dict[str, Any]:
    """Identity of a track, as every document that speaks of tracks begins."""
    return {"track_id": track.id, "title": track.title, "artist": track.artist}


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(item) for item in value]
    # numpy's scalars answer to item(); nothing else here does.
    item = getattr(value, "item", None)
    return _finite(item()) if callable(item) else value


def check_folder(path: Path, example: str) -> None:
    """Tell before minutes of work that there is nowhere to put the result.

    Args:
        path: the file to be written.
        example: a name to suggest where a folder was given.

    Raises:
        PlayerError: it is a folder, or in one that is not there.
    """
    if path.is_dir():
        raise PlayerError(f"{path} is a folder; name a file to write, as in {path / example}.")
    if not path.absolute().parent.is_dir():
        raise PlayerError(f"There is no folder {path.absolute().parent}; make it first or choose another.")


def keep(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file.

    Raises:
        PlayerError: it cannot be written.
    """
    try:
        write(path)
    except OSError as error:
        raise PlayerError(f"{path} cannot be written: {error.strerror or error}; choose another place.") from error
