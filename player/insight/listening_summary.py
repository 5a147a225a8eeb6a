"""The listening at a glance: how much, when, what is liked and what is not, and the log itself."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from player.feedback.event_history import EventHistory
from player.feedback.events import LoggedEvent
from player.library.tracks import TrackRow
from player.stations.stations import genres_of
from player.stations.track_details import told_event
from player.stations.track_views import StoryEvent
from player.storage.event_kinds import Kind, Origin
from recommender.evaluation.metric_names import Measure
from recommender.models.registry import ModelError, Registry

LOG_EVENTS = 500
"""The newest events that are listed; all of them are in `player history`."""
MOST_NAMES = 6
TRAINED = "model"
"""The model itself among the metrics of its card."""
FEWEST_ANSWERS = 3
"""Fewer answers about an artist or genre say nothing of it."""
DAYS_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Leaning:
    """An artist, a genre or a tag of the sound, by what was said and shown about its tracks.

    Attributes:
        name: of the artist, genre or tag.
        share: of the weight of the answers that is for it, 0…1.
        answers: how many there were.
    """

    name: str
    share: float
    answers: int


@dataclass(frozen=True, slots=True)
class LearnedModel:
    """A trained version, and how often it was right when it was measured.

    Attributes:
        version: its name.
        serves: it chooses now.
        right: the share of pairs, of one track taken and one not, that it puts in the right order, 0…1; None where unmeasured.
        plain: the same of the best plain rule.
    """

    version: str
    serves: bool
    right: float | None
    plain: float | None


@dataclass(frozen=True, slots=True)
class LoggedLine:
    """An event with its track."""

    title: str
    track_id: int
    event: StoryEvent


@dataclass(frozen=True, slots=True)
class ListeningSummary:
    """What there is to say of one's listening.

    Attributes:
        sentences: the last week in words.
        days: local day → tracks heard then, here.
        hours: (24,) tracks heard in each hour of the day, ever.
        artists, genres, sounds: those most for, then those most against.
        log: the newest events, the newest first.
        models: the trained versions, the newest first.
        trials: how each trial of two ways of choosing ended or stands, the newest first.
    """

    sentences: tuple[str, ...]
    days: Mapping[date, int]
    hours: tuple[int, ...]
    artists: tuple[Leaning, ...]
    genres: tuple[Leaning, ...]
    log: tuple[LoggedLine, ...]
    sounds: tuple[Leaning, ...] = ()
    models: tuple[LearnedModel, ...] = ()
    trials: tuple[str, ...] = ()


def learned_models(registry: Registry, most: int = MOST_NAMES) -> tuple[LearnedModel, ...]:
    """The newest trained versions with what was measured of each on the newest feedback of its day."""
    try:
        current = registry.current()
    except ModelError:
        current = None
    found: list[LearnedModel] = []
    for card in registry.versions()[: -most - 1 : -1]:
        measured = {metric.model: metric.mean for metric in card.metrics if metric.metric == Measure.PAIR_AUC}
        right = measured.pop(TRAINED, None)
        found.append(LearnedModel(card.version, card.version == current, right, max(measured.values(), default=None)))
    return tuple(found)


def listening_summary(
    history: EventHistory,
    tracks: Mapping[int, TrackRow],
    stations: Mapping[int, str],
    now: datetime,
    sounds: Callable[[TrackRow], Iterable[str]] = lambda _: (),
) -> ListeningSummary:
    """Sum up a log.

    Args:
        history: the log.
        tracks: by id; a track that is gone counts, but has no artist.
        stations: names by id.
        now: with a time zone, in which days and hours are counted.
        sounds: the tags of a track's sound.
    """
    undone = history.undone
    heard = [
        (datetime.fromtimestamp(event.seconds, now.tzinfo), event)
        for event in history.all()
        if event.kind in {Kind.FINISH, Kind.SKIP} and event.id not in undone and event.origin != Origin.IMPORT
    ]
    hours = Counter(moment.hour for moment, _ in heard)
    return ListeningSummary(
        sentences=tuple(_sentences(heard, tracks, now)),
        days=Counter(moment.date() for moment, _ in heard),
        hours=tuple(hours[hour] for hour in range(24)),
        artists=_leanings(history, tracks, lambda track: (track.artist,)),
        genres=_leanings(history, tracks, genres_of),
        sounds=_leanings(history, tracks, sounds),
        log=tuple(
            LoggedLine(_title(tracks, event.track_id), event.track_id, told_event(history, event, stations, undone))
            for event in reversed(history.all()[-LOG_EVENTS:])
        ),
    )


def _title(tracks: Mapping[int, TrackRow], track_id: int) -> str:
    track = tracks.get(track_id)
    return "a track that is gone" if track is None else f"{track.title} · {track.artist}"


def _sentences(
    heard: Sequence[tuple[datetime, LoggedEvent]], tracks: Mapping[int, TrackRow], now: datetime
) -> Iterable[str]:
    week, before = timedelta(days=DAYS_A_WEEK), timedelta(days=2 * DAYS_A_WEEK)
    lately = [event for moment, event in heard if now - moment < week]
    earlier = sum(week <= now - moment < before for moment, _ in heard)
    if not lately:
        yield "You heard nothing here in the last seven days."
        return
    known = {event.track_id for moment, event in heard if now - moment >= week}
    new = len({event.track_id for event in lately} - known)
    tracks_heard = f"{len(lately)} {'track' if len(lately) == 1 else 'tracks'}"
    yield f"In the last seven days you heard {tracks_heard}, {earlier} in the seven before; new to you: {new}."
    finished = sum(event.kind == Kind.FINISH for event in lately)
    yield f"You heard {finished / len(lately):.0%} of them to the end.".replace("%", " %")
    artists = Counter(tracks[event.track_id].artist for event in lately if event.track_id in tracks)
    if artists:
        name, times = artists.most_common(1)[0]
        yield f"Most of all {name}: {times} of {len(lately)}."


def _leanings(
    history: EventHistory, tracks: Mapping[int, TrackRow], names: Callable[[TrackRow], Iterable[str]]
) -> tuple[Leaning, ...]:
    """By what share of the weighed answers is for each name, those with too few left out."""
    liked: dict[str, float] = defaultdict(float)
    total: dict[str, float] = defaultdict(float)
    answers: Counter[str] = Counter()
    for item in history.labels:
        track = tracks.get(item.event.track_id)
        for name in names(track) if track is not None and item.signal.label else ():
            total[name] += item.signal.weight
            liked[name] += item.signal.weight * (item.signal.label > 0)
            answers[name] += 1
    known = [
        Leaning(name, liked[name] / weight, answers[name])
        for name, weight in total.items()
        if answers[name] >= FEWEST_ANSWERS and weight > 0
    ]
    # Ten answers of ten say more than three of three: each share is drawn towards one half by one answer on either side.
    known.sort(key=lambda one: (-(one.share * one.answers + 1) / (one.answers + 2), one.name))
    if len(known) <= 2 * MOST_NAMES:
        return tuple(known)
    return (*known[:MOST_NAMES], *known[-MOST_NAMES:])
