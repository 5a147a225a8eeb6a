"""The listener's data as SQLAlchemy models: tracks and their files, stations, and the append-only log.

Times are UTC, kept as integer microseconds since 1970 (``*_us``), so that order and equality are exact.
Rows of ``event`` and ``decision`` are only ever inserted; every state (is this track thumbed up?) is derived from them.
"""

from enum import StrEnum

from sqlalchemy import BigInteger, Enum, ForeignKey, Index, LargeBinary, UniqueConstraint, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from player.storage.event_kinds import Action, Kind, Origin


def _checked(words: type[StrEnum], constraint: str) -> Enum:
    """A column of text that holds these words and no others, by a constraint of the schema."""
    return Enum(
        words,
        name=constraint,
        native_enum=False,
        create_constraint=True,
        length=None,
        values_callable=lambda kind: [str(member) for member in kind],
    )


class Base(DeclarativeBase):
    """The declarative base of every table."""

    type_annotation_map = {}  # noqa: RUF012 - SQLAlchemy's own attribute


class Track(Base):
    """A piece of music, identified by its audio content; it outlives its files."""

    __tablename__ = "track"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(unique=True)
    """Quick content identity from the scan: codec, duration and sampled payload bytes, never the tags."""
    edges: Mapped[str | None] = mapped_column(index=True)
    """Digest of the first and last encoded bytes, the same in every container: by it a re-muxed file is known again."""
    title: Mapped[str]
    artist: Mapped[str] = mapped_column(index=True)
    """The credit as it is shown, such as "Alpha & Beta"."""
    artists: Mapped[str] = mapped_column(default="", server_default=text("''"))
    """Everyone the credit names, one a line: what is searched, seeded and spaced."""
    album: Mapped[str] = mapped_column(index=True)
    album_artist: Mapped[str]
    album_id: Mapped[str | None] = mapped_column(index=True)
    """The release: equal for all tracks of one album, whoever plays them; none off albums."""
    compilation: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The album is by various artists."""
    composer: Mapped[str] = mapped_column(default="", server_default=text("''"))
    work: Mapped[str] = mapped_column(default="", server_default=text("''"))
    movement: Mapped[str] = mapped_column(default="", server_default=text("''"))
    movement_number: Mapped[int | None]
    genre: Mapped[str] = mapped_column(index=True)
    """Genres as tagged, several joined by "; "."""
    year: Mapped[int | None]
    original_year: Mapped[int | None]
    """Of the first release, where tagged."""
    track_number: Mapped[int | None]
    track_total: Mapped[int | None]
    disc_number: Mapped[int | None]
    disc_total: Mapped[int | None]
    duration: Mapped[float]
    """Seconds."""
    codec: Mapped[str]
    sample_rate: Mapped[int]
    """Hz."""
    channels: Mapped[int]
    track_gain: Mapped[float | None]
    album_gain: Mapped[float | None]
    """As tagged (ReplayGain 2 or R128), in dB to bring the sound to -18 LUFS."""
    track_peak: Mapped[float | None]
    album_peak: Mapped[float | None]
    """As tagged; 1 is full scale."""
    lufs: Mapped[float | None]
    """Integrated loudness as measured here, LUFS (ITU-R BS.1770)."""
    true_peak_db: Mapped[float | None]
    """True peak as measured here, dBTP."""
    has_lyrics: Mapped[bool] = mapped_column(default=False, server_default=false())
    has_art: Mapped[bool] = mapped_column(default=False, server_default=false())
    """In the file itself; for what lies beside it see ``TrackFile.beside``."""
    musicbrainz_recording: Mapped[str | None]
    musicbrainz_release: Mapped[str | None]
    acoustid: Mapped[str | None]
    added_us: Mapped[int] = mapped_column(BigInteger, index=True)

    files: Mapped[list["TrackFile"]] = relationship(back_populates="track")


class TrackFile(Base):
    """Where a track lies on disk; one that vanished is marked missing, never deleted."""

    __tablename__ = "track_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("track.id"), index=True)
    path: Mapped[str] = mapped_column(unique=True)
    """Absolute, as printable text that ``player.library.paths.text_to_path`` turns back into the path to open."""
    root: Mapped[str]
    """The scanned folder (or file) it was found under; a later scan of that root may mark it missing."""
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    missing: Mapped[bool] = mapped_column(default=False, index=True)
    container: Mapped[str] = mapped_column(default="", server_default=text("''"))
    """FFmpeg's name of the demuxer."""
    reader: Mapped[int] = mapped_column(default=0, server_default="0")
    """The version of the reader that read it; an older one's files are read again by the next scan."""
    beside: Mapped[int] = mapped_column(default=0, server_default="0")
    """Bits: 1, lyrics of its name (.lrc) lie beside it; 2, a picture of its folder does."""

    track: Mapped[Track] = relationship(back_populates="files")


class FailedFile(Base):
    """A file that could not be read as audio, so that an unchanged one is not tried again at every scan."""

    __tablename__ = "failed_file"

    path: Mapped[str] = mapped_column(primary_key=True)
    root: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    error: Mapped[str]


class Embedding(Base):
    """One track's vector from one front-end, or the reason why there is none."""

    __tablename__ = "embedding"

    track_id: Mapped[int] = mapped_column(ForeignKey("track.id"), primary_key=True)
    frontend: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    """The front-end's version; a different one re-embeds the track."""
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Little-endian float32, mean over windows."""
    spread: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Little-endian float32, standard deviation over windows; none in rows from before it was kept."""
    tags: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Little-endian float32, tag probabilities (mean over windows), for front-ends that tag."""
    error: Mapped[str | None]
    created_us: Mapped[int] = mapped_column(BigInteger)


class Station(Base):
    """A listener's station: seeds in, an endless queue out."""

    __tablename__ = "station"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    noise_seed: Mapped[int] = mapped_column(BigInteger)
    """Keys the Gumbel noise of this station's slots."""
    created_us: Mapped[int] = mapped_column(BigInteger)
    mode: Mapped[str] = mapped_column(default="station", server_default="station")
    """How it plays, as ``player.stations.modes.MODES`` names it."""
    dial: Mapped[int] = mapped_column(default=50, server_default="50")
    """From 0, familiar, to 100, discover."""
    removed_us: Mapped[int | None] = mapped_column(BigInteger)
    """When the listener deleted it: events still name it, so its row stays."""

    seeds: Mapped[list["StationSeed"]] = relationship(
        back_populates="station", cascade="all, delete-orphan", order_by="StationSeed.id"
    )


class StationSeed(Base):
    """One seed of a station: ``kind`` is track, artist, album, genre, tag, query or library.

    Before it stands "not", "more" or "less" where the station leans away from it or towards it.
    """

    __tablename__ = "station_seed"

    id: Mapped[int] = mapped_column(primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"), index=True)
    kind: Mapped[str]
    value: Mapped[str]
    """A track's id, a name, a search, or empty for the whole library."""

    station: Mapped[Station] = relationship(back_populates="seeds")


class ListeningSession(Base):
    """A run of the player in which something was heard or told."""

    __tablename__ = "listening_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    started_us: Mapped[int] = mapped_column(BigInteger)
    origin: Mapped[Origin] = mapped_column(_checked(Origin, "session_origin"))


class Event(Base):
    """Something that happened, appended and never changed: the source of all feedback."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_station_time", "station_id", "time_us"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    time_us: Mapped[int] = mapped_column(BigInteger, index=True)
    kind: Mapped[Kind] = mapped_column(_checked(Kind, "event_kind"))
    track_id: Mapped[int] = mapped_column(ForeignKey("track.id"), index=True)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("listening_session.id"))
    position: Mapped[float | None]
    """Seconds into the track."""
    action: Mapped[Action | None] = mapped_column(_checked(Action, "event_action"))
    origin: Mapped[Origin] = mapped_column(_checked(Origin, "event_origin"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    """What had been served, when this is about a served track."""
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"))
    """For an undo: the event it takes back."""
    value: Mapped[float | None]
    """For a not-now: how many seconds the track rests. For the end of a play in which seeking jumped over more than two seconds: those really heard."""
    note: Mapped[str | None]
    """For a "less because of this": the reason that is to count no more."""


class Decision(Base):
    """A slot committed to a track, with what is needed to weigh it later (off-policy) or to replay it."""

    __tablename__ = "decision"
    __table_args__ = (UniqueConstraint("station_id", "watermark", "slot", "track_id", "model_version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    time_us: Mapped[int] = mapped_column(BigInteger)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("listening_session.id"))
    track_id: Mapped[int] = mapped_column(ForeignKey("track.id"))
    watermark: Mapped[int]
    """The id of the last event the ranking had seen."""
    slot: Mapped[int]
    """The station's running slot number; it keys the noise."""
    rank: Mapped[int]
    """Place in the served list, from 1."""
    score: Mapped[float]
    """The blended score before diversity, in logits."""
    propensity: Mapped[float | None]
    """Softmax probability over the slot's eligible set given the slots before; none where the listener chose."""
    model_version: Mapped[str]
    arm: Mapped[str]
    temperature: Mapped[float]
    eligible_count: Mapped[int]
    log_partition: Mapped[float]
    """log Σ exp(utility / temperature) over the whole eligible set."""
    eligible: Mapped[bytes]
    """zlib of int32 track ids followed by float32 utilities, best first, at most ``ranking.KEPT_UTILITIES``."""
    trial_id: Mapped[int | None] = mapped_column(index=True)
    """The :class:`Trial` it was served in."""
    pair: Mapped[int | None]
    """In a trial: the running number of its pair of slots; one coin decided which arm chose first."""


class Trial(Base):
    """Two ways of choosing, interleaved on a station to see which of them the listener likes better."""

    __tablename__ = "trial"

    id: Mapped[int] = mapped_column(primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("station.id"))
    arm_a: Mapped[str]
    arm_b: Mapped[str]
    """What the listener calls them."""
    version_a: Mapped[str]
    version_b: Mapped[str]
    """The versions that choose, fixed when the trial began."""
    coin_seed: Mapped[int] = mapped_column(BigInteger)
    started_us: Mapped[int] = mapped_column(BigInteger)
    ended_us: Mapped[int | None] = mapped_column(BigInteger)
    conclusion: Mapped[str | None]
    """The sentence it ended with."""


class ImportedRecord(Base):
    """An entry of another player's history that is in the log, so that importing it again adds nothing."""

    __tablename__ = "imported_record"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own attribute

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """128 bits of a hash over what singles the entry out in its source."""
    source: Mapped[str]
    """spotify, listenbrainz, lastfm, mpd or navidrome-json."""
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), index=True)
    """The event that tells it (the last of several)."""


class PlayerState(Base):
    """Small facts to resume from: station, track, position, volume; one JSON value a key."""

    __tablename__ = "player_state"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class LibraryRoot(Base):
    """A folder (or file) the listener asked to scan."""

    __tablename__ = "library_root"

    path: Mapped[str] = mapped_column(primary_key=True)
    added_us: Mapped[int] = mapped_column(BigInteger)


class Playlist(Base):
    """A list of tracks, or a search that is one."""

    __tablename__ = "playlist"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    query: Mapped[str | None]
    """Of a smart playlist, which is what it finds; none of one that lists tracks."""
    created_us: Mapped[int] = mapped_column(BigInteger)


class PlaylistEntry(Base):
    """One place of a playlist."""

    __tablename__ = "playlist_entry"

    playlist_id: Mapped[int] = mapped_column(ForeignKey("playlist.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int | None] = mapped_column(ForeignKey("track.id"), index=True)
    """None where the library has no such track (yet)."""
    written: Mapped[str]
    """The place or name as the playlist's file had it."""


class Exclusion(Base):
    """A search whose finds no station plays by itself, and from which nothing is learned."""

    __tablename__ = "exclusion"

    id: Mapped[int] = mapped_column(primary_key=True)
    query: Mapped[str]
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"))
    """The only station that it is for; all when absent."""
    season: Mapped[str | None]
    """Days of the year when it does not hold, as in 12-01..12-26."""
    created_us: Mapped[int] = mapped_column(BigInteger)


class UnlearnedSpan(Base):
    """A time from which nothing is learned: a private session, or one forgotten in hindsight."""

    __tablename__ = "unlearned_span"

    id: Mapped[int] = mapped_column(primary_key=True)
    since_us: Mapped[int] = mapped_column(BigInteger)
    until_us: Mapped[int | None] = mapped_column(BigInteger)
    """None while a private session goes on until it is ended."""
    tracks: Mapped[int | None]
    """So many tracks end a private session."""
    private: Mapped[bool]
    lifted_us: Mapped[int | None] = mapped_column(BigInteger)
    """When it was taken back; the span counts again from then on."""
