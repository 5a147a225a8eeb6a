"""``player demo``: the player on its own little library, in a folder that is thrown away."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo() -> None:
    """Open the player on about twenty freely licensed excerpts, in a data folder that is thrown away afterwards."""
    from player.cli.screen import open_demo

    open_demo()
