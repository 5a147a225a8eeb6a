"""Ten queries at 100,000 tracks, the first time, p50 and p95, beside ``mpc search`` of an MPD that has the same library.

``python -m bench.library.search [--tracks N] [--mpc]``. The names are of syllables drawn by lot, as skewed as words are. There
are no files: MPD is given its database as it would have written it.
"""

import argparse
import os
import shlex
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

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
MPD_CONF = """music_directory "{folder}"
db_file "{folder}/database"
bind_to_address "{folder}/socket"
metadata_to_use "artist,album,title,genre,date"
max_output_buffer_size "262144"
audio_output {{
  type "null"
  name "none"
}}
"""
MPD_TAGS = {"Artist": "artist", "Album": "album", "Title": "title", "Genre": "genre", "Date": "year"}
"""Tag → the column that holds it here."""


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--mpc", action="store_true", help="ask MPD the same (Debian's mpd and mpc)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as peers:
        database, tracks = open_database(Path(folder) / "player.db"), invented(asked.tracks)
        seconds = fill(database, tracks)
        ask_mpd = peers.enter_context(mpd(Path(folder), tracks)) if asked.mpc else None
        print(f"{asked.tracks:,} tracks written and indexed in {seconds:.1f} s of the processor")
        with database.look_up() as connection:
            index = TrackIndex(database, read_catalogue(connection))
        slowest: list[float] = []
        for query, same in QUERIES.items():
            first = timed(lambda query=query: index.search(query), 1)[0]
            taken = timed(lambda query=query: index.search(query))
            slowest.append(taken[1])
            beside = ""
            if ask_mpd and same:
                mpc = timed(lambda ask=ask_mpd, same=same: ask(same))
                beside = f"   mpc {len(ask_mpd(same).splitlines()):>6} found {mpc[0]:6.1f} / {mpc[1]:6.1f} ms"
            print(
                f"{query:<44} {len(index.search(query)):>7} found  {first:6.1f} / {taken[0]:6.1f} / {taken[1]:6.1f} ms{beside}"
            )
        print(f"the first time, then p50 / p95 of {TIMES}; the slowest p95 is {max(slowest):.1f} ms")
        database.close()


def invented(count: int) -> list[dict[str, Any]]:
    """Tracks, as columns of the table."""
    rng = np.random.default_rng(0)
    syllables = [first + last for first in "bcdfghjklmnprstvwz" for last in ("a", "e", "i", "o", "u", "an", "er", "in")]
    words = ["".join(rng.choice(syllables, length)) for length in rng.integers(1, 5, WORDS)]
    chance = 1 / np.arange(5, WORDS + 5)

    def names(rows: int, length: int) -> list[str]:
        drawn = rng.choice(WORDS, (rows, length), p=chance / chance.sum())
        return [" ".join(words[word] for word in row) for row in drawn]

    titles, artists, albums, genres = names(count, 4), names(count // 20, 2), names(count // 10, 3), names(100, 1)
    return [
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


def fill(database: Database, tracks: list[dict[str, Any]]) -> float:
    """Write tracks; seconds of the processor that it took."""
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


def timed(call: Callable[[], object], times: int = TIMES) -> tuple[float, float]:
    """Milliseconds: median and 95th percentile of some tries."""
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken), float(np.percentile(taken, 95))


@contextmanager
def mpd(folder: Path, tracks: Iterable[dict[str, Any]]) -> Generator[Callable[[str], bytes]]:
    """An MPD that has the tracks; asks it by ``mpc search``, whose start is part of it, as the player's own is not."""
    (folder / "mpd.conf").write_text(MPD_CONF.format(folder=folder))
    with (folder / "database").open("w") as file:
        print(
            "info_begin", "format: 2", "fs_charset: UTF-8", *(f"tag: {name}" for name in MPD_TAGS), sep="\n", file=file
        )
        print("info_end", file=file)
        for one in tracks:
            print(f"song_begin: {one['id']}.mp3", f"Time: {one['duration']}", sep="\n", file=file)
            print(*(f"{name}: {one[column]}" for name, column in MPD_TAGS.items()), sep="\n", file=file)
            print("Format: 44100:24:2", "mtime: 1", "song_end", sep="\n", file=file)
    server = subprocess.Popen(["mpd", "--no-daemon", folder / "mpd.conf"], stderr=subprocess.DEVNULL)
    environment = {**os.environ, "MPD_HOST": str(folder / "socket")}
    try:
        while subprocess.run(["mpc", "stats"], env=environment, capture_output=True, check=False).returncode:
            if server.poll() is not None:
                raise SystemExit("mpd does not start")
            time.sleep(0.1)
        yield lambda same: subprocess.check_output(["mpc", "search", *shlex.split(same)], env=environment)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
