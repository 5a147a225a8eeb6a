"""What the screen (or a headless listener) is shown: plain values, made by the controller, drawn by anyone."""

from dataclasses import dataclass
from typing import Literal

from player.library.tracks import TrackRow

NEUTRAL_DIAL = 50
"""As a station is made: ``recommender.ranking.dial.NEUTRAL``, here so that a list of stations needs no numpy."""
FOLLOWS = "next on the album"
"""The reason of a row that is there because it follows on another."""
MoveKind = Literal["same", "up", "down", "new"]


JobName = Literal["scan", "embed", "retrain", "setup", "import"]
JOB_NAMES: dict[JobName, str] = {
    "scan": "Scanning",
    "embed": "Analysing",
    "retrain": "Training",
    "setup": "Installing PyTorch",
    "import": "Importing",
}


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One upcoming track."""

    track: TrackRow
    slot: int
    score: float
    propensity: float | None
    reason: str
    move: MoveKind = "same"
    """How the last re-rank moved it."""
    moved_by: int = 0
    """Rows, never negative."""
    pinned: bool = False
    """The listener put it there."""


@dataclass(frozen=True, slots=True)
class NowPlaying:
    """The track being played (or paused)."""

    track: TrackRow
    position: float
    duration: float
    playing: bool
    thumb: int
    """+1, -1 or 0, on the current station."""
    reason: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One diversity measure with its recent course."""

    name: str
    """As the screen calls it."""
    value: float
    after_queue: float
    """What it will be when the queue shown has been played."""
    trend: tuple[float, ...]
    """Oldest first, for a sparkline; the last one is ``value``."""
    higher_is_more_diverse: bool
    key: str = ""
    """As scripts call it."""
    ends: tuple[str, str] | None = None
    """The least and the most diverse end in words; without them it is a figure for those who ask for figures."""


@dataclass(frozen=True, slots=True)
class StationRow:
    """One station, for the picker."""

    id: int
    name: str
    seeds: str
    """Seeds as words: "genre Classical, mellow"."""
    thumbs_up: int
    thumbs_down: int
    mode: str = "station"
    """How it plays: station, albums, rediscover or new."""
    dial: int = NEUTRAL_DIAL
    """From 0, familiar, to 100, discover."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A background job as it goes."""

    name: JobName
    stage: str
    """What it is doing, in words."""
    done: int
    total: int
    """0 where unknown."""
    seconds_left: float | None
    metric: float | None = None
    """Validation pair AUC, while training."""
    finished: bool = False
    summary: str = ""
    """One sentence when finished or failed."""
    paused: bool = False
    """It waits for the listener, who paused it, and holds up no other job."""
    question: bool = False
    """It ended with something to be decided: its summary says what."""
    loss: float | None = None
    """Mean loss of the epoch, while training."""
    quiet: bool = False
    """The player began it by itself: only what came of it is worth a line."""

    @property
    def title(self) -> str:
        """Its name on the screen."""
        return JOB_NAMES[self.name]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the main screen shows."""

    revision: int
    """Grows with every change."""
    station: StationRow | None = None
    now: NowPlaying | None = None
    queue: tuple[QueueRow, ...] = ()
    diversity: tuple[Measure, ...] = ()
    diversity_sentence: str = ""
    """What the last plays look like beside those before them; empty while there are too few."""
    volume: float = 1.0
    """0…1."""
    muted: bool = False
    balance: float = 0.0
    """From −1, the left alone, to 1, the right alone."""
    sleep: str = ""
    """When the sleep timer ends the music, in words; empty while it is off."""
    output: str = ""
    """Where the sound comes out, in words ("Output: Built-in Audio", "No sound: no output device")."""
    model_version: str = "content"
    private: str = ""
    """How long the private session goes on, in words; empty without one."""
    notice: str = ""
    """One sentence about the last action or problem, or why the queue is empty."""
    rerank_ms: float = 0.0
    """How long the last re-rank took."""
    dial_effect: str = ""
    """How many tracks the station chooses from now, and what its dial does to the queue, in figures."""
    trial: str = ""
    """One quiet line about the trial of two arms that runs on the station; empty without one."""
    job: JobView | None = None
    tracks: int = 0
    """Tracks in the library that can be played."""
    embedded: int = 0
    """Of these, how many have a vector."""
    first_look: bool = False
    """The library is still being read: what is shown was looked up, and commands wait for their turn."""


def output_words(engine: str, device: str) -> str:
    """Where the sound comes out."""
    if engine == "null":
        return "No sound: no output device"
    return f"Output: {device or engine}"


def ordinal(number: int) -> str:
    """A number as a place: 1st, 2nd, 3rd, 4th, 11th and 1,001st."""
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
