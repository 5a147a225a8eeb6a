"""Running the command line: how errors leave it."""

import errno
import io
import os
import sys
from contextlib import suppress

from player.cli.home import say
from player.errors import PlayerError, UsageError
from player.logs import log_unexpected
from player.text import printable

FAILED, USAGE, INTERRUPTED = 1, 2, 130
"""130 is what a shell reports for a program that Ctrl-C ended."""
OF_OUTPUT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""Errors without a file's name that writing the output ends in."""


def run() -> int:
    """Run the command line and return the exit code: 0 done, 1 failed, 2 usage."""
    try:
        code = _run_command()
        sys.stdout.flush()
    except PlayerError as error:
        say(f"player: {error}")
        code = USAGE if isinstance(error, UsageError) else FAILED
    except ModuleNotFoundError as error:
        code = _say_missing(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:
        if not _is_told(error):
            log_unexpected(error)
            raise
        # The reader of our output is gone, or its disk is full; nothing more can be said there.
        with suppress(io.UnsupportedOperation):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
        if not isinstance(error, BrokenPipeError):
            log_unexpected(error)
            say(f"player: {_reason(error)}")
    except Exception as error:
        log_unexpected(error)
        raise
    if code == INTERRUPTED:
        say("Interrupted.")
    return code


def _is_told(error: OSError) -> bool:
    """True where one sentence says all: of a file, the folder that is gone, or the output; the rest is a fault of the program."""
    return (
        error.filename is not None or isinstance(error, FileNotFoundError | BrokenPipeError) or error.errno in OF_OUTPUT
    )


def _reason(error: OSError) -> str:
    if error.filename is not None:
        return f"{printable(str(error.filename))} cannot be used ({error.strerror or error})."
    if isinstance(error, FileNotFoundError):
        return "The folder in which the command was started is gone; go to another one and try again."
    return f"The output cannot be written ({error.strerror or error})."


def _say_missing(error: ModuleNotFoundError) -> int:
    """Say how to get a library of learning; another one that is missing is a fault of the installation."""
    from player.learning.installation import MODULES, needed_sentence

    module = (error.name or "").split(".")[0]
    if module not in MODULES:
        log_unexpected(error)
        raise error
    say(f"player: {needed_sentence(module)}")
    return FAILED


def _run_command() -> int:
    """Run it as typer does on its own: wrong usage is told on standard error, and the exit code comes as SystemExit."""
    if not sys.argv[1:] and "_PLAYER_COMPLETE" not in os.environ:
        from player.cli.screen import open_player

        open_player(None, None)  # without typer, which takes as long to import as half of the screen
        return 0
    from player.cli.main import app

    if "_PLAYER_COMPLETE" in os.environ:
        from typer._completion_classes import completion_init

        completion_init()
    try:
        app()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED if leaving.code else 0
    except RuntimeError as error:  # pathlib has no kind of its own for it
        named = (word for word in sys.argv[1:] if word.startswith("~"))
        nobody = next((word for word in named if os.path.expanduser(word) == word), None)  # noqa: PTH111 - it raises nothing
        if nobody is None:
            raise
        raise PlayerError(
            f"{printable(nobody)} names the folder of a user that there is not; write the path out."
        ) from error
    return 0
