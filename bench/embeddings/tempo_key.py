"""Whether tempo and key from a library are good enough to be shown: ``python -m bench.embeddings.tempo_key``.

The rule, laid down before anything was measured on real music. An estimator measures up when it passes every line of its kind, by
the point estimate:

* Tempo. Right: within 4 %. "Octave" also counts a double, triple, half or third as right (accuracy 1 and 2 of MIREX).
  Made pieces: right ≥ .70, octave ≥ .85. Real tracks played faster and slower: the estimate follows by the known ratio, ≥ .70 and ≥ .85.
* Key. Made pieces: right ≥ .70. Real tracks played higher and lower: the estimate follows, ≥ .70. Pieces whose titles name their
  key: right ≥ .60, since an excerpt may have left the key of its piece. A semitone below is right too: old music is often played at
  the old pitch.
* Both: agreement with some estimator of another library leaves room for an accuracy of .70. Where two disagree at least one is
  wrong, so the mean of their accuracies is at most (1 + agreement) / 2.

"Follows" is steadiness, not accuracy: errors that follow count as right (always the double tempo, always the relative key), and one
wrong estimate of the two spoils a pair. Accuracy is at most (1 + follows) / 2. Where only the surer half of the tracks passes, by the estimator's own confidence for the track as it is, that is the
verdict: "the surer half". To be of use an estimator must also have a licence that an Apache-2.0 program can depend on, and fetch
nothing when it runs.

``TEMPO_PYTHON`` names the Python of an environment of its own with ``librosa essentia bliss-audio``. The estimates are kept in the
temporary folder, so a run can be broken off and taken up again. ``--tracks N`` takes N of the tracks.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import wave
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import soxr
from numpy.typing import NDArray

from bench.embeddings.key_names import key_in_title
from bench.embeddings.material import MUSIC_DEFAULT, MUSIC_VARIABLE
from bench.embeddings.synthetic_music import RATE, Piece, pieces, play
from bench.embeddings.tempo_key_report import Estimate, Material, report
from embeddings.decode import decode_mono

PYTHON_VARIABLE = "TEMPO_PYTHON"
CONTENDERS = ("librosa", "essentia", "bliss")
SEMITONES = (-3, 2)
"""How far the real tracks are shifted: tempo × 0.84 and × 1.12, both well beyond 4 %, across the usual bar between half and double."""
FULL_SCALE = 32767
BLISS_FASTEST = 206.0
"""BPM that bliss scales to 1; 0 BPM is -1."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RealTrack:
    """An excerpt of the collection."""

    path: Path
    group: str
    title: str


def main() -> None:
    """Estimate whatever was not estimated yet, and print the tables and the verdicts."""
    options = argparse.ArgumentParser()
    options.add_argument("--tracks", type=int, default=None)
    count: int | None = options.parse_args().tracks
    python = os.environ.get(PYTHON_VARIABLE)
    if python is None or not Path(python).exists():
        sys.exit(f"Name the Python of an environment with librosa, essentia and bliss-audio in {PYTHON_VARIABLE}.")
    tracks = real_tracks(count)
    titled = [track for track in real_tracks(None) if key_in_title(track.title) is not None]
    made = list(pieces())
    with ExitStack() as stack:
        book = Book(stack, Path(python))
        for piece in made:
            if not book.has(piece.name):
                book.look_up({piece.name: play(piece)})
        for track in titled:
            _estimate(book, track, [AS_IT_IS])
        for track in tracks:
            _estimate(book, track, list(KINDS))
    report(_material(book, made, tracks, titled))


def real_tracks(count: int | None) -> list[RealTrack]:
    """``count`` of the collection, evenly spread, or all of it."""
    table = Path(os.environ.get(MUSIC_VARIABLE, MUSIC_DEFAULT))
    if not table.is_file():
        sys.exit(f"There is no table of music at {table}; set {MUSIC_VARIABLE} to one.")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = rows if count is None else [rows[number * len(rows) // count] for number in range(min(count, len(rows)))]
    return [RealTrack(table.parent / "music" / row["path"], row["group"], Path(row["path"]).stem) for row in kept]


def clip_name(track: RealTrack, kind: str) -> str:
    """What a clip made of a track is called in the book."""
    return f"{track.path.name} | {kind}"


def shifted(samples: Samples, semitones: int) -> Samples:
    """Played faster and higher, or slower and lower: tempo and pitch times 2^(semitones / 12)."""
    return soxr.resample(samples, RATE * 2 ** (semitones / 12), RATE)


def as_it_is(samples: Samples) -> Samples:
    """The whole excerpt."""
    return samples


def first_half(samples: Samples) -> Samples:
    """Up to the middle."""
    return samples[: len(samples) // 2]


def second_half(samples: Samples) -> Samples:
    """From the middle on."""
    return samples[len(samples) // 2 :]


AS_IT_IS = "as it is"
KINDS: dict[str, Callable[[Samples], Samples]] = {
    AS_IT_IS: as_it_is,
    "first half": first_half,
    "second half": second_half,
    **{f"{step:+d}": partial(shifted, semitones=step) for step in SEMITONES},
}
"""What is made of a track."""


def _estimate(book: "Book", track: RealTrack, kinds: Sequence[str]) -> None:
    missing = [kind for kind in kinds if not book.has(clip_name(track, kind))]
    if missing:
        samples = decode_mono(track.path, RATE)
        book.look_up({clip_name(track, kind): KINDS[kind](samples) for kind in missing})


def _material(
    book: "Book", made: Sequence[Piece], tracks: Sequence[RealTrack], titled: Sequence[RealTrack]
) -> Material:
    clips = {kind: [book.entries[clip_name(track, kind)] for track in tracks] for kind in KINDS}
    return Material(
        made=[book.entries[piece.name] for piece in made],
        made_bpm=np.array([piece.bpm for piece in made]),
        made_key=np.array([piece.key for piece in made]),
        as_it_is=clips[AS_IT_IS],
        halves=list(zip(clips["first half"], clips["second half"], strict=True)),
        shifts={step: clips[f"{step:+d}"] for step in SEMITONES},
        groups=[track.group for track in tracks],
        titled=[book.entries[clip_name(track, AS_IT_IS)] for track in titled],
        title_keys=np.array([key_in_title(track.title) for track in titled], np.float64),
    )


class Book:
    """All estimates by clip and estimator, kept in a file; asks the libraries for what is missing."""

    def __init__(self, stack: ExitStack, python: Path) -> None:
        self._file = Path(tempfile.gettempdir()) / "tempo-key-estimates.jsonl"
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self._stack, self._python = stack, python
        self._libraries: list[Library] = []
        self.entries: dict[str, dict[str, Estimate]] = dict(self._kept())

    def has(self, clip: str) -> bool:
        """Whether the clip is in it."""
        return clip in self.entries

    def look_up(self, clips: dict[str, Samples]) -> None:
        """Have every library estimate these clips, all libraries at once, and keep the answers."""
        if not self._libraries:
            self._libraries = [self._stack.enter_context(Library(name, self._python)) for name in CONTENDERS]
        paths = {clip: self._folder / f"{number}.wav" for number, clip in enumerate(clips)}
        for clip, path in paths.items():
            _write(path, clips[clip])
        for library in self._libraries:
            library.ask(paths.values())
        answers = [library.answers(len(paths)) for library in self._libraries]
        for clip, found in zip(paths, zip(*answers, strict=True), strict=True):
            self.entries[clip] = {estimate.by: estimate for library in found for estimate in library}
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps([clip, [estimate.as_row() for estimate in self.entries[clip].values()]]) + "\n")

    def _kept(self) -> Iterator[tuple[str, dict[str, Estimate]]]:
        if self._file.exists():
            for line in self._file.read_text("utf-8").splitlines():
                clip, rows = json.loads(line)
                yield clip, {row[1]: Estimate(*row) for row in rows}


class Library:
    """One library, estimating in a process of its own."""

    def __init__(self, name: str, python: Path) -> None:
        self._name = name
        self._process = subprocess.Popen(
            [str(python), str(Path(__file__).parent / f"contender_{name}.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=os.environ | {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, paths: Iterable[Path]) -> None:
        """Name files; the answers come later."""
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{path}\n" for path in paths))
        self._process.stdin.flush()

    def answers(self, count: int) -> list[list[Estimate]]:
        """As many as files were named, in that order."""
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline() for _ in range(count)]
        if not all(lines):
            sys.exit(f"{self._name} ended before its work was done; its words are above.")
        return [self._estimates(json.loads(line)) for line in lines]

    def _estimates(self, answer: list[object]) -> list[Estimate]:
        if self._name == "bliss":
            assert isinstance(answer[0], float)
            return [Estimate("tempo", "bliss", (answer[0] + 1) / 2 * BLISS_FASTEST, 0.0, 0.0)]
        return [Estimate(**row) for row in answer if isinstance(row, dict)]


def _write(path: Path, samples: Samples) -> None:
    """As mono WAV of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * FULL_SCALE).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
