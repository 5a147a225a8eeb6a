"""Damaged files (``python -m bench.audio.damage [--files N] [--seed S] [--only NUMBER …]``).

Mutated files of every format through the scan, the embedding's decoder and the playback engine, in a process of their own: each
is to be answered with a value, and leaves the process alive. A number and a seed make the same file again.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

from tests.library.audio_files import FORMATS, encode

FILE_SECONDS = 60.0
"""A file that keeps a reader busy for longer is counted as lost."""
SOUND_SECONDS = 0.5
TROUBLES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one kind of trouble."""

    name: str
    tried: int
    survived: int
    lost: int
    note: str = ""


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The file with some bytes changed, cut off, doubled or zeroed."""
    changed = bytearray(data)
    match rng.randrange(5):
        case 0:
            for _ in range(rng.randint(1, 30)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
        case 1:
            for _ in range(rng.randint(1, 8)):
                changed[rng.randrange(min(200, len(changed)))] = rng.choice((0, 0x7F, 0x80, 0xFF))
        case 2:
            del changed[rng.randrange(len(changed)) :]
        case 3:
            start = rng.randrange(len(changed))
            changed[start:start] = changed[start : start + rng.randint(1, 4096)]
        case _:
            start = rng.randrange(len(changed))
            changed[start : start + rng.randint(1, 4096)] = bytes(rng.randint(1, 4096))
    return bytes(changed)


def damaged_files(folder: Path, numbers: Collection[int], seed: int) -> Outcome:
    """Give mutated files to all that read files; the note names those that one of them fell over."""
    sources = folder / "sources"
    sources.mkdir()
    whole = {
        kind: encode(sources / f"{kind}.{FORMATS[kind].ending}", kind, SOUND_SECONDS).read_bytes() for kind in FORMATS
    }
    names = list(FORMATS)
    survived, troubles = 0, list[str]()
    reader = _Reader(sources / "wav.wav")
    for number in numbers:
        kind = names[number % len(names)]
        path = folder / f"{number}-{kind}.audio"
        path.write_bytes(mutated(whole[kind], random.Random(f"{seed}/{number}")))
        bad = reader.read(path)
        survived += not bad
        troubles += bad
        path.unlink()
    reader.close()
    return Outcome(
        "mutated files", len(numbers), survived, len(numbers) - survived, "; ".join(troubles[:TROUBLES_SHOWN])
    )


class _Reader:
    """A process that reads files, replaced when one brings it down."""

    def __init__(self, good: Path) -> None:
        self._good = good
        self._start()

    def read(self, path: Path) -> list[str]:
        """What was wrong with how the file was taken; empty when nothing was."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        bad, deadline = list[str](), time.monotonic() + FILE_SECONDS
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                line = ""
            if line.startswith("done"):
                return bad
            if line.startswith("bad"):
                bad.append(line.strip())
                continue
            hung = self._process.poll() is None and time.monotonic() >= deadline
            self.close()
            self._start()
            return [*bad, f"{path.name} {'hung' if hung else f'died with {self._code}'}"]

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._code = self._process.wait()

    def _start(self) -> None:
        command = [sys.executable, "-m", "bench.audio.readers", str(self._good)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lines: SimpleQueue[str] = SimpleQueue()
        assert self._process.stdout is not None
        pump(self._process.stdout, self._lines)


def pump(stream: IO[str], lines: "SimpleQueue[str]") -> threading.Thread:
    """Put the lines of a stream into a queue, and an empty one at its end."""

    def run() -> None:
        with stream:
            for line in stream:
                lines.put(line)
        lines.put("")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def main() -> None:
    """Print how many were survived, and which were not."""
    parser = argparse.ArgumentParser(prog="python -m bench.audio.damage", description=__doc__)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of files to try again")
    options = parser.parse_args()
    numbers = range(options.files) if options.only is None else options.only
    with tempfile.TemporaryDirectory(prefix="damage-") as folder:
        outcome = damaged_files(Path(folder), numbers, options.seed)
    print(f"{outcome.tried} tried, {outcome.survived} survived, {outcome.lost} lost. {outcome.note}")


if __name__ == "__main__":
    main()
