"""Files to read, and the development data beside the repository."""

from pathlib import Path

import pytest

from tests.recommender.datasets.sessions import MSSD_HEADER

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "feedback"


@pytest.fixture
def write(tmp_path):
    """Write lines (or bytes) to a file and give its path."""

    def to(name, lines):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lines if isinstance(lines, bytes) else ("\n".join(lines) + "\n").encode())
        return path

    return to


@pytest.fixture
def mssd_folder(write):
    """Write session logs, each a list of rows, and give the folder's name as a data set."""

    def to(*logs):
        for number, rows in enumerate(logs):
            path = write(f"mssd/log_{number}_20180715.csv", [MSSD_HEADER, *rows])
        return f"mssd:{path.parent}"

    return to


@pytest.fixture
def shared_feedback():
    if not SHARED.is_dir():
        pytest.skip("the development data beside the repository (../shared/feedback) is absent")
    return SHARED
