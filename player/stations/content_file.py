"""What follows from the vectors of a large library, kept beside the database: mapped from there, it takes milliseconds, not seconds.

The folder's name tells what it was made from: the stamp that any change of a vector renews (a trigger of the schema), and each
track's id, artist and genre. So it is never out of date, and whatever is odd about it, it is made anew.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from player.library.vectors import VectorTable, load_vectors
from player.storage.key_value import read_fact
from recommender.models.content_space import ContentSpace, Projection

WORTH_KEEPING = 5000
"""Tracks; of fewer all is made anew in less than a third of a second, without a file."""
MADE_AS = 1
"""The way it is made; another number for another way."""
STAMP = "vectors"
"""The fact that changes with every vector, by the triggers of migration 0010."""
RAREST = 1e-4
"""Tag probabilities below this are all the same: no."""


@dataclass(frozen=True, slots=True)
class Content:
    """How the tracks of a library sound.

    Attributes:
        table: (n, D) vectors and (n, tags) probabilities.
        space: the content space fitted to the vectors.
        tag_levels: (tags,) mean log probability of each tag over the library.
    """

    table: VectorTable
    space: ContentSpace
    tag_levels: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tracks:
    """The tracks of a library: (n,) ids, and codes of their artists and genres, negative where unknown."""

    ids: NDArray[np.int64]
    artist: NDArray[np.int64]
    genre: NDArray[np.int64]


def load_content(
    session: Session, database: Path, frontend: str, tracks: Tracks, worth_keeping: int = WORTH_KEEPING
) -> Content:
    """How a library sounds to a front-end, read from where it was kept or made anew.

    Args:
        session: an open session.
        database: the file of the database; what is kept lies beside it.
        frontend: its name.
        tracks: those wanted, in that order.
        worth_keeping: of fewer tracks nothing is kept.
    """

    def make() -> Content:
        table = load_vectors(session, frontend, tracks.ids.tolist())
        return Content(
            table, ContentSpace.fit(table.vectors, tracks.artist, tracks.genre), mean_log_probabilities(table.tags)
        )

    # The stamp is read first: a vector that is written meanwhile then only makes what is kept useless.
    stamp = read_fact(session, STAMP)
    if stamp is None or len(tracks.ids) < worth_keeping:
        return make()
    digest = blake2b(repr((MADE_AS, stamp, frontend)).encode(), digest_size=16)
    for column in (tracks.ids, tracks.artist, tracks.genre):
        digest.update(column.tobytes())
    return _kept(database.with_name(f"{database.name}-content-{digest.hexdigest()}"), len(tracks.ids), make)


def mean_log_probabilities(tags: NDArray[np.float32]) -> NDArray[np.float32]:
    """(tags,) over the rows of (n, tags) that are known."""
    known = tags[~np.isnan(tags).any(axis=1)] if tags.shape[1] else tags[:0]
    if not len(known):
        return np.zeros(tags.shape[1], np.float32)
    return np.log(np.maximum(known, RAREST)).mean(axis=0)


def _kept(folder: Path, count: int, make: Callable[[], Content]) -> Content:
    with suppress(OSError, ValueError, EOFError):
        found = _read(folder)
        if len(found.table.vectors) == len(found.table.tags) == len(found.space.source) == len(found.space) == count:
            return found
    content = make()
    with suppress(OSError):  # a full or read-only disk: then it is made anew each time
        _keep(content, folder)
    return content


_NAMES = ("vectors", "tags", "tag_levels", "space", "source", "mean", "spread", "components")


def _read(folder: Path) -> Content:
    """Arrays mapped into memory: what nobody asks for is not read. A change to them would stay in this process."""
    vectors, tags, levels, space, source, *projection = (
        np.load(folder / f"{name}.npy", mmap_mode="c") for name in _NAMES
    )
    return Content(VectorTable(vectors, tags), ContentSpace(space, source, Projection(*projection)), levels)


def _keep(content: Content, folder: Path) -> None:
    """Put it where it belongs in one step, in place of what was kept before."""
    space, made = content.space, content.space.projection
    arrays = (content.table.vectors, content.table.tags, content.tag_levels, space.vectors, space.source)
    making = Path(tempfile.mkdtemp(prefix=f"{folder.name[: folder.name.rindex('-')]}-", dir=folder.parent))
    try:
        for name, array in zip(_NAMES, (*arrays, made.mean, made.spread, made.components), strict=True):
            with (making / f"{name}.npy").open("wb") as file:
                np.save(file, array)
                file.flush()
                os.fsync(file.fileno())
        shutil.rmtree(folder, ignore_errors=True)
        making.rename(folder)
        for other in folder.parent.glob(f"{folder.name[: folder.name.rindex('-')]}-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
    finally:
        shutil.rmtree(making, ignore_errors=True)
