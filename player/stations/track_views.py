"""A track as the screen and scripts are told of it: why it stands where it stands, and everything known about it, in plain values."""

from dataclasses import dataclass

from player.library.tracks import TrackRow
from player.storage.event_kinds import Action, Kind, Origin
from recommender.ranking.explain import ScorePart


@dataclass(frozen=True, slots=True)
class WhyPart:
    """One part of a track's utility.

    Attributes:
        part: which.
        key: the reason's key for "less because of this".
        stays: why it cannot be taken away; empty where it can.
        name: what the panel calls it.
        words: what it says of this track, where more can be said than the number.
        logits: what it adds.
        lead: the same less the mean over the tracks that could have had the place.
        rank_without: the track's rank by utility if this part were not.
        silent: it says nothing of any track; the learned parts do so before a first training.
    """

    part: ScorePart
    key: str
    stays: str
    name: str
    words: str
    logits: float
    lead: float
    rank_without: int
    silent: bool


@dataclass(frozen=True, slots=True)
class WhyLabel:
    """All that was told about one track, as far as it moves this one.

    Attributes:
        key: the reason's key.
        track_id: the track it was told about.
        title: its title.
        verb: what the listener did, as it ends a sentence ("thumbed up").
        lead: logits for this track above the average eligible one.
        rank_without: the track's rank by utility if it had not been told, all else as it is.
    """

    key: str
    track_id: int
    title: str
    verb: str
    lead: float
    rank_without: int


@dataclass(frozen=True, slots=True)
class WhySeed:
    """One seed of the station.

    Attributes:
        key: the reason's key; empty for the last seed, which stays.
        words: the seed.
        shared: for the nearest seed, the tags heard in both; else empty.
        nearest: whether the track is closest to it.
        rank_without: the track's rank by utility if the station had not this seed.
    """

    key: str
    words: str
    shared: str
    nearest: bool
    rank_without: int


@dataclass(frozen=True, slots=True)
class MutedReason:
    """A reason that counts no more here, and what it is in words."""

    key: str
    words: str


@dataclass(frozen=True, slots=True)
class Why:
    """Why a track stands where it stands on a station.

    Attributes:
        track: which.
        station_id, station: where.
        reason: the one line.
        place: its place in the queue from 1; 0 where it is playing, None where it is neither.
        blocked: the rule that keeps it from the place it is explained for; empty where none does.
        pinned: it has its place because the listener gave it; nothing was drawn.
        parts: by falling lead; their ``logits`` sum to ``utility``, their ``lead`` to ``lead``.
        labels: what was told that moves it most, by falling size.
        other_labels: of how many further tracks something was told; together with ``labels`` they make the part
            "your feedback".
        other_lead: what these come to.
        seeds: of the station.
        utility, lead, rank, eligible, given_up, propensity: see ``recommender.ranking.explain.Decomposition``.
        muted: what counts no more on this station.
        model_version: what scored.
    """

    track: TrackRow
    station_id: int
    station: str
    reason: str
    place: int | None
    blocked: str
    pinned: bool
    parts: tuple[WhyPart, ...]
    labels: tuple[WhyLabel, ...]
    other_labels: int
    other_lead: float
    seeds: tuple[WhySeed, ...]
    utility: float
    lead: float
    rank: int
    eligible: int
    given_up: float
    propensity: float | None
    muted: tuple[MutedReason, ...]
    model_version: str


@dataclass(frozen=True, slots=True)
class StoryFile:
    """One file of the track."""

    path: str
    missing: bool


@dataclass(frozen=True, slots=True)
class StoryThumb:
    """A thumb that holds: on a station, or everywhere where ``station_id`` is None."""

    station_id: int | None
    station: str
    value: int


@dataclass(frozen=True, slots=True)
class StoryMuted:
    """A reason that has to do with this track and counts no more on a station."""

    station_id: int
    station: str
    key: str
    words: str


@dataclass(frozen=True, slots=True)
class StoryPart:
    """What one part of the score says of the track on a station, in logits."""

    name: str
    logits: float
    lead: float
    """Above the average track that the station may play."""


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One event about the track.

    Attributes:
        id, time_us, kind, position, action, origin, undoes: as in the log.
        station: its name, where it has one.
        heard: seconds heard, where that is less than the position says.
        words: what it was, as a sentence would end.
        label: +weight or -weight of what it says about taste now; None where it says nothing.
        stands: it was not taken back, and takes none back.
        correctable: it can be taken back here.
    """

    id: int
    time_us: int
    kind: Kind
    station: str | None
    position: float | None
    heard: float | None
    action: Action | None
    origin: Origin
    undoes: int | None
    words: str
    label: float | None
    stands: bool
    correctable: bool


@dataclass(frozen=True, slots=True)
class TrackStory:
    """Everything known about a track.

    Attributes:
        track: as tagged.
        codec, sample_rate, channels: of its sound.
        track_number, disc_number: as tagged.
        added_us: when it came into the library, microseconds since 1970.
        files: where it lies.
        embedded: whether it was listened to.
        embedding: by which front-end, or why it could not be.
        tags: what is heard in it, the most telling first.
        plays, skips: how often it was heard to its end, and skipped.
        last_played: seconds since 1970.
        thumbs: that hold.
        never: it is banned.
        rests_until: seconds since 1970, where that is to come.
        muted: reasons that name it and count no more somewhere.
        station: the one that ``parts`` are for; empty where there is none.
        parts: of its score there, by falling lead.
        score: their sum.
        events: newest first.
    """

    track: TrackRow
    codec: str
    sample_rate: int
    channels: int
    track_number: int | None
    disc_number: int | None
    added_us: int
    files: tuple[StoryFile, ...]
    embedded: bool
    embedding: str
    tags: tuple[str, ...]
    plays: int
    skips: int
    last_played: float | None
    thumbs: tuple[StoryThumb, ...]
    never: bool
    rests_until: float | None
    muted: tuple[StoryMuted, ...]
    station: str
    parts: tuple[StoryPart, ...]
    score: float
    events: tuple[StoryEvent, ...]
