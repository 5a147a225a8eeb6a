"""Ten queries at 100,000 tracks, p50 and p95, beside ``mpc search`` where an MPD with a library as large is running.

``python -m bench.library.search [--tracks N] [--mpc]``. The names are of syllables drawn by lot, as skewed as words are.
"""

import argparse
import shlex
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from player.library.search import TrackIndex
from player.library.tracks import read_catalogue
from player.storage.database import Database, open_database
from player.storage.models import Track, TrackFile

TIMES = 20
WORDS = 40_000
QUERIES = {
    "b": "any b",
    "lo": "any lo",
    "baban": "any baban",
    "ba na": "any ba any na",
    "artist:be": "artist be",
    '"ba na"': "any 'ba na'",
    "babaanerinx": None,
    "year:1990..1999 lo -ba": None,
    "(genre:ba or length:>5m) added:<30d": None,
    "path:music artist:lo or title:ka plays:0": None,
}
"""Each with what one asks MPD for the same, where it can be asked."""


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--mpc", action="store_true", help="ask the MPD that mpc finds the same")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(Path(folder) / "player.db")
        seconds = fill(database, asked.tracks)
        print(f"{asked.tracks:,} tracks written and indexed in {seconds:.1f} s of the processor")
        with database.look_up() as connection:
            index = TrackIndex(database, read_catalogue(connection))
        slowest: list[float] = []
        for query, same in QUERIES.items():
            taken = timed(lambda query=query: index.search(query))
            slowest.append(taken[1])
            mpc = timed(lambda same=same: ask_mpd(same)) if asked.mpc and same else None
            beside = f"   mpc {mpc[0]:6.1f} / {mpc[1]:6.1f} ms" if mpc else ""
            print(f"{query:<44} {len(index.search(query)):>7} found  {taken[0]:6.1f} / {taken[1]:6.1f} ms{beside}")
        print(f"p50 / p95 of each; the slowest p95 is {max(slowest):.1f} ms")
        database.close()


def fill(database: Database, count: int) -> float:
    """Write tracks; seconds of the processor that it took."""
    rng = np.random.default_rng(0)
    syllables = [first + last for first in "bcdfghjklmnprstvwz" for last in ("a", "e", "i", "o", "u", "an", "er", "in")]
    words = ["".join(rng.choice(syllables, length)) for length in rng.integers(1, 5, WORDS)]
    chance = 1 / np.arange(5, WORDS + 5)

    def names(rows: int, length: int) -> list[str]:
        drawn = rng.choice(WORDS, (rows, length), p=chance / chance.sum())
        return [" ".join(words[word] for word in row) for row in drawn]

    titles, artists, albums, genres = names(count, 4), names(count // 20, 2), names(count // 10, 3), names(100, 1)
    tracks = [
        {
            "id": number + 1,
            "fingerprint": str(number),
            "title": titles[number],
            "artist": artists[number // 20 % len(artists)],
            "artists": artists[number // 20 % len(artists)],
            "album": albums[number // 10 % len(albums)],
            "album_artist": "",
            "genre": genres[number % len(genres)],
            "year": 1950 + number % 75,
            "duration": 60.0 + number % 400,
            "codec": "mp3",
            "sample_rate": 44_100,
            "channels": 2,
            "added_us": (time.time_ns() // 1000) - number * 60_000_000,
        }
        for number in range(count)
    ]
    files = [
        {
            "track_id": one["id"],
            "path": f"/music/{one['artist']}/{one['id']}.mp3",
            "root": "/music",
            "size": 1,
            "mtime_ns": 1,
        }
        for one in tracks
    ]
    began = time.process_time()
    with database.session() as session:
        session.execute(insert(Track), tracks)
        session.execute(insert(TrackFile), files)
    return time.process_time() - began


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds: median and 95th percentile of some tries."""
    taken: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken), float(np.percentile(taken, 95))


def ask_mpd(same: str) -> bytes:
    """The answer of ``mpc search``, its start included."""
    return subprocess.check_output(["mpc", "search", *shlex.split(same)])


if __name__ == "__main__":
    main()
