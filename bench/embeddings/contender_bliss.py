"""Analyses the files named on standard input with ``bliss-audio`` and prints one JSON list per file.

Run by the benchmarks with the interpreter of another environment, so it imports nothing of this project.
"""

import json
import sys

from bliss_audio import Song  # pyright: ignore[reportMissingImports] - installed in an environment of its own


def main() -> None:
    """Read, analyse, print."""
    for line in sys.stdin:
        print(json.dumps(list(Song(line.rstrip("\n")).analysis)))


main()
