"""How players join two files of one sine (``python -m bench.audio.joins``): this one's, MPD's and cmus's recordings, one table.

Each has a PulseAudio of its own with a null sink of 44.1 kHz whose monitor is recorded; nothing outside a temporary folder is
touched. Beside the join: processor time and memory of the process that plays.
"""

import argparse
import tempfile
import time
from pathlib import Path

from bench.audio.peers import PLAYERS, missing_peers, processor_seconds, resident_megabytes
from bench.audio.sine import JOINS, judge, write_cut
from tests.support.pulse import PulseServer, missing_programs

AFTER_SECONDS = 3.0
"""Listened on after the end, for whoever begins late or leaves a gap."""


def main() -> None:
    """Print a row for each player and join."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--players", nargs="*", default=list(PLAYERS), choices=list(PLAYERS))
    parser.add_argument("--joins", nargs="*", default=list(JOINS))
    options = parser.parse_args()
    if missing := [*missing_programs(), *missing_peers()]:
        parser.error(f"not installed: {', '.join(missing)}")
    print("| join | player | silent samples | phase off, samples | length off, samples | step × sine | CPU s | MB |")
    print("|---|---|---|---|---|---|---|---|")
    for join in options.joins:
        for player in options.players:
            with tempfile.TemporaryDirectory(prefix="joins-") as folder:
                print(f"| {join} | {player} | {_measure(Path(folder), join, player)} |", flush=True)


def _measure(folder: Path, join: str, player: str) -> str:
    """Play, record, judge."""
    work, server_folder = folder / "work", folder / "server"
    work.mkdir()
    server_folder.mkdir()
    paths, seconds = write_cut(folder, JOINS[join])
    server = PulseServer(server_folder)
    try:
        with PLAYERS[player](work, server.environment) as (play, pid), server.recording() as recording:
            play(paths)
            time.sleep(seconds + AFTER_SECONDS)
            playing = pid()
            cost = "– | –"
            if playing is not None:
                cost = f"{processor_seconds(playing):.2f} | {resident_megabytes(playing):.0f}"
            recorded = recording.everything()
    finally:
        server.kill()
    try:
        found = judge(recorded, seconds)
    except ValueError as error:
        return f"{error} | | | | {cost}"
    return f"{found.silent} | {found.shift:+.1f} | {found.length:+d} | {found.jump:.1f} | {cost}"


if __name__ == "__main__":
    main()
