"""What several benchmarks of the station need: their options, and the development data as a library."""

import argparse
import tempfile
from pathlib import Path

from bench.library_insight import SHARED, embedded
from player.stations.collection import Collection


def options(name: str) -> argparse.ArgumentParser:
    """A parser for one benchmark on real music."""
    parser = argparse.ArgumentParser(prog=f"python -m bench {name}")
    parser.add_argument("--data", type=Path, help="a data folder to keep the scanned and embedded music in")
    return parser


def real_music(data: Path | None) -> Collection | None:
    """The 240 tracks of the development data, scanned and embedded; None, said on screen, where they are not there."""
    if not (SHARED / "music.csv").is_file():
        print(f"skipped: needs the development data at {SHARED}")
        return None
    if data is not None:
        return embedded(data, [SHARED / "music"])
    with tempfile.TemporaryDirectory() as scratch:
        return embedded(Path(scratch) / "data", [SHARED / "music"])
