"""The map as a screen shows it: placed in a child, kept on disk, drawn from what is there while a newer one is made."""

import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from player import logs
from player.children import own
from player.errors import PlayerError
from player.feedback.event_history import EventHistory
from player.insight.library_map import Colour, Colouring, colour_by_genre, colour_by_thumb
from player.insight.map_worker import PLACE, VECTOR, Answer, VectorHeader, write_line
from player.library.tracks import TrackRow
from player.stations.collection import Collection
from player.stations.station_scoring import StationScorer
from player.stations.stations import StationInfo

_LOG = logging.getLogger(__name__)

MAP_FILE = "map.npz"
"""In the data folder: places belong to this library's tracks, and can be computed again."""
LAYOUT = "1"
"""Raised when the same vectors get other places than before, so that no kept map outlives its method."""
CHUNK_ROWS = 4096
"""Rows that are hashed or sent at a time: 3 MB of musicnn's vectors, instead of a copy of all of them."""


@dataclass(frozen=True, slots=True)
class KeptMap:
    """A map as it is kept.

    Attributes:
        key: what it was made from, see :func:`map_key`.
        ids: (n,) int64 track ids, ascending.
        places: (n, 2) float32, from −1 to 1.
        method: how they were found: "PCA" or "t-SNE".
    """

    key: str
    ids: NDArray[np.int64]
    places: NDArray[np.float32]
    method: str


@dataclass(frozen=True, slots=True)
class PlacedTracks:
    """The playable tracks that have a place.

    Attributes:
        tracks: those on the map.
        places: (n, 2) float32, x to the right and y upwards, each from −1 to 1.
        method: how they were found: "PCA" or "t-SNE".
        left_out: playable tracks without a place.
    """

    tracks: tuple[TrackRow, ...]
    places: NDArray[np.float32]
    method: str
    left_out: int


@dataclass(frozen=True, slots=True)
class MapView:
    """The map as it stands."""

    placed: PlacedTracks | None = None
    """None until there is one; of an earlier library while ``share`` says that a newer one is being made."""
    share: float | None = None
    """Share of the map being made that is done; None where none is."""
    problem: str = ""
    """One sentence: why there is none, or no newer one."""


class MapMaker:
    """Makes one map at a time, in a child.

    Args:
        folder: the data folder.
        changed: called, from a thread of its own, whenever :attr:`view` is another.
    """

    def __init__(self, folder: Path, changed: Callable[[], None]) -> None:
        self._file = folder / MAP_FILE
        self._changed = changed
        self._lock = threading.Lock()
        self._busy = False
        self._closed = False
        self._waiting: Collection | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self.view = MapView()

    def ask(self, collection: Collection) -> None:
        """Make the map of these tracks, unless it is there; returns at once.

        While one is being made, the last one asked for is made after it.
        """
        with self._lock:
            self._waiting = collection
            if self._busy or self._closed:
                return
            self._busy = True
            # Not of the screen's pool of threads: Python would wait for it when the listener quits.
            threading.Thread(target=self._work, name="map", daemon=True).start()

    def close(self) -> None:
        """End the child; what it was making is lost."""
        with self._lock:
            self._closed = True
            child = self._child
        if child is not None:
            child.kill()
            child.wait()

    def _work(self) -> None:
        while (collection := self._take()) is not None:
            try:
                self._make(collection)
            except PlayerError as error:
                self._show(MapView(self.view.placed, problem=str(error)))
            except OSError as error:
                self._show(MapView(self.view.placed, problem=f"The map could not be made: {error}."))

    def _take(self) -> Collection | None:
        with self._lock:
            collection, self._waiting = self._waiting, None
            self._busy = collection is not None and not self._closed
            return collection if self._busy else None

    def _make(self, collection: Collection) -> None:
        rows = np.flatnonzero(collection.vectors.present)
        ids = collection.catalogue.ids[rows]
        order = np.argsort(ids)
        rows, ids = rows[order], ids[order]
        if not len(rows):
            raise PlayerError("No track was analysed yet, so there is nothing to draw; e analyses them.")
        key = map_key(collection, rows)
        kept = load_map(self._file)
        if kept is not None:
            # Another library's places, or yesterday's, are better than none while the new ones are computed.
            self._show(MapView(placed_tracks(collection, kept), None if kept.key == key else 0.0))
            if kept.key == key:
                return
        else:
            self._show(MapView(None, 0.0))
        places, method = self._place(collection.vectors.vectors, rows)
        made = KeptMap(key, ids, places, method)
        try:
            save_map(made, self._file)
        except OSError:  # a full disk: the map is shown all the same, and is computed again next time
            _LOG.exception("The map could not be kept.")
        self._show(MapView(placed_tracks(collection, made)))

    def _place(self, vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], str]:
        child = self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        with child, child.stdout as answers:
            try:
                # The pipe stays open: when it closes, because this process ended, the child does too.
                with suppress(BrokenPipeError):
                    write_line(child.stdin, VectorHeader(len(rows), vectors.shape[1]))
                    for chunk in _chunks(vectors, rows):
                        child.stdin.write(chunk)
                    child.stdin.flush()
                for line in answers:
                    answer = Answer(**json.loads(line))
                    if answer.method:
                        found = np.frombuffer(answers.read(len(rows) * 2 * PLACE.itemsize), PLACE)
                        return found.reshape(-1, 2).astype(np.float32), answer.method
                    self._show(replace(self.view, share=answer.done / max(answer.total, 1)))
            except (ValueError, TypeError) as error:
                raise PlayerError("The map was cut short while it was being made; player.log says more.") from error
            finally:
                with suppress(BrokenPipeError):
                    child.stdin.close()
            raise PlayerError("The map could not be made; player.log says why.")

    def _start(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise PlayerError("The player is closing.")
            self._child = own(
                subprocess.Popen(
                    [sys.executable, "-m", "player.insight.map_worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            )
            assert self._child.stderr is not None
            logs.follow(self._child.stderr, "map")
            return self._child

    def _show(self, view: MapView) -> None:
        self.view = view
        if not self._closed:
            self._changed()


def map_key(collection: Collection, rows: NDArray[np.int64]) -> str:
    """Hash of a set of tracks and vectors: equal keys have equal maps.

    Args:
        collection: the library.
        rows: those with a vector, by ascending track id.
    """
    card = collection.frontend
    digest = hashlib.blake2b(f"{LAYOUT} {card.name} {card.version}".encode(), digest_size=16)
    digest.update(collection.catalogue.ids[rows].tobytes())
    for chunk in _chunks(collection.vectors.vectors, rows):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> Iterator[bytes]:
    for start in range(0, len(rows), CHUNK_ROWS):
        yield vectors[rows[start : start + CHUNK_ROWS]].astype(VECTOR).tobytes()


def placed_tracks(collection: Collection, kept: KeptMap) -> PlacedTracks:
    """The places that the kept map has for tracks that can be played now."""
    rows = [collection.index.get(int(track_id), -1) for track_id in kept.ids]
    shown = [place for place, row in enumerate(rows) if row >= 0 and collection.playable[row]]
    return PlacedTracks(
        tracks=tuple(collection.rows[rows[place]] for place in shown),
        places=kept.places[shown],
        method=kept.method,
        left_out=int(np.count_nonzero(collection.playable)) - len(shown),
    )


def load_map(file: Path) -> KeptMap | None:
    """The map that was kept; None where there is none, or none that can be read."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            kept = KeptMap(
                str(arrays["key"]),
                arrays["ids"].astype(np.int64),
                arrays["places"].astype(np.float32),
                str(arrays["method"]),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    sound = kept.places.shape == (len(kept.ids), 2) and bool(np.isfinite(kept.places).all())
    return kept if sound else None


def save_map(kept: KeptMap, file: Path) -> None:
    """Keep a map; the former one is replaced at once or not at all.

    Raises:
        OSError: it cannot be written.
    """
    unfinished = file.with_suffix(f".{os.getpid()}.new")
    try:
        with unfinished.open("wb") as stream:
            np.savez(stream, key=kept.key, ids=kept.ids, places=kept.places, method=kept.method)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def colour_map(
    collection: Collection,
    history: EventHistory,
    station: StationInfo | None,
    scorer: StationScorer | None,
    tracks: Sequence[TrackRow],
    colour: Colour,
) -> Colouring:
    """Meaning of a map's colours beside a station.

    Args:
        collection: the library.
        history: the log.
        station: the station whose thumbs and scores are shown; without one, thumbs are those of all stations.
        scorer: what gives the station's scores; None without a station.
        tracks: those on the map.
        colour: what to show.

    Raises:
        PlayerError: scores were asked for without a station.
    """
    if colour == "genre":
        return colour_by_genre(list(tracks))
    if colour == "thumb":
        return colour_by_thumb(list(tracks), history, station)
    if station is None or scorer is None:
        raise PlayerError("A score belongs to a station; choose one first (s).")
    total = scorer.score(history.labels, time.time()).total
    rows = [collection.index.get(track.id, -1) for track in tracks]
    # A track that has come or gone since the map was made has no score until the next one.
    values = tuple(float(total[row]) if 0 <= row < len(total) else float("nan") for row in rows)
    return Colouring(title=f"score on {station.name}", values=values)
