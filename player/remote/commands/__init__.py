"""The commands of MPD's protocol as far as they make sense for stations, and a few of the player's own."""

from player.remote.commands import connection, database, playback, queue, stations, stickers
from player.remote.context import HANDLERS, Client, Remote
from player.remote.protocol import Ack, AckError, Answer

__all__ = ["connection", "database", "playback", "queue", "run_command", "stations", "stickers"]


def run_command(remote: Remote, client: Client, words: list[str]) -> Answer:
    """Carry a command out.

    Raises:
        AckError: it is unknown, forbidden, or takes other words.
        PlayerError: the player refuses.
    """
    name, *rest = words
    handler = HANDLERS.get(name)
    if handler is None:
        raise AckError(Ack.UNKNOWN, f'unknown command "{name[:40]}"')
    if not (client.allowed or handler.open):
        raise AckError(Ack.PERMISSION, f'you don\'t have permission for "{name}"; tell the password first')
    if not handler.least <= len(rest) <= handler.most:
        raise AckError(Ack.ARG, f'wrong number of arguments for "{name}"')
    return handler.call(remote, client, *rest)
