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
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import EmbeddingError
from embeddings.external.command_process import CommandProcess
from embeddings.frontend import Embedded, checked_mono
from embeddings.quoting import quoted
from embeddings.spec import FrontEndCard

START_SECONDS = 240.0
"""For the program to import and load what it needs. Less than a worker is given, so that the reason is known."""
ANSWER_SECONDS = 240.0
"""For one piece of audio, likewise."""
MAX_WINDOWS = 100_000
"""More than a day of sound at one a second: a reply that holds more is nonsense."""


class CommandFrontEnd:
    """The front-end: samples in, whatever vectors the command makes of them out. Call :meth:`close` when done."""

    def __init__(
        self,
        card: FrontEndCard,
        command: tuple[str, ...],
        *,
        start_seconds: float = START_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.card = card
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
        if (theirs := hello.get("dimension")) != self.card.dimension:
            raise EmbeddingError(
                f"the command makes vectors of {quoted(json.dumps(theirs))} numbers where {self.card.name} has "
                f"{self.card.dimension}"
            )

    def embed(self, samples: NDArray[np.float32]) -> Embedded:
        """See :meth:`embeddings.frontend.FrontEnd.embed`. A command that has ended is started again for the next audio."""
        audio = _filling(checked_mono(samples), self.card.window_samples)
        self.start()
        assert self._process is not None
        with tempfile.TemporaryDirectory(prefix="embed-") as folder:
            sound, vectors = Path(folder, "audio.npy"), Path(folder, "vectors.npy")
            _save(sound, audio)
            ask = {"audio": str(sound), "sample_rate": self.card.sample_rate, "vectors": str(vectors)}
            try:
                reply = _message(self._process.ask(json.dumps(ask), self._answer_seconds))
            except EmbeddingError:
                self.close()  # a late answer must not be taken for that to the next question
                raise
            _check_reply(reply)
            windows = read_vectors(vectors, self.card.dimension)
        return Embedded(windows, np.empty((len(windows), 0), np.float32))

    def close(self) -> None:
        """End the command and everything it has started."""
        if self._process is not None:
            self._process.close()
            self._process = None


def load_command(card: FrontEndCard, command: tuple[str, ...]) -> CommandFrontEnd:
    """The front-end with its command started and ready.

    Raises:
        EmbeddingError: the command cannot be run, or is not ready in time.
    """
    frontend = CommandFrontEnd(card, command)
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
