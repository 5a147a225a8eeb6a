"""The file of the settings: its documented default, and changing one setting in it with all else left as it is."""

import ast
import inspect
import os
import tempfile
import textwrap
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import tomlkit
from msgspec.structs import fields
from tomlkit.exceptions import TOMLKitError

from player.config import Section, Settings, default_of, load_settings, read_settings, sections
from player.errors import PlayerError
from player.folders import Paths

_HEAD = "# Settings of the player. What stands behind a # is the default; take the # away to change it.\n"
_WIDTH = 100


def meanings(model: type[Section]) -> dict[str, str]:
    """The text under each field, on one line."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for statement, below in zip(body.body, body.body[1:], strict=False):
        match statement, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
            case _:
                pass
    return found


def default_text() -> str:
    """The file with every setting explained and at its default, all of them behind a #."""
    named = sections()
    parts = [_HEAD, *_explained(Settings, named)]
    for name, model in named.items():
        parts += [f"\n[{name}]\n", *_explained(model)]
    return "".join(parts)


def _explained(model: type[Section], without: Collection[str] = ()) -> Iterator[str]:
    texts = meanings(model)
    for one in fields(model):
        if one.name not in without:
            text = texts[one.name].replace("``", "“", 1).replace("``", "”")
            yield from (f"# {line}\n" for line in textwrap.wrap(text, _WIDTH))
            value = default_of(one)
            yield f"# {one.name} = {'…' if value is None else tomlkit.item(value).as_string()}\n"


def write_default(paths: Paths) -> None:
    """Write the documented default where there is no file yet and one can be written."""
    if not paths.config_file.exists():
        with suppress(PlayerError):
            _write(paths.config_file, default_text())


def setting(settings: Settings, key: str) -> Any:
    """The value of a setting such as ``audio.engine``.

    Raises:
        PlayerError: there is no such setting.
    """
    value: Any = settings
    for part in key.split("."):
        inner = (
            value.get(part)
            if isinstance(value, dict)
            else getattr(value, part, None)
            if part in _names(value)
            else None
        )
        if inner is None and part not in _names(value):
            raise PlayerError(f"There is no setting {key}; `player config show` lists them.")
        value = inner
    return value


def _names(value: Any) -> set[str]:
    if isinstance(value, Section):
        return {one.name for one in fields(value)}
    return set(value) if isinstance(value, dict) else set()


def change_setting(paths: Paths, key: str, text: str) -> Settings:
    """Set one setting in the file; comments and all others stay.

    Args:
        paths: where the file is.
        key: the setting, with its section before it: ``audio.engine``.
        text: its value as the file would have it; a text may go without its quotes.

    Raises:
        PlayerError: there is no such setting, it does not take that value, or the file cannot be read or written.
    """
    load_settings(paths)  # a broken file is put right first
    file = paths.config_file
    before = file.read_text("utf-8") if file.exists() else default_text()
    document = tomlkit.parse(before)
    *above, name = key.split(".")
    table: Any = document
    for part in above:
        table = table.setdefault(part, tomlkit.table())
    try:
        table[name] = tomlkit.value(text)
    except (TOMLKitError, ValueError):
        table[name] = text
    after = tomlkit.dumps(document)
    settings = read_settings(after)
    _write(file, after)
    return settings


def _write(file: Path, text: str) -> None:
    """Replace the file as a whole, for nobody else to read."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=file.name, dir=file.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as written:
            written.write(text)
        Path(name).replace(file)
    except OSError as error:
        raise PlayerError(f"{file} cannot be written ({error.strerror or error}); check the folder.") from error
