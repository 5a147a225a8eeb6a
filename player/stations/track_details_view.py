"""Everything known about a track, as the screen and scripts are told it: plain values, made by ``track_story``."""

from dataclasses import dataclass

from player.library.tracks import TrackRow
from player.storage.event_kinds import Action, Kind, Origin


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
