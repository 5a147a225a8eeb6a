"""The words of the event log: kinds, actions and origins of events. The schema allows no others."""

from enum import StrEnum


class Kind(StrEnum):
    """The kind of an event."""

    START = "start"
    FINISH = "finish"
    SKIP = "skip"
    STOP = "stop"
    UP = "up"
    DOWN = "down"
    CLEAR = "clear"
    REPLAY = "replay"
    NOT_NOW = "not-now"
    NEVER = "never"
    LESS = "less"
    UNDO = "undo"
    UNKNOWN = "unknown"
    """Of a row whose kind no version of the player wrote, as damage leaves them: kept, but it says nothing."""


class Action(StrEnum):
    """The deed of the listener, or of the machine, that made the event."""

    NEXT = "next"
    PREVIOUS = "previous"
    CHOSE = "chose"
    DOWN = "down"
    NOT_NOW = "not-now"
    NEVER = "never"
    QUIT = "quit"
    ERROR = "error"
    END = "end"
    STATION = "station"
    SLEEP = "sleep"


class Origin(StrEnum):
    """The writer of an event."""

    TUI = "tui"
    HEADLESS = "headless"
    CLI = "cli"
    """Told from outside, so about what was last served of that track; the player itself knows which one it was."""
    SURVEY = "survey"
    """Answers to the survey's clips."""
    IMPORT = "import"
    """Another player's history."""
