"""Every ``player …`` command line that a page shows is one that the program takes."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from player.cli.main import app
from tests.docs.conftest import PAGES, ROOT, without_code

WHOLE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/guide/*.md")]
"""Pages whose examples are parsed to the last argument; elsewhere they may hold placeholders."""
BLOCK = re.compile(r"^```.*?^```$|^    [^\n]*$", re.DOTALL | re.MULTILINE)
LINE = re.compile(r"^ *(player [^\n]+)$", re.MULTILINE)
INLINE = re.compile(r"`(player [a-z][^`\n]+)`")
PLACEHOLDER = re.compile(r"…|\[|\||\{|<|\b(?:COMMAND|ID|VERSION|EVENT|TRACK|MODE|NAME|KEY|CSV|FILE|DIR|D)\b")


def shown(pages, pattern) -> list:
    return [
        pytest.param(command.strip(), id=f"{page.relative_to(ROOT)}: {command.strip()}")
        for page in pages
        for text in [page.read_text("utf-8")]
        for line in pattern.findall("\n".join(BLOCK.findall(text)) if pattern is LINE else without_code(text))
        for command in line.partition(" #")[0].split(";")
    ]


def words_of(command: str) -> list[str]:
    program, *words = shlex.split(command.replace("[", " ").replace("]", " "))
    assert program == "player"
    return words


def parse(command, words, parent=None):
    """Parse as the program would, without running anything; typer's errors say what is wrong."""
    context = command.make_context(
        command.name, list(words), parent=parent, allow_extra_args=hasattr(command, "commands")
    )
    if hasattr(command, "commands"):
        rest = [*context._protected_args, *context.args]
        if rest:
            _name, below, arguments = command.resolve_command(context, rest)
            parse(below, arguments, context)


@pytest.mark.slow
@pytest.mark.parametrize("line", shown(WHOLE, LINE))
def test_a_command_line_of_the_guide_is_parsed(line):
    if PLACEHOLDER.search(line):
        pytest.skip("with a placeholder: only its options are looked up, below")
    parse(get_command(app), words_of(line))


@pytest.mark.slow
@pytest.mark.parametrize("line", [*shown(PAGES, LINE), *shown(PAGES, INLINE)])
def test_every_command_and_option_shown_exists(line):
    command = get_command(app)
    for word in words_of(line):
        if hasattr(command, "commands"):
            names = [name for name in word.split("|") if not name.startswith("-") and name != "COMMAND"]
            missing = [name for name in names if name not in command.commands]
            assert not missing, f"there is no command {missing}"
            command = command.commands[names[0]] if names else command
        elif re.match(r"--?[a-zA-Z]", word):
            options = {name for parameter in command.params for name in parameter.opts}
            for option in word.partition("=")[0].split("|"):
                assert option in options | {"--help", "-h"}, f"{command.name} has no {option}"


def test_there_are_lines_to_look_at():
    assert len(shown(WHOLE, LINE)) > 40
    assert len(shown([Path(ROOT / "README.md")], LINE)) >= 10


@pytest.mark.parametrize(
    "line", ["player scann", "player scan --fast", "player next --count many", "player station dial"]
)
def test_a_wrong_line_is_noticed(line):
    with pytest.raises(Exception, match=r"(?i)no such|not a valid|missing"):
        parse(get_command(app), words_of(line))
