"""The spread of loudness over a folder of music before and after levelling (``python -m bench.audio.loudness FOLDER``).

Scans the folder into a library that is thrown away, measures it as ``player loudness`` does, then takes every track through
the player's decoder, gain and limiter, and measures what would reach the device. With ``--json`` one document.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from embeddings.loudness import Loudness, LoudnessMeter
from player.audio.deck import Deck
from player.audio.messages import CEILING_DB, Load
from player.audio.ring import CHANNELS
from player.config import AudioSettings
from player.folders import locate
from player.library.embed import measure_pending
from player.library.loudness import Level, LevelTable
from player.library.paths import text_to_path
from player.library.scan import scan
from player.library.tracks import load_catalogue
from player.storage.database import open_database

RATE = 48_000
WAIT_SECONDS = 0.001
"""How long the reader leaves the decoder to itself."""
TOLERANCE_DB = 0.5
NEGLIGIBLE_DB = 0.1
"""Peaks between samples depend on the rate they are looked for at: the file's own before, the device's after."""


def main() -> None:
    """Print the spread before and after, and the peaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/music"))
    parser.add_argument("--mode", choices=["track", "album"], default="track")
    parser.add_argument("--no-limiter", action="store_true", help="turn tracks up only as far as their peaks allow")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.folder, AudioSettings(replaygain=arguments.mode, limiter=not arguments.no_limiter))
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<28} {value}")


def measure(folder: Path, settings: AudioSettings) -> dict[str, object]:
    """The figures of a folder."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = locate(Path(scratch))
        database = open_database(paths.database, backups=paths.backups)
        scan(database, [folder.absolute()])
        measure_pending(
            database,
            paths,
            track_ids=None,
            workers=os.cpu_count() or 1,
            report=lambda _progress: None,
            should_stop=lambda: False,
        )
        with database.reader() as session:
            table = LevelTable(session)
            rows = [row for row in load_catalogue(session) if not row.missing]
        levels = [table.level(row.id, settings, in_album=False) for row in rows]
        heard = [sounding(text_to_path(row.path), level) for row, level in zip(rows, levels, strict=True)]
        database.close()
    before = np.array([level.lufs for level in levels if level.lufs is not None])
    after = np.array([found.lufs for found in heard if found.lufs is not None])
    peaks = np.array([found.true_peak_db for found in heard if found.true_peak_db is not None])
    return {
        "tracks": len(rows),
        "LUFS before": spread(before),
        "LUFS after": spread(after),
        f"within {TOLERANCE_DB} of target": int(np.sum(np.abs(after - settings.target_lufs) <= TOLERANCE_DB)),
        "limited": sum(level.excess_db > 0 for level in levels),
        "by at most, dB": max(level.excess_db for level in levels),
        "held back by their peak": int(np.sum(after < settings.target_lufs - TOLERANCE_DB)),
        "highest peak, dBTP": round(float(peaks.max()), 2),
        f"peaks above {CEILING_DB} dBTP": int(np.sum(peaks > CEILING_DB + NEGLIGIBLE_DB)),
    }


def spread(values: NDArray[np.float64]) -> str:
    """Lowest, quartiles and highest, and the standard deviation."""
    lowest, low, middle, high, highest = np.percentile(values, [0, 25, 50, 75, 100])
    return f"{lowest:.1f} | {low:.1f} {middle:.1f} {high:.1f} | {highest:.1f}, s.d. {values.std():.2f}"


def sounding(path: Path, level: Level) -> Loudness:
    """The loudness of a file as it is played."""
    meter = LoudnessMeter()
    for _frame in meter.watch(frames(path, level)):
        pass
    assert meter.result is not None
    return meter.result


def frames(path: Path, level: Level) -> Iterator[AudioFrame]:
    """What reaches the device, as FFmpeg's frames."""
    deck = Deck(Load(str(path), 0.0, 0, True, level.gain_db, level.excess_db), RATE, lambda _deck: None)
    block, place = np.zeros((RATE, CHANNELS), np.float32), 0
    while not deck.ring.drained:
        if (count := deck.ring.read_into(block)) == 0:
            time.sleep(WAIT_SECONDS)
            continue
        frame = AudioFrame.from_ndarray(block[:count].reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), place
        place += count
        yield frame


if __name__ == "__main__":
    main()
