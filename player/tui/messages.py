"""Every message of the app, in one place. Floods of the same kind merge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Hashable

    from textual.strip import Strip


class SnapshotChanged(Message):
    """The player has something new to show. Only the newest of a flood matters."""

    def can_replace(self, message: Message) -> bool:
        """Any earlier one: the snapshot is read when this is handled."""
        return isinstance(message, SnapshotChanged)


class SurveyChanged(Message):
    """The survey has something new to show. Only the newest of a flood matters."""

    def can_replace(self, message: Message) -> bool:
        """Any earlier one."""
        return isinstance(message, SurveyChanged)


class RowHighlighted(Message):
    """The cursor of a list is on another row."""

    def __init__(self, index: int, list_id: str | None = None) -> None:
        super().__init__()
        self.index = index
        self.list_id = list_id


class RowChosen(Message):
    """Enter (or a double click) on a row of a list."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index


class ColumnClicked(Message):
    """A click on the head of a column."""

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column


class Tell(Message):
    """Call a method of the player: the one of that name of :class:`Controller`, with these arguments."""

    def __init__(self, operation: str, *arguments: object) -> None:
        super().__init__()
        self.operation = operation
        self.arguments = arguments


class AnswerFound(Message):
    """What a screen asked the player.

    Attributes:
        asked: the question, by which its screen knows whether it still wants the answer.
        answer: of the type that the question has.
    """

    def __init__(self, asked: Hashable, answer: Any) -> None:
        super().__init__()
        self.asked = asked
        self.answer = answer


class AnswerFailed(Message):
    """Why there is no answer to what a screen asked: a sentence."""

    def __init__(self, asked: Hashable, problem: str) -> None:
        super().__init__()
        self.asked = asked
        self.problem = problem


class CoverDrawn(Message):
    """A picture as lines for the screen.

    Attributes:
        asked: of which track, at which size.
        strips: its lines; none where there is no picture.
    """

    def __init__(self, asked: Hashable, strips: list[Strip]) -> None:
        super().__init__()
        self.asked = asked
        self.strips = strips


class OpenSurvey(Message):
    """Begin the survey, or go on with it."""


class OpenImport(Message):
    """Bring a history along from another player."""


class SeedDropped(Message):
    """Backspace in an empty search: take the last seed out again."""
