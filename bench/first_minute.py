"""A newcomer's first minute (``python -m bench.first_minute ROOT``): from the README's command on a fresh Debian to the first note.

ROOT is an empty Debian 12 as ``debootstrap --variant=minbase bookworm ROOT`` leaves it, with whatever pip needs to know where it
installs from. It is copied, so that every round begins with nothing; the packages' caches are kept between rounds (in ROOT), and the
round that fills them is named so. What the README asks for (git, make, Python) is there before the clock starts, and so
is a desktop's sound: the sound server is this machine's own silent one, and its recording says when the first note is heard.
"""

import argparse
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.audio.sine import SOUNDING
from bench.playing import on_terminal, wait_for
from tests.support.pulse import PulseServer, Recording, missing_programs

PREREQUISITES = ("ca-certificates", "git", "libasound2-plugins", "make", "python3")
CACHES = ("var/cache/apt/archives", "root/.cache")
SOURCE, HOME, SOUND = "root/player", "/root", "tmp/sound"
CHOICES = "Everything"
"""A row of the list of stations, which a first start opens by itself; a key takes it."""
PATIENCE = 1_800.0
MEGA = 1_000_000
LEARNING = "from player.learning.installation import missing_requirements as m; raise SystemExit(bool(m()))"


def main() -> None:
    """Print a line for each moment of each round."""
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
            run = [*inside, "make", "-C", f"/{SOURCE}", "run"]
            learning = [*inside, f"/{SOURCE}/.venv/bin/python", "-c", LEARNING]
            with server.recording() as recording:
                return _moments(fresh, _size(fresh), recording, run, learning, environment)
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
    fresh: Path, before: float, recording: Recording, run: list[str], learning: list[str], environment: dict[str, str]
) -> list[tuple[str, float, float]]:
    rows: list[tuple[str, float, float]] = []
    began, weighing = time.monotonic(), 0.0

    def reached(name: str) -> None:
        nonlocal weighing
        now = time.monotonic()
        rows.append((name, now - began - weighing, (_size(fresh) - before) / MEGA))
        weighing += time.monotonic() - now

    with on_terminal(run, environment, CHOICES, patience=PATIENCE, ending=signal.SIGKILL) as (_, press, _):
        reached("the screen, with its stations")
        recording.forget()
        press(b"\r")
        wait_for(lambda: bool(np.any(np.abs(recording.forget()) > SOUNDING)), PATIENCE)
        reached("the first note")
        wait_for(
            lambda: not subprocess.run(learning, env=environment, check=False, capture_output=True).returncode, PATIENCE
        )
        reached("ready to retrain")
    return rows


def _size(folder: Path) -> float:
    """Bytes on disk below a folder, without what is mounted there."""
    done = subprocess.run(["du", "-sxB1", folder], capture_output=True, text=True, check=False)
    return float(done.stdout.split()[0])


if __name__ == "__main__":
    main()
