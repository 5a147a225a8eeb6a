"""A newcomer's first minute (``python -m bench.first_minute ROOT``): from the README's command on a fresh Debian to the first note.

ROOT is an empty Debian 12 as ``debootstrap --variant=minbase bookworm ROOT`` leaves it, with whatever pip needs to know where it
installs from. It is copied, so that every round begins with nothing; the packages' caches are kept between rounds (in ROOT), and the
first round, which fills them, is not counted. What the README asks for (git, make, Python) is there before the clock starts, and so
is a desktop's sound: the sound server is this machine's own silent one, and its recording says when the first note is heard.
"""

import argparse
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bench.audio.sine import SOUNDING
from tests.support.pulse import PulseServer, Recording, missing_programs

PREREQUISITES = ("ca-certificates", "git", "libasound2-plugins", "make", "python3")
CACHES = ("var/cache/apt/archives", "root/.cache")
SOURCE, HOME, SOUND = "root/player", "/root", "tmp/sound"
ESCAPES = re.compile(rb"\x1b(\[[0-9;?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|P[^\x1b]*\x1b\\|.)")
CHOICES = b"Everything"
"""A row of the list of stations, which a first start opens by itself; a key takes it."""
PATIENCE = 1_800.0
KEPT_BYTES = 1 << 15
"""Of what a terminal was sent: more than one whole screen."""
LOOK_SECONDS = 0.2
MEGA = 1_000_000
LEARNING = "from player.learning.installation import missing_requirements as m; raise SystemExit(bool(m()))"


def main() -> None:
    """Print a line for each moment of the last round."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.first_minute", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("root", type=Path, help="an empty Debian")
    parser.add_argument("--bind", type=Path, action="append", default=[], help="a folder that pip there installs from")
    parser.add_argument("--env", action="append", default=[], help="NAME=VALUE that pip there needs")
    parser.add_argument("--rounds", type=int, default=2, help="the first one fills the caches")
    options = parser.parse_args()
    if missing := missing_programs():
        parser.error(f"not installed: {', '.join(missing)}")
    for number in range(options.rounds):
        rows = first_minute(options.root, options.bind, options.env)
        print("filling the caches" if not number else "with warm caches", flush=True)
        for name, seconds, megabytes in rows:
            print(f"  {name:<34}{seconds:7.1f} s{megabytes:8.0f} MB", flush=True)


def first_minute(root: Path, binds: list[Path], variables: list[str]) -> list[tuple[str, float, float]]:
    """Moments of one round: their name, seconds since the command, and megabytes that were installed until then."""
    with tempfile.TemporaryDirectory(prefix="first-minute-") as name:
        fresh = Path(name, "root")
        subprocess.run(["cp", "-a", "--reflink=auto", root, fresh], check=True)
        server_folder = Path(name, "sound")
        server_folder.mkdir()
        server = PulseServer(server_folder)
        enter = [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            _entering(fresh, root, server, binds),
        ]
        environment = {
            "HOME": HOME,
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "COLUMNS": "110",
            "LINES": "34",
            "CI": "true",  # nobody is there to agree to packages
            "PULSE_SERVER": f"unix:/{SOUND}/native",
            "ALSA_CONFIG_PATH": f"/{SOUND}/asound.conf",
            **dict(variable.split("=", 1) for variable in variables),
        }
        try:
            inside = [*enter, "inside"]
            for command in (
                ["apt-get", "-q", "update"],
                ["apt-get", "-q", "install", "-y", "--no-install-recommends", *PREREQUISITES],
            ):
                subprocess.run([*inside, *command], env=environment, check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["git", "clone", "-q", ".", fresh / SOURCE], check=True)
            with (
                server.recording() as recording,
                _terminal([*inside, "make", "-C", f"/{SOURCE}", "run"], environment) as see,
            ):
                return _moments(
                    fresh, recording, see, [*inside, f"/{SOURCE}/.venv/bin/python", "-c", LEARNING], environment
                )
        finally:
            server.kill()


def _entering(fresh: Path, root: Path, server: PulseServer, binds: list[Path]) -> str:
    """The shell's words that enter the root with its caches, its sound and what pip reads."""
    pairs = [(root / cache, fresh / cache) for cache in CACHES]
    pairs += [(server.folder / "run", fresh / SOUND), *((bind, fresh / bind.relative_to("/")) for bind in binds)]
    words = ["mount -t proc proc " + str(fresh / "proc"), f"mount --rbind /dev {fresh / 'dev'}"]
    for source, target in pairs:
        source.mkdir(parents=True, exist_ok=True)
        words += [f"mkdir -p {target}", f"mount --bind {source} {target}"]
    alsa, resolver = (
        (server.folder / "asound.conf", fresh / SOUND / "asound.conf"),
        ("/etc/resolv.conf", fresh / "etc/resolv.conf"),
    )
    words += [f"cp {source} {target}" for source, target in (alsa, resolver)]
    return " && ".join([*words, f'exec chroot {fresh} "$@"'])


def _moments(
    fresh: Path, recording: Recording, see: "Screen", learning: list[str], environment: dict[str, str]
) -> list[tuple[str, float, float]]:
    before, started, weighing = _size(fresh), time.monotonic(), 0.0
    rows: list[tuple[str, float, float]] = []

    def reached(name: str) -> None:
        nonlocal weighing
        now = time.monotonic()
        rows.append((name, now - started - weighing, (_size(fresh) - before) / MEGA))
        weighing += time.monotonic() - now

    see.wait_for(CHOICES)
    reached("the screen, with its stations")
    recording.forget()
    see.press(b"\r")
    while not np.any(np.abs(recording.forget()) > SOUNDING):
        see.read()
        assert time.monotonic() - started < PATIENCE, see.text()
    reached("the first note")
    while subprocess.run(learning, env=environment, check=False, capture_output=True).returncode:
        see.read()
        assert time.monotonic() - started < PATIENCE, see.text()
    reached("ready to retrain")
    return rows


def _size(folder: Path) -> float:
    """Bytes on disk below a folder, without what is mounted there."""
    done = subprocess.run(["du", "-sxB1", folder], capture_output=True, text=True, check=False)
    return float(done.stdout.split()[0])


class Screen:
    """What a program on a terminal has shown."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._shown = b""

    def read(self) -> None:
        """Take what is new, waiting a moment for it."""
        if select.select([self._terminal], [], [], LOOK_SECONDS)[0]:
            self._shown = (self._shown + os.read(self._terminal, 1 << 16))[-KEPT_BYTES:]

    def text(self) -> bytes:
        """The newest of it, without control sequences."""
        return ESCAPES.sub(b"", self._shown)

    def wait_for(self, text: bytes) -> None:
        """Until a text stands there."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text():
            assert time.monotonic() < deadline, self.text()
            self.read()

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._terminal, keys)


@contextmanager
def _terminal(command: list[str], environment: dict[str, str]) -> Generator[Screen]:
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(shutil.which(command[0]) or command[0], command, environment)
    try:
        yield Screen(terminal)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


if __name__ == "__main__":
    main()
