"""Sessions of a player with mpc and playerctl, kept as text: ``python -m bench.sessions [FOLDER OF MUSIC]``.

A player without a screen and without sound plays the demo library (or another folder) in a throw-away data folder; each line is
a command and the first lines of what it says. playerctl needs a session bus: run this under ``dbus-run-session``.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from player.demo import demo_music

PLAYER = (sys.executable, "-m", "player")
MPC = ("current", "status", "playlist", "add", "playlist", "next", "volume -20", "seek +10", "pause", "toggle", "lsplaylists",
       "sticker", "stats", "outputs", "stop")  # fmt: skip
PLAYERCTL = ("status", "metadata", "pause", "status", "position 5", "position", "volume 0.5", "next", "metadata title")
SHOWN = 4
"""Lines of each answer."""


def main() -> None:
    """Play both sessions."""
    music = sys.argv[1] if len(sys.argv) > 1 else str(demo_music())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PLAYER_DATA_DIR"] = folder
        (Path(folder) / "config.toml").write_text('[audio]\nengine = "null"\n')
        for words in (("scan", music), ("station", "create", "Evening", "--seed", "library")):
            subprocess.run([*PLAYER, *words], check=True, capture_output=True)
        headless = [*PLAYER, "play", "--station", "Evening", "--headless"]
        with subprocess.Popen(headless, stdout=subprocess.DEVNULL) as running:
            try:
                _wait_for(Path(folder) / "player.sock")
                _mpc(Path(folder) / "player.sock")
                for line in PLAYERCTL if "DBUS_SESSION_BUS_ADDRESS" in os.environ else ():
                    _show(["playerctl", *line.split()])
                for line in ("status", "up", "queue", "volume 30"):
                    _show(["player", *line.split()], [*PLAYER, *line.split()])
            finally:
                running.terminate()


def _wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.1)
    time.sleep(1)


def _mpc(address: Path) -> None:
    host = f"--host={address}"
    found = subprocess.run(["mpc", host, "search", "title", "a"], capture_output=True, text=True, check=True).stdout
    name = found.splitlines()[-1]
    for line in MPC:
        words = {"add": ["add", name], "sticker": ["sticker", name, "set", "like", "2"]}.get(line, line.split())
        _show(["mpc", *words], ["mpc", host, *words])


def _show(words: list[str], command: list[str] | None = None) -> None:
    done = subprocess.run(command or words, capture_output=True, text=True, check=False)
    time.sleep(0.3)
    print(f"$ {' '.join(words)}")
    print("\n".join((done.stdout or done.stderr).splitlines()[:SHOWN]))


if __name__ == "__main__":
    main()
