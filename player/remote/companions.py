"""What goes along with a running player: its remote controls, and scrobbling."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from player.config import Settings
from player.folders import Paths
from player.playback.controller import Controller
from player.remote.server import RemoteServer
from player.secrets_file import read_secrets
from player.storage.database import Database


@contextmanager
def companions(player: Controller, database: Database, paths: Paths, settings: Settings) -> Generator[None]:
    """Have them, until the player has closed.

    Raises:
        PlayerError: the settings ask for what cannot be had; the sentence says which and how to put it right.
    """
    with ExitStack() as stack:
        server = RemoteServer(player, database, paths, settings)
        server.start()
        stack.callback(server.close)
        if read_secrets(paths):
            from player.remote.scrobbler import scrobblers  # noqa: PLC0415 - most have none, and do without its imports

            for scrobbler in scrobblers(player, database, paths, settings.scrobble):
                scrobbler.start()
                stack.callback(scrobbler.close)
        yield
