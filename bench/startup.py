"""The wait at start-up, on a library of 100,000 tracks and as many events: ``python -m bench.startup [ROUNDS]``.

Real processes in one interleaved run: look-ups beside ``python -c pass``; the screen, in a terminal of its own, beside an empty
Textual app; a station's first track given to the audio process; and an undo in memory beside deriving everything anew. Medians;
the library is made once and kept in the cache folder.
"""

import os
import pty
import re
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.synthetic import synthetic_library
from player.feedback.event_history import EventHistory
from player.feedback.event_recorder import EventRecorder
from player.feedback.events import NewEvent
from player.folders import APP, locate
from player.storage.database import SCHEMA_REVISION, open_database
from player.storage.event_kinds import Kind, Origin

TRACKS = EVENTS = 100_000
ROUNDS = 7
LOOK_UPS = (
    ("station", "list"),
    ("history", "-n", "20"),
    ("models", "list"),
    ("tracks", "title:77123"),
    ("queue", "list"),
    ("next", "--station", "Bench", "-n", "10"),
)
EMPTY_APP = "from textual.app import App; App().run()"
PLAYER = "from player.__main__ import main; main()"
ESCAPES = re.compile(rb"\x1b(\[[0-9;?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|P[^\x1b]*\x1b\\|.)")
KEY = "ß"
"""Typed into the filter of the stations; it stands nowhere else on the screen."""
PATIENCE = 60.0
"""Seconds until a screen that shows nothing is given up."""


@dataclass(frozen=True)
class Took:
    """One run of a process, in seconds by the clock and of the processor."""

    clock: float
    processor: float


def main(rounds: int = ROUNDS) -> None:
    """Print the table."""
    library = cached_library()
    with tempfile.TemporaryDirectory() as folder:
        data, played = Path(folder) / "data", Path(folder) / "played"
        for one in (data, played):
            shutil.copytree(library, one)
            (one / "config.toml").write_text('[audio]\nengine = "null"\n')
        environment = {**os.environ, "PLAYER_DATA_DIR": str(data), "COLUMNS": "120", "LINES": "40"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # who installed the player has it compiled
        measures: dict[str, Callable[[], list[Took]]] = {"python -c pass": lambda: [ran(["-c", "pass"], environment)]}
        for words in LOOK_UPS:
            measures[f"player {' '.join(words)}"] = lambda words=words: [ran(["-m", "player", *words], environment)]
        play = ["-m", "player", "play", "--station", "Bench", "--headless"]
        # In a folder of its own: the screen would go on where this left off, and show no list of stations.
        apart = environment | {"PLAYER_DATA_DIR": str(played)}
        measures["player play Bench --headless, first note"] = lambda: seen(play, apart, [b'"start"'])
        measures["empty Textual app, drawn"] = lambda: seen(["-c", EMPTY_APP], environment, [b""])
        measures["player"] = lambda: seen(["-c", PLAYER], environment, [b"", b"Bench", KEY.encode()])
        every: dict[str, list[list[Took]]] = {name: [] for name in measures}
        for round_number in range(rounds + 1):
            for name, measure in measures.items():
                took = measure()
                if round_number:  # the first fills the caches
                    every[name].append(took)
    print(f"{TRACKS:,} tracks, {EVENTS:,} events; medians of {rounds}: by the clock, and of the processor")
    base, empty = (medians(every[name])[0] for name in ("python -c pass", "empty Textual app, drawn"))
    for name, took in every.items():
        for stage, middle in zip(STAGES if name == "player" else ("",), medians(took), strict=True):
            over = empty if name == "player" else base
            print(
                f"  {name + stage:<44}{middle.clock * 1000:7.0f} ms {(middle.clock - over.clock) * 1000:+7.0f} ms"
                f"  ×{middle.clock / over.clock:5.1f}   {middle.processor * 1000:7.0f} ms"
            )
    undo(library)


STAGES = (", drawn", ", stations on screen", ", a key answered")


def medians(took: list[list[Took]]) -> list[Took]:
    """The medians of each stage."""
    return [
        Took(statistics.median(one.clock for one in stage), statistics.median(one.processor for one in stage))
        for stage in zip(*took, strict=True)
    ]


def cached_library() -> Path:
    """The data folder, made where it is not there."""
    folder = locate().cache / f"bench-{APP}-{TRACKS}-{EVENTS}-{SCHEMA_REVISION}"
    if not folder.is_dir():
        making = Path(tempfile.mkdtemp(prefix="making-", dir=_made(folder.parent)))
        synthetic_library(making, TRACKS, EVENTS).close()
        making.rename(folder)
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def ran(arguments: list[str], environment: dict[str, str]) -> Took:
    """A process from its start to its end."""
    started = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(child.pid, 0)
    assert status == 0, arguments
    return Took(time.perf_counter() - started, used.ru_utime + used.ru_stime)


def seen(arguments: list[str], environment: dict[str, str], wanted: list[bytes]) -> list[Took]:
    """When each of these texts stood on the terminal of a process; empty is any text at all, and before the last a key is pressed."""
    started = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, *arguments], {**environment, "TERM": "xterm-256color"})
    stages: list[Took] = []
    screen = b""
    try:
        while len(stages) < len(wanted) and time.perf_counter() - started < PATIENCE:
            if select.select([terminal], [], [], 0.5)[0]:
                screen += os.read(terminal, 65536)
            text = ESCAPES.sub(b"", screen)
            while len(stages) < len(wanted) and wanted[len(stages)] in text != b"":
                stages.append(Took(time.perf_counter() - started, _processor(child)))
                if 1 < len(wanted) == len(stages) + 1:
                    os.write(terminal, wanted[-1])
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(terminal)
    assert len(stages) == len(wanted), f"{arguments} showed only {ESCAPES.sub(b'', screen)[-2000:]!r}"
    return stages


def _processor(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def undo(library: Path) -> None:
    """Print what it takes to take back the newest feedback of each kind, and to derive the state anew."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(library / "player.db", folder)
        database = open_database(Path(folder) / "player.db")
        recorder = EventRecorder(database, Origin.TUI)
        history = EventHistory(recorder.read(), dict.fromkeys(range(1, TRACKS + 1), 210.0))
        for kind in (Kind.UP, Kind.DOWN, Kind.SKIP, Kind.FINISH, Kind.NEVER):
            took: list[float] = []
            for track in range(1, ROUNDS + 1):
                recorder.tell(history, [NewEvent(kind, track, 1, position=20.0)])
                assert history.labels is not None
                started = time.process_time()
                recorder.take_back(history)
                assert history.labels is not None
                took.append(time.process_time() - started)
            print(f"  {f'undo of {kind}':<44}{statistics.median(took) * 1000:7.0f} ms of the processor")
        started = time.process_time()
        history.renew(dict.fromkeys(range(1, TRACKS + 1), 210.0))
        assert history.labels is not None
        print(f"  {'everything derived anew':<44}{(time.process_time() - started) * 1000:7.0f} ms of the processor")
        database.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
