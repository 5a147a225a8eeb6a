"""What goes along with a running player: being the only one, and its remote controls."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from player.config import Paths, Settings
from player.playback.controller import Controller
from player.remote.address import only_player
from player.remote.server import RemoteServer
from player.storage.database import Database


@contextmanager
def companions(player: Controller, database: Database, paths: Paths, settings: Settings) -> Generator[None]:
    """Have them, until the player has closed.

    Raises:
        AlreadyRunningError: another player runs on this data folder.
        PlayerError: the settings ask for what cannot be had; the sentence says which and how to put it right.
    """
    with ExitStack() as stack:
        stack.enter_context(only_player(paths.data))
        server = RemoteServer(player, database, paths, settings.remote)
        server.start()
        stack.callback(server.close)
        yield
