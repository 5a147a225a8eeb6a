"""Installing what learning needs: PyTorch and its like are large, so they come while the player already plays."""

import fcntl
import importlib
import os
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from pathlib import Path

from player.errors import PlayerError
from player.jobs import JobProgress

DISTRIBUTION = "skipwise"
EXTRA = "learn"
MODULES = frozenset({"implicit", "matplotlib", "pyarrow", "scipy", "sklearn", "threadpoolctl", "torch"})
"""What the extra brings, as it is imported."""
BY_HAND = f'install it with `pip install "{DISTRIBUTION}[{EXTRA}]"`'
BYTES_PER_MB = 1_000_000
PIP_WITH_RAW_PROGRESS = (24, 1)
"""The first pip that tells its progress to programs; older ones tell which file they are at."""
TELL_SECONDS = 0.5
"""Interval at which a wish to stop is looked for."""
LAST_LINES = 5
"""Of pip's complaint, for the sentence that says why."""


def missing_requirements() -> tuple[str, ...]:
    """The requirements of learning that are not installed, as pip takes them; installed wholly, a package has its metadata."""
    try:
        stated = requires(DISTRIBUTION) or ()
    except PackageNotFoundError:
        return ()  # run from a bare source tree: nothing says what is needed
    wanted = [line.split(";")[0].strip() for line in stated if re.search(rf"extra == ['\"]{EXTRA}['\"]", line)]
    return tuple(requirement for requirement in wanted if not _installed(re.split(r"[<>=!~ \[]", requirement)[0]))


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def can_install() -> bool:
    """True in an environment of the player's own that it may write to; never in the system's Python."""
    return sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK) and _installed("pip")


def needed_sentence(module: str) -> str:
    """One sentence for a command that needs ``module``, which is not here yet."""
    if can_install():
        return f"This needs {module}, which is not installed yet: `player setup` installs it, as an open player does by itself."
    return f"This needs {module}, which is not installed: {BY_HAND}."


def ensure_learning(report: Callable[[JobProgress], None], note: Callable[[str], None], stop: threading.Event) -> None:
    """Install what is missing, saying so first; nothing happens where all is there.

    Raises:
        PlayerError: it cannot be installed, or was stopped; what was fetched is kept for the next time.
    """
    missing = missing_requirements()
    if not missing:
        return
    if not can_install():
        raise PlayerError(f"Learning needs {_names(missing)}: {BY_HAND}.")
    note(f"Learning needs {_names(missing)}, not installed yet; installing first.")
    with _installer_lock(note, stop):
        if wanted := missing_requirements():  # another player may have installed it meanwhile
            _install(wanted, report, stop)
    importlib.invalidate_caches()


def _names(requirements: Iterable[str]) -> str:
    return ", ".join(re.split(r"[<>=!~ \[]", requirement)[0] for requirement in requirements)


@contextmanager
def _installer_lock(note: Callable[[str], None], stop: threading.Event) -> Generator[None]:
    """One installation at a time in this environment; who comes second waits."""
    with Path(sys.prefix, f".{DISTRIBUTION}-setup.lock").open("w") as file:
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if not told:
                    note("Another player is installing it; waiting for that.")
                    told = True
                if stop.wait(TELL_SECONDS):
                    raise PlayerError(STOPPED) from None
            else:
                break
        yield


STOPPED = "Stopped; what was fetched is kept, and the next start goes on from there."


def _install(wanted: Iterable[str], report: Callable[[JobProgress], None], stop: threading.Event) -> None:
    bar = "raw" if tuple(map(int, version("pip").split(".")[:2])) >= PIP_WITH_RAW_PROGRESS else "off"
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--progress-bar", bar, *wanted]
    pip = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    ended = threading.Event()

    def end_when_told() -> None:
        while not ended.wait(TELL_SECONDS):
            if stop.is_set():
                pip.terminate()
                return

    watcher = threading.Thread(target=end_when_told, name="setup-stop", daemon=True)
    watcher.start()
    last: deque[str] = deque(maxlen=LAST_LINES)
    try:
        assert pip.stdout is not None
        with pip.stdout as lines:
            for progress in pip_progress(lines, last):
                report(progress)
        code = pip.wait()
    finally:
        ended.set()
        pip.kill()
        pip.wait()
    if stop.is_set():
        raise PlayerError(STOPPED)
    if code != 0:
        reason = next((line for line in last if line.startswith("ERROR")), last[-1] if last else f"code {code}")
        raise PlayerError(
            f"What learning needs could not be installed ({reason}); music plays without, and it is tried again at the next start."
        )


def pip_progress(lines: Iterable[str], last: deque[str]) -> Generator[JobProgress]:
    """The progress in pip's output (``--progress-bar raw``): per file in MB; other lines are kept in ``last``."""
    stage = "Installing PyTorch"
    yield JobProgress(stage)
    for line in lines:
        text = line.strip()
        if found := re.match(r"Progress (\d+) of (\d+)$", text):
            done, total = (int(number) // BYTES_PER_MB for number in found.groups())
            yield JobProgress(f"{stage} (MB)", done, total)
            continue
        last.append(text)
        if found := re.match(r"Downloading (?:\S*/)?([A-Za-z0-9_.]+)-", text):
            stage = f"Downloading {found[1].replace('_', '-')}"
        elif text.startswith("Installing collected"):
            yield JobProgress("Installing PyTorch and its libraries")
