"""What holds for all tests, and real data folders: the demo library with vectors, and tones that are over in a second."""

import os
import signal
import sys

# Before numpy and torch are loaded: the machine has other work too, and pytest-xdist runs several processes.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

from player.storage.models import Station, Track
from tests.support.library import copy_home, make_demo_library, make_library, new_database, write_songs
from tests.support.once import once

TRACKS = 8
SONG_SECONDS = 1.5


@pytest.fixture(scope="session")
def demo_template(tmp_path_factory):
    """The scanned demo library with vectors; to be copied."""
    return once(tmp_path_factory, "demo", make_demo_library)


@pytest.fixture
def demo(demo_template, tmp_path):
    """The demo library in a data folder of its own."""
    home = copy_home(demo_template, tmp_path / "demo")
    yield home
    home.close()


@pytest.fixture(scope="session")
def songs(tmp_path_factory):
    """Eight tones of a second and a half."""
    return write_songs(tmp_path_factory.mktemp("songs"), 8, SONG_SECONDS)


@pytest.fixture(scope="session")
def tones_template(songs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("template") / "tones"
    make_library(folder, [songs])
    return folder


@pytest.fixture
def tones(tones_template, tmp_path):
    """The tones in a data folder of its own."""
    home = copy_home(tones_template, tmp_path / "tones")
    yield home
    home.close()


@pytest.fixture
def database(tmp_path):
    """A database with eight tracks (ids 1…8, 200 s each) and two stations (ids 1 and 2), without files."""
    opened = new_database(tmp_path / "data" / "player.db")
    with opened.session() as session:
        session.add_all(bare_track(number) for number in range(1, TRACKS + 1))
        session.add_all(Station(id=n, name=f"Station {n}", noise_seed=n, created_us=n) for n in (1, 2))
    yield opened
    opened.close()


def bare_track(number: int) -> Track:
    return Track(
        id=number,
        fingerprint=f"print {number}",
        title=f"Title {number}",
        artist=f"Artist {number % 3}",
        album="Album",
        album_artist="",
        genre="Folk",
        duration=200.0,
        codec="opus",
        sample_rate=48_000,
        channels=2,
        added_us=number,
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Let what tests print and log be sent from worker to parent: names that are no UTF-8 cannot."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


def pytest_configure():
    """Let Ctrl-C be Ctrl-C, and bytecode be kept.

    A shell that starts the tests in the background has children ignore Ctrl-C, theirs included. And a run starts hundreds
    of processes: where bytecode may not be kept, each of them compiles the program anew.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
