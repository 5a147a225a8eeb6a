"""The demo library: excerpts of freely licensed music that travel with the program.

Whose they are stands in ``ATTRIBUTION.md`` for people and in ``attribution.csv`` for programs
(:mod:`tests.support.demo_credits` reads it). ``bench/demo/build_demo.py`` makes the excerpts anew.
"""

from importlib import resources
from pathlib import Path

__all__ = ["demo_music"]


def demo_music() -> Path:
    """Return the folder with the demo excerpts, laid out as ``Artist/Album/NN Title.opus``.

    Raises:
        FileNotFoundError: the installation lacks the folder.
    """
    folder = Path(str(resources.files(__name__))) / "music"
    if not folder.is_dir():
        raise FileNotFoundError(f"The demo music is missing from {folder}; install the program again.")
    return folder
