"""All that reads music files, in one process (``python -m bench.audio.readers GOOD``).

The paths come on standard input, one a line; of each it is printed what was not as it should be, then that it is done.
"""

import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from embeddings.decode import decode_mono
from embeddings.errors import EmbeddingError
from player.audio.messages import Event, Failed, Finished, Load, Prepare
from player.audio.output import Render
from player.audio.stream import StreamEngine
from player.library.file_reader import read_file
from player.library.files import FoundFile

RATE, EMBEDDED_RATE = 48_000, 16_000
PERIOD = 4_096
SEEK_SECONDS = 0.2
SPEED = 1.25
WAIT_SECONDS = 0.001
LONGEST_SECONDS = 50.0
"""Of the clock, for half a second of music."""


class HastyOutput:
    """An output that takes what there is when it is told to, as fast as it is decoded."""

    device, rate, underruns = "none (hasty)", RATE, 0

    def __init__(self) -> None:
        self._awake = False
        self._render: Render = lambda out: out.fill(0)
        self._out = np.zeros((PERIOD, 2), np.float32)

    def take(self) -> None:
        """Ask for a period."""
        if self._awake:
            self._render(self._out)
            if not np.isfinite(self._out).all():
                raise ValueError("samples that are no numbers")

    def start(self, render: Render) -> None:
        """Keep what to ask."""
        self._render = render

    def unheard(self) -> float:
        """Nothing is heard."""
        return 0.0

    def failed(self) -> bool:
        """Never."""
        return False

    def rest(self) -> None:
        """Ask no more."""
        self._awake = False

    def wake(self) -> None:
        """Ask again."""
        self._awake = True

    def reopened(self) -> "HastyOutput":
        """The same."""
        return self

    def close(self) -> None:
        """Nothing to let go."""


class Playback:
    """The engine, that plays a file straight, after another without a gap, or faster and from its middle on.

    Args:
        good: a file that plays.
    """

    def __init__(self, good: str) -> None:
        self._good, self._token = good, 0
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._events: list[Event] = []
        self._output = HastyOutput()
        self._engine = StreamEngine(self._output, self._events.append, self._inbox.put)

    def play(self, path: Path) -> None:
        """Play to the end; raises ValueError where the answer is not one sentence about the file."""
        way = zlib.crc32(path.name.encode()) % 3
        self._token += 2
        token, name = self._token, str(path)
        self._engine.set_speed(SPEED if way == 1 else 1.0)
        if way == 2:
            self._engine.load(Load(self._good, 0.0, token - 1, play=True))
            self._engine.prepare(Prepare(name, token))
            self._until(token - 1)
        self._engine.load(Load(name, 0.0, token, play=True))
        if way == 1:
            self._engine.seek(SEEK_SECONDS)
        end = self._until(token)
        if isinstance(end, Failed) and not (path.name in end.message and end.message.endswith(".")):
            raise ValueError(end.message)

    def _until(self, token: int) -> Event:
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            self._output.take()
            self._engine.check()
            if self._inbox.empty():
                time.sleep(WAIT_SECONDS)
            while not self._inbox.empty():
                self._inbox.get()()
            told, self._events[:] = [*self._events], []
            for event in told:
                if isinstance(event, Finished | Failed) and event.token == token:
                    return event
        raise TimeoutError("it never ends")


def scan(path: Path) -> None:
    """Read tags and identity."""
    read_file(FoundFile(str(path), str(path.parent), path.stat().st_size, 0))


def embed(path: Path) -> None:
    """Decode as front-ends do."""
    try:
        decode_mono(path, EMBEDDED_RATE)
    except EmbeddingError as error:
        if not str(error):
            raise ValueError("an error without words") from error


def main() -> None:
    """Read until there are no more paths."""
    parts = {"scan": scan, "embed": embed, "play": Playback(sys.argv[1]).play}
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        for name, part in parts.items():
            try:
                part(path)
            except Exception as error:  # noqa: BLE001 - none is expected
                words = str(error)[:80].replace("\n", " ")
                print("bad", name, path.name, type(error).__name__, words, flush=True)
        print("done", path, flush=True)


if __name__ == "__main__":
    main()
