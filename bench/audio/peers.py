"""This player's audio process, MPD and cmus, each playing files in order into one sound server."""

import os
import pty
import shutil
import socket
import subprocess
import termios
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import TypeVar

from bench.audio.sine import JOINS, Samples, write_cut
from player.audio import messages as audio
from player.audio.client import AudioClient
from tests.support.pulse import PulseServer

Play = Callable[[Sequence[Path]], float]
"""Begins to play files, one after the other; the moment, on the clock that never goes back, when it was told to."""
Peer = tuple[Play, Callable[[], int | None]]
"""What makes a player play, and its process."""
Player = Callable[[Path, Mapping[str, str]], AbstractContextManager[Peer]]
"""Starts a player in a folder, in an environment that names the sound server."""
Looked = TypeVar("Looked")
START_SECONDS = 20.0
MPD_CONF = """music_directory "{folder}"
db_file "{work}/mpd.db"
state_file "{work}/mpd.state"
pid_file "{work}/mpd.pid"
bind_to_address "{work}/mpd.sock"
replaygain "off"
audio_output {{
  type "pulse"
  name "pulse"
}}
"""


@contextmanager
def ours(_work: Path, environment: Mapping[str, str], engine: str = "stream") -> Generator[Peer]:
    """The audio process by itself."""
    ready = Flag()
    waiting: list[Path] = []
    token = 1

    def heard(event: audio.Event) -> None:
        nonlocal token
        if isinstance(event, audio.Ready):
            ready.set()
        elif isinstance(event, audio.Finished) and waiting:
            token += 1
            client.send(audio.Load(str(waiting.pop(0)), 0.0, token, play=True))
            if waiting:
                client.send(audio.Prepare(str(waiting[0]), token + 1))

    def play(paths: Sequence[Path]) -> float:
        waiting[:] = paths[1:]
        told = time.monotonic()
        client.send(audio.Load(str(paths[0]), 0.0, token, play=True))
        if waiting:
            client.send(audio.Prepare(str(waiting[0]), token + 1))
        return told

    with AudioClient(heard, engine=engine, environment=environment) as client:
        ready.wait(START_SECONDS)
        yield play, lambda: client.pid


@contextmanager
def mpd(work: Path, environment: Mapping[str, str]) -> Generator[Peer]:
    """MPD, told what to play by its own protocol."""
    folder = work / "music"
    folder.mkdir()
    configuration = work / "mpd.conf"
    configuration.write_text(MPD_CONF.format(folder=folder, work=work))
    program = subprocess.Popen(["mpd", "--no-daemon", str(configuration)], env=environment, stderr=subprocess.DEVNULL)
    with _ended(program):
        _wait_for(work / "mpd.sock")
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(work / "mpd.sock"))
            answers = line.makefile("rb")
            answers.readline()

            def tell(command: str) -> list[bytes]:
                line.sendall(command.encode() + b"\n")
                lines: list[bytes] = []
                while not (answer := answers.readline()).startswith((b"OK", b"ACK")):
                    lines.append(answer)
                return lines

            def play(paths: Sequence[Path]) -> float:
                for path in paths:
                    shutil.copy(path, folder / path.name)
                tell("update")
                while any(answer.startswith(b"updating_db") for answer in tell("status")):
                    time.sleep(0.05)
                for path in paths:
                    tell(f'add "{path.name}"')
                told = time.monotonic()
                tell("play 0")
                return told

            yield play, lambda: program.pid


@contextmanager
def cmus(work: Path, environment: Mapping[str, str]) -> Generator[Peer]:
    """cmus, in a terminal that nobody sees."""
    home = work / "home"
    home.mkdir()
    (home / "rc").write_text("set mpris=false\nset output_plugin=pulse\nset continue=true\nset replaygain=disabled\n")
    at = work / "cmus.sock"
    surroundings = {**environment, "HOME": str(home), "CMUS_HOME": str(home), "TERM": "xterm"}
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    program = subprocess.Popen(
        ["cmus", "--listen", str(at)], env=surroundings, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    Thread(target=_drain, args=(master,), daemon=True).start()

    def tell(*words: str) -> None:
        subprocess.run(
            ["cmus-remote", "--server", str(at), *words], env=surroundings, check=True, timeout=START_SECONDS
        )

    def play(paths: Sequence[Path]) -> float:
        tell("-q", *(str(path) for path in paths))
        told = time.monotonic()
        tell("-n")
        tell("-p")
        return told

    with _ended(program):
        _wait_for(at)
        yield play, lambda: program.pid


def _drain(terminal: int) -> None:
    """Read what is drawn, so that drawing never waits."""
    try:
        while os.read(terminal, 1 << 16):
            pass
    except OSError:  # the program has ended
        os.close(terminal)


PLAYERS = {"player": ours, "mpd": mpd, "cmus": cmus}


def record_join(
    folder: Path, join: str, player: Player, after: float, look: Callable[[int | None], Looked]
) -> tuple[Samples, float, Looked]:
    """Let a player play the two halves of a sine into a sound server of its own, whose sink is recorded.

    Args:
        folder: an empty one.
        join: a name of ``JOINS``.
        player: one of a table like :data:`PLAYERS`.
        after: seconds to listen on, for whoever begins late or leaves a gap.
        look: asked at the end, with the number of the process that plays.

    Returns:
        What was recorded, the seconds of the sine, and what ``look`` saw.
    """
    work, server_folder = folder / "work", folder / "server"
    work.mkdir()
    server_folder.mkdir()
    paths, seconds = write_cut(folder, JOINS[join])
    server = PulseServer(server_folder)
    try:
        with player(work, server.environment) as (play, pid), server.recording() as recording:
            play(paths)
            time.sleep(seconds + after)
            seen = look(pid())
            return recording.everything(), seconds, seen
    finally:
        server.kill()


def missing_peers() -> list[str]:
    """What has to be installed before all can be compared."""
    return [name for name in ("mpd", "cmus", "cmus-remote") if shutil.which(name) is None]


def processor_seconds(pid: int) -> float:
    """Processor time of a process so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(pid: int) -> float:
    """Memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path.name} did not appear")
        time.sleep(0.05)


@contextmanager
def _ended(program: "subprocess.Popen[bytes]") -> Generator[None]:
    try:
        yield
    finally:
        program.terminate()
        program.wait()
