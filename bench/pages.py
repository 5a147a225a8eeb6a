"""Write the pages that are made from the program: ``python -m bench.pages``.

``docs/guide/configuration.md`` from the settings model, ``docs/guide/keys.md`` from the tables of keys, and the table of layers in ``docs/dev/architecture.md`` from
import-linter's contracts. ``tests/docs`` compares the pages with what this would write.
"""

import ast
import inspect
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from msgspec import Meta
from msgspec.structs import FieldInfo, fields

from player.config import Section, Settings, default_of, sections
from player.settings_file import meanings
from player.tui.keys import NAMED

ROOT = Path(__file__).parents[1]
CONFIGURATION = ROOT / "docs" / "guide" / "configuration.md"
KEYS = ROOT / "docs" / "guide" / "keys.md"
ARCHITECTURE = ROOT / "docs" / "dev" / "architecture.md"
LAYERS = re.compile(r"(<!-- layers: .*? -->\n).*?(<!-- end of layers -->)", re.DOTALL)
HEAD = """\
# Configuration

<!-- made by python -m bench.pages from player/config.py; change the text there -->

The settings are one TOML file, `config.toml`; `player doctor` names its place and says whether it can be read. Every setting has
a default that works, so the file may be short or missing. A name that does not exist or a value that is not allowed is refused
with the line's name and what is allowed: a misspelt setting is never passed over.

With `--data-dir DIR` (or `PLAYER_DATA_DIR`) the settings are `DIR/config.toml`.
"""
KEYS_HEAD = """\
# Keys

<!-- made by python -m bench.pages from player/tui/keys.py; change the text there -->

`?` on the screen shows the keys that matter there, `:` finds every command by its name. A key can be another: under `[keys]` in
`config.toml`, by the name in this table, as in `next = "ctrl+n"`; several with commas between them. Keys are called as Textual
calls them: `ctrl+n`, `f5`, `space`, `question_mark`. What clashes or is not known is told when the player starts.
"""


def main() -> None:
    """Write all."""
    CONFIGURATION.write_text(configuration_page(), "utf-8")
    KEYS.write_text(keys_page(), "utf-8")
    ARCHITECTURE.write_text(with_layers(ARCHITECTURE.read_text("utf-8")), "utf-8")


def configuration_page() -> str:
    """The reference of all settings, in the order of the model."""
    parts = [HEAD, "## At the top of the file\n", _table(Settings, without=sections())]
    for name, model in sections().items():
        parts += [f"## [{name}]\n", f"{inspect.getdoc(model)}\n", _table(model)]
    return "\n".join([*parts, "## All defaults\n", f"```toml\n{_defaults()}```\n"])


def keys_page() -> str:
    """Every key of the screen with the name by which the settings call it."""
    rows = [f"| `{key.shown}` | `{name}` | {key.help} |".replace("`|`", "`\\|`") for name, key in NAMED.items()]
    return "\n".join([KEYS_HEAD, "| key | name | does |", "|---|---|---|", *rows, ""])


def with_layers(page: str) -> str:
    """The page with the table of layers that the contracts in ``pyproject.toml`` state.

    Raises:
        ValueError: the page has no place for it.
    """
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    made, count = LAYERS.subn(
        lambda found: found[1] + "".join(f"{line}\n" for line in _contract_lines(contracts)) + found[2], page
    )
    if count != 1:
        raise ValueError(f"{ARCHITECTURE} has {count} places for the layers.")
    return made


def _table(model: type[Section], without: Collection[str] = ()) -> str:
    meaning = {name: text.replace("``", "`") for name, text in meanings(model).items()}
    lines = ["| setting | default | allowed | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{one.name}` | {_default(one)} | {_allowed(one.type)} | {meaning[one.name]} |"
        for one in fields(model)
        if one.name not in without
    ]
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    value = default_of(field)
    return "none" if value is None else "empty" if value == {} else f"`{_toml(value)}`"


def _allowed(annotation: Any) -> str:
    choices = [argument for argument in get_args(annotation) if isinstance(argument, str)]
    if choices:
        return ", ".join(f"`{_toml(choice)}`" for choice in choices)
    limits = next((limit for limit in get_args(annotation) if isinstance(limit, Meta)), None)
    kind = _kind(annotation)
    return kind if limits is None else f"{kind}, {limits.ge:,} to {limits.le:,}"


def _kind(annotation: Any) -> str:
    names = {float: "number", int: "whole number", bool: "`true`, `false`", str: "text", Path: "path"}
    if get_origin(annotation) is list:
        return "a list of texts"
    if get_origin(annotation) is dict:
        return "a table of texts"
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    if annotation in names:
        return names[annotation]
    (wanted,) = [argument for argument in get_args(annotation) if argument is not type(None)]
    return _kind(wanted)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _defaults() -> str:
    lines: list[str] = []
    for section, model in sections().items():
        lines.append(f"[{section}]")
        for one in fields(model):
            value = default_of(one)
            lines.append(f"# {one.name} =" if value is None else f"{one.name} = {_toml(value)}")
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def _contract_lines(contracts: Iterable[dict[str, Any]]) -> Iterator[str]:
    for contract in contracts:
        if contract["type"] == "forbidden":
            rules = " and ".join(f"`{name}`" for name in contract["forbidden_modules"])
            yield f"- `{contract['source_modules'][0]}` imports nothing of {rules}."
    for contract in contracts:
        if contract["type"] == "layers":
            yield from (
                "",
                f"**{contract['name'].capitalize()}**, the highest first:",
                "",
                "| | package | holds |",
                "|---|---|---|",
            )
            for number, layer in enumerate(contract["layers"], 1):
                for name in re.split(r"\s*[|:]\s*", layer):
                    yield f"| {number} | `{name}` | {_summary(name)} |"


def _summary(name: str) -> str:
    """The first line of a module's docstring, with Markdown's quotes."""
    path = ROOT.joinpath(*name.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(source.read_text("utf-8"))) or ""
    first = " ".join(text.split("\n\n")[0].split()).replace("``", "`")
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", first)


if __name__ == "__main__":
    main()
