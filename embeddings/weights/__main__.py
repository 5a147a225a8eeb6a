"""``python -m embeddings.weights --into DIR``: fetch the weights ahead of time."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from embeddings.errors import EmbeddingError
from embeddings.weights.files import MUSICNN_WHEEL, fetch_weights, installed_folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch all weights into a folder unless they are there; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m embeddings.weights", description="Fetch the weights of the front-ends."
    )
    parser.add_argument("--into", type=Path, default=installed_folder(), metavar="DIR", help="default: %(default)s")
    folder: Path = parser.parse_args(arguments).into
    try:
        path = _intact_copy(folder) or fetch_weights(MUSICNN_WHEEL, folder)
    except EmbeddingError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_UNAVAILABLE
    sys.stdout.write(f"{path}\n")
    return 0


def _intact_copy(folder: Path) -> Path | None:
    path = folder / MUSICNN_WHEEL.filename
    try:
        MUSICNN_WHEEL.read(path)
    except EmbeddingError:
        return None
    return path


if __name__ == "__main__":
    sys.exit(main())
