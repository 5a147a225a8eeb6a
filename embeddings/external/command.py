"""A front-end that is another program: one that the user names, and that this player neither contains nor imports.

So a network whose licence, Python or pins do not fit into this environment can still listen. The program is started
once and answers one piece of audio after another; ``docs/research/front-ends.md`` says what it must do:

- on its standard output it writes ``{"ready": true, "dimension": D}`` once it has loaded its network;
- each line on its standard input is ``{"audio": PATH, "sample_rate": R, "vectors": PATH}``: the first path is a ``.npy``
  file of (N,) float32 samples; it writes (W, D) float32 numbers to the second, with ``numpy.save``;
- then it writes ``{"done": true}``, or ``{"error": SENTENCE}``.

That it may run is the user's decision; what it answers is not trusted.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import EmbeddingError, OutOfTimeError, quoted
from embeddings.frontend import Embedded
from embeddings.samples import checked_mono, untagged
from embeddings.spec import FrontEndSpec

START_SECONDS = 900.0
"""By the clock, for the program to import and load what it needs, on a machine that is busy with everything else. Less than a
worker is given, so that the reason is known."""
ANSWER_SECONDS = 900.0
"""For one piece of audio, likewise."""
MAX_WINDOWS = 100_000
"""More than a day of sound at one a second: a reply that holds more is nonsense."""
GUARD = Path(__file__).with_name("command_guard.py")
MAX_LINE_BYTES = 64 * 1024
"""An answer says that vectors are ready, or why not."""
KEPT_STDERR_BYTES = 8 * 1024
"""The last of what the program says on its standard error; libraries can be talkative."""
CHUNK_BYTES = 64 * 1024
GOODBYE_SECONDS = 5.0
"""For what was killed to be gone."""


class CommandFrontEnd:
    """The front-end: samples in, whatever vectors the command makes of them out. Call :meth:`close` when done."""

    def __init__(
        self,
        spec: FrontEndSpec,
        command: tuple[str, ...],
        *,
        start_seconds: float = START_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.spec = spec
        self._command = command
        self._start_seconds, self._answer_seconds = start_seconds, answer_seconds
        self._process: CommandProcess | None = None

    def start(self) -> None:
        """Start the command unless it runs, and wait until it is ready.

        Raises:
            EmbeddingError: it cannot be run, ends, is not ready in time, or makes vectors of another length.
        """
        if self._process is not None:
            return
        self._process = CommandProcess(self._command)
        try:
            self._check_hello(_message(self._process.read_line(self._start_seconds)))
        except EmbeddingError:
            self.close()
            raise

    def _check_hello(self, hello: dict[str, object]) -> None:
        if hello.get("ready") is not True:
            raise EmbeddingError(f"the command did not say that it is ready but: {quoted(json.dumps(hello))}")
        if (theirs := hello.get("dimension")) != self.spec.dimension:
            raise EmbeddingError(
                f"the command makes vectors of {quoted(json.dumps(theirs))} numbers where {self.spec.name} has "
                f"{self.spec.dimension}"
            )

    def embed(self, samples: NDArray[np.float32]) -> Embedded:
        """See :meth:`embeddings.frontend.FrontEnd.embed`. A command that has ended is started again for the next audio."""
        audio = _filling(checked_mono(samples), self.spec.window_samples)
        self.start()
        assert self._process is not None
        with tempfile.TemporaryDirectory(prefix="embed-") as folder:
            sound, vectors = Path(folder, "audio.npy"), Path(folder, "vectors.npy")
            _save(sound, audio)
            ask = {"audio": str(sound), "sample_rate": self.spec.sample_rate, "vectors": str(vectors)}
            try:
                reply = _message(self._process.ask(json.dumps(ask), self._answer_seconds))
            except EmbeddingError:
                self.close()  # a late answer must not be taken for that to the next question
                raise
            _check_reply(reply)
            windows = read_vectors(vectors, self.spec.dimension)
        return untagged(windows)

    def close(self) -> None:
        """End the command and everything it has started."""
        if self._process is not None:
            self._process.close()
            self._process = None


def load_command(spec: FrontEndSpec, command: tuple[str, ...]) -> CommandFrontEnd:
    """The front-end with its command started and ready.

    Raises:
        EmbeddingError: the command cannot be run, or is not ready in time.
    """
    frontend = CommandFrontEnd(spec, command)
    frontend.start()
    return frontend


def read_vectors(path: Path, dimension: int) -> NDArray[np.float32]:
    """The (W, dimension) float32 vectors in a ``.npy`` file that another program wrote; one alone may be (dimension,).

    The header is checked before any number is read, and the file is not unpickled.

    Raises:
        EmbeddingError: it is no such file, or its shape is another, or a number is not finite.
    """
    try:
        if not path.is_file():  # a pipe of that name would be waited for
            raise EmbeddingError("the command said that it was done but wrote no vectors")
        mapped = np.lib.format.open_memmap(path, mode="r")  # refuses objects, which would be unpickled
        found = mapped[np.newaxis] if mapped.ndim == 1 else mapped
        if found.ndim != 2 or found.shape[1] != dimension or not 1 <= len(found) <= MAX_WINDOWS:  # noqa: PLR2004 - W, D
            raise EmbeddingError(
                f"the command's vectors have the shape {mapped.shape} where (windows, {dimension}) is wanted"
            )
        if found.dtype.kind != "f":
            raise EmbeddingError(f"the command's vectors are {found.dtype} where float32 is wanted")
        with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, which is refused below
            windows = np.array(found, dtype=np.float32, order="C")
    except (OSError, ValueError, EOFError, SyntaxError, MemoryError, OverflowError) as error:
        raise EmbeddingError(
            f"the command's vectors cannot be read ({type(error).__name__}); they are no .npy file"
        ) from error
    if not np.isfinite(windows).all():
        raise EmbeddingError("the command's vectors hold values that are no finite numbers")
    return windows


def _filling(audio: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """The audio, repeated if it is shorter than a window."""
    return audio if len(audio) >= length else np.resize(audio, length)


def _save(path: Path, audio: NDArray[np.float32]) -> None:
    try:
        np.save(path, audio, allow_pickle=False)
    except OSError as error:
        raise EmbeddingError(f"the audio cannot be handed to the command: {error.strerror or error}") from error


def _message(line: bytes) -> dict[str, object]:
    """One line of the command as a JSON object."""
    try:
        message: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        said = quoted(line.decode("utf-8", "replace"))
        raise EmbeddingError(
            f"the command wrote a line that is no JSON: {said}; only its answers may go to its standard output"
        ) from error
    if not isinstance(message, dict):
        raise EmbeddingError(f"the command wrote a line that is no JSON object: {quoted(json.dumps(message))}")
    return {str(key): value for key, value in message.items()}


def _check_reply(reply: dict[str, object]) -> None:
    if "error" in reply:
        raise EmbeddingError(f"the command could not embed the audio: {quoted(str(reply['error']))}")
    if reply.get("done") is not True:
        raise EmbeddingError(f"the command's answer is neither done nor an error: {quoted(json.dumps(reply))}")


# --- The program -------------------------------------------------------------------------------------------------


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
                raise OutOfTimeError(f"the command did not answer within {seconds:.0f} s and was ended")
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
        """The manner of its end, with its last words."""
        try:
            code = self._process.wait(GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            return "the command closed its standard output, and was ended"
        self._listener.join(GOODBYE_SECONDS)
        lines = [line.strip() for line in self._heard.decode("utf-8", "replace").splitlines() if line.strip()]
        last = quoted(lines[-1]) if lines else "it said nothing"
        return f"the command ended with exit code {code}: {last}"
