"""Scanning: files a second, first and second time, on copies of real music."""

import shutil
import tempfile
import time
from pathlib import Path

from player.demo import demo_music
from player.library.scan import scan
from player.storage.database import open_database

COPIES = 60
"""Of the demo library's 24 tracks."""


def main() -> None:
    """Print the rates."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, database = Path(scratch) / "music", open_database(Path(scratch) / "player.db")
        for copy in range(COPIES):
            shutil.copytree(demo_music(), folder / str(copy))
        for words in ("first", "second"):
            started = time.perf_counter()
            report = scan(database, [folder])
            taken = time.perf_counter() - started
            files = report.added + report.unchanged
            print(
                f"{words} scan of {files} files: {taken:.2f} s, {files / taken:,.0f} files/s ({len(report.failed)} failed)"
            )
        database.close()
