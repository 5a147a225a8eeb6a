"""The ``player`` command: its subcommands, and how errors leave it."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from player.cli import (
    ab,
    diversity,
    doctor,
    experiment,
    history_files,
    library,
    library_insight,
    model_versions,
    play,
    reasons,
    screen,
    stations,
    survey,
    training,
)
from player.cli.options import DataDir, say
from player.errors import PlayerError, UsageError
from player.logs import log_unexpected

FAILED, USAGE, INTERRUPTED = 1, 2, 130
"""130 is what a shell reports for a program that Ctrl-C ended."""

app = typer.Typer(
    name="player",
    help="A music player that learns from your thumbs and skips, on your own machine, and proves what it learned.\n\n"
    "Without a command it opens on the screen.",
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    no_args_is_help=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
library.register(app)
stations.register(app)
play.register(app)
training.register(app)
model_versions.register(app)
ab.register(app)
library_insight.register(app)
diversity.register(app)
reasons.register(app)
survey.register(app)
experiment.register(app)
history_files.register(app)
doctor.register(app)
screen.register(app)


@app.callback(invoke_without_command=True)
def open_screen(
    context: typer.Context,
    music: Annotated[
        Path | None, typer.Option("--music", help="Folder to add to the library and open on.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version and exit.")] = False,
) -> None:
    """Open the player on the screen."""
    if version:
        from player import __version__

        typer.echo(f"player {__version__}")
        raise typer.Exit
    if data_dir is not None:
        # Options work before the subcommand too.
        os.environ["PLAYER_DATA_DIR"] = str(data_dir)
    if context.invoked_subcommand is None:
        screen.open_player(music, data_dir)
    elif music is not None:
        raise UsageError("--music opens the screen and takes no command; to add a folder use `player scan FOLDER`.")


def run() -> int:
    """Run the command line and return the exit code: 0 done, 1 failed, 2 usage."""
    try:
        code = _run_command()
        sys.stdout.flush()
    except PlayerError as error:
        say(f"player: {error}")
        code = USAGE if isinstance(error, UsageError) else FAILED
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output is gone; nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except Exception as error:
        log_unexpected(error)
        raise
    if code == INTERRUPTED:
        say("Interrupted.")
    return code


def _run_command() -> int:
    """Run it as typer does on its own: wrong usage is told on standard error, and the exit code comes as SystemExit."""
    try:
        app()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED if leaving.code else 0
    return 0
