"""Content vectors for data sets that come with audio: the files are embedded once, and kept by what they sound like.

A vector is cached under the hash of the file's encoded audio and the front-end's version, so moving, renaming or
retagging costs nothing, and an interrupted run goes on with the files that are left.
"""

import csv
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import EmbeddingError
from embeddings.pipeline import embed_many
from embeddings.pooling import vector_from_bytes, vector_to_bytes
from embeddings.registry import frontend_spec
from embeddings.spec import FrontEndSpec
from embeddings.weights.files import ensure_weights
from player.config import Paths, Settings
from player.errors import PlayerError
from player.jobs import LOWEST_PRIORITY, Estimate, JobProgress
from player.library.containers import NotAudioError
from player.library.file_reader import full_audio_hash
from player.library.tags import read_tags
from player.text import UNKNOWN_ARTIST
from recommender.datasets.dataset import Dataset

TRACK, PATH = "track_id", "path"
"""Columns of the index that are read."""
MOST_NAMED = 3
"""Files named in a note; the rest are counted."""


def content_of(
    dataset: Dataset,
    music: Path,
    index: Path,
    *,
    frontend: str,
    paths: Paths,
    settings: Settings,
    progress: Callable[[JobProgress], None],
) -> Dataset:
    """The data set with content vectors and artists of the tracks whose audio is there.

    Args:
        dataset: whatever vectors it has are replaced.
        music: folder of the audio.
        index: CSV with the columns ``track_id``, as the data set calls its tracks, and ``path`` below ``music``.
        frontend: which network listens.
        paths: where vectors are cached, and weights.
        settings: may name the weights.
        progress: told after every file.

    Returns:
        The data set with (n, dim) vectors, NaN rows for tracks without audio that could be heard, and a note that says how
        many these are.

    Raises:
        PlayerError: the index, the folder or the front-end cannot be used, or not one track of the set can be heard.
    """
    if not music.is_dir():
        raise PlayerError(f"{music} is no folder; --music names the folder of the tracks' audio.")
    files = _files(dataset, music, index)
    try:
        spec = frontend_spec(frontend)
        hearing = _Hearing(spec, _Cache(paths.data / "vectors" / f"{spec.name}-{spec.version}", spec.dimension))
        named = settings.musicnn_weights if frontend == "musicnn" else None
        hearing.listen([path for _, path in files], lambda: _weights(spec, named, paths.cache), progress)
    except EmbeddingError as error:
        raise PlayerError(f"Embedding with {frontend}: {error}.") from error
    except OSError as error:
        raise PlayerError(f"The vectors cannot be kept in {paths.data}: {error.strerror or error}.") from error
    content = np.full((len(dataset.tracks), spec.dimension), np.nan, np.float32)
    artist, known = np.full(len(dataset.tracks), -1), dict[str, int]()
    for row, path in files:
        vector = hearing.vectors.get(path)
        if vector is not None:
            content[row] = vector
            artist[row] = known.setdefault(_artist(path, music) or str(path), len(known))
    heard = int(np.isfinite(content).all(axis=1).sum())
    if not heard:
        reason = "; ".join(f"{path.name}: {why}" for path, why in hearing.failed[:MOST_NAMED])
        raise PlayerError(f"Not one of the {len(files)} tracks of {index} could be heard ({reason}).")
    note = f"{heard} of {len(dataset.tracks)} tracks have a content vector ({spec.name} {spec.version})."
    return replace(dataset, content=content, artist=artist, notes=(*dataset.notes, note, *_failures(hearing.failed)))


def _artist(path: Path, music: Path) -> str:
    """The artist by the file's tags, or by its folder where it has none; empty where neither tells."""
    with path.open("rb") as file:
        artist = read_tags(file, path.stat().st_size, str(path), str(music)).artist
    return "" if artist == UNKNOWN_ARTIST else artist


def _weights(spec: FrontEndSpec, named: Path | None, cache: Path) -> Path:
    return ensure_weights(spec.weights, named=named, cache=cache)


def _failures(failed: list[tuple[Path, str]]) -> list[str]:
    if not failed:
        return []
    shown = "; ".join(f"{path.name}: {why}" for path, why in failed[:MOST_NAMED])
    more = f"; and {len(failed) - MOST_NAMED} more" if len(failed) > MOST_NAMED else ""
    return [f"Files that could not be heard: {shown}{more}."]


def _files(dataset: Dataset, music: Path, index: Path) -> list[tuple[int, Path]]:
    """(row in ``dataset.tracks``, file) of every track of the set that the index names, in the index's order."""
    row_of = {str(name): row for row, name in enumerate(dataset.tracks.tolist())}
    found: dict[int, Path] = {}
    try:
        for line, name, path in _index_rows(index):
            if Path(path).is_absolute() or ".." in Path(path).parts:
                raise PlayerError(
                    f"{index}, line {line}: the path {path!r} does not lie below --music; write it relative."
                )
            if name in row_of:
                found.setdefault(row_of[name], music / path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise PlayerError(f"The index {index} cannot be read: {reason}.") from error
    if not found:
        raise PlayerError(f"No {TRACK} in {index} is a track of {dataset.name}; is it the index of another data set?")
    return list(found.items())


def _index_rows(index: Path) -> Iterator[tuple[int, str, str]]:
    """Line, track and path of each row."""
    with index.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        missing = {TRACK, PATH} - set(reader.fieldnames or ())
        if missing:
            raise PlayerError(f"{index} has no column {' and no column '.join(sorted(missing))}; it needs both.")
        for row in reader:
            name, path = (row[TRACK] or "").strip(), row[PATH] or ""
            if not name or not path or "\0" in path:
                raise PlayerError(f"{index}, line {reader.line_num}: a {TRACK} and a {PATH} are needed in every row.")
            yield reader.line_num, name, path


@dataclass(frozen=True, slots=True)
class _Cache:
    """Vectors on disk, one file each, named by the hash of the audio."""

    folder: Path
    dimension: int

    def load(self, identity: str) -> NDArray[np.float32] | None:
        """The vector, or None where it is not there or damaged."""
        try:
            return vector_from_bytes(self._file(identity).read_bytes(), self.dimension)
        except (FileNotFoundError, EmbeddingError):
            return None

    def save(self, identity: str, vector: NDArray[np.float32]) -> None:
        """Keep it, whole or not at all."""
        file = self._file(identity)
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent)
        try:
            with os.fdopen(descriptor, "wb") as written:
                written.write(vector_to_bytes(vector))
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _file(self, identity: str) -> Path:
        return self.folder / identity[:2] / identity[2:]  # a folder of 100,000 files is slow to list


class _Hearing:
    """Vectors of files, from the cache or from listening."""

    def __init__(self, spec: FrontEndSpec, cache: _Cache) -> None:
        self._spec = spec
        self._cache = cache
        self.vectors: dict[Path, NDArray[np.float32]] = {}
        self.failed: list[tuple[Path, str]] = []

    def listen(self, files: list[Path], weights: Callable[[], Path], progress: Callable[[JobProgress], None]) -> None:
        """Fill ``vectors`` and ``failed``; the weights are asked for only when something has to be listened to."""
        waiting = self._take_from_cache(files)
        if not waiting:
            return
        estimate = Estimate()
        progress(JobProgress("Embedding", 0, len(waiting)))
        with closing(
            embed_many([path for path, _ in waiting], self._spec.name, weights(), niceness=LOWEST_PRIORITY)
        ) as results:
            for done, result in enumerate(results, start=1):
                path, identity = waiting[result.index]
                if result.embedding is None:
                    self.failed.append((path, result.error or "it gave no vector"))
                else:
                    self._cache.save(identity, result.embedding.vector)
                    self.vectors[path] = result.embedding.vector
                left = estimate.seconds_left(done, len(waiting))
                progress(JobProgress("Embedding", done, len(waiting), left))

    def _take_from_cache(self, files: list[Path]) -> list[tuple[Path, str]]:
        """The files, and their identities, that have to be listened to."""
        waiting: list[tuple[Path, str]] = []
        for path in files:
            try:
                identity = full_audio_hash(path)
            except (OSError, NotAudioError) as error:
                self.failed.append((path, (error.strerror if isinstance(error, OSError) else None) or str(error)))
                continue
            kept = self._cache.load(identity)
            if kept is None:
                waiting.append((path, identity))
            else:
                self.vectors[path] = kept
        return waiting
