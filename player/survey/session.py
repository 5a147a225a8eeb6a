"""A survey as someone sits before it: clips are heard, answers recorded, and what cannot be played is passed over."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from player.audio import messages as audio
from player.library.paths import text_to_path
from player.library.tracks import TrackRow
from player.stations.collection import Collection, load_collection, load_rows
from player.stations.snapshot import output_words
from player.storage.database import Database
from player.survey.clip_player import ClipSound, Sound
from player.survey.groups import Vectors, group_tracks, listened_vectors
from player.survey.survey import PROFIT, Survey, SurveyPlan
from player.survey.view import COUNT, SECONDS, Answer, Clip, SurveyView

if TYPE_CHECKING:
    from player.feedback.events import LoggedEvent

FAILURES_IN_A_ROW = 5
"""So many clips that cannot be played, one after the other, are no accident: stop and say so."""
PROFITS = f"That is {PROFIT} answers: your stations go by them now, new ones above all. More make it surer; q stops."


def plan_of(collection: Collection, seconds: float = SECONDS) -> SurveyPlan:
    """The survey of a library that was read."""
    rows = [row for row in collection.rows if not row.missing]
    return SurveyPlan(rows, group_tracks(rows, lambda: listened_vectors(collection, rows)), seconds)


def load_plan(database: Database, seconds: float = SECONDS) -> SurveyPlan:
    """The survey of the library in a database; vectors are read only where genres will not do."""
    rows = [row for row in load_rows(database) if not row.missing]

    def vectors() -> Vectors:
        return listened_vectors(load_collection(database), rows)

    return SurveyPlan(rows, group_tracks(rows, vectors), seconds)


class SurveySession:
    """Asks about one clip after the other. All methods may be called from any thread.

    Args:
        database: where the log is.
        plan: gives the plan; called once, by :meth:`start`.
        open_sound: opens the sound, given who is to be told of its events.
        count: clips of a round.
        volume: the place of the slider, 0…1.
        output: where the sound comes out, in words, if that is known.
        closed: called at the end with the slider's place.
    """

    def __init__(
        self,
        database: Database,
        plan: Callable[[], SurveyPlan],
        open_sound: Callable[[Callable[[audio.Event], None]], Sound],
        *,
        count: int = COUNT,
        volume: float = 1.0,
        output: str = "",
        closed: Callable[[float], None] = lambda _volume: None,
    ) -> None:
        self._database = database
        self._load = plan
        self._open_sound = open_sound
        self._count = count
        self._when_closed = closed
        self._lock = threading.RLock()
        self._subscribers: list[Callable[[], None]] = []
        self._survey: Survey | None = None
        self._sound: Sound | None = None
        self._clips = ClipSound(self._send, self._failed, volume)
        self._clip: Clip | None = None
        self._told: list[LoggedEvent] = []
        self._failures = 0
        self._shown = SurveyView(volume=volume, output=output)
        self._closed = False

    def view(self) -> SurveyView:
        """What there is to show; never waits."""
        clips = self._clips
        return replace(self._shown, heard=clips.heard, sounding=clips.sounding, over=clips.over)

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call back, from any thread, whenever the view changed; the clip's place apart, which moves by itself."""
        self._subscribers.append(callback)

    def start(self) -> None:
        """Read the plan, open the sound and play the first clip. Slow.

        Raises:
            PlayerError: the library or the log cannot be read.
        """
        survey = Survey(self._database, self._load(), self._count)
        with self._lock:
            if self._closed:
                return
            self._survey = survey
            self._sound = self._open_sound(self._heard)
            self._ask("")

    def answer(self, answer: Answer, track_id: int) -> None:
        """Record an answer, and play the next clip. Slow.

        Args:
            answer: what the listener thinks.
            track_id: of the clip they saw; an answer that comes when another one is on is passed over.

        Raises:
            PlayerError: it could not be recorded; the same clip is still asked about.
        """
        with self._lock:
            survey, clip = self._survey, self._clip
            if survey is None or clip is None or clip.track.id != track_id:
                return
            before = survey.progress.verdicts
            position = round(clip.start + self._clips.heard, 3)
            self._told.append(survey.answer(answer, track_id, position))
            self._failures = 0
            self._ask(PROFITS if before < PROFIT <= survey.progress.verdicts else "")

    def undo(self) -> None:
        """Take back the last answer given here, and ask again. Slow.

        Raises:
            PlayerError: it could not be recorded.
        """
        with self._lock:
            if self._survey is None:
                return
            if not self._told:
                self._say("There is no answer to take back.")
                return
            self._survey.take_back(self._told[-1])
            self._told.pop()
            self._ask("Took the last answer back.")

    def replay(self) -> None:
        """Play the clip again."""
        with self._lock:
            if self._clip is not None:
                self._clips.play(self._clip)
                self._say("")

    def more(self) -> None:
        """Go on for another round."""
        with self._lock:
            survey = self._survey
            if survey is not None and self._clip is None and survey.left:
                survey.aim = len(survey.answers.given) + self._count
                self._failures = 0
                self._ask("")

    def set_volume(self, volume: float) -> None:
        """Set the loudness, 0…1."""
        with self._lock:
            self._clips.set_volume(volume)
            self._show(volume=self._clips.volume)

    def close(self) -> None:
        """Fall silent and give the sound back; what was answered is on disk. Slow."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._clip = None
        # Not under the lock: whoever brings the sound's events may be waiting for it.
        self._clips.close()
        if self._sound is not None:
            self._sound.close()
        self._when_closed(self._clips.volume)

    def _ask(self, words: str) -> None:
        """Play the next clip, or say why there is none."""
        survey = self._survey
        assert survey is not None
        missing: list[TrackRow] = []
        self._clip = survey.next(lambda row: _is_there(row, missing))
        if missing:
            words = f"{words} {_missing_words(missing)}".strip()
        if self._clip is None:
            self._clips.stop()
            words = f"{words} {survey.why_nothing()}".strip()
        else:
            self._clips.play(self._clip)
        self._say(words)

    def _failed(self, message: str) -> None:
        """The clip cannot be played: ask about another one."""
        with self._lock:
            if self._survey is None or self._clip is None or self._closed:
                return
            self._survey.pass_over(self._clip.track.id)
            self._failures += 1
            if self._failures < FAILURES_IN_A_ROW:
                self._ask(f"{message} It is passed over.")
            else:
                self._clip = None
                self._say(f"{message} Several in a row could not be played; see `player doctor`.")

    def _heard(self, event: audio.Event) -> None:
        """Take an event of the audio process, on its client's thread."""
        self._clips.take(event)
        with self._lock:
            match event:
                case audio.Ready(engine, device, note):
                    self._show(output=output_words(engine, device), **({"words": note} if note else {}))
                case audio.DeviceChanged(device):
                    self._show(output=device)
                case audio.DeviceLost(message) | audio.GaveUp(message) | audio.Restarted(message):
                    self._say(message)
                case audio.Started():
                    self._failures = 0
                case _:
                    pass

    def _send(self, command: audio.Command) -> None:
        if self._sound is not None:
            self._sound.send(command)

    def _say(self, words: str) -> None:
        """Put the clip, how far the survey is, and a sentence on show."""
        survey, clip = self._survey, self._clip
        if survey is None:
            self._show(words=words)
            return
        self._show(
            clip=clip,
            progress=survey.progress,
            marks=tuple(survey.answers.given.values()),
            words=words,
            ended=clip is None,
            more=clip is None and survey.left > 0,
        )

    def _show(self, **changes: object) -> None:
        self._shown = replace(self._shown, **changes)
        for callback in self._subscribers:
            callback()


def _is_there(row: TrackRow, missing: list[TrackRow]) -> bool:
    """Whether the track's file is there; one that is not is added to ``missing``."""
    try:
        there = text_to_path(row.path).is_file()
    except OSError:
        there = False
    if not there:
        missing.append(row)
    return there


def _missing_words(missing: list[TrackRow]) -> str:
    if len(missing) == 1:
        return f"The file of “{missing[0].title}” is missing, so it is passed over."
    return f"The files of {len(missing)} tracks are missing, so they are passed over; scan the library again."


def next_clip(survey: Survey) -> tuple[Clip | None, str]:
    """The next clip for someone who plays it themselves, and a sentence on what was passed over, or why there is none."""
    missing: list[TrackRow] = []
    clip = survey.next(lambda row: _is_there(row, missing))
    words = _missing_words(missing) if missing else ""
    return clip, words if clip is not None else f"{words} {survey.why_nothing()}".strip()
