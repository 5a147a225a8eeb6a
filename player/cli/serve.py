"""``player serve``: the screen in a browser."""

import shlex
import socket
import sys
from typing import Annotated

import typer

from player.cli.options import DataDir
from player.errors import PlayerError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    port: Annotated[
        int, typer.Option("--port", min=1024, max=65535, help="Where to listen, on this machine alone.")
    ] = 8000,
    data_dir: DataDir = None,
) -> None:
    """Show the same screen in a browser on this machine, until Ctrl-C.

    The address that is printed has a token in it; without it nothing is shown. The first page is the player itself, and the music
    ends with it; while a player runs, pages are remote screens.
    """
    try:
        from player.tui.web_server import ScreenServer
    except ModuleNotFoundError as error:
        raise PlayerError(f"{error.name} is not installed; install it with: pip install textual-serve.") from error
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            raise PlayerError(
                f"Port {port} cannot be listened to ({error.strerror}); choose another --port."
            ) from error
    named = [] if data_dir is None else ["--data-dir", str(data_dir.expanduser().absolute())]
    server = ScreenServer(shlex.join([sys.executable, "-m", "player", *named]), port)
    print(f"Open {server.address}", flush=True)
    server.serve()
