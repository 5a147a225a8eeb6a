"""Commands of the user's that run front-ends: which command, and whether it could be started.

The command comes from the command line, the settings or the environment. It reaches the processes that embed through
the environment, which they inherit: ``PLAYER_MULE_COMMAND`` for the front-end ``mule``.
"""

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from embeddings.errors import EmbeddingError, quoted
from embeddings.frontend import FrontEnd, FrontEndModule
from embeddings.spec import FrontEndSpec, Obstacle, State


@dataclass(frozen=True, slots=True)
class CommandLoader:
    """Starts the command of one front-end; see :class:`embeddings.frontend.FrontEndModule`.

    Attributes:
        spec: the front-end's.
        reason: why it is a program of its own.
    """

    spec: FrontEndSpec
    reason: str

    def __call__(self, name: str, weights: Path) -> FrontEnd:
        """Start it and wait until it is ready. Its weights are its own affair."""
        from embeddings.external.command import load_command  # noqa: PLC0415 - imports numpy, which only embedding needs

        del name, weights
        return load_command(self.spec, self.command())

    def obstacle(self) -> Obstacle | None:
        """That no command is named, or one whose program is not there."""
        try:
            self.command()
        except EmbeddingError as error:
            return Obstacle(State.COMMAND_MISSING, str(error))
        return None

    def command(self) -> tuple[str, ...]:
        """The program and its arguments.

        Raises:
            EmbeddingError: none is named, or its program is not there.
        """
        command = os.environ.get(variable(self.spec.name), "")
        if not command.strip():
            raise EmbeddingError(
                f"{self.spec.name} is run by a program of yours ({self.reason}): name it with "
                '--command "PROGRAM ARGUMENT…" or in the settings; docs/research/front-ends.md has the steps'
            )
        return parse_command(command)


def command_module(spec: FrontEndSpec, reason: str) -> FrontEndModule:
    """The module of a front-end that a command runs, for the table or an entry point.

    Args:
        spec: of mono sound, with whatever weights the command uses.
        reason: why it is a program of its own, as a clause for the message that asks for the command.

    Raises:
        ValueError: the spec wants stereo, which commands are not given.
    """
    if spec.channels != 1:
        raise ValueError(f"{spec.name} wants {spec.channels} channels; a command is given mono")
    loader = CommandLoader(spec, reason)
    return FrontEndModule((spec,), loader, loader.obstacle)


def parse_command(text: str) -> tuple[str, ...]:
    """Split a command as a shell would, without running one: no variables, wildcards or pipes; ``~/`` is the home.

    Raises:
        EmbeddingError: it is empty, has an open quotation mark, or names a program that is not there.
    """
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise EmbeddingError(f"the command cannot be read ({error}): {quoted(text)}") from error
    if not parts:
        raise EmbeddingError("the command is empty; name a program and its arguments")
    words = tuple(str(Path(part).expanduser()) if part.startswith("~/") else part for part in parts)
    if any("\0" in word for word in words) or shutil.which(words[0]) is None:
        raise EmbeddingError(f"the command's program is not there or cannot be run: {quoted(words[0])}")
    return words


def variable(frontend: str) -> str:
    """The environment variable that holds the front-end's command."""
    return f"PLAYER_{frontend.upper().replace('-', '_')}_COMMAND"
