"""Draw the documentation's pictures: the real program over the demo library, ``python -m bench.screenshots [FOLDER]``.

The library is scanned and embedded by the program's own commands, the music goes to a sound server whose sink nobody hears
(PulseAudio), and a listener's keys are pressed; so a picture can show nothing that the program does not do. The station's
noise is fixed, times are not: two runs differ by a second here and there.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import update

from player.config import settings_of
from player.demo import demo_music
from player.folders import locate
from player.playback.controller import Controller
from player.storage.database import Database, open_database
from player.storage.event_kinds import Origin
from player.storage.models import Station
from player.tui.app import PlayerApp
from tests.support.pulse import PulseServer

PICTURES = Path(__file__).parents[1] / "docs" / "guide"
SIZE = (120, 36)
PATIENCE_SECONDS = 30.0
FRAME_SECONDS = 2
STATION = "Evening"


def main(folder: Path) -> None:
    """Write ``station.svg``, ``why.svg``, ``library.svg``, ``insights.svg``, and ``session.svg``, which moves, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="screenshots-") as data:
        for command in (
            ["scan", str(demo_music())],
            ["embed", "--workers", "1"],
            ["station", "create", STATION, "--seed", "genre:Ambient", "--seed", "genre:Folk"],
        ):
            subprocess.run([sys.executable, "-m", "player", *command, "--data-dir", data], check=True)
        paths = locate(Path(data))
        database = open_database(paths.database, backups=paths.backups)
        server = PulseServer(Path(data))
        os.environ.update(server.environment)
        try:
            with database.session() as session:
                session.execute(update(Station).values(noise_seed=7))
            asyncio.run(_draw(database, data, folder))
        finally:
            database.close()
            server.kill()


async def _draw(database: Database, data: str, folder: Path) -> None:
    settings = settings_of({"audio": {"engine": "stream"}})
    controller = Controller(database, locate(Path(data)), settings, origin=Origin.TUI)
    app = PlayerApp(controller)
    async with app.run_test(size=SIZE) as pilot:

        async def until(true: Callable[[], bool]) -> None:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not true():
                if time.monotonic() > deadline:
                    sys.exit("The program did not get there in time.")
                await pilot.pause()
                await asyncio.sleep(0.05)

        await until(lambda: type(app.screen).__name__ == "StationPicker")
        await pilot.press("enter")
        await until(lambda: controller.snapshot().now is not None)
        frames = [_drawn(app, "A first minute")]
        for key in ("plus", "n", "n", "plus", "n", "n"):
            before = controller.snapshot().revision
            await pilot.press(key)
            await until(lambda seen=before: controller.snapshot().revision > seen)
            await pilot.pause(1.0)
            frames.append(_drawn(app, "A first minute"))
        await pilot.press("right", "right", "right")
        await until(lambda: (now := controller.snapshot().now) is not None and now.position > 15)
        _save(app, folder / "station.svg", "The queue of a station, with the reason of each row")
        await pilot.press("W")
        await until(lambda: type(app.screen).__name__ != "PlayerScreen")
        await pilot.pause(0.5)
        _save(app, folder / "why.svg", "Every part of a track's score")
        for key, name, title in (
            ("l", "library", "Artists, albums, tracks"),
            ("H", "insights", "What was heard and said"),
        ):
            await pilot.press("escape", key)
            await pilot.pause(1.5)
            _save(app, folder / f"{name}.svg", title)
            frames.append(_drawn(app, "A first minute"))
        await pilot.press("escape", "q")
        path = folder / "session.svg"
        path.write_text(_moving(frames), "utf-8")
        print(path)


def _save(app: PlayerApp, path: Path, title: str) -> None:
    path.write_text(_drawn(app, title), "utf-8")
    print(path)


def _drawn(app: PlayerApp, title: str) -> str:
    drawing = app.export_screenshot(title=title, simplify=True)
    # The reader's own monospaced font instead of one from the web: each text has its width written beside it.
    return re.sub(r"\s*@font-face \{.*?\}", "", drawing, flags=re.DOTALL)


def _moving(frames: Sequence[str]) -> str:
    """The frames one after the other, again and again, in one picture; a reader who wants no motion sees the first."""
    box = re.search(r'viewBox="[^"]*"', frames[0])
    share = 100 / len(frames)
    style = (
        "@media (prefers-reduced-motion: no-preference) {"
        f".frame {{ visibility: hidden; animation: show {len(frames) * FRAME_SECONDS}s step-end infinite; }} }}"
        f"@keyframes show {{ 0% {{ visibility: visible; }} {share:.3f}% {{ visibility: hidden; }} }}"
    )
    drawn = "".join(
        f'<g class="frame" style="animation-delay: {number * FRAME_SECONDS}s">{frame}</g>'
        for number, frame in reversed(list(enumerate(frames)))
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box[0] if box else ""}><style>{style}</style>{drawn}</svg>\n'


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
