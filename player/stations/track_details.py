"""Everything known about a track: what its file says, what was heard and told, and what the station makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from player.errors import PlayerError
from player.feedback.event_history import EventHistory
from player.feedback.events import ListeningState, LoggedEvent, TrackTally
from player.stations.collection import Collection
from player.stations.reason_keys import readable
from player.stations.seeds import describe_seeds
from player.stations.stations import StationInfo
from player.stations.track_views import StoryEvent, StoryFile, StoryMuted, StoryPart, StoryThumb, TrackStory
from player.stations.why import PART_NAMES
from player.storage.database import Database
from player.storage.event_kinds import Action, Kind
from player.storage.models import Embedding, Track, TrackFile
from recommender.ranking.explain import ScoreParts

TAGS_SHOWN = 5
EVERYWHERE = "everywhere"
"""What a thumb for all stations is said to be on."""
ENDED_BY = {
    Action.CHOSE: "left for a track you chose",
    Action.PREVIOUS: "left for the one before",
    Action.DOWN: "ended by a thumb down",
    Action.NOT_NOW: "put off",
    Action.NEVER: "ended by a ban",
    Action.QUIT: "interrupted: you quit",
    Action.ERROR: "could not be played",
    Action.STATION: "left for another station",
    Action.SLEEP: "ended by the sleep timer",
}
DONE: Mapping[tuple[Kind, Action | None], str] = {
    (Kind.START, Action.CHOSE): "chosen by you",
    (Kind.FINISH, Action.SLEEP): "heard to the end, asleep perhaps",
}
SAID = {
    Kind.UP: "thumbed up",
    Kind.DOWN: "thumbed down",
    Kind.CLEAR: "thumb cleared",
    Kind.REPLAY: "played again",
    Kind.NOT_NOW: "put off",
    Kind.NEVER: "banned",
    Kind.START: "began",
    Kind.STOP: "stopped",
    Kind.FINISH: "heard to the end",
    Kind.SKIP: "skipped",
}


@dataclass(frozen=True, slots=True)
class StationView:
    """What a station makes of all tracks: its name, the parts of its scores, and the mask (n,) of what it may play."""

    name: str
    parts: ScoreParts
    open: np.ndarray


def track_story(
    database: Database,
    collection: Collection,
    history: EventHistory,
    stations: Sequence[StationInfo],
    track_id: int,
    *,
    now: float,
    view: StationView | None = None,
) -> TrackStory:
    """Everything known about a track.

    Args:
        database: for its files and its embedding.
        collection: the library.
        history: the log.
        stations: all there are.
        track_id: the track.
        now: seconds since 1970.
        view: what a station makes of it, if one is on.

    Raises:
        PlayerError: there is no such track.
    """
    row = collection.index.get(track_id)
    if row is None:
        raise PlayerError(f"There is no track {track_id}; `player tracks` lists them.")
    with database.reader() as session:
        kept = session.get_one(Track, track_id)
        files = session.execute(
            select(TrackFile.path, TrackFile.missing)
            .where(TrackFile.track_id == track_id)
            .order_by(TrackFile.missing, TrackFile.id)
        ).all()
        embedding = session.execute(
            select(Embedding.version, Embedding.vector.is_not(None), Embedding.error).where(
                Embedding.track_id == track_id, Embedding.frontend == collection.frontend.name
            )
        ).one_or_none()
        facts = (kept.codec, kept.sample_rate, kept.channels, kept.track_number, kept.disc_number, kept.added_us)
    names = {station.id: station.name for station in stations}
    state = history.state
    tally = state.tallies.get(track_id, TrackTally())
    resting = state.resting_until.get(track_id)
    parts = () if view is None else _parts(view, row)
    return TrackStory(
        collection.rows[row],
        *facts,
        files=tuple(StoryFile(path, missing) for path, missing in files),
        embedded=embedding is not None and bool(embedding[1]),
        embedding=_embedding_words(collection.frontend.name, embedding),
        tags=_tags(collection, row),
        plays=tally.plays,
        skips=tally.skips,
        last_played=tally.last_played,
        thumbs=_thumbs(state, names, track_id),
        never=track_id in state.never,
        rests_until=resting if resting is not None and resting > now else None,
        muted=_muted(history, collection, names, track_id),
        station="" if view is None else view.name,
        parts=parts,
        score=sum(part.logits for part in parts),
        events=_events(history, names, track_id),
    )


def _embedding_words(frontend: str, found: "tuple[str, bool, str | None] | object | None") -> str:
    match found:
        case (version, True, _):
            return f"analysed with {frontend} {version}"
        case (_, _, str(error)):
            return f"could not be analysed: {error}"
        case _:
            return "not analysed yet"


def _tags(collection: Collection, row: int) -> tuple[str, ...]:
    """The tags that hold for the track, those first that mark it most."""
    if not collection.listened_to(row):
        return ()
    lift, heard = collection.tag_lift(row), collection.heard
    holding = [name for name in (heard.names[column] for column in np.argsort(-lift)) if heard.holding(name)[row]]
    return tuple(holding[:TAGS_SHOWN])


def _thumbs(state: ListeningState, names: Mapping[int, str], track_id: int) -> tuple[StoryThumb, ...]:
    here = [
        StoryThumb(station, names.get(station, "a station that is gone"), thumbs[track_id])
        for station, thumbs in state.thumbs.items()
        if track_id in thumbs
    ]
    everywhere = state.everywhere.get(track_id)
    return (*([StoryThumb(None, EVERYWHERE, everywhere)] if everywhere is not None else []), *here)


def _muted(
    history: EventHistory, collection: Collection, names: Mapping[int, str], track_id: int
) -> tuple[StoryMuted, ...]:
    """The reasons that were taken away because of this track, and those that are what was told about it."""
    found: dict[tuple[int, str], StoryMuted] = {}
    for event in history.standing_of(Kind.LESS):
        station, note = event.station_id, event.note or ""
        if station is None or not (event.track_id == track_id or note == f"label:{track_id}"):
            continue
        if words := reason_words(collection, note):
            found[station, note] = StoryMuted(station, names.get(station, "a station that is gone"), note, words)
    return tuple(found.values())


def reason_words(collection: Collection, note: str) -> str:
    """A reason in words; empty for one that is not understood."""
    for key in readable([note]):
        if key.part is not None:
            return PART_NAMES[key.part]
        if key.seed is not None:
            return f"{describe_seeds([key.seed], collection.rows)}"
        row = collection.index.get(key.track or 0)
        return f"your feedback on “{'a track that is gone' if row is None else collection.rows[row].title}”"
    return ""


def _parts(view: StationView, row: int) -> tuple[StoryPart, ...]:
    """The parts that say anything of any track."""
    centre = view.parts.centre(view.open)
    parts = [
        StoryPart(PART_NAMES[part], float(logits[row]), float(logits[row]) - float(mean))
        for part, logits, mean in zip(view.parts.parts, view.parts.logits, centre, strict=True)
        if logits.any()
    ]
    return tuple(sorted(parts, key=lambda part: -part.lead))


# --- events ------------------------------------------------------------------------------------------------------------


def _events(history: EventHistory, names: Mapping[int, str], track_id: int) -> tuple[StoryEvent, ...]:
    undone = history.undone
    return tuple(
        told_event(history, event, names, undone)
        for event in sorted(history.about(track_id), key=lambda event: (event.time_us, event.id), reverse=True)
    )


def told_event(history: EventHistory, event: LoggedEvent, names: Mapping[int, str], undone: set[int]) -> StoryEvent:
    """An event as the screen tells it.

    Args:
        history: the log.
        event: of it.
        names: station id → name.
        undone: ids of the events that were taken back.
    """
    said = history.label_of(event.id)
    stands = event.kind != Kind.UNDO and event.id not in undone
    return StoryEvent(
        id=event.id,
        time_us=event.time_us,
        kind=event.kind,
        station=None if event.station_id is None else names.get(event.station_id),
        position=event.position,
        heard=event.heard,
        action=event.action,
        origin=event.origin,
        undoes=event.undoes_id,
        words=event_words(event),
        label=None if said is None else said.signal.label * said.signal.weight,
        stands=stands,
        correctable=stands and (event.kind not in {Kind.START, Kind.STOP} or said is not None),
    )


def event_words(event: LoggedEvent) -> str:
    """What happened, in a few words."""
    match event.kind, event.action:
        case Kind.UNDO, _:
            return "took something back"
        case Kind.LESS, _:
            return f"ignored a reason: {event.note}"
        case Kind.FINISH, _ if event.heard is not None:
            return "sought to the end"
        case Kind.SKIP | Kind.STOP, Action() as action if action in ENDED_BY:
            return ENDED_BY[action]
        case kind, action:
            return DONE.get((kind, action), SAID.get(kind, kind))
