"""``player demo``: the player on its own little library, in a folder that is thrown away."""

import tempfile
from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo() -> None:
    """Open the player on about twenty freely licensed excerpts, in a data folder that is thrown away afterwards."""
    open_demo()


def open_demo() -> None:
    """Scan the demo library into a temporary data folder and open the screen on it."""
    from player.cli.screen import open_player
    from player.demo import demo_music

    with tempfile.TemporaryDirectory(prefix="player-demo-") as folder:
        open_player(demo_music(), Path(folder), notice="The demo library. Your own music: player --music FOLDER")
