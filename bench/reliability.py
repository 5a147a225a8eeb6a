"""What the player survives (``python -m bench.reliability``): kills, damaged files, crowds, full disks, lost sound servers.

Everything is real and seeded: processes that are killed, files that are mutated, a tmpfs that is full, a PulseAudio of its
own. The table says how often each was tried, how often it was survived, and what was lost: acknowledged events, files that
brought a process down, music that did not come back. ``--minutes`` of music without a screen follow, with the memory and the
open files of the player and its audio process.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from bench.audio.damage import Outcome, damaged_files, pump
from player.audio import messages as audio
from player.audio.client import AudioClient
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.library.scan import scan
from player.library.tracks import load_catalogue
from player.stations.seeds import Seed
from player.stations.stations import Stations
from player.storage.database import open_database
from player.storage.event_kinds import Kind, Origin
from tests.support.library import give_vectors
from tests.support.pulse import PulseServer, missing_programs
from tests.support.tones import write_tones

WRITER = """
import sys
from pathlib import Path
from player.errors import PlayerError
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.storage.database import open_database
from player.storage.event_kinds import Kind, Origin
log = EventStore(open_database(Path(sys.argv[1])), Origin.CLI)
for _ in range(int(sys.argv[2])):
    try:
        print(log.append_all([NewEvent(Kind.UP, 1)])[0].id, flush=True)
    except PlayerError:
        sys.exit(3)
"""
SAMPLE_SECONDS = 10.0


def run_writer(database: Path, count: int) -> "subprocess.Popen[str]":
    """A process that records thumbs and says each one's id once it is acknowledged."""
    command = [sys.executable, "-c", WRITER, str(database), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def small_library(folder: Path, songs: int = 12, seconds: float = 0.4) -> Path:
    """A data folder with short tones, vectors and a station Evening; the path of its database."""
    music = folder / "music"
    music.mkdir(parents=True)
    for number in range(songs):
        write_tones(music / f"Tone {number:02}.flac", [(220 + 40 * number, seconds)], rate=8000, layout="mono")
    database = open_database(folder / "player.db")
    scan(database, [music])
    give_vectors(database)
    with database.reader() as session:
        rows = load_catalogue(session)
    Stations(database).create("Evening", [Seed("library", "")], rows, ())
    database.close()
    (folder / "config.toml").write_text('[audio]\nengine = "null"\n[learning]\nauto_after = 0\n')
    return folder / "player.db"


def missing_events(path: Path, acknowledged: Sequence[int]) -> int:
    """How many of the events that were acknowledged are not in the log."""
    database = open_database(path)
    try:
        kept = {event.id for event in EventStore(database, Origin.CLI).read()}
        EventStore(database, Origin.CLI).append_all([NewEvent(Kind.CLEAR, 1)])  # it can be written to as before
    finally:
        database.close()
    return len(set(acknowledged) - kept)


def kills(folder: Path, count: int, seed: int) -> Outcome:
    """Kill a writer at a random moment; nothing that it acknowledged may be gone."""
    path, rng = small_library(folder / "kills"), random.Random(seed)
    acknowledged: list[int] = []
    survived = lost = 0
    for _ in range(count):
        with run_writer(path, 1_000_000) as writer:
            assert writer.stdout is not None
            acknowledged.append(int(writer.stdout.readline()))
            time.sleep(rng.uniform(0.0, 0.2))
            writer.kill()
            acknowledged += [
                int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")
            ]
        gone = missing_events(path, acknowledged)
        survived, lost = survived + (gone == 0), max(lost, gone)
    return Outcome("kill -9 of a writer", count, survived, lost, f"{len(acknowledged)} events acknowledged")


def player_kills(folder: Path, count: int, seed: int) -> Outcome:
    """Kill a player without a screen; what it printed is in the log, its audio process ends, and the next one plays."""
    path, rng = small_library(folder / "players"), random.Random(seed)
    survived = lost = orphans = 0
    for _ in range(count):
        with headless(path.parent) as playing:
            assert playing.stdout is not None
            told = [json.loads(playing.stdout.readline())]
            while told[-1]["event"] != "start":
                told.append(json.loads(playing.stdout.readline()))
            children = descendants(playing.pid)
            time.sleep(rng.uniform(0.0, 1.0))
            playing.kill()
            told += [
                json.loads(line) for line in playing.stdout.read().splitlines(keepends=True) if line.endswith("\n")
            ]
        said = sum(line["event"] in {"start", "finish"} for line in told)
        database = open_database(path)
        kept = sum(event.kind in {"start", "finish"} for event in EventStore(database, Origin.CLI).read())
        database.close()
        lost, survived = max(lost, said - kept), survived + (kept >= said)
        orphans += not wait_until(lambda: not any(map(is_running, children)), 10.0)  # noqa: B023 - called at once
    return Outcome("kill -9 of the player", count, survived, lost, f"{orphans} left an audio process behind")


def writers(folder: Path, count: int, events: int) -> Outcome:
    """Several processes record at once; all are acknowledged and kept."""
    path = small_library(folder / "writers")
    running = [run_writer(path, events) for _ in range(count)]
    acknowledged = [int(line) for writer in running for line in writer.communicate()[0].split()]
    survived = sum(writer.returncode == 0 for writer in running)
    return Outcome(f"{count} writers at once", count, survived, missing_events(path, acknowledged))


def full_disk(folder: Path, megabytes: int = 4) -> Outcome:
    """Write until a small disk is full; what was acknowledged is there, and with space writing goes on."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        return Outcome("full disk", 0, 0, 0, "skipped: mounting a tmpfs is not permitted here")
    try:
        path = small_library(disk / "data", songs=3)
        ballast = disk / "ballast"
        ballast.write_bytes(b"\0" * max(0, shutil.disk_usage(disk).free - 200_000))
        with run_writer(path, 100_000) as writer:
            acknowledged = [int(line) for line in writer.communicate()[0].split()]
        ballast.unlink()
        gone = missing_events(path, acknowledged)
        told = writer.returncode == 3
        return Outcome(
            "full disk", 1, int(told and not gone), gone, f"{len(acknowledged)} acknowledged before it was full"
        )
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def server_restarts(folder: Path, count: int) -> Outcome:
    """Kill and restart a sound server while a track plays; sound comes back."""
    if missing := missing_programs():
        return Outcome("sound server restarted", 0, 0, 0, f"skipped: not installed: {', '.join(missing)}")
    (folder / "pulse").mkdir()
    server = PulseServer(folder / "pulse")
    song = write_tones(folder / "song.flac", [(440, 120.0 + 20 * count)])
    heard: SimpleQueue[audio.Event] = SimpleQueue()

    def wait_for(fits: Callable[[audio.Event], bool]) -> bool:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(Empty):
                event = heard.get(timeout=1.0)
                if isinstance(event, audio.Ready | audio.DeviceChanged):
                    client.send(audio.Play())  # as the player does where the listener did not pause
                if fits(event):
                    return True
        return False

    def sounding(event: audio.Event) -> bool:
        return isinstance(event, audio.Position) and event.playing

    survived = 0
    try:
        with AudioClient(heard.put, engine="stream", environment=server.environment) as client:
            client.send(audio.Load(str(song), 0.0, 1, play=True))
            for _ in range(count):
                moving = wait_for(sounding)
                server.kill()
                lost = wait_for(lambda event: isinstance(event, audio.DeviceLost | audio.Restarted))
                server.restart()
                back = wait_for(sounding)
                survived += moving and lost and back
    finally:
        server.kill()
    return Outcome("sound server restarted", count, survived, count - survived)


@contextmanager
def headless(data: Path) -> "Generator[subprocess.Popen[str]]":
    """The player without a screen on the station Evening."""
    command = [sys.executable, "-m", "player", "play", "--station", "Evening", "--headless", "--data-dir", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as playing:
        try:
            yield playing
        finally:
            playing.send_signal(signal.SIGTERM)


def descendants(process: int) -> list[int]:
    """Everything that a process started and that still runs."""
    files = Path(f"/proc/{process}/task").glob("*/children")
    found = [int(child) for file in files for child in file.read_text().split()]
    return found + [deeper for child in found for deeper in descendants(child)]


def is_running(process: int) -> bool:
    """Whether it exists and is no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it became true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@dataclass(frozen=True, slots=True)
class Sample:
    """A process at one moment: MiB in memory and open files."""

    memory: float
    files: int


def sample(process: int) -> Sample:
    """Look at a process."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return Sample(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, len(list(Path(f"/proc/{process}/fd").iterdir())))


def long_run(folder: Path, minutes: float) -> tuple[Outcome, list[tuple[float, int, Sample, Sample]]]:
    """Play short tracks for so long; (minutes, tracks, the player, its audio process) now and then."""
    path = small_library(folder / "long", songs=30, seconds=0.3)
    seen: list[tuple[float, int, Sample, Sample]] = []
    with headless(path.parent) as playing:
        assert playing.stdout is not None
        lines = SimpleQueue[str]()
        reader = pump(playing.stdout, lines)
        began, tracks = time.monotonic(), 0
        while (passed := time.monotonic() - began) < minutes * 60 and playing.poll() is None:
            time.sleep(min(SAMPLE_SECONDS, minutes * 60 / 4))
            tracks += sum('"event": "finish"' in lines.get() for _ in range(lines.qsize()))
            children = descendants(playing.pid)
            if children:
                seen.append((passed / 60, tracks, sample(playing.pid), sample(children[0])))
        alive = playing.poll() is None
        playing.terminate()
        reader.join()
    return Outcome(f"{minutes:g} minutes of music", tracks, tracks, int(not alive)), seen


def print_table(outcomes: Sequence[Outcome]) -> None:
    """Print one line for each."""
    print(f"{'':<26} {'tried':>6} {'survived':>9} {'lost':>5}")
    for one in outcomes:
        print(f"{one.name:<26} {one.tried:>6} {one.survived:>9} {one.lost:>5}  {one.note}")


def main() -> None:
    """Try everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.reliability", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--events", type=int, default=50, help="that each writer records")
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="player-reliability-") as scratch:
        folder = Path(scratch)
        outcomes = [
            kills(folder, options.kills, options.seed),
            player_kills(folder, options.kills, options.seed),
            damaged_files(folder, range(options.files), options.seed),
            writers(folder, options.writers, options.events),
            full_disk(folder),
            server_restarts(folder, options.restarts),
        ]
        played, seen = long_run(folder, options.minutes)
        print_table([*outcomes, played])
        for minutes, tracks, player, child in seen:
            print(
                f"{minutes:5.1f} min {tracks:>5} tracks  player {player.memory:6.1f} MiB {player.files:>3} files"
                f"   audio {child.memory:6.1f} MiB {child.files:>3} files"
            )


if __name__ == "__main__":
    main()
