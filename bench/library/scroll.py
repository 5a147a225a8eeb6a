"""The longest time that the screen is held up while a library of 100,000 tracks is scrolled from end to end and searched.

``python -m bench.library.scroll [--pages N]``. The real screen over the real player, on the library of :mod:`bench.startup`, with
keys pressed as a person presses them. What holds a screen up is one turn of its event loop that does not end: the longest of all
turns is given, in milliseconds of the processor, which other work on the machine does not change. A person sees 50.
"""

import argparse
import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from bench.startup import TRACKS, cached_library
from player.config import AudioSettings, Settings
from player.folders import locate
from player.playback.controller import Controller
from player.storage.database import open_database
from player.storage.event_kinds import Origin
from player.tui.app import PlayerApp

SIZE = (120, 40)
PAGES = 400
MOST_MS = 50.0
READ_SECONDS = 120.0
COURSES = {
    "search, every track": ("slash", "tab"),
    "library by artist": ("l",),
    "library by folder": ("l", "4"),
    "library by age": ("l", "5"),
}
"""The screens with long lists, by the keys that lead to them."""
TYPED = "lo ba year:1990..1999"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=PAGES, help="pages turned, downwards and upwards each")
    pages = parser.parse_args().pages
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        shutil.copytree(cached_library(), data)
        asyncio.run(_scroll(data, pages))


async def _scroll(data: Path, pages: int) -> None:
    paths = locate(data)
    database = open_database(paths.database)
    controller = Controller(database, paths, Settings(audio=AudioSettings(engine="null")), origin=Origin.TUI)
    print(f"{TRACKS:,} tracks{'presses':>31}{'longest turn':>15}")
    app = PlayerApp(controller)
    async with app.run_test(size=SIZE) as pilot:
        deadline = time.monotonic() + READ_SECONDS
        while not controller.catalogue():
            assert time.monotonic() < deadline, "the library was never read"
            await asyncio.sleep(0.1)
        for name, way in COURSES.items():
            await pilot.press(*way)
            await _timed(
                pilot, name, ["end", "home", *["pagedown"] * pages, "end", *["pageup"] * pages, *["down"] * pages]
            )
            await pilot.press("escape")
        await _timed(pilot, "typing a search", ["slash", *("colon" if letter == ":" else letter for letter in TYPED)])
        app.exit()
    database.close()


async def _timed(pilot: Pilot[Any], name: str, keys: list[str]) -> None:
    """Press keys, and print the longest turn of the event loop meanwhile."""
    longest = 0.0
    run: Callable[[asyncio.Handle], None] = asyncio.Handle._run  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]  # noqa: SLF001 - the one place that all turns pass

    def timed(handle: asyncio.Handle) -> None:
        nonlocal longest
        began = time.thread_time()
        run(handle)
        longest = max(longest, time.thread_time() - began)

    asyncio.Handle._run = timed  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]  # noqa: SLF001 - as above
    try:
        for key in keys:
            await pilot.press(key)
    finally:
        asyncio.Handle._run = run  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]  # noqa: SLF001 - as above
    verdict = "" if longest * 1000 < MOST_MS else f"   more than {MOST_MS:.0f} ms"
    print(f"{name:<28}{len(keys):>15,}{longest * 1000:>12.1f} ms{verdict}", flush=True)


if __name__ == "__main__":
    main()
