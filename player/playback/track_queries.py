"""Questions about tracks: why one stands where it stands, everything known about it; and putting that right."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from player.config import Paths, ScreenSettings, Settings, load_settings
from player.errors import PlayerError
from player.feedback.correction import Correction
from player.feedback.event_history import load_history
from player.feedback.event_recorder import correcting
from player.feedback.events import NewEvent
from player.insight.listening_summary import MOST_NAMES, ListeningSummary, learned_models, listening_summary
from player.learning.served_model import load_served_model
from player.library.cover_art import CoverArt, embedded_art, folder_art
from player.library.lyrics import LyricsLine, read_lyrics
from player.library.paths import text_to_path
from player.playback.active_station import ActiveStation
from player.playback.commands import Commands, command
from player.stations.collection import load_collection
from player.stations.modes import mode_named
from player.stations.queue_builder import Programme
from player.stations.reason_keys import check_less, parse_reason
from player.stations.snapshot import ordinal
from player.stations.station_queue import Listening, RankedQueue
from player.stations.station_scoring import StationScorer
from player.stations.stations import Stations
from player.stations.track_details import StationView, reason_words, track_story
from player.stations.track_views import TrackStory, Why
from player.stations.trial_arms import Trials
from player.stations.why import why
from player.storage.database import Database
from player.storage.event_kinds import Kind
from player.storage.key_value import keep_fact, read_fact
from player.trials.report import line_of
from recommender.models.registry import Registry

SORTING = "sorting of the screen's lists"
PLACES = 25
"""As many as the screen shows."""


@dataclass(frozen=True, slots=True)
class SettingLine:
    """A setting by its name in the file, its value as text, its meaning, and whether it is at its default."""

    name: str
    value: str
    meaning: str
    is_default: bool


class TrackQueries(Commands):
    """Answers the listener's questions about tracks while the music plays, and takes corrections."""

    @command
    def why(self, track_id: int | None = None) -> Why:
        """Why a track (the playing one without an id) stands where it stands on the station that is on.

        Raises:
            PlayerError: there is no station, no such track, or nothing plays.
        """
        return self._why(self._tuned(), self._track(track_id))

    def listening(self) -> ListeningSummary:
        """The listening at a glance, and the newest of the log."""
        session = self._session
        # Calibrated before the lock is taken: of a large library's tags it takes a while, the first time.
        collection = session.known.collection
        holding = {tag: collection.heard.holding(tag) for tag in collection.heard.names}
        with session.lock:
            tracks = {row.id: row for row in collection.rows}
            names = {station.id: station.name for station in session.stations.all(removed=True)}
            summary = listening_summary(
                session.history,
                tracks,
                names,
                datetime.now().astimezone(),
                lambda track: (tag for tag, held in holding.items() if held[collection.index[track.id]]),
            )
            trials = tuple(
                f"{names.get(trial.station_id, '')}: {trial.conclusion or line_of(session.database, trial, session.history)}"
                for trial in Trials(session.database).all()[: -MOST_NAMES - 1 : -1]
            )
        return replace(summary, models=learned_models(Registry(session.paths.models)), trials=trials)

    def settings_list(self) -> tuple[SettingLine, ...]:
        """Every setting as the file has it now, with its meaning; a password is not shown."""
        from msgspec.structs import fields  # noqa: PLC0415 - as below

        from player.config import default_of, sections  # noqa: PLC0415 - as below
        from player.settings_file import meanings  # noqa: PLC0415 - for those who look at settings alone

        session = self._session
        settings, named = load_settings(session.paths), sections()
        lines: list[SettingLine] = []
        for prefix, model, values in (
            ("", Settings, settings),
            *((f"{name}.", kind, getattr(settings, name)) for name, kind in named.items()),
        ):
            texts = meanings(model)
            for one in fields(model):
                if (name := one.name) not in named or prefix:
                    value, default = getattr(values, name), default_of(one)
                    shown = "(set)" if name == "password" and value else "" if value is None else _as_written(value)
                    lines.append(SettingLine(prefix + name, shown, texts[name], value == default))
        return tuple(lines)

    @command
    def change_setting(self, name: str, text: str) -> None:
        """Keep another value of a setting in the file; it holds from the next start.

        Raises:
            PlayerError: there is no such setting, or it does not take that value.
        """
        from player.settings_file import change_setting  # noqa: PLC0415 - as above

        change_setting(self._session.paths, name, text)
        self._session.show(notice=f"{name} is {text or 'empty'} from the next start on.")

    def screen_settings(self) -> tuple[ScreenSettings, dict[str, str]]:
        """How the screen looks, and the listener's own keys by name."""
        settings = self._session.settings
        return settings.screen, settings.keys

    def sorting(self) -> dict[str, tuple[str, bool]]:
        """How lists are sorted, as :meth:`keep_sorting` was last told; nothing of what is damaged."""
        with self._session.database.reader() as session:
            kept = read_fact(session, SORTING)
        if not isinstance(kept, dict):
            return {}
        each = cast("dict[str, Any]", kept).items()
        return {name: (str(one[0]), one[1] is True) for name, one in each if isinstance(one, list) and len(one) > 1}

    def keep_sorting(self, kept: Mapping[str, tuple[str, bool]]) -> None:
        """Keep how lists are sorted: by name, a column and whether the other way round."""
        with self._session.database.session() as session:
            keep_fact(session, SORTING, dict(kept))

    def cover(self, track_id: int) -> CoverArt | None:
        """The picture within a track's file, or beside it; reads files."""
        track = self._session.known.playable_track(track_id)
        path = None if track is None else text_to_path(track.path)
        return None if path is None else embedded_art(path) or folder_art(path)

    def lyrics(self, track_id: int) -> tuple[LyricsLine, ...]:
        """The words of a track, from its file or beside it; reads files."""
        track = self._session.known.playable_track(track_id)
        return () if track is None else read_lyrics(text_to_path(track.path))

    @command
    def less(self, track_id: int, reason: str) -> None:
        """Let a reason count no more on the station that is on.

        Args:
            track_id: the track that it was said about.
            reason: the key, as :class:`Why` gives it.

        Raises:
            PlayerError: it is no reason that can be taken away; the sentence says why.
        """
        session = self._session
        tuned, history = self._tuned(), session.history
        key = parse_reason(reason)
        check_less(key, tuned.station.seeds, history.state.muted.get(tuned.station.id, ()))
        tuned.forget()
        before = self._why(tuned, track_id)
        session.tell(NewEvent(Kind.LESS, track_id, tuned.station.id, note=str(key)))
        self._loop.rerank()
        after = self._why(tuned, track_id)
        words = reason_words(session.known.collection, str(key))
        session.show(notice=f"On {tuned.station.name}, {words} is ignored: {_moved(before, after)}")

    def story(self, track_id: int | None = None) -> TrackStory:
        """Everything known about a track (the playing one without an id).

        Raises:
            PlayerError: there is no such track, or nothing plays.
        """
        session = self._session
        with session.lock:
            tuned, known = session.tuned, session.known
            view = None
            if tuned is not None and tuned.ranked is not None:
                view = StationView(tuned.station.name, tuned.ranked.scores.parts, tuned.ranked.open)
            return track_story(
                session.database,
                known.collection,
                session.history,
                session.stations.all(),
                self._track(track_id),
                now=time.time(),
                view=view,
            )

    @command
    def correct(self, correction: Correction) -> None:
        """Put right what the log says of a track; what follows from it is shown at once.

        Raises:
            PlayerError: there is nothing to put right.
        """
        session = self._session
        session.recorder.catch_up(session.history)
        session.record(*correcting(session.history, correction))
        if session.tuned is not None:
            session.tuned.forget()
        title = session.known.title(correction.track_id)
        words = {
            "undo": f"Took event {correction.event_id} back: “{title}”.",
            "clear": f"Cleared the thumb on “{title}”.",
            "lift-never": f"“{title}” may be played again.",
            "lift-rest": f"“{title}” rests no more.",
            "unmute": f"{reason_words(session.known.collection, correction.reason)} counts again.",
        }[correction.kind]
        self._loop.rerank(words[0].upper() + words[1:])

    def _tuned(self) -> ActiveStation:
        tuned = self._session.tuned
        if tuned is None:
            raise PlayerError("Without a station there are no reasons; s picks one.")
        return tuned

    def _track(self, track_id: int | None) -> int:
        if track_id is not None:
            return track_id
        current = self._session.current
        if current is None:
            raise PlayerError("Nothing is playing.")
        return current.track.id

    def _why(self, tuned: ActiveStation, track_id: int) -> Why:
        session = self._session
        row = session.known.collection.index.get(track_id)
        if row is None:
            raise PlayerError(f"There is no track {track_id}; `player tracks` lists them.")
        if tuned.ranked is None:
            self._loop.rerank()
        current = None if session.current is None else session.known.collection.index.get(session.current.track.id)
        queue, played = tuned.standing(row, current)
        return why(queue, tuned.scorer, session.history.state, row, time.time(), played=played)


class StoredTrackQueries:
    """The same answers without a player, from the state of things as it is on disk.

    Args:
        database: the listener's data.
        paths: where models lie.
        settings: the listener's settings.
    """

    def __init__(self, database: Database, paths: Paths, settings: Settings) -> None:
        self._database = database
        self._paths = paths
        self._settings = settings
        self._stations = Stations(database)
        self._collection = load_collection(database)
        self.history = load_history(database, self._collection.rows)

    def why(self, station_name: str, track_id: int) -> Why:
        """Why a track stands where it stands in a station's queue, with nothing playing.

        Raises:
            PlayerError: the station or the track is unknown.
        """
        row = self._row(track_id)
        queue, scorer = self._rank(station_name)
        return why(queue, scorer, self.history.state, row, time.time())

    def story(self, track_id: int, station_name: str | None = None) -> TrackStory:
        """Everything known about a track, and, of a station, what it makes of it.

        Raises:
            PlayerError: the station or the track is unknown.
        """
        self._row(track_id)
        view = None
        if station_name is not None:
            queue, scorer = self._rank(station_name)
            view = StationView(scorer.station.name, queue.scores.parts, queue.open)
        return track_story(
            self._database,
            self._collection,
            self.history,
            self._stations.all(),
            track_id,
            now=time.time(),
            view=view,
        )

    def _row(self, track_id: int) -> int:
        row = self._collection.index.get(track_id)
        if row is None:
            raise PlayerError(f"There is no track {track_id}; `player tracks` lists them.")
        return row

    def _rank(self, station_name: str) -> tuple[RankedQueue, StationScorer]:
        station = self._stations.find(station_name)
        model = load_served_model(self._paths, self._collection).model
        scorer = StationScorer(self._collection, self._stations.all(), station, model)
        programme = Programme(scorer, mode_named(station.mode, self._collection, self._database))
        listening = Listening(self.history.state, self.history.labels, time.time())
        return programme.rank(listening, self._settings.station, PLACES).ranked, scorer


def _as_written(value: object) -> str:
    """A value as the file has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _moved(before: Why, after: Why) -> str:
    """How a track's rank changed, as the end of a sentence."""
    if before.rank == after.rank:
        return f"“{before.track.title}” stays {ordinal(after.rank)} of {after.eligible:,}."
    return f"“{before.track.title}” goes from {ordinal(before.rank)} to {ordinal(after.rank)} of {after.eligible:,}."
