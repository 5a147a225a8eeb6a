"""How players join two files of one sine (``python -m bench.audio.joins``): this one's, MPD's and cmus's recordings, one table.

Each has a PulseAudio of its own with a null sink of 44.1 kHz whose monitor is recorded; nothing outside a temporary folder is
touched. Beside the join: processor time and memory of the process that plays.
"""

import argparse
import tempfile
from pathlib import Path

from bench.audio.peers import PLAYERS, missing_peers, processor_seconds, record_join, resident_megabytes
from bench.audio.sine import JOINS, judge
from tests.support.pulse import missing_programs

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
    recorded, seconds, cost = record_join(folder, join, PLAYERS[player], AFTER_SECONDS, _cost)
    try:
        found = judge(recorded, seconds)
    except ValueError as error:
        return f"{error} | | | | {cost}"
    return f"{found.silent} | {found.shift:+.1f} | {found.length:+d} | {found.jump:.1f} | {cost}"


def _cost(playing: int | None) -> str:
    return "– | –" if playing is None else f"{processor_seconds(playing):.2f} | {resident_megabytes(playing):.0f}"


if __name__ == "__main__":
    main()
