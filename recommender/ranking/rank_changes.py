"""How far the rows of a queue moved between two rankings."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Move:
    """Where a row of the new order was before.

    Attributes:
        track: track index.
        places: places towards the front; negative towards the back, 0 where it stayed or is new.
        new: it was not in the old order.
    """

    track: int
    places: int
    new: bool = False

    @property
    def label(self) -> str:
        """▲3, ▼2, ●new, or empty for a row that stayed."""
        if self.new:
            return "●new"
        if self.places == 0:
            return ""
        return f"▲{self.places}" if self.places > 0 else f"▼{-self.places}"


def moves(old_order: Sequence[int], new_order: Sequence[int]) -> list[Move]:
    """One move for each row of the new order, in its order.

    Args:
        old_order: track indices of the queue before, without those that have been played or taken off since – so
            that the rows behind them, which merely close the gap, do not seem to have moved.
        new_order: track indices of the queue now.
    """
    before = {track: place for place, track in enumerate(old_order)}
    return [
        Move(track, before[track] - place) if track in before else Move(track, 0, new=True)
        for place, track in enumerate(new_order)
    ]
