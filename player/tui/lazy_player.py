"""A player that is opened behind the screen: the first frame is drawn before database and library are touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from player.errors import PlayerError
from player.stations.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from player.playback.controller import Controller

BEFORE: dict[str, object] = {
    "snapshot": Snapshot(revision=0, notice="Opening the library …"),
    "catalogue": [],
    "search": [],
    "seed_suggestions": [],
    "stations": [],
    "survey_waits": False,
}
"""What is answered while there is no player; everything else does something, and has to wait."""


class LazyPlayer:
    """Stands for a :class:`Controller`: empty until :meth:`start` has opened the real one, then that one.

    Args:
        open_player: opens it; called once, in the thread of ``start``.
    """

    def __init__(self, open_player: Callable[[], Controller]) -> None:
        self._open_player = open_player
        self._player: Controller | None = None
        self._callbacks: list[Callable[[], None]] = []

    def start(self) -> None:
        """Open the player and start it."""
        player = self._open_player()
        for callback in self._callbacks:
            player.subscribe(callback)
        self._player = player
        player.start()

    def close(self) -> None:
        """Close the player, where it was opened."""
        if self._player is not None:
            self._player.close()

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call back when the snapshot changed."""
        self._callbacks.append(callback)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # Passed on when it is called, not when it is looked up: a key pressed while the library is being opened waits in
        # the queue, and its turn comes when there is a player.
        def pass_on(*arguments: Any, **named: Any) -> Any:
            if self._player is not None:
                return getattr(self._player, name)(*arguments, **named)
            if name in BEFORE:
                return BEFORE[name]
            raise PlayerError("One moment: the library is being opened.")

        return pass_on
