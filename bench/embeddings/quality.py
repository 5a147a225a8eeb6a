"""What the vectors are worth: genre and artist of the nearest neighbours, for the settings of musicnn and its rivals.

* Genre: of the 5 nearest tracks by other artists, the commonest genre (of equally common ones, that of the nearest).
* Artist: whether the nearest track of all is by the same artist, over the artists with at least two tracks.

Columns are standardised over the collection, vectors compared by their cosine – the same for all, bliss too. One track is
0.4 points of genre and 0.5 of artist, so each difference to the plain way stands with its 95 % interval, paired by track.
"""

import json
import multiprocessing
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.embeddings.material import BenchTrack, bliss_python, full_length_tracks

if TYPE_CHECKING:
    from embeddings.frontend import FrontEnd

NEIGHBOURS = 5
WINDOW_COUNTS = (3, 5, 8, 12, 20)
COEFFICIENTS = 20
"""Of the mel cepstrum, the usual number."""
REFERENCE = "musicnn plain, 20 windows, penultimate mean"
NORMAL_95 = 1.96

Vectors = Mapping[str, tuple[NDArray[np.float64], float]]
"""By setting, one track's vector and the processor seconds it took, decoding included."""


def main() -> None:
    """Embed the collection in every setting and print the table."""
    tracks = full_length_tracks()
    table = _bliss(tracks) | _ours(tracks)
    genres, artists = [track.genre for track in tracks], [track.artist for track in tracks]
    right = {name: (genre_right(v, genres, artists), artist_right(v, artists)) for name, (v, _) in table.items()}
    print(f"{'':52} genre  (difference)      artist (difference)      s a track")
    for name, (_, seconds) in table.items():
        cells = [
            f"{100 * ours.mean():5.1f}  {_difference(ours, plain):16}"
            for ours, plain in zip(right[name], right[REFERENCE], strict=True)
        ]
        print(f"{name:52} {'  '.join(cells)}  {seconds:.3f}")


def likeness(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosines of (N, D) vectors with standardised columns: (N, N), the diagonal -inf."""
    spread = vectors.std(axis=0)
    standard = (vectors - vectors.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    unit = standard / np.linalg.norm(standard, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    return cosines


def genre_right(vectors: NDArray[np.float64], genres: Sequence[str], artists: Sequence[str]) -> NDArray[np.bool_]:
    """Per track, whether its neighbours by other artists tell its genre: (N,)."""
    by_artist = np.array(artists)
    others = np.where(by_artist[:, None] == by_artist[None, :], -np.inf, likeness(vectors))
    nearest = np.argsort(-others, axis=1)[:, :NEIGHBOURS]
    told = [Counter(genres[neighbour] for neighbour in row).most_common(1)[0][0] for row in nearest]
    return np.array(told) == np.array(genres)


def artist_right(vectors: NDArray[np.float64], artists: Sequence[str]) -> NDArray[np.bool_]:
    """Per track of an artist with several, whether the nearest track is by the same artist."""
    counts = Counter(artists)
    nearest = likeness(vectors).argmax(axis=1)
    return np.array([artists[nearest[i]] == artist for i, artist in enumerate(artists) if counts[artist] > 1])


def _difference(ours: NDArray[np.bool_], plain: NDArray[np.bool_]) -> str:
    difference = 100 * (ours.astype(float) - plain.astype(float))
    return f"({difference.mean():+.1f} ± {NORMAL_95 * difference.std() / np.sqrt(len(difference)):.1f})"


def _bliss(tracks: Sequence[BenchTrack]) -> dict[str, tuple[NDArray[np.float64], float]]:
    """The peer's row, or none."""
    peer = bliss_python()
    if peer is None:
        return {}
    before = os.times()
    run = subprocess.run(
        [str(peer), str(Path(__file__).parent / "contender_bliss.py")],
        input="".join(f"{track.path}\n" for track in tracks),
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"RAYON_NUM_THREADS": "1"},
    )
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    vectors = np.array([json.loads(line) for line in run.stdout.splitlines()], dtype=np.float64)
    return {"bliss": (vectors, seconds / len(tracks))}


def _ours(tracks: Sequence[BenchTrack]) -> dict[str, tuple[NDArray[np.float64], float]]:
    """The rows that are computed here, on as many processes as there are cores."""
    os.environ["OMP_NUM_THREADS"] = "1"  # before the children import numpy and torch
    with multiprocessing.get_context("spawn").Pool() as pool:
        done: list[Vectors] = pool.map(embed_every_way, [track.path for track in tracks], chunksize=8)
    return {
        name: (np.array([track[name][0] for track in done]), float(np.mean([track[name][1] for track in done])))
        for name in done[0]
    }


def embed_every_way(path: Path) -> Vectors:
    """One track in every setting. Runs in a child process, which loads the networks once."""
    ways = _Ways.shared()
    return {**dict(_timed(way, path) for way in ways.all), **ways.layers(path)}


def _timed(way: "_Way", path: Path) -> tuple[str, tuple[NDArray[np.float64], float]]:
    name, embed = way
    started = time.process_time()
    return name, (np.asarray(embed(path), dtype=np.float64), time.process_time() - started)


_Way = tuple[str, Callable[[Path], NDArray[np.float32]]]


class _Ways:
    """The networks of one process."""

    _shared: "_Ways | None" = None

    def __init__(self) -> None:
        import torch  # noqa: PLC0415 - in the child processes alone

        from embeddings.networks.musicnn import EXACT, FAST_WINDOWS, Musicnn, Setting, fast, load_musicnn  # noqa: PLC0415
        from embeddings.weights.files import MUSICNN_WHEEL, ensure_weights  # noqa: PLC0415
        from player.folders import locate  # noqa: PLC0415

        torch.set_num_threads(1)
        weights = ensure_weights(MUSICNN_WHEEL, named=None, cache=locate().cache)
        self.exact: Musicnn = load_musicnn("musicnn", weights, EXACT)
        arithmetics = dict.fromkeys([fast().arithmetic, torch.float32])
        settings = [Setting(count, fast().arithmetic) for count in WINDOW_COUNTS]
        settings += [Setting(FAST_WINDOWS, arithmetic) for arithmetic in arithmetics if arithmetic != fast().arithmetic]
        self.all: list[_Way] = [
            (
                f"musicnn sought, {s.windows} windows, {str(s.arithmetic).removeprefix('torch.')}",
                _sought(load_musicnn("musicnn", weights, s)),
            )
            for s in settings
        ]

    @classmethod
    def shared(cls) -> "_Ways":
        """The ones of this process."""
        cls._shared = cls._shared or cls()
        return cls._shared

    def layers(self, path: Path) -> Vectors:
        """The plain way's layers and poolings, and the cepstrum, from one decoding."""
        from embeddings.decode import decode_mono  # noqa: PLC0415 - as above
        from embeddings.networks.mel import log_mel  # noqa: PLC0415

        started = time.process_time()
        samples = decode_mono(path, self.exact.spec.sample_rate)
        heard = self.exact.run(self.exact.patches([samples]))
        seconds = time.process_time() - started
        layers = {
            "penultimate mean": heard.penultimate.mean(axis=0),
            "penultimate mean and deviation": _mean_and_deviation(heard.penultimate),
            "tags mean": heard.tags.mean(axis=0),
            "mean-pool mean": heard.mean_pool.mean(axis=0),
            "max-pool mean": heard.max_pool.mean(axis=0),
        }
        cepstrum = _mean_and_deviation(_cepstrum(log_mel(samples)))
        plain = {f"musicnn plain, 20 windows, {name}": vector for name, vector in layers.items()}
        return {name: (vector.astype(np.float64), seconds) for name, vector in plain.items()} | {
            "MFCC mean and deviation (decoding not timed)": (cepstrum.astype(np.float64), 0.0)
        }


def _sought(network: "FrontEnd") -> Callable[[Path], NDArray[np.float32]]:
    from embeddings.pipeline import embed_file  # noqa: PLC0415 - as above

    return lambda path: embed_file(path, network).vector


def _mean_and_deviation(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(W, D) to (2 · D,)."""
    return np.concatenate([rows.mean(axis=0), rows.std(axis=0)])


def _cepstrum(log_mels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, bands) to (T, 20): the cosine transform (DCT-II), without its scale, which standardising undoes."""
    bands = log_mels.shape[1]
    phases = np.pi * np.arange(COEFFICIENTS)[:, None] * (np.arange(bands)[None, :] + 0.5) / bands
    return log_mels @ np.cos(phases).T.astype(np.float32)
