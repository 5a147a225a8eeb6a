"""Fixtures of the audio tests: tones on disk, a client whose events can be waited for, a private sound server."""

import os
import threading
import time

import pytest

from player.audio.client import AudioClient
from tests.support.pulse import PulseServer, missing_programs
from tests.support.tones import write_tones


class Events:
    """Collects a client's events; ``wait_for`` returns the first of a kind that fits, looking at each event once."""

    def __init__(self):
        self.all = []
        self._seen = 0
        self._changed = threading.Condition()

    def __call__(self, event):
        with self._changed:
            self.all.append(event)
            self._changed.notify_all()

    def wait_for(self, kind, fits=lambda _event: True, timeout=8.0):
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                while self._seen < len(self.all):
                    event = self.all[self._seen]
                    self._seen += 1
                    if isinstance(event, kind) and fits(event):
                        return event
                if not self._changed.wait(deadline - time.monotonic()):
                    raise AssertionError(f"no {kind.__name__} came; there were {self.all[-12:]}")

    def of(self, kind):
        with self._changed:
            return [event for event in self.all if isinstance(event, kind)]


@pytest.fixture
def start_client():
    """Starts clients ; returns (client, events)."""
    clients = []

    def start(engine="null", device=None, environment=None):
        events = Events()
        client = AudioClient(events, engine=engine, device=device, environment=environment or os.environ)
        clients.append(client)
        return client, events

    yield start
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def tones(tmp_path_factory):
    """A folder of short files with known sound."""
    folder = tmp_path_factory.mktemp("tones")
    write_tones(folder / "long.flac", [(440, 4), (880, 4), (1320, 4)])
    write_tones(folder / "short.flac", [(660, 0.6)])
    write_tones(folder / "song.mp3", [(550, 5)])
    write_tones(folder / "song.wav", [(770, 5)])
    return folder


@pytest.fixture(scope="session")
def pulse(tmp_path_factory):
    """A private PulseAudio with a null sink that can be recorded."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    try:
        server = PulseServer(tmp_path_factory.mktemp("pulse"))
    except RuntimeError as error:
        pytest.skip(str(error))
    yield server
    server.kill()
