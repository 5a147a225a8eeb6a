"""Files a command is asked to write: refused before the work when there is nowhere to put them."""

from collections.abc import Callable
from pathlib import Path

from player.errors import PlayerError


def check_folder(path: Path, example: str) -> None:
    """Tell before minutes of work that there is nowhere to put the result.

    Args:
        path: the file to be written.
        example: a name to suggest where a folder was given.

    Raises:
        PlayerError: it is a folder, or in one that is not there.
    """
    if path.is_dir():
        raise PlayerError(f"{path} is a folder; name a file to write, as in {path / example}.")
    if not path.absolute().parent.is_dir():
        raise PlayerError(f"There is no folder {path.absolute().parent}; make it first or choose another.")


def keep(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file.

    Raises:
        PlayerError: it cannot be written.
    """
    try:
        write(path)
    except OSError as error:
        raise PlayerError(f"{path} cannot be written: {error.strerror or error}; choose another place.") from error
