"""Opening the screen."""

import sys
from pathlib import Path

from player.cli.options import opened
from player.config import locate, music_folder
from player.errors import PlayerError


def open_player(music: Path | None, data_dir: Path | None, *, station: str | None = None, notice: str = "") -> None:
    """Open the screen on the library, adding a folder to it where one is named.

    With nothing named and nothing known yet, the listener's music folder is taken, and where that is empty the demo
    library.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise PlayerError("The screen needs a terminal; without one use `player play --station NAME --headless`.")
    from player.library.roots import known_roots
    from player.listening.controller import Controller, Opening
    from player.listening.stations import Stations
    from player.tui.app import run_tui

    with opened(data_dir) as home:
        if music is not None:
            _check_folder(music)
        elif not known_roots(home.database):
            folder = music_folder()
            if not _holds_audio(folder):
                if locate(data_dir) == locate(None):
                    from player.cli.demo import open_demo

                    open_demo()
                    return
            else:
                music = folder
        wanted = None if station is None else Stations(home.database).find(station).id
        opening = Opening(
            music=None if music is None else str(music.expanduser().absolute()), station_id=wanted, notice=notice
        )
        controller = Controller(home.database, home.paths, home.settings, origin="tui", opening=opening)
        run_tui(controller)


def _check_folder(music: Path) -> None:
    if not music.expanduser().exists():
        raise PlayerError(f"{music} does not exist; name a folder with music, as in: player --music ~/Music.")


def _holds_audio(folder: Path) -> bool:
    from player.library.files import Walker

    return folder.is_dir() and next(iter(Walker().walk(folder)), None) is not None
