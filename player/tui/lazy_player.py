"""A player that is opened behind the screen: the first frame is drawn before database and library are touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from player.errors import PlayerError
from player.stations.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from player.library.tracks import TrackRow
    from player.stations.snapshot import StationRow
    from player.tui.port import PlayerPort, Suggestion

OPENING = Snapshot(revision=0, notice="Opening the library …")


class DeferredPlayer:
    """Keeps the contract of :class:`PlayerPort`: empty until :meth:`start` has opened the real player, then that player.

    Args:
        open_player: opens it; called once, in the thread of ``start``.
    """

    def __init__(self, open_player: Callable[[], PlayerPort]) -> None:
        self._open_player = open_player
        self._player: PlayerPort | None = None
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

    def snapshot(self) -> Snapshot:
        """What there is to show."""
        return OPENING if self._player is None else self._player.snapshot()

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call back when the snapshot changed."""
        self._callbacks.append(callback)

    def stations(self) -> list[StationRow]:
        """All stations."""
        return [] if self._player is None else self._player.stations()

    def catalogue(self) -> list[TrackRow]:
        """All tracks."""
        return NO_TRACKS if self._player is None else self._player.catalogue()

    def search(self, query: str) -> list[int]:
        """Indices of the tracks that match."""
        return [] if self._player is None else self._player.search(query)

    def seed_suggestions(self, text: str) -> list[Suggestion]:
        """What a station could grow from."""
        return [] if self._player is None else self._player.seed_suggestions(text)

    def survey_waits(self) -> bool:
        """Whether a survey is worth offering."""
        return self._player is not None and self._player.survey_waits()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # Everything else does something. It is passed on when it is called, not when it is looked up: a key pressed
        # while the library is being opened becomes an errand, and its turn comes when there is a player.
        def pass_on(*arguments: Any, **named: Any) -> Any:
            if self._player is None:
                raise PlayerError("One moment: the library is being opened.")
            return getattr(self._player, name)(*arguments, **named)

        return pass_on


NO_TRACKS: list[TrackRow] = []
"""One object, as long as nothing has changed."""
