"""Loudness of the library's tracks, from tags or as measured, and the gain that makes all of them sound as loud.

Gains follow ReplayGain 2: by track, or by album so that its quiet tracks stay quiet, to a loudness in LUFS that the
listener sets, and no further than the highest peak allows.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from embeddings.loudness import SILENCE_LUFS, Loudness
from player.audio.messages import CEILING_DB
from player.library.track_columns import REFERENCE_LUFS
from player.library.vectors import HAS_FILE
from player.storage.database import Database
from player.storage.models import Track, TrackFile

if TYPE_CHECKING:
    from player.config import AudioSettings

MOST_LIMITED_DB = 6.0
"""By so much may a peak be turned down: twice what any track of mixed music needs, and a drum stays a drum."""
FULL_SCALE_DB = 0.0
"""The peak of a track of which none is known."""
LARGEST_GAIN = 51.0
"""dB either way, of a tag: ReplayGain's own limit; what goes beyond is damage."""
LARGEST_PEAK = 64.0
NO_ALBUM = -1


@dataclass(frozen=True, slots=True)
class Level:
    """The level at which a track is played.

    Attributes:
        gain_db: by how much it is made louder.
        excess_db: by how much its highest peak is too high then, which the limiter takes back.
        lufs: how loud it is by itself; None where that is not known.
    """

    gain_db: float = 0.0
    excess_db: float = 0.0
    lufs: float | None = None

    @property
    def told(self) -> dict[str, float | bool | None]:
        """As scripts are told it."""
        return {"gain_db": self.gain_db, "limited": self.excess_db > 0, "loudness_lufs": self.lufs}


@dataclass(frozen=True, slots=True)
class TrackLoudness:
    """What is known of one track.

    Attributes:
        track_id: which.
        lufs: integrated loudness; None for silence.
        true_peak_db: dBTP; of a tag, that of the samples. None where not known.
        source: where the loudness is from.
    """

    track_id: int
    lufs: float | None
    true_peak_db: float | None
    source: Literal["tag", "measured"]


class LevelTable:
    """Loudness of tracks in arrays: 24 bytes a track, so that a large library's may stay in memory.

    Args:
        session: an open session.
        track_ids: which tracks are wanted, with their albums; all where None.
    """

    def __init__(self, session: Session, track_ids: Collection[int] | None = None) -> None:
        query = select(
            Track.id, Track.track_gain, Track.track_peak, Track.album_gain, Track.album_peak, Track.lufs,
            Track.true_peak_db, Track.duration, Track.album_id,
        ).where(or_(Track.track_gain.is_not(None), Track.lufs.is_not(None), Track.album_id.is_not(None)))  # fmt: skip
        if track_ids is not None:
            albums = select(Track.album_id).where(Track.id.in_(track_ids))
            query = query.where(or_(Track.id.in_(track_ids), Track.album_id.in_(albums)))
        rows = session.connection().execute(query.order_by(Track.id)).all()
        codes: dict[str, int] = {}
        numbers = np.array([row[:-1] for row in rows], np.float64).reshape(len(rows), 8).T
        self.ids = numbers[0].astype(np.int64)
        track_gain, album_gain = (_within(gain, -LARGEST_GAIN, LARGEST_GAIN) for gain in (numbers[1], numbers[3]))
        track_peak, album_peak = (_decibels(_within(peak, 0.0, LARGEST_PEAK)) for peak in (numbers[2], numbers[4]))
        self.tagged = ~np.isnan(track_gain)
        self.lufs = np.where(self.tagged, REFERENCE_LUFS - track_gain, numbers[5]).astype(np.float32)
        self.peaks = np.where(np.isnan(numbers[6]), track_peak, numbers[6]).astype(np.float32)
        self._album_lufs = (REFERENCE_LUFS - album_gain).astype(np.float32)
        self._album_peaks = album_peak.astype(np.float32)
        self._seconds = numbers[7].astype(np.float32)
        names = (row[-1] for row in rows)
        self._albums = np.array(
            [NO_ALBUM if name is None else codes.setdefault(name, len(codes)) for name in names], np.int32
        )

    def row(self, track_id: int) -> int | None:
        """The track's place in the arrays, where anything is known of it."""
        place = int(np.searchsorted(self.ids, track_id))
        return place if place < len(self.ids) and self.ids[place] == track_id else None

    def share_album(self, track_id: int, others: Collection[int]) -> bool:
        """Whether a track is on the album of one of the others."""
        row = self.row(track_id)
        if row is None or self._albums[row] == NO_ALBUM:
            return False
        places = (self.row(other) for other in others)
        return any(place is not None and self._albums[place] == self._albums[row] for place in places)

    def level(self, track_id: int, settings: "AudioSettings", *, in_album: bool) -> Level:
        """The level of a track by the listener's settings.

        Args:
            track_id: which.
            settings: of the sound.
            in_album: whether its album is being played, for the setting ``auto``.
        """
        row = self.row(track_id)
        lufs = np.nan if row is None else float(self.lufs[row])
        known = None if np.isnan(lufs) or lufs <= SILENCE_LUFS else round(lufs, 2)
        if settings.replaygain == "off":
            return Level(lufs=known)
        if row is None or known is None:
            return Level(self._usual_gain(settings) if np.isnan(lufs) else 0.0)
        peak = float(self.peaks[row])
        if settings.replaygain == "album" or (settings.replaygain == "auto" and in_album):
            lufs, peak = self._album(row)
        return Level(*_gain(lufs, peak, settings), known)

    def _album(self, row: int) -> tuple[float, float]:
        """Loudness and peak of a track's album: as tagged, else of its tracks if all of them are known, else its own."""
        members = (
            self._albums == self._albums[row] if self._albums[row] != NO_ALBUM else np.arange(len(self.ids)) == row
        )
        lufs, peaks, seconds = self.lufs[members], self.peaks[members], self._seconds[members]
        tagged, tagged_peak = float(self._album_lufs[row]), float(self._album_peaks[row])
        peak = float(peaks.max()) if np.isnan(tagged_peak) else tagged_peak
        if not np.isnan(tagged):
            return tagged, peak
        if np.isnan(lufs).any() or not seconds.sum() > 0:
            return float(self.lufs[row]), float(self.peaks[row])
        # The gate over the whole album would need its blocks; means over tracks of music differ by tenths of a decibel.
        loud = lufs > SILENCE_LUFS
        energy = np.average(10.0 ** (lufs[loud] / 10.0), weights=seconds[loud])
        return float(10.0 * np.log10(energy)), peak

    def _usual_gain(self, settings: "AudioSettings") -> float:
        """For a track of which nothing is known yet: what most tracks get, and never louder, for its peaks are not known."""
        known = self.lufs[self.lufs > SILENCE_LUFS]
        return min(0.0, _gain(float(np.median(known)), np.nan, settings)[0]) if len(known) else 0.0


def _gain(lufs: float, peak_db: float, settings: "AudioSettings") -> tuple[float, float]:
    """The gain, and by how much the highest peak is above the ceiling with it."""
    gain = settings.target_lufs - lufs + settings.preamp_db
    if not settings.prevent_clipping:
        return round(gain, 2), 0.0
    headroom = CEILING_DB - (FULL_SCALE_DB if np.isnan(peak_db) else peak_db)
    gain = min(gain, headroom + (MOST_LIMITED_DB if settings.limiter else 0.0))
    return round(gain, 2), round(max(0.0, gain - headroom), 2)


def _within(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    return np.where((values > low) & (values < high), values, np.nan)


def _decibels(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    return 20.0 * np.log10(linear)


class Levels:
    """The levels of the library's tracks, read once in the background, and of a single track before that is done.

    Args:
        database: the listener's data.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table: LevelTable | None = None

    def read(self) -> None:
        """Read all that is known by now."""
        with self._database.reader() as session:
            self._table = LevelTable(session)

    def level(self, track_id: int, settings: "AudioSettings", neighbours: Sequence[int], *, album_mode: bool) -> Level:
        """The level of a track.

        Args:
            track_id: which.
            settings: of the sound.
            neighbours: the tracks played before and after it.
            album_mode: what plays are albums in their order.
        """
        table = self._table
        if table is None:
            with self._database.reader() as session:
                table = LevelTable(session, (track_id, *neighbours))
        in_album = album_mode or table.share_album(track_id, neighbours)
        return table.level(track_id, settings, in_album=in_album)


# --- Measuring ---------------------------------------------------------------------------------------------------

_UNMEASURED: ColumnElement[bool] = and_(
    Track.lufs.is_(None), or_(Track.track_gain.is_(None), Track.track_peak.is_(None))
)


def unmeasured_tracks(session: Session, track_ids: Collection[int] | None = None) -> list[tuple[int, str]]:
    """(id, path as stored) of playable tracks whose loudness neither tags tell nor anybody measured, newest first."""
    query = (
        select(Track.id, func.min(TrackFile.path))
        .join(TrackFile, HAS_FILE)
        .where(_UNMEASURED)
        .group_by(Track.id)
        .order_by(Track.added_us.desc(), Track.id)
    )
    found = [(track, path) for track, path in session.execute(query)]
    return found if track_ids is None else [(track, path) for track, path in found if track in track_ids]


def any_unmeasured(session: Session) -> bool:
    """True where :func:`unmeasured_tracks` has any."""
    return session.execute(select(Track.id).join(TrackFile, HAS_FILE).where(_UNMEASURED).limit(1)).first() is not None


def store_loudness(session: Session, track_id: int, found: Loudness | None) -> None:
    """Keep what was measured; silence, or None for what cannot be decoded, is kept too, so that it is not tried again."""
    lufs = SILENCE_LUFS if found is None or found.lufs is None else found.lufs
    peak = None if found is None else found.true_peak_db
    session.execute(update(Track).where(Track.id == track_id).values(lufs=lufs, true_peak_db=peak))


def known_loudness(session: Session, track_ids: Sequence[int]) -> list[TrackLoudness]:
    """What is known of these tracks, in their order, without those of which nothing is."""
    table = LevelTable(session)
    found: list[TrackLoudness] = []
    for track_id in track_ids:
        row = table.row(track_id)
        if row is None or np.isnan(table.lufs[row]):
            continue
        lufs, peak = float(table.lufs[row]), float(table.peaks[row])
        found.append(
            TrackLoudness(
                track_id,
                None if lufs <= SILENCE_LUFS else round(lufs, 2),
                None if np.isnan(peak) else round(peak, 2),
                "tag" if table.tagged[row] else "measured",
            )
        )
    return found
