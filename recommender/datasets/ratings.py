"""Public files of ratings: MovieLens in its four spellings, CM100k, and Piki.

MovieLens is written as ``.inter`` (RecBole), ``.dat``, ``ratings.csv`` or ``u.data``: a rating of 4 or more is a thumb up, of 2 or less a
thumb down. CM100k (Cañamares & Castells 2018) holds ratings of randomly chosen tracks by randomly assigned listeners: 3 and 4
are thumbs up, 1 ("I don't like it", or no music at all) is a thumb down. What lies between is history without a label.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.datasets.dataset import checked_options
from recommender.datasets.rows import DatasetSource, Fault, Judgements, RecordBatch, Rows
from recommender.datasets.text import Layout, read_batches

LOWEST, HIGHEST = 0.5, 5.0
"""Of MovieLens."""
CM100K_RATINGS = (1.0, 2.0, 3.0, 4.0)
_ROLES = ("listener", "track", "rating", "time")


def _untyped(name: str) -> str:
    """``user_id`` of RecBole's ``user_id:token``."""
    return name.strip().partition(":")[0]


_RECBOLE = Layout(
    wanted={"listener": "user_id", "track": "item_id", "rating": "rating", "time": "timestamp"},
    separator="\t",
    quoted=False,
    canonical=_untyped,
)
_DAT = Layout(wanted={role: role for role in _ROLES}, separator="::", quoted=False, names=_ROLES)
_CSV = Layout(wanted={"listener": "userId", "track": "movieId", "rating": "rating", "time": "timestamp"})
_PLAIN = Layout(wanted={role: role for role in _ROLES}, separator="\t", quoted=False, names=_ROLES)
_CM100K = Layout(
    wanted={"listener": "user_id", "track": "track_id", "rating": "rating", "known": "known"},
    separator="\t",
    quoted=False,
)
_CM100K_ITEMS = Layout(wanted={"track": "Item", "artist": "Artist"}, separator="\t", quoted=False)


def movielens(path: Path, options: Mapping[str, str]) -> DatasetSource:
    """The ratings in a MovieLens file, known by its name's end; any other than the first three is read as ``u.data``."""
    checked_options("movielens", dict(options), ())
    layout = {".inter": _RECBOLE, ".dat": _DAT, ".csv": _CSV}.get(Path(path.name.removesuffix(".gz")).suffix, _PLAIN)

    def read() -> Iterator[Rows]:
        return (_movielens_rows(batch) for batch in read_batches(path, layout))

    return DatasetSource(
        kind="movielens",
        read=read,
        ordered=True,
        notes=(
            "These are films, not tracks.",
            "The time is that of the rating, not of the watching: many were rated in one sitting.",
        ),
    )


def _movielens_rows(batch: RecordBatch) -> Rows:
    columns = batch.columns
    rating = columns["rating"].numbers()
    time = columns["time"].moments()
    return Rows(
        batch=batch,
        listener=columns["listener"],
        track=columns["track"],
        time=time,
        judgements=Judgements.of_ratings(rating, positive=4.0, negative=2.0),
        faults=(
            Fault(~((rating >= LOWEST) & (rating <= HIGHEST)), "rating {} is not between 0.5 and 5", columns["rating"]),
            Fault(np.isnan(time), "timestamp {} is not a time", columns["time"]),
        ),
    )


def cm100k(path: Path, options: Mapping[str, str]) -> DatasetSource:
    """The ratings in CM100k's ``ratings.tsv``."""
    checked_options("cm100k", dict(options), ())

    def read() -> Iterator[Rows]:
        return (_cm100k_rows(batch) for batch in read_batches(path, _CM100K))

    return DatasetSource(
        kind="cm100k",
        read=read,
        ordered=False,
        notes=(
            "The set has no clock: its rows have no order, and time counts them.",
            "Listeners were given tracks at random, so any concentration in recommendations comes from the model.",
            "A rating of 1 also stands for flawed audio.",
        ),
        artist=lambda tracks: _cm100k_artists(path.with_name("items.tsv"), tracks),
    )


def _cm100k_artists(items: Path, tracks: Mapping[str, int]) -> NDArray[np.int64] | None:
    """(n,) codes of the tracks' artists by the table beside the ratings; None where it is not there."""
    if not items.is_file():
        return None
    artist, known = np.full(len(tracks), -1), dict[str, int]()
    for batch in read_batches(items, _CM100K_ITEMS):
        track, name = (batch.columns[role].encoded() for role in ("track", "artist"))
        for row, by in zip(track.codes.tolist(), name.codes.tolist(), strict=True):
            if track.values[row] in tracks and name.values[by]:
                artist[tracks[track.values[row]]] = known.setdefault(name.values[by], len(known))
    return artist


def _cm100k_rows(batch: RecordBatch) -> Rows:
    columns = batch.columns
    rating, known = columns["rating"].numbers(), columns["known"].numbers()
    unsaid = ~np.isin(known, (0.0, 1.0))
    return Rows(
        batch=batch,
        listener=columns["listener"],
        track=columns["track"],
        judgements=Judgements.of_ratings(rating, positive=3.0, negative=1.0),
        known=np.where(unsaid, -1, known).astype(np.int8),
        faults=(
            Fault(~np.isin(rating, CM100K_RATINGS), "rating {} is not 1, 2, 3 or 4", columns["rating"]),
            Fault(unsaid, "known {} is neither 0 nor 1", columns["known"]),
        ),
    )


PIKI_LIKED = (0.0, 1.0, 2.0)
_PIKI = Layout(
    wanted={"listener": "user_id", "track": "song_id", "rating": "liked", "time": "timestamp"},
)


def piki(path: Path, options: Mapping[str, str]) -> DatasetSource:
    """The answers in the Piki Music Dataset (Stoikov & Wen 2021): 0 disliked, 1 liked, 2 superliked, on 30-second clips."""
    checked_options("piki", dict(options), ())

    def read() -> Iterator[Rows]:
        return (_piki_rows(batch) for batch in read_batches(path, _PIKI))

    return DatasetSource(
        kind="piki",
        read=read,
        ordered=True,
        notes=("Listeners were asked about clips: nothing here was skipped or left.",),
    )


def _piki_rows(batch: RecordBatch) -> Rows:
    columns = batch.columns
    liked, time = columns["rating"].numbers(), columns["time"].moments()
    return Rows(
        batch=batch,
        listener=columns["listener"],
        track=columns["track"],
        time=time,
        judgements=Judgements.of_ratings(liked, positive=1.0, negative=0.0),
        faults=(
            Fault(~np.isin(liked, PIKI_LIKED), "liked {} is not 0, 1 or 2", columns["rating"]),
            Fault(np.isnan(time), "timestamp {} is not a time", columns["time"]),
        ),
    )
