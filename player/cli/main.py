"""The ``player`` command and its subcommands."""

import os
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command_name, get_group

from player.cli.options import DataDir
from player.errors import UsageError

COMMANDS = {
    "library": ("scan", "tracks", "search"),
    "analysis": ("embed", "frontends", "loudness"),
    "stations": ("station", "queue"),
    "play": ("next", "similar", "feedback", "history", "play", "devices"),
    "remote": ("status", "pause", "previous", "seek", "volume", "up", "down", "stop"),
    "learning.training": ("setup", "retrain", "evaluate"),
    "learning.model_versions": ("models",),
    "learning.ab": ("ab",),
    "library_care": ("library", "private", "forget", "playlist"),
    "library_insight": ("map", "duplicates", "outliers", "path"),
    "diversity": ("diversity",),
    "reasons": ("why", "track", "undo"),
    "survey": ("survey",),
    "experiments.commands": ("experiment",),
    "history_files": ("import", "export"),
    "doctor": ("doctor", "db"),
    "settings": ("config",),
    "scrobble": ("scrobble",),
    "shell": ("completion", "man"),
    "screen": ("demo",),
    "serve": ("serve",),
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
