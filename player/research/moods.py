"""Moods from Emotify: what share of its listeners felt each emotion, foretold from the sound of a track.

A ridge regression of the logit of that share on the front-end's vector, each track weighing as much as it has listeners. Held
out are whole artists. The annotations (Aljanaki, Wiering & Veltkamp 2016) name no licence, so no weights of theirs travel with
the program: whoever has the set learns them here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from player.errors import PlayerError, UsageError
from player.library.sound_tags import Moods
from player.research.datasets import Desk, Source, open_source
from player.storage.database import Database
from recommender.datasets.dataset import Dataset, DatasetError
from recommender.datasets.text import Layout, read_batches

Floats = NDArray[np.float64]

NAME_OF = {
    "amazement": "amazing",
    "solemnity": "solemn",
    "tenderness": "tender",
    "nostalgia": "nostalgic",
    "calmness": "calm",
    "power": "powerful",
    "joyful_activation": "joyful",
    "tension": "tense",
    "sadness": "sorrowful",
}
"""What a mood is called in a search, by Emotify's emotion. Last.fm's tags have "sad" and "happy" already."""
PENALTY = 300.0
"""Ridge in tracks: 100 to 1000 measure alike on 240."""
FOLDS, DIVISIONS = 5, 10
LEAST_CORRELATION = 0.35
"""On artists held out, from which a mood is worth hearing."""
LEAST_TRACKS, LEAST_ARTISTS = 50, FOLDS


@dataclass(frozen=True, slots=True)
class MoodFigure:
    """How well a mood is foretold.

    Attributes:
        name: in a search.
        emotion: as Emotify asked for it.
        share: of all answers that name it.
        correlation: of foretold and felt share over tracks of artists held out, mean over divisions of the artists.
        low, high: least and greatest over divisions.
        good: whether it is worth hearing.
    """

    name: str
    emotion: str
    share: float
    correlation: float
    low: float
    high: float
    good: bool


@dataclass(frozen=True, slots=True)
class _Felt:
    """Tracks with a vector and answers: vectors (n, dim), shares (n, emotions), listeners (n,) and artists (n,)."""

    vectors: Floats
    share: Floats
    listeners: Floats
    artist: NDArray[np.int64]

    def where(self, mask: NDArray[np.bool_]) -> "_Felt":
        """The tracks of a mask."""
        return _Felt(self.vectors[mask], self.share[mask], self.listeners[mask], self.artist[mask])


def learn_moods(desk: Desk, wanted: Source, *, keep: bool) -> list[MoodFigure]:
    """Measure every mood on artists held out and, if wanted, have the player hear those that are foretold well.

    Args:
        desk: the listener's data, and where progress is told.
        wanted: Emotify's annotations and their audio.
        keep: whether the moods are kept.

    Raises:
        UsageError: it is another data set, or no audio is named.
        PlayerError: as :func:`learn` says, or it cannot be read.
    """
    kind, _, path = wanted.dataset.partition(":")
    if kind != "emotify" or wanted.music is None:
        raise UsageError(
            "Moods are learned from emotify:FILE, with --music and --index naming the audio of its tracks."
        )
    return learn(desk.database, open_source(desk, wanted), Path(path), keep=keep)


def learn(database: Database, dataset: Dataset, answers: Path, *, keep: bool) -> list[MoodFigure]:
    """The same of a set that was read with its vectors and artists.

    Args:
        database: the listener's.
        dataset: its tracks.
        answers: Emotify's annotations.
        keep: whether the moods are kept.

    Raises:
        PlayerError: it is too small, the annotations cannot be read, or not one mood is worth keeping.
    """
    felt = _felt(dataset, answers)
    artists = len(np.unique(felt.artist))
    if len(felt.vectors) < LEAST_TRACKS or artists < LEAST_ARTISTS:
        raise PlayerError(
            f"{answers}: {len(felt.vectors)} tracks by {artists} artists have answers and audio, and {LEAST_TRACKS} by "
            f"{LEAST_ARTISTS} are needed."
        )
    found = _figures(felt)
    good = np.array([row.good for row in found])
    if keep and not good.any():
        raise PlayerError("Not one mood is foretold well enough to be heard in your library; nothing was kept.")
    if keep:
        weights, level = _fitted(felt)
        spec, names = frontend_spec(DEFAULT_FRONTEND), tuple(row.name for row in found if row.good)
        with database.session() as session:
            Moods(spec.name, spec.version, names, weights[:, good], level[good]).keep(session)
    return found


def _felt(dataset: Dataset, path: Path) -> _Felt:
    """What was felt at the tracks of the set that could be heard."""
    assert dataset.content is not None
    assert dataset.artist is not None
    row_of = {str(name): row for row, name in enumerate(dataset.tracks.tolist())}
    counts, asked = np.zeros((len(row_of), len(NAME_OF))), np.zeros(len(row_of))
    try:
        for track, said in _answers(path):
            rows = np.array([row_of.get(name, -1) for name in track], np.int64)
            known = (rows >= 0) & np.isin(said, (0.0, 1.0)).all(axis=1)
            np.add.at(counts, rows[known], said[known])
            np.add.at(asked, rows[known], 1.0)
    except DatasetError as error:
        raise PlayerError(str(error)) from error
    heard = np.isfinite(dataset.content).all(axis=1) & (asked > 0)
    share = (counts[heard] + 0.5) / (asked[heard, None] + 1.0)
    return _Felt(dataset.content[heard].astype(np.float64), share, asked[heard], dataset.artist[heard])


def _answers(path: Path) -> Iterator[tuple[list[str], Floats]]:
    """Tracks (N,) and answers (N, emotions) of the file's rows, some thousands at a time."""
    names = ("track_id", *NAME_OF)
    layout = Layout(
        wanted={name: name for name in names}, canonical=lambda name: name.strip().lower().replace(" ", "_")
    )
    for batch in read_batches(path, layout):
        codes, values = batch.columns["track_id"].encoded()
        yield [values[code] for code in codes], np.stack([batch.columns[name].numbers() for name in NAME_OF], 1)


def _fitted(felt: _Felt) -> tuple[Floats, Floats]:
    """Weights (dim, emotions) of a vector and level (emotions,), in logits."""
    weight = felt.listeners / felt.listeners.mean()
    mean = np.average(felt.vectors, axis=0, weights=weight)
    spread = felt.vectors.std(axis=0) + 1e-6
    design, logit = (felt.vectors - mean) / spread, np.log(felt.share / (1.0 - felt.share))
    centre = np.average(logit, axis=0, weights=weight)
    gram = (design * weight[:, None]).T @ design + PENALTY * np.eye(design.shape[1])
    weights = np.linalg.solve(gram, (design * weight[:, None]).T @ (logit - centre)) / spread[:, None]
    return weights, centre - mean @ weights


def _figures(felt: _Felt) -> list[MoodFigure]:
    """Every mood's figures over divisions of the artists."""
    artists, artist = np.unique(felt.artist, return_inverse=True)
    found = np.zeros((DIVISIONS, len(NAME_OF)))
    for seed in range(DIVISIONS):
        fold = np.random.default_rng(seed).permutation(len(artists))[artist] % FOLDS
        foretold = np.zeros_like(felt.share)
        for part in range(FOLDS):
            weights, level = _fitted(felt.where(fold != part))
            foretold[fold == part] = 0.5 * (1.0 + np.tanh(0.5 * (felt.vectors[fold == part] @ weights + level)))
        found[seed] = [np.corrcoef(foretold[:, mood], felt.share[:, mood])[0, 1] for mood in range(len(NAME_OF))]
    mean, low, high = found.mean(axis=0).tolist(), found.min(axis=0).tolist(), found.max(axis=0).tolist()
    share = np.average(felt.share, axis=0, weights=felt.listeners).tolist()
    return [
        MoodFigure(name, emotion, share[at], mean[at], low[at], high[at], mean[at] >= LEAST_CORRELATION)
        for at, (emotion, name) in enumerate(NAME_OF.items())
    ]
