"""The survey: short clips from all over the library, each liked, disliked or skipped (after Park & Lee 2022, section 4.2).

What is asked next follows from the library and the log alone, so one can stop at any time and go on anywhere: on the
screen, or by script. An answer is an event without a station: a taste, which counts on every one. A clip that was heard
is no play; nothing is recorded but the answer.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from player.feedback.event_store import EventStore
from player.feedback.events import LoggedEvent, NewEvent, standing
from player.library.tracks import TrackRow
from player.storage.database import Database
from player.storage.event_kinds import Kind, Origin
from player.survey.view import SECONDS, Answer, Clip, Progress

ORIGIN = Origin.SURVEY
"""The origin of its events; never a burst of browsing, as those at the keys may be."""
PROFIT = 30
"""Likes and dislikes from which on the listener is told that stations go by them; `docs/survey.md` has what they gain."""
EDGE_SHARE = 0.1
"""Of a track at either end where no clip starts or ends: intros and fade-outs are not what it sounds like."""
ORDER_SEED = 2022
"""Everyone's order is drawn by the same seed, over tracks of their own: the next clip is the same wherever it is asked for."""

KIND_OF: Mapping[Answer, Kind] = {"like": Kind.UP, "dislike": Kind.DOWN, "skip": Kind.CLEAR}
"""The event of each answer: no opinion is what is left when a thumb is cleared."""
ANSWER_OF: Mapping[Kind, Answer] = {kind: answer for answer, kind in KIND_OF.items()}


@dataclass(frozen=True, slots=True)
class Answers:
    """What the log says of the survey.

    Attributes:
        given: track id → the last answer about it, in the order in which they were given.
        never: ids of tracks that are not to be played again.
    """

    given: Mapping[int, Answer]
    never: frozenset[int] = frozenset()

    def count(self, answer: Answer) -> int:
        """How many tracks have that answer."""
        return sum(value == answer for value in self.given.values())


def concerns_survey(event: LoggedEvent) -> bool:
    """Whether :func:`answers_in` needs the event."""
    return event.origin == ORIGIN or event.kind in {Kind.UNDO, Kind.NEVER}


def answers_in(events: Iterable[LoggedEvent]) -> Answers:
    """What was answered, of events in the order of the log; an answer taken back was not given."""
    given: dict[int, Answer] = {}
    never: set[int] = set()
    for event in standing([event for event in events if concerns_survey(event)]):
        if event.kind == Kind.NEVER:
            never.add(event.track_id)
        elif event.kind in ANSWER_OF:
            given.pop(event.track_id, None)
            given[event.track_id] = ANSWER_OF[event.kind]
    return Answers(given, frozenset(never))


def answer_event(answer: Answer, track_id: int, position: float | None = None) -> NewEvent:
    """The event to record."""
    return NewEvent(KIND_OF[answer], track_id, position=position)


class SurveyPlan:
    """Which track is asked about next.

    The groups take turns: next is the one that was asked about least, and which of those alike is drawn, as is the order
    within a group. What is drawn depends on a track's id alone, so a track that comes or goes leaves the others in order.

    Args:
        rows: the tracks that can be played.
        groups: the group of each, see ``survey_groups``.
        seconds: of a clip.
        seed: draws orders and places.
    """

    def __init__(
        self, rows: Sequence[TrackRow], groups: Sequence[str], seconds: float = SECONDS, seed: int = ORDER_SEED
    ) -> None:
        self._seed = seed
        self._seconds = seconds
        self._rows = {row.id: row for row in rows}
        self._group_of = {row.id: group for row, group in zip(rows, groups, strict=True)}
        self._members: dict[str, list[TrackRow]] = {}
        for row in sorted(rows, key=lambda row: self._draw("track", row.id)):
            self._members.setdefault(self._group_of[row.id], []).append(row)

    @property
    def playable(self) -> int:
        """How many tracks there are."""
        return len(self._rows)

    def clip(self, row: TrackRow) -> Clip:
        """The part of a track that is played: drawn from between its first and last tenth, as far as it is long enough."""
        if row.duration <= self._seconds:
            # The whole of a short one; of one whose length is not known, the beginning is there for certain.
            return Clip(row, 0.0, row.duration or self._seconds)
        room = row.duration - self._seconds
        edge = min(EDGE_SHARE * row.duration, room / 2)
        start = edge + self._draw("start", row.id) * (room - 2 * edge)
        return Clip(row, round(start, 3), self._seconds)

    def next(self, answers: Answers, passed_over: Collection[int] = frozenset()) -> Clip | None:
        """What to ask about next; None when nothing is left.

        Args:
            answers: what was answered; the artist of the last one has a rest, where another is left.
            passed_over: ids of tracks that could not be played.
        """
        last = self._rows.get(list(answers.given)[-1]) if answers.given else None
        same_artist: TrackRow | None = None
        for group in self._turns(answers):
            for row in self._members[group]:
                if not self._open(row.id, answers, passed_over):
                    continue
                if last is None or row.artist.casefold() != last.artist.casefold():
                    return self.clip(row)
                same_artist = same_artist or row
        return None if same_artist is None else self.clip(same_artist)

    def left(self, answers: Answers, passed_over: Collection[int] = frozenset()) -> int:
        """How many tracks can still be asked about."""
        return sum(self._open(track_id, answers, passed_over) for track_id in self._rows)

    def progress(self, answers: Answers, aim: int, passed_over: Collection[int] = frozenset()) -> Progress:
        """How far the answers are on the way to ``aim``."""
        answered = len(answers.given)
        of = max(answered, min(aim, answered + self.left(answers, passed_over)))
        return Progress(answered, answers.count("like"), answers.count("dislike"), of)

    def _open(self, track_id: int, answers: Answers, passed_over: Collection[int]) -> bool:
        return not (track_id in answers.given or track_id in answers.never or track_id in passed_over)

    def _turns(self, answers: Answers) -> list[str]:
        """The groups, those asked about least first."""
        asked = Counter(self._group_of[track_id] for track_id in answers.given if track_id in self._group_of)
        return sorted(self._members, key=lambda group: (asked[group], self._draw(f"turn {asked[group]}", group)))

    def _draw(self, what: str, key: int | str) -> float:
        """A number in 0…1 that is always the same for the same things."""
        digest = hashlib.blake2b(f"{self._seed} {what} {key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little") / 2**64


def sentence_at_the_end(progress: Progress, left: int, playable: int) -> str:
    """Why nothing more is asked, in a sentence.

    Args:
        progress: how far it is.
        left: tracks that could still be asked about.
        playable: tracks of the library with a file.
    """
    if not playable:
        return "The library is empty; add music with `player scan FOLDER`."
    if left:
        return f"That was the last of {progress.of} clips: {progress.liked} liked, {progress.disliked} disliked."
    if not progress.answered:
        return "None of the tracks can be asked about: they cannot be played, or you never want to hear them again."
    return f"Nothing is left to ask about: {progress.answered} tracks answered, {progress.liked} liked."


class Survey:
    """The plan and the log together: gives clips and takes answers.

    Args:
        database: where the log is.
        plan: of the library as it is.
        aim: after how many answers to stop asking.
    """

    def __init__(self, database: Database, plan: SurveyPlan, aim: int) -> None:
        self._log = EventStore(database, ORIGIN)
        self._plan = plan
        self._watermark = 0
        self._events: list[LoggedEvent] = []
        self._passed_over: set[int] = set()
        self.aim = aim
        self.answers = Answers({})
        self.catch_up()

    def catch_up(self) -> None:
        """Take up what was recorded since, here or elsewhere."""
        new = self._log.read(self._watermark)
        if new:
            self._watermark = new[-1].id
            self._events += [event for event in new if concerns_survey(event)]
            self.answers = answers_in(self._events)

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self._plan.progress(self.answers, self.aim, self._passed_over)

    @property
    def left(self) -> int:
        """How many tracks can still be asked about."""
        return self._plan.left(self.answers, self._passed_over)

    def next(self, usable: Callable[[TrackRow], bool] = lambda _row: True) -> Clip | None:
        """What to ask about next; None when the aim is reached or nothing is left.

        Args:
            usable: whether a track can be played; one that cannot is passed over from now on.
        """
        if len(self.answers.given) >= self.aim:
            return None
        while (clip := self._plan.next(self.answers, self._passed_over)) is not None and not usable(clip.track):
            self.pass_over(clip.track.id)
        return clip

    def pass_over(self, track_id: int) -> None:
        """Ask about this track no more, for it cannot be played."""
        self._passed_over.add(track_id)

    def answer(self, answer: Answer, track_id: int, position: float | None = None) -> LoggedEvent:
        """Record an answer; it is on disk when this returns.

        Raises:
            PlayerError: the database refuses.
        """
        logged = self._log.append(answer_event(answer, track_id, position))
        self.catch_up()
        return logged

    def take_back(self, event: LoggedEvent) -> None:
        """Undo an answer.

        Raises:
            PlayerError: the database refuses.
        """
        self._log.append(NewEvent(Kind.UNDO, event.track_id, undoes_id=event.id))
        self.catch_up()

    def why_nothing(self) -> str:
        """Why :meth:`next` gives nothing, in a sentence."""
        return sentence_at_the_end(self.progress, self.left, self._plan.playable)
