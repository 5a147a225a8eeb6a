"""Which seconds of a track were heard: what was played, not what was jumped over.

The audio process reports the position a few times a second. A report that lies as far on as the clock has run was
played up to; any other came by a jump. So a seek needs no announcement, and one that is under way while older reports
still arrive adds nothing.
"""

from dataclasses import dataclass, replace

SLACK_SECONDS = 1.0
"""How much further than the clock a report may be and still have been played: reports and clock are not in step."""
LEAST_JUMP_SECONDS = 2.0
"""Jumps that add up to less are not worth a note in the log: reports come up to a second late."""

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Heard:
    """The heard parts of one play.

    Attributes:
        spans: (from, to) in seconds into the track, apart and in order.
        position: the last one known.
        at: seconds on a clock that never goes back, when that was.
    """

    spans: tuple[Span, ...]
    position: float
    at: float

    @staticmethod
    def up_to(position: float, at: float) -> "Heard":
        """A play that goes on at ``position``; all before it counts as heard, as nothing else is known of it."""
        return Heard(((0.0, position),) if position > 0 else (), position, at)

    @property
    def seconds(self) -> float:
        """How many seconds of the track were heard, each once."""
        return sum(end - start for start, end in self.spans)

    def reported(self, position: float, at: float) -> "Heard":
        """The position is ``position`` at the moment ``at``: played up to there, or jumped."""
        played = 0.0 <= position - self.position <= at - self.at + SLACK_SECONDS
        spans = _with(self.spans, (self.position, position)) if played else self.spans
        return Heard(spans, position, at)

    def jumped(self, position: float, at: float) -> "Heard":
        """The listener sought ``position``."""
        return replace(self, position=position, at=at)

    def short_of(self, position: float) -> float | None:
        """The seconds heard, where that is less than having come to ``position`` says; else None."""
        return round(self.seconds, 3) if position - self.seconds > LEAST_JUMP_SECONDS else None


def _with(spans: tuple[Span, ...], new: Span) -> tuple[Span, ...]:
    """The spans with one more, those that touch it merged into it."""
    start, end = new
    if end <= start:
        return spans
    apart: list[Span] = []
    for span in spans:
        if span[1] < start or span[0] > end:
            apart.append(span)
        else:
            start, end = min(start, span[0]), max(end, span[1])
    return tuple(sorted([*apart, (start, end)]))
