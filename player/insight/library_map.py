"""The library in two dimensions: tracks that sound alike lie side by side.

Distances far apart on the map mean little: t-SNE keeps neighbourhoods, not distances. `docs/research/map.md` says what was measured.
"""

import io
import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from player.errors import PlayerError
from player.feedback.event_history import EventHistory, load_history
from player.folders import Paths
from player.learning.served_model import load_served_model
from player.library.tracks import TrackRow
from player.stations.collection import Collection
from player.stations.station_scoring import StationScorer
from player.stations.stations import StationInfo, Stations, genres_of
from player.storage.database import Database

Colour = Literal["genre", "thumb", "score"]
Method = Literal["PCA", "t-SNE"]
Progress = Callable[[str, int, int], None]
"""Told a stage, how much of it is done, and of how much (0 where unknown)."""

COMPONENTS = 50
"""Principal components that t-SNE works on, as its author advises (van der Maaten & Hinton 2008, section 4.2)."""
PERPLEXITY = 30.0
"""Neighbours that count; on the 240 tracks of the development library 15 and 30 make no difference that shows."""
ITERATIONS = 1000
FEWEST_FOR_TSNE = 10
"""With fewer tracks there are no neighbourhoods to keep, and PCA says what there is."""
MOST_FOR_TSNE = 20_000
"""Above, t-SNE takes more than two minutes on one core (8,000 tracks: 40 s), and PCA must do."""
SHOWN_GENRES = 8
"""As many as eyes tell apart by colour; the rest is one group."""
OTHER, UNTAGGED = "other genres", "no genre"
UP, DOWN, MIXED, UNTHUMBED = "thumbed up", "thumbed down", "up and down", "no thumb"


@dataclass(frozen=True, slots=True)
class Projection:
    """Places of tracks on a map.

    Attributes:
        places: (n, 2) float64, each axis about 0, the wider one from −1 to 1.
        method: how they were found.
    """

    places: NDArray[np.float64]
    method: Method


@dataclass(frozen=True, slots=True)
class Colouring:
    """Meaning of a map's colours: groups or a scale, never both.

    Attributes:
        title: in words, for the legend.
        groups: (n) names, one a track; empty where it is a scale.
        order: the groups as the legend lists them; the last ones may be greyed.
        greyed: groups that say nothing.
        values: (n,) float64 of a scale; empty where there are groups.
    """

    title: str
    groups: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    greyed: frozenset[str] = frozenset()
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class LibraryMap:
    """A map of the library.

    Attributes:
        tracks: those on it.
        places: (n, 2), as :class:`Projection` has them.
        method: how they were found.
        colouring: what the colours mean.
        left_out: playable tracks that are not on it, because they were never listened to.
    """

    tracks: tuple[TrackRow, ...]
    places: NDArray[np.float64]
    method: Method
    colouring: Colouring
    left_out: int


def project(vectors: NDArray[np.float32], progress: Progress) -> Projection:
    """Place vectors on a plane: PCA to ``COMPONENTS``, then t-SNE; PCA alone for very few or very many.

    The vectors are scaled to unit length first: `player similar` compares directions too. The same vectors give the same
    places, since nothing is random (t-SNE starts from the principal components) and sums are added up on one thread.

    Args:
        vectors: (n, dimension) finite.
        progress: told how far t-SNE is.
    """
    components = _principal_components(vectors)
    if not FEWEST_FOR_TSNE <= len(vectors) <= MOST_FOR_TSNE or not components.any():
        return Projection(_centred(components[:, :2]), "PCA")
    return Projection(_centred(_neighbourhoods(components, progress)), "t-SNE")


def _principal_components(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, up to ``COMPONENTS``, at least 2): zeros where the vectors have fewer dimensions between them."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors.astype(np.float64) / np.where(lengths > 0, lengths, 1)
    away = unit - unit.mean(axis=0)
    _, axes = np.linalg.eigh(away.T @ away)
    axes = axes[:, ::-1][:, :COMPONENTS]
    # An axis has no direction of its own: its largest part points up, on every machine.
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1.0, 1.0)
    components = away @ axes
    return np.pad(components, ((0, 0), (0, max(0, 2 - components.shape[1]))))


def _neighbourhoods(components: NDArray[np.float64], progress: Progress) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE  # noqa: PLC0415 - takes a second to import and only a map needs it
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - comes with scikit-learn

    start = components[:, :2] / components[:, 0].std() * 1e-4
    model = TSNE(
        perplexity=min(PERPLEXITY, (len(components) - 1) / 3),
        init=start,
        max_iter=ITERATIONS,
        random_state=0,
        verbose=2,
    )
    with threadpool_limits(limits=1), redirect_stdout(_Iterations(progress)):
        return np.asarray(model.fit_transform(components), np.float64)


class _Iterations(io.TextIOBase):
    """Takes what t-SNE prints while it works, and tells the iteration it is in."""

    _ITERATION = re.compile(r"Iteration (\d+)")

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def write(self, text: str, /) -> int:
        """Read one piece of it."""
        if found := self._ITERATION.search(text):
            self._progress("Placing tracks", int(found[1]), ITERATIONS)
        return len(text)


def _centred(places: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = places.min(axis=0), places.max(axis=0)
    half = float((high - low).max()) / 2
    return (places - (low + high) / 2) / (half or 1.0)


def draw_map(
    database: Database, paths: Paths, collection: Collection, colour: Colour, station: str | None, progress: Progress
) -> LibraryMap:
    """Place and colour every playable track that has a vector.

    Args:
        database: for thumbs and stations.
        paths: for the trained model.
        collection: the library.
        colour: what the colours show.
        station: whose thumbs or scores; thumbs of all stations, or the scores of the only one, when absent.
        progress: told how far it is.

    Raises:
        PlayerError: no track has a vector, or the station is unknown or needs naming.
    """
    shown = np.flatnonzero(collection.playable & collection.vectors.present)
    if not len(shown):
        raise PlayerError("No track was analysed yet, so there is nothing to draw; run `player embed` first.")
    # Thumbs and scores first: a station that does not exist is told before minutes of work.
    tracks = tuple(collection.rows[row] for row in shown)
    colouring = _colouring(database, paths, collection, shown, colour, station)
    projection = project(collection.vectors.vectors[shown], progress)
    left_out = int(np.count_nonzero(collection.playable)) - len(shown)
    return LibraryMap(tracks, projection.places, projection.method, colouring, left_out)


def _colouring(
    database: Database,
    paths: Paths,
    collection: Collection,
    shown: NDArray[np.int64],
    colour: Colour,
    station: str | None,
) -> Colouring:
    tracks = [collection.rows[row] for row in shown]
    stations = Stations(database)
    asked = None if station is None else stations.find(station)
    if colour == "genre":
        return colour_by_genre(tracks)
    history = load_history(database, collection.rows)
    if colour == "thumb":
        return colour_by_thumb(tracks, history, asked)
    everything = stations.all()
    scored = _the_station(everything) if asked is None else asked
    scorer = StationScorer(collection, everything, scored, load_served_model(paths, collection).model)
    scores = scorer.score(history.labels, time.time()).total[shown]
    return Colouring(title=f"score on {scored.name}", values=tuple(float(score) for score in scores))


def _the_station(stations: list[StationInfo]) -> StationInfo:
    if not stations:
        raise PlayerError(
            "A score belongs to a station, and there is none; make one with `player station create NAME --seed library`."
        )
    if len(stations) > 1:
        names = ", ".join(station.name for station in stations)
        raise PlayerError(f"A score belongs to a station; name one with --station: {names}.")
    return stations[0]


def colour_by_genre(tracks: list[TrackRow]) -> Colouring:
    """Colour by each track's first genre: the largest ones, and all others as one group."""
    first = [next(iter(genres_of(track)), "") for track in tracks]
    # Genres are one whatever their case; the commonest spelling names them.
    spellings = Counter(first)
    sizes = Counter(genre.casefold() for genre in first if genre)
    largest = sorted(sizes, key=lambda folded: (-sizes[folded], folded))[:SHOWN_GENRES]
    names = {
        folded: max((genre for genre in spellings if genre.casefold() == folded), key=lambda genre: spellings[genre])
        for folded in largest
    }
    groups = tuple(UNTAGGED if not genre else names.get(genre.casefold(), OTHER) for genre in first)
    order = [*names.values(), *(group for group in (OTHER, UNTAGGED) if group in groups)]
    return Colouring("genre", groups, tuple(dict.fromkeys(order)), frozenset({OTHER, UNTAGGED}))


def colour_by_thumb(tracks: list[TrackRow], history: EventHistory, station: StationInfo | None) -> Colouring:
    """Colour by the thumbs of one station, or of all."""
    counted = [thumbs for owner, thumbs in history.state.thumbs.items() if station is None or owner == station.id]
    verdicts = {frozenset({1}): UP, frozenset({-1}): DOWN, frozenset({1, -1}): MIXED, frozenset[int](): UNTHUMBED}
    groups = tuple(
        verdicts[frozenset(values[track.id] for values in counted if track.id in values)] for track in tracks
    )
    order = tuple(group for group in (UP, DOWN, MIXED, UNTHUMBED) if group in groups)
    title = "thumbs on every station" if station is None else f"thumbs on {station.name}"
    return Colouring(title, groups, order, frozenset({UNTHUMBED}))
