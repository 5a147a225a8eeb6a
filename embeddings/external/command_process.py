"""A program that is asked line by line, with a time limit, and that is gone when its asker is."""

import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

from embeddings.errors import EmbeddingError
from embeddings.quoting import quoted

GUARD = Path(__file__).with_name("command_guard.py")
MAX_LINE_BYTES = 64 * 1024
"""An answer says that vectors are ready, or why not."""
KEPT_STDERR_BYTES = 8 * 1024
"""The last of what the program says on its standard error; libraries can be talkative."""
CHUNK_BYTES = 64 * 1024
GOODBYE_SECONDS = 5.0
"""For what was killed to be gone."""


class CommandProcess:
    """One running program: no shell, its own process group, no terminal signals, killed when this process ends.

    Raises:
        EmbeddingError: from the constructor, if no process can be started.
    """

    def __init__(self, command: tuple[str, ...]) -> None:
        reading, self._lifeline = os.pipe()  # close-on-exec: no other child of this process holds the writing end
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARD), str(reading), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(reading,),
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            os.close(self._lifeline)
            raise EmbeddingError(f"the command cannot be started: {error.strerror or error}") from error
        finally:
            os.close(reading)
        self._unread = b""
        self._heard = b""
        self._listener = threading.Thread(target=self._listen, name="command-stderr", daemon=True)
        self._listener.start()

    def ask(self, line: str, seconds: float) -> bytes:
        """Send one line and wait for one.

        Raises:
            EmbeddingError: the program has ended, ends, says nothing in time, or says too much.
        """
        assert self._process.stdin is not None
        if self._unread:
            raise EmbeddingError("the command wrote more lines than it was asked for")
        try:
            self._process.stdin.write(line.encode() + b"\n")  # far below what a pipe holds, so it does not wait
        except OSError:
            raise EmbeddingError(self._epitaph()) from None
        return self.read_line(seconds)

    def read_line(self, seconds: float) -> bytes:
        """The next line it writes, without the newline.

        Raises:
            EmbeddingError: as :meth:`ask`.
        """
        assert self._process.stdout is not None
        until, pipe = time.monotonic() + seconds, self._process.stdout.fileno()
        while b"\n" not in self._unread:
            if len(self._unread) > MAX_LINE_BYTES:
                raise EmbeddingError(f"the command wrote a line of more than {MAX_LINE_BYTES} bytes")
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise EmbeddingError(f"the command did not answer within {seconds:.0f} s and was ended")
            if not (more := os.read(pipe, CHUNK_BYTES)):
                raise EmbeddingError(self._epitaph())
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def close(self) -> None:
        """Kill the program and everything it has started."""
        if self._lifeline >= 0:
            os.close(self._lifeline)  # the guard kills the group
            self._lifeline = -1
        try:
            self._process.wait(GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(GOODBYE_SECONDS)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def _listen(self) -> None:
        """Keep the end of what the program says on its standard error, so that it never waits for a reader."""
        assert self._process.stderr is not None
        while more := os.read(self._process.stderr.fileno(), CHUNK_BYTES):
            self._heard = (self._heard + more)[-KEPT_STDERR_BYTES:]

    def _epitaph(self) -> str:
        """How it ended, with its last words."""
        try:
            code = self._process.wait(GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            return "the command closed its standard output, and was ended"
        self._listener.join(GOODBYE_SECONDS)
        lines = [line.strip() for line in self._heard.decode("utf-8", "replace").splitlines() if line.strip()]
        last = quoted(lines[-1]) if lines else "it said nothing"
        return f"the command ended with exit code {code}: {last}"
