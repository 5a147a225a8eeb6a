"""Every message of the app, in one place.

Widgets and screens post what the listener *means*; the app passes it on to the port. Floods of the same kind merge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from player.feedback.correction import Correction
    from player.insight.library_map import Colour, Colouring
    from player.insight.neighbours import SimilarTrack
    from player.library.tracks import TrackRow
    from player.tui.port import Seed, Thumb

AnswerT = TypeVar("AnswerT")


class SnapshotChanged(Message):
    """The player has something new to show. Only the newest of a flood matters."""

    def can_replace(self, message: Message) -> bool:
        """Any earlier one: the snapshot is read when this is handled."""
        return isinstance(message, SnapshotChanged)


class ErrandEnded(Message):
    """A slow call has ended in the port's thread; ``report`` tells the screen about it, in the event loop."""

    def __init__(self, report: Callable[[], None]) -> None:
        super().__init__()
        self.report = report


class RowHighlighted(Message):
    """The cursor of a list is on another row."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index


class RowChosen(Message):
    """Enter (or a double click) on a row of a list."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index


class PlayTrack(Message):
    """Play this track, chosen by hand."""

    def __init__(self, track_id: int) -> None:
        super().__init__()
        self.track_id = track_id


class ThumbTrack(Message):
    """Thumb a track of the queue."""

    def __init__(self, track_id: int, value: Thumb) -> None:
        super().__init__()
        self.track_id = track_id
        self.value: Thumb = value


class RestTrack(Message):
    """Not now: rest a track of the queue."""

    def __init__(self, track_id: int) -> None:
        super().__init__()
        self.track_id = track_id


class RestFor(Message):
    """Rest a track for so many seconds."""

    def __init__(self, track_id: int, seconds: float) -> None:
        super().__init__()
        self.track_id = track_id
        self.seconds = seconds


class BanTrack(Message):
    """Never play a track again."""

    def __init__(self, track_id: int) -> None:
        super().__init__()
        self.track_id = track_id


class ThumbEverywhere(Message):
    """Thumb a track for all stations."""

    def __init__(self, track_id: int, value: Thumb) -> None:
        super().__init__()
        self.track_id = track_id
        self.value: Thumb = value


class AskWhy(Message):
    """Show why a track stands where it stands."""

    def __init__(self, track: TrackRow) -> None:
        super().__init__()
        self.track = track


class AskStory(Message):
    """Show everything known about a track."""

    def __init__(self, track: TrackRow) -> None:
        super().__init__()
        self.track = track


class Less(Message):
    """Let a reason count no more on this station; ``track_id`` is what it was said about."""

    def __init__(self, track_id: int, reason: str) -> None:
        super().__init__()
        self.track_id = track_id
        self.reason = reason


class PutRight(Message):
    """Correct something that the log says of a track."""

    def __init__(self, correction: Correction) -> None:
        super().__init__()
        self.correction = correction


class AnswerFound(Message, Generic[AnswerT]):
    """What was asked about a track – or why that cannot be said."""

    def __init__(self, asked: TrackRow, answer: AnswerT | None, problem: str = "") -> None:
        super().__init__()
        self.asked = asked
        self.answer = answer
        self.problem = problem


class SeekTo(Message):
    """Go to a position of the playing track."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class OpenStation(Message):
    """Tune in to a station."""

    def __init__(self, station_id: int) -> None:
        super().__init__()
        self.station_id = station_id


class CreateStation(Message):
    """Make a station and tune in to it."""

    def __init__(self, name: str, seeds: Sequence[Seed], mode: str = "station") -> None:
        super().__init__()
        self.name = name
        self.seeds = tuple(seeds)
        self.mode = mode


class MoreLike(Message):
    """Tune in to the station that grows from a track."""

    def __init__(self, track_id: int) -> None:
        super().__init__()
        self.track_id = track_id


class SetMode(Message):
    """Let the station play in another way."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode


class PinTrack(Message):
    """Put a track at the front of the queue: next, or ``last`` behind the other pins (again takes it off)."""

    def __init__(self, track_id: int, place: Literal["next", "last"]) -> None:
        super().__init__()
        self.track_id = track_id
        self.place: Literal["next", "last"] = place


class MovePin(Message):
    """Move a pin among the pins."""

    def __init__(self, track_id: int, places: int) -> None:
        super().__init__()
        self.track_id = track_id
        self.places = places


class OpenSurvey(Message):
    """Begin the survey, or go on with it."""


class SurveyChanged(Message):
    """The survey has something new to show. Only the newest of a flood matters."""

    def can_replace(self, message: Message) -> bool:
        """Any earlier one."""
        return isinstance(message, SurveyChanged)


class SeedDropped(Message):
    """Backspace in an empty search: take the last seed out again."""


class RowsFound(Message):
    """The library's rows for a query in an order are ready to be listed."""

    def __init__(self, catalogue: Sequence[TrackRow], indices: Sequence[int], asked: tuple[str, int]) -> None:
        super().__init__()
        self.catalogue = catalogue
        self.indices = indices
        self.asked = asked
        """Query and order that these rows answer."""


class FindSimilar(Message):
    """Show the tracks that sound like this one."""

    def __init__(self, track: TrackRow) -> None:
        super().__init__()
        self.track = track


class SimilarFound(Message):
    """The tracks that sound like the one asked about – or why there are none."""

    def __init__(self, asked: TrackRow, found: Sequence[SimilarTrack], problem: str = "") -> None:
        super().__init__()
        self.asked = asked
        self.found = found
        self.problem = problem


class MapColoured(Message):
    """What the colours of a map mean is known – or why it cannot be."""

    def __init__(
        self, tracks: Sequence[TrackRow], colour: Colour, colouring: Colouring | None, problem: str = ""
    ) -> None:
        super().__init__()
        self.tracks = tracks
        self.colour: Colour = colour
        self.colouring = colouring
        self.problem = problem
