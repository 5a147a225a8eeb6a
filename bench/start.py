"""Start-up: `player --version`, a command, and the screen against an empty Textual app in the same run."""

import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 7
EMPTY_APP = "from textual.app import App; App().run()"
PLAYER = "from player.__main__ import main; main()"


def main() -> None:
    """Print medians."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PLAYER_DATA_DIR": folder, "COLUMNS": "120", "LINES": "40"}
        subprocess.run(
            [sys.executable, "-m", "player", "station", "list"], env=environment, check=True, capture_output=True
        )
        version = _median(lambda: _run(["-m", "player", "--version"], environment))
        stations = _median(lambda: _run(["-m", "player", "station", "list"], environment))
        empty = _median(lambda: _until_drawn(["-c", EMPTY_APP], environment))
        screen = _median(lambda: _until_drawn(["-c", PLAYER, "--music", str(Path(folder))], environment))
    print(f"player --version          {version * 1000:6.0f} ms")
    print(f"player station list       {stations * 1000:6.0f} ms")
    print(f"empty Textual app, drawn  {empty * 1000:6.0f} ms")
    print(f"player, drawn             {screen * 1000:6.0f} ms   ({(screen - empty) * 1000:+.0f} ms)")


def _median(measure) -> float:  # noqa: ANN001 - a plain callable
    measure()
    return statistics.median(measure() for _ in range(RUNS))


def _run(arguments: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def _until_drawn(arguments: list[str], environment: dict[str, str]) -> float:
    """Seconds until the app in a terminal of its own has drawn its first frame (synchronised update)."""
    started = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, *arguments], {**environment, "TERM": "xterm-256color"})
    seen = b""
    while len(seen) < 3000 and time.perf_counter() - started < 20:
        if select.select([terminal], [], [], 0.5)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:
                break
    taken = time.perf_counter() - started
    os.kill(child, 9)
    os.waitpid(child, 0)
    os.close(terminal)
    return taken
