"""The listener's data, opened for a command, and what is said to a person; free of the machinery of options."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from player.text import printable

if TYPE_CHECKING:
    from player.config import Settings
    from player.folders import Paths
    from player.storage.database import Database


@dataclass(frozen=True)
class Home:
    """The listener's opened data."""

    paths: "Paths"
    database: "Database"

    @cached_property
    def settings(self) -> "Settings":
        """Read when they are asked for: where nothing was set, most look-ups need none.

        Raises:
            PlayerError: a line of them is wrong.
        """
        from player.config import load_settings

        return load_settings(self.paths)

    def with_settings(self, settings: "Settings") -> "Home":
        """The same data with settings of this run alone."""
        home = Home(self.paths, self.database)
        vars(home)["settings"] = settings
        return home


@contextmanager
def opened(data_dir: Path | None) -> Generator[Home]:
    """Open the database, and close it at the end; settings that were made are right, whether or not they are needed."""
    from player.folders import locate
    from player.logs import log_to_file
    from player.storage.database import keep_private, open_database

    paths = locate(data_dir)
    if paths.config_file.exists():
        from player.config import load_settings

        load_settings(paths)
    database = open_database(paths.database, backups=paths.backups)
    keep_private(*paths.private)
    log_to_file(paths.log_file)
    try:
        yield Home(paths, database)
    finally:
        database.close()


def say(text: str) -> None:
    """Tell a person something on standard error, where it never mixes with a document.

    What a sentence quotes (an argument, a name in a file) may hold anything; nothing of it commands the terminal.
    """
    print("\n".join(printable(line, "?") for line in text.split("\n")), file=sys.stderr)
