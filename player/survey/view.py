"""A survey as it is shown and passed around: plain values, imported by the screen before anything heavy is."""

from dataclasses import dataclass
from typing import Literal

from player.library.tracks import TrackRow

Answer = Literal["like", "dislike", "skip"]
COUNT = 60
"""Clips of a round; about ten minutes. Each asks about one track."""
SECONDS = 10.0
"""Of a clip, as in the paper: enough to make out a melody (Peretz, Gaudreau & Bonnel 1998)."""
OPENING = "One moment: the library is being looked through."


@dataclass(frozen=True, slots=True)
class Clip:
    """A part of a track: from ``start``, ``seconds`` long."""

    track: TrackRow
    start: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of the survey."""

    answered: int = 0
    liked: int = 0
    disliked: int = 0
    of: int = 0
    """Clips of all rounds so far, or of the library where that has fewer."""

    @property
    def verdicts(self) -> int:
        """Likes and dislikes: what is learned from."""
        return self.liked + self.disliked

    def words(self) -> str:
        """``12 of 60 · 7 liked``."""
        return f"{self.answered} of {self.of} · {self.liked} liked"


NOT_BEGUN = Progress()


@dataclass(frozen=True, slots=True)
class SurveyView:
    """Everything the screen shows of a survey.

    Attributes:
        clip: what is asked about; None before the first one and when nothing is.
        heard: seconds of it that were heard, as of now.
        sounding: whether it is heard now.
        over: whether it was heard to its end; where it neither sounds nor is over, it has not begun.
        progress: how far the survey is.
        marks: all answers, oldest first.
        words: one sentence about what happened last, or why nothing is asked.
        ended: nothing (more) is asked.
        more: whether there is something left to ask about beyond the end.
        volume: the place of the slider, 0…1.
        output: where the sound comes out, in words.
    """

    clip: Clip | None = None
    heard: float = 0.0
    sounding: bool = False
    over: bool = False
    progress: Progress = NOT_BEGUN
    marks: tuple[Answer, ...] = ()
    words: str = OPENING
    ended: bool = False
    more: bool = False
    volume: float = 1.0
    output: str = ""
