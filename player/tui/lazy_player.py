"""A player that is opened behind the screen: stations can be chosen before library, log and model are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from player.errors import PlayerError
from player.stations.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from player.playback.controller import Controller
    from player.stations.first_look import FirstLook

BEFORE: dict[str, object] = {
    "snapshot": Snapshot(revision=0, notice="Opening the library …"),
    "catalogue": [],
    "search": [],
    "seed_suggestions": [],
    "stations": [],
    "station_seeds": [],
    "station_pool": 0,
    "survey_waits": False,
}
"""What is answered while there is no player; everything else does something, and has to wait."""


class LazyPlayer:
    """Stands for a :class:`Controller`: empty until it had a first :meth:`look`, and that until the real one is started.

    Args:
        open_player: opens it; called once, in the thread of ``start``.
        looking: ends in what is shown until then; None where there is nothing to look at.
    """

    def __init__(self, open_player: Callable[[], Controller], looking: Future[FirstLook | None] | None = None) -> None:
        self._open_player = open_player
        self._looking = looking
        self._before = BEFORE
        self._opened: Controller | None = None
        self._player: Controller | None = None
        """The same once it is started: until then the first look says more than it would."""
        self._callbacks: list[Callable[[], None]] = []

    @property
    def looked(self) -> bool:
        """The first look has been had, and :meth:`look` need not wait for it."""
        return self._looking is not None and self._looking.done() and self._looking.exception() is None

    def look(self) -> None:
        """Show what was there at a first look, once that was had."""
        if self._looking is not None and (seen := self._looking.result()) is not None:
            self._before = {**BEFORE, "snapshot": seen.snapshot, "stations": list(seen.stations)}

    def start(self) -> None:
        """Open the player and start it."""
        player = self._opened = self._open_player()
        for callback in self._callbacks:
            player.subscribe(callback)
        player.start()
        self._player = player

    def close(self) -> None:
        """Close the player, where it was opened."""
        if self._opened is not None:
            self._opened.close()

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call back when the snapshot changed."""
        self._callbacks.append(callback)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # Passed on when it is called, not when it is looked up: a key pressed while the library is being opened waits in
        # the queue, and its turn comes when there is a player.
        def pass_on(*arguments: Any, **named: Any) -> Any:
            if self._player is not None:
                return getattr(self._player, name)(*arguments, **named)
            if name in self._before:
                return self._before[name]
            raise PlayerError("One moment: the library is being opened.")

        return pass_on
