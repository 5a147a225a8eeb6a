"""First and second scan of generated files beside MPD, cmus and beets, where they are installed, one after the other.

``python -m bench.library.scan [--files 30000 100000] [--only player mpd cmus beets]``. Every file is an MP3 of two seconds with
frames in an order of its own and an ID3v2.3 tag, ten to a folder. Seconds on the clock and of the processor (children included), the
most memory (resident), and what the program keeps on disk; the disk cache is warm for all, as making the files left it.

MPD is told to update; cmus to add the folder, then to update its cache, and is done when it has rested for some seconds; beets imports
in place without asking anybody (``beet import -A -C``), the second time incrementally.
"""

import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from bench.playing import CMUS_SIGN, TICKS, on_terminal

RATE = 22_050
FRAME_BYTES, FRAMES = 104, 77
"""Of MPEG 2 layer III at 32 kbit/s and 22,050 Hz (every few frames have a byte more), and how many make two seconds."""
REST_SECONDS = 3.0
"""cmus has no word for being done: it is when it used no processor for so long."""
KILOBYTE, MEGABYTE = 1 << 10, 1 << 20


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock and of the processor, and the most bytes of memory."""

    clock: float
    processor: float
    memory: int


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, nargs="+", default=[30_000, 100_000])
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    asked = parser.parse_args()
    for count in asked.files:
        with tempfile.TemporaryDirectory() as scratch:
            music = Path(scratch) / "music"
            make_files(music, count)
            print(
                f"{count:,} files{'first: clock':>22}{'processor':>11}{'second: clock':>15}{'processor':>11}{'memory':>9}{'disk':>9}"
            )
            for name in asked.only:
                command, measure = PROGRAMS[name]
                if shutil.which(command) is None:
                    print(f"{name:<14} not installed")
                    continue
                own = Path(scratch) / name
                own.mkdir()
                first, second = measure(music, own, count)
                disk = sum(path.stat().st_size for path in own.rglob("*") if path.is_file())
                seconds = (
                    f"{first.clock:>18.1f} s{first.processor:>9.1f} s{second.clock:>13.1f} s{second.processor:>9.1f} s"
                )
                memory = max(first.memory, second.memory)
                print(f"{name:<14}{seconds}{memory / MEGABYTE:>6.0f} MB{disk / MEGABYTE:>6.0f} MB", flush=True)
                shutil.rmtree(own)


def make_files(folder: Path, count: int) -> None:
    """Write the files."""
    frames, random = _frames(folder.parent / "sound.mp3"), np.random.default_rng(0)
    for number in range(count):
        album = folder / f"Artist {number // 100}" / f"Album {number // 10}"
        if number % 10 == 0:
            album.mkdir(parents=True)
        names = {
            "TIT2": f"Title {number}", "TPE1": f"Artist {number // 100}", "TALB": f"Album {number // 10}",
            "TRCK": f"{number % 10 + 1}/10", "TCON": f"Genre {number % 23}", "TYER": str(1960 + number % 60),
        }  # fmt: skip
        sound = b"".join(frames[place] for place in random.permutation(len(frames)))
        (album / f"{number % 10 + 1:02} Title {number}.mp3").write_bytes(_tag(names) + sound)


def _frames(path: Path) -> list[bytes]:
    """The frames of two seconds of noise."""
    with av.open(str(path), "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono", options={"reservoir": "0"})
        stream.bit_rate = 32_000
        noise = np.random.default_rng(0).integers(-3000, 3000, (1, 2 * RATE), dtype=np.int16)
        frame = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def _tag(names: dict[str, str]) -> bytes:
    frames = b"".join(
        name.encode() + struct.pack(">IH", len(text) + 1, 0) + b"\0" + text.encode() for name, text in names.items()
    )
    size = len(frames)
    return b"ID3\3\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + frames


def run(arguments: Sequence[str | Path], environment: dict[str, str] | None = None) -> Cost:
    """A command to its end."""
    began = time.perf_counter()
    process = subprocess.Popen(
        arguments, env=os.environ | (environment or {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments[0]} failed ({process.returncode}).")
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * KILOBYTE)


def player(music: Path, own: Path, count: int) -> tuple[Cost, Cost]:
    """This player; everything of it that a listener waits for, the start included."""
    del count
    scan = [sys.executable, "-m", "player", "scan", music, "--data-dir", own]
    return run(scan), run(scan)


def mpd(music: Path, own: Path, count: int) -> tuple[Cost, Cost]:
    """MPD, from the update's order to its end."""
    del count
    (own / "mpd.conf").write_text(
        f'music_directory "{music}"\ndb_file "{own}/db"\nbind_to_address "{own}/socket"\naudio_output {{\n type "null"\n name "n"\n}}\n'
    )
    server = subprocess.Popen(["mpd", "--no-daemon", own / "mpd.conf"], stderr=subprocess.DEVNULL)
    try:
        while not (own / "socket").exists():
            time.sleep(0.05)

        def update() -> Cost:
            with _watched(server.pid) as cost:
                subprocess.run(["mpc", "-q", "-h", own / "socket", "update", "--wait"], check=True, capture_output=True)
            return cost()

        return update(), update()
    finally:
        server.terminate()
        server.wait()


def cmus(music: Path, own: Path, count: int) -> tuple[Cost, Cost]:
    """Cmus, from the order to the last use of the processor."""
    (own / "rc").write_text("set output_plugin=\nset mpris=false\n")
    environment = os.environ | {"CMUS_HOME": str(own), "CMUS_SOCKET": str(own / "socket")}
    with on_terminal(["cmus"], environment, CMUS_SIGN) as (process, _, _):
        while not (own / "socket").exists():
            time.sleep(0.05)

        def told(*words: str) -> Cost:
            with _watched(process) as cost:
                subprocess.run(["cmus-remote", *words], env=environment, check=True, capture_output=True)
                _rest(process)
            spent = cost()
            return Cost(spent.clock - REST_SECONDS, spent.processor, spent.memory)

        costs = told("-l", str(music)), told("-C", "update-cache")
        listed = subprocess.run(["cmus-remote", "-C", "save -l -"], env=environment, check=True, capture_output=True)
        if (found := len(listed.stdout.splitlines())) != count:
            print(f"cmus lists {found:,} of them:")
        subprocess.run(["cmus-remote", "-C", "quit"], env=environment, check=False, capture_output=True)
        time.sleep(1.0)
    with on_terminal(["cmus"], environment, CMUS_SIGN) as (_, _, seconds):
        print(f"cmus shows its library {seconds:.1f} s after its start (this player: python -m bench.startup)")
    return costs


def beets(music: Path, own: Path, count: int) -> tuple[Cost, Cost]:
    """Beets, in place."""
    del count
    (own / "config.yaml").write_text(
        f"directory: {music}\nlibrary: {own}/library.db\nplugins: []\nimport:\n  incremental: yes\n"
    )
    command = ["beet", "import", "-A", "-C", "-q", music]
    environment = {"BEETSDIR": str(own)}
    return run(command, environment), run(command, environment)


PROGRAMS: dict[str, tuple[str, Callable[[Path, Path, int], tuple[Cost, Cost]]]] = {
    "player": (sys.executable, player),
    "mpd": ("mpd", mpd),
    "cmus": ("cmus", cmus),
    "beets": ("beet", beets),
}


@contextmanager
def _watched(process: int) -> Generator[Callable[[], Cost]]:
    """What a running process spends from here on."""
    began, before = time.perf_counter(), _ticks(process)

    def cost() -> Cost:
        status = Path(f"/proc/{process}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        return Cost(time.perf_counter() - began, (_ticks(process) - before) / TICKS, peak * KILOBYTE)

    yield cost


def _ticks(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _rest(process: int) -> None:
    """Wait until a process used no processor for ``REST_SECONDS``; a tick or two is its screen."""
    last, since = _ticks(process), time.monotonic()
    while time.monotonic() - since < REST_SECONDS:
        time.sleep(0.2)
        if (now := _ticks(process)) > last + 1:
            last, since = now, time.monotonic()


if __name__ == "__main__":
    main()
