"""A small client of the running player: one blocking connection over the socket in the data folder."""

import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from player.errors import PlayerError
from player.remote.address import short_address, socket_path

PATIENCE_SECONDS = 10.0
"""A player that is busy for longer with one command hangs."""


class NoPlayerError(PlayerError):
    """No player runs on the data folder."""


class RemoteClient:
    """A connection to the player that runs on a data folder.

    Args:
        data: the folder.

    Raises:
        NoPlayerError: none runs there.
    """

    def __init__(self, data: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE_SECONDS)
        try:
            with short_address(socket_path(data)) as address:
                self._socket.connect(address)
        except OSError as error:
            self._socket.close()
            raise NoPlayerError(
                f"No player is running on {data}; start one with `player`, or name its folder with --data-dir."
            ) from error
        self._file = self._socket.makefile("rwb")
        self._lines()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        with suppress(OSError):  # what was still to be said finds nobody
            self._file.close()
        self._socket.close()

    def shut(self) -> None:
        """Leave while another thread waits here; it is told that the player has closed."""
        with suppress(OSError):  # it has gone already
            self._socket.shutdown(socket.SHUT_RDWR)

    def ask(self, command: str, *words: object) -> dict[str, str]:
        """Give a command; its answer by names (the last of a name).

        Raises:
            PlayerError: the player refused; the sentence is its own.
        """
        quoted = ('"' + str(word).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"' for word in words)
        self._file.write((" ".join([command, *quoted]) + "\n").encode())
        self._file.flush()
        return self._lines()

    def state(self) -> dict[str, Any]:
        """Everything there is to show."""
        return json.loads(self.ask("player_state")["json"])

    def wait(self, *subsystems: str) -> None:
        """Return when something has changed in one of them, or after a while."""
        self._socket.settimeout(None)
        try:
            self.ask("idle", *subsystems)
        finally:
            self._socket.settimeout(PATIENCE_SECONDS)

    def _lines(self) -> dict[str, str]:
        pairs: dict[str, str] = {}
        try:
            for line in self._file:
                text = line.decode("utf-8", "replace").rstrip("\n")
                if text == "OK" or text.startswith("OK MPD "):
                    return pairs
                if text.startswith("ACK "):
                    raise PlayerError(text.partition("} ")[2])
                name, _, value = text.partition(": ")
                pairs[name] = value
        except OSError as error:
            raise PlayerError(f"The player does not answer ({error}); it may hang or be closing.") from error
        raise NoPlayerError("The player has closed.")
