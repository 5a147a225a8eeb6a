"""Embeddings in the database: what is still to be embedded, storing results, loading vectors as arrays."""

import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Exists, and_, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from player.storage.database import driver_connection
from player.storage.models import Embedding, Track, TrackFile


@dataclass(frozen=True, slots=True)
class PendingTrack:
    """A track that has no vector of the wanted front-end and version."""

    track_id: int
    path: str
    """As stored; see ``player.library.paths.text_to_path``."""
    artist: str
    album: str
    genre: str
    """As tagged; ``player.library.tracks`` says what is between several."""


@dataclass(frozen=True, slots=True)
class VectorTable:
    """Vectors and tags of tracks, in the order asked for.

    Attributes:
        vectors: (n, dimension) float32, NaN rows for tracks without one; dimension 0 when nothing is embedded.
        tags: (n, tags) float32 probabilities, NaN rows likewise.
    """

    vectors: NDArray[np.float32]
    tags: NDArray[np.float32]

    @property
    def present(self) -> NDArray[np.bool_]:
        """(n,) whether a track has a vector."""
        if self.vectors.shape[1] == 0:
            return np.zeros(len(self.vectors), np.bool_)
        return ~np.isnan(self.vectors[:, 0])


def pending_tracks(
    session: Session, frontend: str, version: str, *, retry_failed: bool = False, above_id: int = 0
) -> list[PendingTrack]:
    """Playable tracks to be embedded, newest first: a listener wants the album just bought.

    Args:
        session: an open session.
        frontend: the front-end's name.
        version: its version; a track with another version is pending.
        retry_failed: whether to try those again that failed with this version.
        above_id: only tracks with a greater id, as those have that came later.
    """
    rows = session.execute(
        select(Track.id, func.min(TrackFile.path), Track.artist, Track.album, Track.genre)
        .join(TrackFile, HAS_FILE)
        .where(Track.id > above_id, ~_settled(frontend, version, retry_failed=retry_failed))
        .group_by(Track.id)
        .order_by(Track.added_us.desc(), Track.id)
    )
    return [PendingTrack(*row) for row in rows]


def any_pending(session: Session, frontend: str, version: str) -> bool:
    """True where :func:`pending_tracks` has any."""
    waiting = select(Track.id).join(TrackFile, HAS_FILE).where(~_settled(frontend, version, retry_failed=False))
    return session.execute(waiting.limit(1)).first() is not None


def newest_track_id(session: Session) -> int:
    """The greatest id there is; it grows when tracks are added."""
    return session.scalar(select(func.max(Track.id))) or 0


HAS_FILE = and_(TrackFile.track_id == Track.id, TrackFile.missing.is_(False))


def _settled(frontend: str, version: str, *, retry_failed: bool) -> Exists:
    """That there is nothing to be done for a track."""
    settled = [Embedding.track_id == Track.id, Embedding.frontend == frontend, Embedding.version == version]
    if retry_failed:
        settled.append(Embedding.vector.is_not(None))
    return select(Embedding.track_id).where(*settled).exists()


def store_embedding(
    session: Session,
    track_id: int,
    frontend: str,
    version: str,
    *,
    vector: bytes | None,
    tags: bytes | None,
    error: str | None,
    spread: bytes | None = None,
) -> None:
    """Keep a track's vector, its spread over windows and its tags, or the reason why there are none, in place of what was there."""
    values = {
        "version": version,
        "vector": vector,
        "spread": spread,
        "tags": tags,
        "error": error,
        "created_us": time.time_ns() // 1000,
    }
    statement = insert(Embedding).values(track_id=track_id, frontend=frontend, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["track_id", "frontend"], set_=values))


def load_vectors(session: Session, frontend: str, track_ids: Sequence[int]) -> VectorTable:
    """The vectors of ``track_ids``, in that order; vectors of unexpected size or not finite are passed over as absent."""
    connection = driver_connection(session)
    row_of = {track_id: row for row, track_id in enumerate(track_ids)}
    table = VectorTable(*(_unknown(connection, frontend, column, len(track_ids)) for column in ("vector", "tags")))
    width, tags_width = table.vectors[:1].nbytes, table.tags[:1].nbytes
    # Row by row into its place: a large library's vectors are never there twice.
    for track_id, vector, tags in connection.execute(_VALUES, (frontend,)):
        row = row_of.get(track_id)
        if row is not None:
            if len(vector) == width:
                table.vectors[row] = np.frombuffer(vector, "<f4")
            if tags is not None and len(tags) == tags_width:
                table.tags[row] = np.frombuffer(tags, "<f4")
    # A damaged row would reach all that is computed with it.
    with np.errstate(invalid="ignore", over="ignore"):
        for matrix in (table.vectors, table.tags):
            matrix[~np.isfinite(matrix.sum(axis=1))] = np.nan
    return table


_VALUES = "SELECT track_id, vector, tags FROM embedding WHERE frontend = ? AND length(vector) > 0"
_LENGTHS = "SELECT length({0}) FROM embedding WHERE frontend = ? AND length(vector) > 0 AND length({0}) > 0 LIMIT ?"
MEASURED = 1000
"""So many values say how long they are: to go through all would be to read the table once more."""


def _unknown(connection: sqlite3.Connection, frontend: str, column: str, rows: int) -> NDArray[np.float32]:
    """(rows, d) of NaN, d being how many numbers most of the values hold; 0 where there are none."""
    lengths = Counter(length for (length,) in connection.execute(_LENGTHS.format(column), (frontend, MEASURED)))
    most = lengths.most_common(1)[0][0] if lengths else 0
    return np.full((rows, most // np.dtype(np.float32).itemsize), np.nan, np.float32)
