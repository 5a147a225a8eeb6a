"""``player config``: the settings shown, checked, edited and set."""

import os
import shlex
import subprocess
from typing import Annotated

import typer

from player.cli.options import DataDir, Json, emit_json, say
from player.errors import PlayerError

config_app = typer.Typer(help="Show and change the settings.", no_args_is_help=True)
Key = Annotated[str | None, typer.Argument(metavar="[SETTING]", help="One setting, as in audio.engine.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    config_app.command("show")(show)
    config_app.command("path")(path)
    config_app.command("check")(check)
    config_app.command("edit")(edit)
    config_app.command("set")(set_one)
    app.add_typer(config_app, name="config")


def show(key: Key = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Show every setting as it holds now, or one."""
    import tomlkit
    from msgspec import to_builtins
    from msgspec.structs import replace

    from player.config import load_settings
    from player.folders import locate
    from player.settings_file import setting

    settings = load_settings(locate(data_dir))
    if settings.remote.password:
        settings = replace(settings, remote=replace(settings.remote, password="(set)"))  # noqa: S106 - as it is shown
    document = to_builtins(settings, enc_hook=str)
    if key is not None:
        value = to_builtins(setting(settings, key), enc_hook=str)
        emit_json(value) if json else print("" if value is None else value)
    elif json:
        emit_json(document)
    else:
        plain = {name: value for name, value in document.items() if value is not None and not isinstance(value, dict)}
        tables = {name: _set_values(value) for name, value in document.items() if isinstance(value, dict)}
        print(tomlkit.dumps({**plain, **tables}), end="")


def _set_values(table: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in table.items() if value is not None}


def path(data_dir: DataDir = None) -> None:
    """Tell where the file is; it need not be there."""
    from player.folders import locate

    print(locate(data_dir).config_file)


def check(data_dir: DataDir = None) -> None:
    """Check the file; the first wrong line is named with what is allowed."""
    from player.config import load_settings
    from player.folders import locate

    paths = locate(data_dir)
    load_settings(paths)
    say(f"{paths.config_file} is in order." if paths.config_file.exists() else "There is no file; every default holds.")


def edit(data_dir: DataDir = None) -> None:
    """Open the file in your editor ($VISUAL, $EDITOR), and check it afterwards; a new one explains every setting."""
    from player.folders import locate
    from player.settings_file import write_default

    paths = locate(data_dir)
    write_default(paths)
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        ended = subprocess.run([*shlex.split(editor), str(paths.config_file)], check=False).returncode
    except (OSError, ValueError) as error:
        raise PlayerError(f"The editor “{editor}” cannot be started ({error}); set EDITOR to another.") from error
    if ended:
        raise PlayerError(f"The editor “{editor}” ended with an error; {paths.config_file} is as it left it.")
    check(data_dir)


def set_one(
    key: Annotated[str, typer.Argument(metavar="SETTING", help="As in audio.engine.")],
    value: Annotated[str, typer.Argument(help="As the file has it; a text needs no quotes.")],
    data_dir: DataDir = None,
) -> None:
    """Change one setting in the file; comments and all else stay. A running player takes it up at its next start."""
    from player.folders import locate
    from player.settings_file import change_setting, setting

    settings = change_setting(locate(data_dir), key, value)
    shown = "(set)" if key == "remote.password" else setting(settings, key)
    print(f"{key} = {shown}")
