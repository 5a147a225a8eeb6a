"""The cost of playing: ``python -m bench.playing [SECONDS [TRACKS]]``.

The player with its screen on in a terminal of its own, on the demo library (beside TRACKS more that are only in the database), then
paused; and MPD, alone and with ncmpcpp on a terminal, and cmus (Debian packages) on the same files, all on the null sink of a private
PulseAudio, one after the other in one run. Seconds until the screen stands, by the clock; percent of a core, and memory over all
processes: proportional (PSS: a page shared by two counts half in each), private (USS) and resident (RSS).
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
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench.startup import ESCAPES
from bench.synthetic import synthetic_library
from player.demo import demo_music
from tests.support.library import give_vectors, make_library, open_home
from tests.support.pulse import PulseServer

SECONDS = 30.0
SETTLE_SECONDS = 8.0
"""After which imports, the first ranking and the first tracks are behind a player."""
PATIENCE_SECONDS = 120.0
CMUS_SIGN = "Library"
"""Stands on cmus's first screen, whether there is sound or not."""
TICKS = os.sysconf("SC_CLK_TCK")
SETTINGS = '[audio]\nengine = "stream"\n[learning]\nauto_after = 0\n'


def main(seconds: float = SECONDS, tracks: int = 0) -> None:
    """Print the table."""
    print(f"{'':<26}{'start':>8}{'of a core':>11}{'PSS MB':>9}{'USS MB':>9}{'RSS MB':>9}   over {seconds:.0f} s")
    with tempfile.TemporaryDirectory() as folder:
        server = PulseServer(Path(folder))
        try:
            for name, start in (
                ("player", partial(player, tracks=tracks)),
                ("MPD", mpd),
                ("ncmpcpp", ncmpcpp),
                ("cmus", cmus),
            ):
                if name != "player" and shutil.which(name.lower()) is None:
                    print(f"{name}: not installed")
                    continue
                with start(Path(folder) / name, server.environment) as run:
                    measured(f"{run.name}, playing", run, seconds)
                    run.pause()
                    time.sleep(2.0)
                    measured(f"{run.name}, paused", replace(run, start=None), seconds)
        finally:
            server.kill()


@dataclass(frozen=True)
class Run:
    """A program that plays.

    Attributes:
        processes: what it consists of, apart from children.
        pause: makes it pause.
        start: seconds by the clock until its screen stood; None where it has none.
    """

    name: str
    processes: tuple[int, ...]
    pause: Callable[[], object]
    start: float | None = None


@contextmanager
def player(data: Path, environment: dict[str, str], tracks: int = 0) -> Generator[Run]:
    """The player on a station."""
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
    with on_terminal(arguments, environment, "Up next") as (process, press, start):
        wait_for(lambda: len(family(process)) > 1)  # the audio process is started when the library was read
        time.sleep(SETTLE_SECONDS)
        wait_for(lambda: len(family(process)) <= 2)  # jobs in the background have ended
        yield Run("player", (process,), lambda: press(b" "), start)


@contextmanager
def mpd(own: Path, environment: dict[str, str]) -> Generator[Run]:
    """MPD on the same files, without a screen."""
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
        yield Run("MPD", (server.pid,), lambda: mpc("pause"))
    finally:
        server.terminate()
        server.wait()


@contextmanager
def ncmpcpp(own: Path, environment: dict[str, str]) -> Generator[Run]:
    """MPD with the screen of ncmpcpp."""
    with mpd(own, environment) as server:
        (own / "config").write_text(f'mpd_host = "{own}/socket"\nncmpcpp_directory = "{own}"\n')
        arguments = ["ncmpcpp", "--config", str(own / "config"), "--bindings", str(own / "none")]
        with on_terminal(arguments, environment, "Volume") as (process, _, start):
            time.sleep(SETTLE_SECONDS)
            yield Run("MPD + ncmpcpp", (*server.processes, process), server.pause, start)


@contextmanager
def cmus(own: Path, environment: dict[str, str]) -> Generator[Run]:
    """Cmus on the same files, its screen in a terminal."""
    own.mkdir()
    (own / "rc").write_text("set output_plugin=pulse\nset mpris=false\n")
    environment = environment | {"CMUS_HOME": str(own), "CMUS_SOCKET": str(own / "socket")}

    def remote(*words: str) -> None:
        subprocess.run(["cmus-remote", *words], env=environment, check=True, capture_output=True)

    with on_terminal(["cmus"], environment, CMUS_SIGN) as (process, _, start):
        wait_for((own / "socket").exists)
        remote("-l", str(demo_music()))
        time.sleep(2.0)
        remote("-p")
        time.sleep(SETTLE_SECONDS)
        yield Run("cmus", (process,), lambda: remote("-u"), start)


@contextmanager
def on_terminal(
    arguments: list[str],
    environment: dict[str, str],
    sign: str,
    *,
    patience: float = PATIENCE_SECONDS,
    ending: signal.Signals = signal.SIGTERM,
) -> Generator[tuple[int, Callable[[bytes], object], float]]:
    """A program on a terminal of 120 × 40 whose output is read and forgotten once ``sign`` was in it.

    Gives its process, what types, and the seconds until then.
    """
    began, stands = time.monotonic(), list[float]()
    child, terminal = pty.fork()
    if child == 0:
        size = {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
        os.execvpe(arguments[0], arguments, environment | size)

    def drain() -> None:
        seen = b""
        with suppress(OSError):
            while read := os.read(terminal, 1 << 16):
                seen = b"" if stands else ESCAPES.sub(b"", seen + read)
                if sign.encode() in seen:
                    stands.append(time.monotonic() - began)

    threading.Thread(target=drain, daemon=True).start()
    try:
        wait_for(lambda: bool(stands), patience)
        yield child, lambda keys: os.write(terminal, keys), stands[0]
    finally:
        os.kill(child, ending)
        os.waitpid(child, 0)


def wait_for(there: Callable[[], bool], patience: float = PATIENCE_SECONDS) -> None:
    """Until something is there."""
    deadline = time.monotonic() + patience
    while not there():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def measured(name: str, run: Run, seconds: float) -> None:
    """Print a line about a program's processes and those they started, and one about each where there are several."""
    before, started = {one: ticks(one) for process in run.processes for one in family(process)}, time.monotonic()
    time.sleep(seconds)
    passed = (time.monotonic() - started) * TICKS / 100
    there = [one for process in run.processes for one in family(process)]
    lines = [(one, (ticks(one) - before.get(one, 0)) / passed, memory(one)) for one in there]
    _print(
        name,
        sum(share for _, share, _ in lines),
        [sum(each) for each in zip(*(sizes for *_, sizes in lines), strict=True)],
        run.start,
    )
    for one, share, sizes in lines if len(lines) > 1 else ():
        words = Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0")
        told = [word for word in map(bytes.decode, words) if word and not word.startswith("-")]
        _print("  " + Path(told[1] if "python" in told[0] and len(told) > 1 else told[0]).name, share, sizes)


def _print(name: str, share: float, sizes: list[float], start: float | None = None) -> None:
    begun = "" if start is None else f"{start:.2f} s"
    print(f"{name:<26}{begun:>8}{share:>10.2f}%" + "".join(f"{size:>9.1f}" for size in sizes), flush=True)


def family(process: int) -> list[int]:
    """The process and all below it; one that ends meanwhile has none below it any more."""
    found = [process]
    for one in found:
        with suppress(OSError):
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
