"""Music beside work (``python -m bench.audio.beside [--minutes N]``): dropouts in the recording, this player's and MPD's in one run.

Both play one sine, cut into tracks of a minute, each into a sound server of its own; meanwhile scans, embeddings and trainings run as
the player runs them in the background. A dropout is silence in the recording between the first sound and the last.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from threading import Event, Thread

import numpy as np

from bench.audio.peers import PLAYERS, missing_peers, processor_seconds, resident_megabytes
from bench.audio.sine import RECORDED_RATE, SOUNDING, Part, Samples, holes, write_cut
from bench.synthetic import synthetic_library
from player.demo import demo_music
from player.jobs import JobChild, JobResult
from tests.support.pulse import PulseServer, Recording, missing_programs

TRACK_SECONDS = 60.0
TRACKS = EVENTS = 3_000
LOOK_SECONDS = 1.0
COMPARED = ("player", "mpd")


@dataclass(slots=True)
class Ear:
    """What a recording has had so far; samples that were listened to are forgotten."""

    recording: Recording
    dropouts: int = 0
    silent_seconds: float = 0.0
    _begun: bool = False
    _open: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    """The end of what was listened to, where silence may go on."""

    def listen(self) -> None:
        """Take what was recorded since."""
        mono = np.concatenate([self._open, self.recording.forget().mean(axis=1)])
        loud = np.flatnonzero(np.abs(mono) > SOUNDING)
        if not len(loud):
            self._open = mono if self._begun else mono[:0]
            return
        heard = mono[0 if self._begun else loud[0] : loud[-1] + 1]
        self._begun, self._open = True, mono[loud[-1] + 1 :]
        for _, length in holes(heard):
            self.dropouts += 1
            self.silent_seconds += length / RECORDED_RATE


def main() -> None:
    """Print a row for each player."""
    parser = argparse.ArgumentParser(prog="python -m bench.audio.beside", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    options = parser.parse_args()
    if missing := [*missing_programs(), *missing_peers()]:
        parser.error(f"not installed: {', '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix="beside-") as name, ExitStack() as stack:
        folder, seconds = Path(name), options.minutes * 60
        count = int(seconds / TRACK_SECONDS) + 2
        paths, _ = write_cut(folder, [Part(".flac", "flac")] * count, [TRACK_SECONDS] * count)
        processes, ears = list[int](), list[Ear]()
        for player in COMPARED:
            work, home = folder / player, folder / f"{player}-server"
            work.mkdir()
            home.mkdir()
            server = PulseServer(home)
            stack.callback(server.kill)
            play, pid = stack.enter_context(PLAYERS[player](work, server.environment))
            ears.append(Ear(stack.enter_context(server.recording())))
            play(paths)
            processes.append(pid() or 0)
        over = Event()
        worker = Thread(target=_work, args=(folder, over))
        worker.start()
        before = [processor_seconds(process) for process in processes]
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            time.sleep(LOOK_SECONDS)
            for ear in ears:
                ear.listen()
        over.set()
        print(f"{options.minutes:g} minutes beside scans, embeddings and trainings")
        print(f"{'':<10}{'dropouts':>9}{'silent ms':>11}{'of a core':>11}{'MB':>6}")
        for player, ear, process, used in zip(COMPARED, ears, processes, before, strict=True):
            share = 100 * (processor_seconds(process) - used) / seconds
            silent = 1000 * ear.silent_seconds
            print(f"{player:<10}{ear.dropouts:>9}{silent:>11.0f}{share:>10.2f}%{resident_megabytes(process):>6.0f}")
        worker.join()


def _work(folder: Path, over: Event) -> None:
    """Scan, embed and train, again and again; what has begun is stopped at the end."""
    trained = folder / "trained"
    synthetic_library(trained, TRACKS, EVENTS).close()
    for number in cycle(range(1_000_000)):
        data = folder / f"data-{number}"
        for command in (["scan", str(demo_music()), "--data-dir", str(data)], ["embed", "--data-dir", str(data)]):
            _run(command, over)
        _run(["retrain", "--full", "--data-dir", str(trained)], over)
        if over.is_set():
            return


def _run(command: Sequence[str], over: Event) -> None:
    ended, results = Event(), list[JobResult]()

    def take(result: JobResult) -> None:
        results.append(result)
        ended.set()

    if over.is_set():
        return
    child = JobChild(list(command), lambda _progress: None, take)
    while not (ended.wait(LOOK_SECONDS) or over.is_set()):
        pass
    child.stop()
    child.join()
    if results and not results[0].ok and not over.is_set():
        print(f"{command[0]}: {results[0].summary}")


if __name__ == "__main__":
    main()
