"""The spread of loudness over a folder of music before and after levelling (``python -m bench.audio.loudness FOLDER``).

Scans the folder into a library that is thrown away, measures it as ``player loudness`` does, then decodes every file as the
player plays it, applies its gain, and measures what would reach the device. With ``--json`` one document.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from embeddings.loudness import Loudness, LoudnessMeter
from player.audio.source import AudioSource
from player.config import AudioSettings
from player.folders import locate
from player.library.embed import measure_pending
from player.library.loudness import CEILING_DB, LevelTable
from player.library.paths import text_to_path
from player.library.scan import scan
from player.library.tracks import load_catalogue
from player.storage.database import open_database

RATE = 48_000
TOLERANCE_DB = 0.5
NEGLIGIBLE_DB = 0.1
"""Peaks between samples depend on the rate they are looked for at: the file's own before, the device's after."""


def main() -> None:
    """Print the spread before and after, and the peaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/music"))
    parser.add_argument("--mode", choices=["track", "album"], default="track")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.folder, AudioSettings(replaygain=arguments.mode))
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
        heard = [sounding(text_to_path(row.path), level.gain_db) for row, level in zip(rows, levels, strict=True)]
        database.close()
    before = np.array([level.lufs for level in levels if level.lufs is not None])
    after = np.array([found.lufs for found in heard if found.lufs is not None])
    peaks = np.array([found.true_peak_db for found in heard if found.true_peak_db is not None])
    return {
        "tracks": len(rows),
        "LUFS before": spread(before),
        "LUFS after": spread(after),
        f"within {TOLERANCE_DB} of target": int(np.sum(np.abs(after - settings.target_lufs) <= TOLERANCE_DB)),
        "held back by their peak": int(np.sum(after < settings.target_lufs - TOLERANCE_DB)),
        "highest peak, dBTP": round(float(peaks.max()), 2),
        f"peaks above {CEILING_DB} dBTP": int(np.sum(peaks > CEILING_DB + NEGLIGIBLE_DB)),
    }


def spread(values: NDArray[np.float64]) -> str:
    """Lowest, quartiles and highest, and the standard deviation."""
    lowest, low, middle, high, highest = np.percentile(values, [0, 25, 50, 75, 100])
    return f"{lowest:.1f} | {low:.1f} {middle:.1f} {high:.1f} | {highest:.1f}, s.d. {values.std():.2f}"


def sounding(path: Path, gain_db: float) -> Loudness:
    """The loudness of a file as it is played."""
    meter = LoudnessMeter()
    for _frame in meter.watch(frames(path, gain_db)):
        pass
    assert meter.result is not None
    return meter.result


def frames(path: Path, gain_db: float) -> Iterator[AudioFrame]:
    """What reaches the device, as FFmpeg's frames."""
    with AudioSource(str(path)) as source:
        for block in source.blocks(RATE, 0.0):
            louder = np.ascontiguousarray(block * np.float32(10.0 ** (gain_db / 20.0)))
            frame = AudioFrame.from_ndarray(louder.reshape(1, -1), format="flt", layout="stereo")
            frame.sample_rate = RATE
            yield frame


if __name__ == "__main__":
    main()
