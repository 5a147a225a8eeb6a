"""Opening the screen, on the listener's library or the demo's: drawn at once, what it shows opened behind it."""

import gc
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from player.cli.home import Home, opened
from player.cli.signals import Leaving
from player.errors import PlayerError
from player.remote.address import AlreadyRunningError, only_player
from player.storage.event_kinds import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import typer

    from player.config import Settings
    from player.playback.controller import Controller, Opening
    from player.stations.first_look import FirstLook


def register(app: "typer.Typer") -> None:
    """Add the command."""
    app.command()(demo)


def open_player(
    music: Path | None,
    data_dir: Path | None,
    *,
    station: str | None = None,
    named: "Sequence[str]" = (),
    sound: "Mapping[str, object] | None" = None,
) -> None:
    """Open the screen on the library, adding a folder to it where one is named.

    With nothing named and nothing known yet, the listener's music folder is taken, and where that is empty the demo
    library.

    Args:
        music: a folder to add.
        data_dir: where the listener's data lies.
        station: a station to play, or to go on with after the music that was named.
        named: music to play at once: paths, or a search.
        sound: settings of the sound for this run.
    """
    from player.folders import locate

    if not named:
        _check_terminal()
    if music is not None and not music.expanduser().exists():
        raise PlayerError(f"{music} does not exist; name a folder with music, as in: player --music ~/Music.")

    def open_home(stack: ExitStack) -> "Controller":
        home = stack.enter_context(opened(data_dir))
        home = home.with_settings(with_sound(home.settings, sound)) if sound else home
        if named:
            from player.cli.hand_over import named_opening

            return _controller(home, named_opening(home, named, station)[0], stack)
        folder = music
        if folder is None and _is_new(home):
            folder = _music_folder()
            if folder is None and data_dir is None:
                return _open_demo(stack, locate(None).data)
        return _controller(home, _opening(home, folder, station), stack)

    with ExitStack() as alone:
        try:
            alone.enter_context(only_player(locate(data_dir).data))
        except AlreadyRunningError:
            pass
        else:
            _check_terminal()
            _run(open_home, lambda: _look(data_dir, station))
            return
    if named:
        _hand_over(data_dir, named, station)
    else:
        _attach(data_dir, station)


def _hand_over(data_dir: Path | None, named: "Sequence[str]", then: str | None) -> None:
    """Let the running player play the music, and drive it from here where there is a terminal."""
    from player.cli.hand_over import hand_over
    from player.cli.options import say
    from player.remote.drive import connected, drive

    with opened(data_dir) as home, connected(data_dir) as client:
        hand_over(home, client, named, then, lambda document: say(document["notice"]))
    if sys.stdin.isatty() and sys.stdout.isatty():
        _attach(data_dir, None)
    else:
        drive(data_dir, as_json=False)


def _attach(data_dir: Path | None, station: str | None) -> None:
    """Drive the player that runs on the data folder from here, instead of a second one beside it."""
    from player.folders import locate
    from player.remote.client import RemoteClient
    from player.tui.remote_app import run_remote

    data = locate(data_dir).data
    if station is not None:
        with RemoteClient(data) as client:
            client.ask("load", station)
    leaving = Leaving(lambda: None)
    with leaving.watching():
        run_remote(
            data,
            "This data folder's player is open elsewhere already; this is a remote control for it.",
            leaving.ask_screen,
        )


def _look(data_dir: Path | None, station: str | None) -> "FirstLook | None":
    """What is in the data folder, if there is one, on the station that was asked for, if one was."""
    from player.folders import locate
    from player.stations.first_look import look_at
    from player.storage.database import open_database

    paths = locate(data_dir)
    if not paths.database.exists():
        return None
    # Without the settings, which take as long to read: what is wrong in them is said when the player is opened.
    return look_at(open_database(paths.database, backups=paths.backups), station)


def demo() -> None:
    """Open the player on about twenty freely licensed excerpts, in a data folder that is thrown away afterwards."""
    _check_terminal()
    _run(_open_demo)


def _run(open_home: Callable[[ExitStack], "Controller"], look: "Callable[[], FirstLook | None]" = lambda: None) -> None:
    # What a start makes stays, and the collector of cycles would walk through it again and again: a tenth of the wait.
    gc.disable()
    looking = ThreadPoolExecutor(1).submit(look)  # SQLite counts while the screen is being imported
    from player.tui.app import run_tui
    from player.tui.lazy_player import LazyPlayer

    def open_player(stack: ExitStack) -> "Controller":
        try:
            return open_home(stack)
        finally:
            gc.enable()

    with ExitStack() as stack:
        # All that is not of its own it passes on by __getattr__, which no type checker can follow.
        player = cast("Controller", LazyPlayer(lambda: open_player(stack), looking))

        def close() -> None:
            with stack:
                player.close()

        leaving = Leaving(close)
        with leaving.watching():
            run_tui(player, leaving.ask_screen)


def _open_demo(stack: ExitStack, reached_at: Path | None = None) -> "Controller":
    """The demo library; other commands reach its player at a data folder that it is shown in place of."""
    from player.demo import demo_music
    from player.playback.controller import Opening

    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="player-demo-"))
    home = stack.enter_context(opened(Path(folder)))
    notice = "The demo library, thrown away when you leave. Your own music: make run MUSIC=FOLDER."
    return _controller(home, Opening(music=str(demo_music()), notice=notice), stack, reached_at)


def _controller(home: Home, opening: "Opening", stack: ExitStack, reached_at: Path | None = None) -> "Controller":
    from player.playback.controller import Controller
    from player.remote.companions import companions

    controller = Controller(home.database, home.paths, home.settings, origin=Origin.TUI, opening=opening)
    paths = replace(home.paths, data=reached_at) if reached_at else home.paths
    stack.enter_context(companions(controller, home.database, paths, home.settings))
    return controller


def _opening(home: Home, music: Path | None, station: str | None) -> "Opening":
    from player.playback.controller import Opening
    from player.stations.stations import Stations

    return Opening(
        music=None if music is None else str(music.expanduser().absolute()),
        station_id=None if station is None else Stations(home.database).find(station).id,
    )


def _check_terminal() -> None:
    # Textual draws for a browser where this says so.
    if not (sys.stdin.isatty() and sys.stdout.isatty()) and "TEXTUAL_DRIVER" not in os.environ:
        raise PlayerError("The screen needs a terminal; without one use `player play --station NAME --headless`.")


def _is_new(home: Home) -> bool:
    """Nothing was ever added: neither a folder nor, by an import, tracks alone."""
    from player.library.scan_roots import known_roots

    with home.database.look_up() as connection:
        return not known_roots(home.database) and connection.execute("SELECT 1 FROM track LIMIT 1").fetchone() is None


def _music_folder() -> Path | None:
    """The listener's music folder, when there is audio in it."""
    from player.folders import music_folder
    from player.library.files import Walker

    folder = music_folder()
    return folder if folder.is_dir() and next(iter(Walker().walk(folder)), None) is not None else None


def with_sound(settings: "Settings", sound: "Mapping[str, object]") -> "Settings":
    """The settings, with those for the sound that were named for this run; None leaves a setting as it is."""
    from msgspec.structs import replace

    changes = {name: value for name, value in sound.items() if value is not None}
    return replace(settings, audio=replace(settings.audio, **changes))
