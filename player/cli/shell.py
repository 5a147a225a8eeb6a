"""``player completion`` and ``player man``: what the shell and ``man`` know of the commands, made from the commands themselves."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(completion)
    app.command()(man)


def completion(shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Which shell.")]) -> None:
    """Print the completion of commands and options for a shell.

    bash: player completion bash > ~/.local/share/bash-completion/completions/player –
    zsh: a file _player in a folder of $fpath – fish: ~/.config/fish/completions/player.fish
    """
    from typer._completion_shared import get_completion_script

    print(get_completion_script(prog_name="player", complete_var="_PLAYER_COMPLETE", shell=shell))


def man(context: typer.Context) -> None:
    """Print the man page, for ~/.local/share/man/man1/player.1 and the like."""
    root = context.find_root()
    print("\n".join(_page(root, root.command)))


def _page(context: Any, group: Any) -> Iterator[str]:
    from player import __version__

    yield f'.TH PLAYER 1 "" "player {__version__}" "User commands"'
    yield from (
        ".ad l",  # a long list of choices leaves nothing to spread a line by
        ".SH NAME",
        r"player \- a music player that learns",
        ".SH SYNOPSIS",
        ".B player",
        "[OPTIONS] [COMMAND] …",
    )
    yield from (".SH DESCRIPTION", _text(group.help), ".SH OPTIONS", *_options(context, group), ".SH COMMANDS")
    yield from _commands(context, group, "player")
    yield from (".SH FILES", ".TP", ".I config.toml", "The settings; player config path names its place.")
    yield from (".SH EXIT STATUS", "0 done, 1 failed, 2 wrong usage, 130 interrupted.")


def _commands(context: Any, group: Any, path: str) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner, full = type(context)(command, parent=context, info_name=name), f"{path} {name}"
        arguments = [part for part in command.collect_usage_pieces(inner) if part != "[OPTIONS]"]
        yield from (f".SS {_text(' '.join((full, *arguments)))}", _text(command.help or ""), *_options(inner, command))
        if hasattr(command, "list_commands"):
            yield from _commands(inner, command, full)


def _options(context: Any, command: Any) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[0] != "-h, --help":
            yield from (".TP", rf"\fB{_text(record[0])}\fR", _text(record[1]))


def _text(text: str | None) -> str:
    """Text as troff takes it: on one line, its own signs meaning nothing; a list of choices may go on in the next."""
    words = " ".join((text or "").replace("`", "").replace("**", "").split())
    for sign, instead in (("\\", r"\e"), ("-", r"\-"), ("'", r"\(aq"), ("|", r"|\:")):
        words = words.replace(sign, instead)
    return words
