"""The ``player`` command: its subcommands, and how errors leave it."""

import os
import sys
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command_name, get_group

from player.cli.options import DataDir, say
from player.errors import PlayerError, UsageError
from player.logs import log_unexpected

FAILED, USAGE, INTERRUPTED = 1, 2, 130
"""130 is what a shell reports for a program that Ctrl-C ended."""
COMMANDS = {
    "library": ("scan", "embed", "frontends", "tracks"),
    "stations": ("station", "queue"),
    "play": ("next", "similar", "feedback", "history", "play"),
    "training": ("setup", "retrain", "evaluate"),
    "model_versions": ("models",),
    "ab": ("ab",),
    "library_insight": ("map", "duplicates", "outliers"),
    "diversity": ("diversity",),
    "reasons": ("why", "track", "undo"),
    "survey": ("survey",),
    "experiment": ("experiment",),
    "history_files": ("import", "export"),
    "doctor": ("doctor",),
    "screen": ("demo",),
}
"""Module → the commands that its ``register`` adds, in the order of ``--help``."""


class _OnDemand(MutableMapping[str, Any]):
    """The commands by name; each is made, and its module imported, when it is asked for."""

    def __init__(self) -> None:
        self._modules = {name: module for module, names in COMMANDS.items() for name in names}
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._modules or name in self._made

    def __iter__(self) -> Iterator[str]:
        return iter({**self._modules, **self._made})

    def __len__(self) -> int:
        return len({*self._modules, *self._made})

    def _make(self, name: str) -> Any:
        """The command; the others of its module are left alone, for each option of each command takes its time to be made."""
        module = typer.Typer(rich_markup_mode="markdown")
        import_module(f"player.cli.{self._modules[name]}").register(module)
        module.registered_commands = [
            one
            for one in module.registered_commands
            if one.callback is not None and name == (one.name or get_command_name(one.callback.__name__))
        ]
        module.registered_groups = [one for one in module.registered_groups if one.name == name]
        return get_group(module).commands[name]


class CommandGroup(TyperGroup):
    """The group of all commands, none of which is imported before it is asked for."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _OnDemand()


app = typer.Typer(
    name="player",
    cls=CommandGroup,
    help="A music player that learns from your thumbs and skips, on your own machine, and proves what it learned.\n\n"
    "Without a command it opens on the screen.",
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    no_args_is_help=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
        from player.cli.screen import open_player

        open_player(music, data_dir)
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
    except ModuleNotFoundError as error:
        code = _say_missing(error)
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
    try:
        app()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED if leaving.code else 0
    return 0
