"""Golden files: what the program says word for word, kept in ``tests/golden`` and not in the tests.

A test asks for kinds – an exit code, one line, the name in it – and leaves the words to a golden file. After a change that
is meant, ``PLAYER_GOLDEN=write`` before pytest writes the files anew; the difference is for whoever reviews it.
"""

import os
from pathlib import Path

GOLDEN = Path(__file__).parent.parent / "golden"


def holds(name: str, said: str) -> bool:
    """True where ``said`` is what the golden file of that name has, or has just been written to."""
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("PLAYER_GOLDEN") == "write":
        file.write_text(said, "utf-8")
    return said == file.read_text("utf-8")
