"""The engine and its decoders where a file is worse than damaged; on the clocked output, with real files."""

import gc
import time
from queue import SimpleQueue
from threading import Event

import pytest

from player.audio import source, stream
from player.audio.deck import Deck
from player.audio.messages import Failed, Finished, Load, Prepare
from player.audio.null import NullOutput
from player.audio.stream import StreamEngine
from tests.support.tones import nothing_but_a_header, write_tones

PATIENCE_SECONDS = 60.0


@pytest.fixture
def engine():
    """An engine, its events, and a way to wait as its process does."""
    events, inbox = [], SimpleQueue()
    engine = StreamEngine(NullOutput(), events.append, inbox.put)

    def wait_for_event(kind, token=None):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := [one for one in events if isinstance(one, kind) and token in {None, one.token}]):
            assert time.monotonic() < deadline, events
            while not inbox.empty():
                inbox.get()()
            engine.check()
            time.sleep(0.02)
        return found[0]

    yield engine, wait_for_event
    engine.close()


def test_a_decoder_that_runs_out_of_memory_fails_in_a_sentence(engine, tmp_path, monkeypatch):
    playing, wait_for_event = engine

    class Greedy:
        def __init__(self, **_):
            raise MemoryError

    monkeypatch.setattr(source, "AudioResampler", Greedy)
    playing.load(Load(str(write_tones(tmp_path / "a.wav", [(440, 0.5)])), 0.0, 7, play=True))
    failed = wait_for_event(Failed)
    assert failed.token == 7
    assert failed.message == "a.wav takes more memory than there is; it may be damaged, so it is passed over."


@pytest.mark.parametrize(
    ("suffix", "first", "then"), [("mp3", 48_000, 44_100), ("aac", 44_100, 48_000), ("aac", 22_050, 44_100)]
)
def test_files_of_two_rates_joined_end_to_end_are_no_damage(tmp_path, suffix, first, then):
    codec = "mp3" if suffix == "mp3" else "aac"
    parts = [write_tones(tmp_path / f"{rate}.{suffix}", [(440, 1.5)], rate=rate, codec=codec) for rate in (first, then)]
    (joined := tmp_path / f"joined.{suffix}").write_bytes(b"".join(part.read_bytes() for part in parts))
    decoded = Event()
    deck = Deck(Load(str(joined), 0.0, 7, play=True), then, lambda _deck: decoded.set())
    assert decoded.wait(PATIENCE_SECONDS)
    assert deck.ring.available / then == pytest.approx(3.0, abs=0.2)
    assert (deck.error, deck.damage) == ("", "")


@pytest.mark.slow
def test_a_track_of_which_nothing_comes_is_given_up(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "STUCK_SECONDS", 0.5)
    playing, wait_for_event = engine
    playing.load(Load(str(nothing_but_a_header(tmp_path / "a.flac")), 0.0, 7, play=True))
    failed = wait_for_event(Failed)
    assert failed.token == 7
    assert failed.message.startswith("a.flac gives no sound")
    assert playing.position() is None


@pytest.mark.slow
def test_a_paused_track_may_take_its_time(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "STUCK_SECONDS", 0.1)
    playing, _ = engine
    playing.load(Load(str(nothing_but_a_header(tmp_path / "a.flac")), 0.0, 7, play=False))
    for _ in range(20):
        playing.check()
        time.sleep(0.02)
    assert playing.position().token == 7


@pytest.mark.slow
def test_tracks_that_joined_are_let_go(engine, tmp_path):
    playing, wait_for_event = engine
    paths = [str(write_tones(tmp_path / f"{number}.wav", [(440, 0.2)])) for number in range(2)]
    playing.load(Load(paths[0], 0.0, 0, play=True))
    for token in range(1, 6):
        playing.prepare(Prepare(paths[token % 2], token))
        wait_for_event(Finished, token - 1)
        playing.load(Load(paths[token % 2], 0.0, token, play=True))
    wait_for_event(Finished, 5)
    playing.check()
    gc.collect()
    assert len([one for one in gc.get_objects() if isinstance(one, Deck) and one.path in paths]) <= 3
