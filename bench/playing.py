"""The cost of playing: ``python -m bench.playing [SECONDS [TRACKS]]``.

The player with its screen on in a terminal of its own, on the demo library (beside TRACKS more that are only in the database), then
paused; and MPD and cmus (Debian packages) on the same files, all on the null sink of a private PulseAudio, one after the other in
one run. Percent of a core, and memory over all processes: proportional (PSS: a page shared by two counts half in each), private
(USS) and resident (RSS).
"""

import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.synthetic import synthetic_library
from player.demo import demo_music
from tests.support.library import give_vectors, make_library, open_home
from tests.support.pulse import PulseServer

SECONDS = 30.0
SETTLE_SECONDS = 8.0
"""After which imports, the first ranking and the first tracks are behind a player."""
PATIENCE_SECONDS = 120.0
TICKS = os.sysconf("SC_CLK_TCK")
SETTINGS = '[audio]\nengine = "stream"\n[learning]\nauto_after = 0\n'


def main(seconds: float = SECONDS, tracks: int = 0) -> None:
    """Print the table."""
    print(f"{'':<22}{'of a core':>10}{'PSS MB':>9}{'USS MB':>9}{'RSS MB':>9}   over {seconds:.0f} s")
    with tempfile.TemporaryDirectory() as folder:
        server = PulseServer(Path(folder))
        try:
            with player(Path(folder) / "data", server.environment, tracks) as (process, press):
                measured("player, playing", process, seconds)
                press(b" ")
                time.sleep(2.0)
                measured("player, paused", process, seconds)
            for name, start in (("MPD", mpd), ("cmus", cmus)):
                if shutil.which(name.lower()) is None:
                    print(f"{name}: not installed")
                    continue
                with start(Path(folder), server.environment) as (process, pause):
                    measured(f"{name}, playing", process, seconds)
                    pause()
                    time.sleep(1.0)
                    measured(f"{name}, paused", process, seconds)
        finally:
            server.kill()


@contextmanager
def player(data: Path, environment: dict[str, str], tracks: int) -> Generator[tuple[int, Callable[[bytes], object]]]:
    """The player on a station; gives its process and what presses a key."""
    if tracks:
        synthetic_library(data, tracks, tracks).close()
    make_library(data, [demo_music()], vectors=False)
    home = open_home(data)
    give_vectors(home.database)
    here = [row.id for row in home.rows if Path(row.path).exists()]
    home.station("Playing", *(f"track:{track}" for track in here))
    home.close()
    (data / "config.toml").write_text(SETTINGS)
    arguments = [sys.executable, "-m", "player", "play", "--station", "Playing", "--data-dir", str(data)]
    with on_terminal(arguments, environment) as (process, press):
        wait_for(lambda: len(family(process)) > 1)  # the audio process is started when the library was read
        time.sleep(SETTLE_SECONDS)
        wait_for(lambda: len(family(process)) <= 2)  # jobs in the background have ended
        yield process, press


@contextmanager
def mpd(folder: Path, environment: dict[str, str]) -> Generator[tuple[int, Callable[[], object]]]:
    """MPD on the same files."""
    own = folder / "mpd"
    own.mkdir()
    (own / "mpd.conf").write_text(
        f'music_directory "{demo_music()}"\ndb_file "{own}/db"\nbind_to_address "{own}/socket"\n'
        'audio_output {\n type "pulse"\n name "null"\n}\n'
    )
    server = subprocess.Popen(
        ["mpd", "--no-daemon", own / "mpd.conf"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for((own / "socket").exists)

        def mpc(*words: str) -> None:
            subprocess.run(["mpc", "-q", "-h", str(own / "socket"), *words], check=True, capture_output=True)

        for words in (("update", "--wait"), ("add", "/"), ("random", "on"), ("repeat", "on"), ("play",)):
            mpc(*words)
        time.sleep(SETTLE_SECONDS)
        yield server.pid, lambda: mpc("pause")
    finally:
        server.terminate()
        server.wait()


@contextmanager
def cmus(folder: Path, environment: dict[str, str]) -> Generator[tuple[int, Callable[[], object]]]:
    """Cmus on the same files, its screen in a terminal."""
    own = folder / "cmus"
    own.mkdir()
    (own / "rc").write_text("set output_plugin=pulse\nset mpris=false\n")
    environment = environment | {"CMUS_HOME": str(own), "CMUS_SOCKET": str(own / "socket")}

    def remote(*words: str) -> None:
        subprocess.run(["cmus-remote", *words], env=environment, check=True, capture_output=True)

    with on_terminal(["cmus"], environment) as (process, _):
        wait_for((own / "socket").exists)
        remote("-l", str(demo_music()))
        time.sleep(2.0)
        remote("-p")
        time.sleep(SETTLE_SECONDS)
        yield process, lambda: remote("-u")


@contextmanager
def on_terminal(arguments: list[str], environment: dict[str, str]) -> Generator[tuple[int, Callable[[bytes], object]]]:
    """A program on a terminal of 120 × 40 whose output is read and forgotten; gives its process and what types."""
    child, terminal = pty.fork()
    if child == 0:
        size = {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
        os.execvpe(arguments[0], arguments, environment | size)

    def drain() -> None:
        with suppress(OSError):
            while os.read(terminal, 1 << 16):
                pass

    threading.Thread(target=drain, daemon=True).start()
    try:
        yield child, lambda keys: os.write(terminal, keys)
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


def wait_for(there: Callable[[], bool]) -> None:
    """Until something is there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not there():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def measured(name: str, process: int, seconds: float) -> None:
    """Print a line about a process and those it started, and one about each where there are several."""
    before, started = {one: ticks(one) for one in family(process)}, time.monotonic()
    time.sleep(seconds)
    passed = (time.monotonic() - started) * TICKS / 100
    lines = [(one, (ticks(one) - before.get(one, 0)) / passed, memory(one)) for one in family(process)]
    _print(
        name,
        sum(share for _, share, _ in lines),
        [sum(each) for each in zip(*(sizes for *_, sizes in lines), strict=True)],
    )
    for one, share, sizes in lines if len(lines) > 1 else ():
        words = Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0")
        _print(
            "  " + next((word for word in map(bytes.decode, words[2:]) if not word.startswith("-")), "?"), share, sizes
        )


def _print(name: str, share: float, sizes: list[float]) -> None:
    print(f"{name:<22}{share:>9.2f}%" + "".join(f"{size:>9.1f}" for size in sizes))


def family(process: int) -> list[int]:
    """The process and all below it."""
    found = [process]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def ticks(process: int) -> int:
    """Processor time, user and system."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def memory(process: int) -> list[float]:
    """PSS, USS and RSS in megabytes."""
    kilobytes = {"Pss": 0, "Private_Clean": 0, "Private_Dirty": 0, "Rss": 0}
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]:
        name, size, *_ = line.replace(":", " ").split()
        if name in kilobytes:
            kilobytes[name] = int(size)
    private = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return [size / 1024 for size in (kilobytes["Pss"], private, kilobytes["Rss"])]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
