"""What comes out of the sound server, for both engines; the recording is of a real (silent) device."""

import os
import signal
import subprocess
import time

import numpy as np
import pytest

from player.audio.messages import (
    DeviceChanged,
    DeviceLost,
    Failed,
    Finished,
    Load,
    Pause,
    Play,
    Position,
    Prepare,
    Ready,
    Refused,
    Seek,
    SetDevice,
    SetVolume,
    Started,
)
from tests.support.pulse import RATE, dominant_frequency, rms

pytestmark = [pytest.mark.slow, pytest.mark.sound]

FULL = 0.5 / 2**0.5
"""RMS of the tones as they were written."""


@pytest.fixture(params=["stream", "vlc"])
def engine(request):
    return request.param


@pytest.fixture
def playing(start_client, pulse, tones, engine):
    """A client that plays the long file, with a recording under way."""
    client, events = start_client(engine, environment=pulse.environment)
    ready = events.wait_for(Ready)
    assert (ready.engine, ready.note) == (engine, "")
    with pulse.recording() as recording:
        client.send(Load(str(tones / "long.flac"), 0.0, 1, True))
        events.wait_for(Started)
        yield client, events, recording


def assert_heard(recording, hertz=None, level=FULL, timeout=6.0):
    """Within the timeout, a stretch with this tone at this RMS on both channels is played (silence: level 0)."""
    deadline = time.monotonic() + timeout
    while True:
        samples = recording.take(0.25)
        left, right = rms(samples[:, [0]]), rms(samples[:, [1]])
        found = 0.0 if hertz is None or not len(samples) else dominant_frequency(samples)
        if (
            left == pytest.approx(level, rel=0.06, abs=1e-4)
            and right == pytest.approx(level, rel=0.06, abs=1e-4)
            and found == pytest.approx(hertz or 0.0, abs=5)
        ):
            return
        assert time.monotonic() < deadline, (
            f"heard {found:.0f} Hz at {left:.3f}/{right:.3f}, not {hertz} at {level:.3f}"
        )


def test_pause_seek_and_volume_are_heard(playing):
    client, _events, recording = playing
    assert_heard(recording, 440)

    client.send(Pause())
    assert_heard(recording, level=0)

    client.send(Seek(4.2))
    client.send(Play())
    assert_heard(recording, 880)

    client.send(SetVolume(0.5))
    assert_heard(recording, 880, FULL / 8)  # half the slider is an eighth of the amplitude

    client.send(SetVolume(1.0))
    client.send(Seek(8.2))
    assert_heard(recording, 1320)


@pytest.mark.parametrize(("engine", "name", "hertz"), [("stream", "song.mp3", 550), ("vlc", "song.wav", 770)])
def test_a_track_resumes_at_its_place_and_plays_to_its_end(start_client, pulse, tones, engine, name, hertz):
    client, events = start_client(engine, environment=pulse.environment)
    with pulse.recording() as recording:
        client.send(Load(str(tones / name), 3.5, 2, True))
        events.wait_for(Started)
        assert 3.5 <= events.wait_for(Position, lambda at: at.duration > 0).seconds < 4.5
        assert_heard(recording, hertz)
        assert events.wait_for(Finished).token == 2
        assert_heard(recording, level=0)


def test_sound_comes_back_after_the_process_is_killed(playing):
    client, events, recording = playing
    assert_heard(recording, 440)
    before = len(recording.everything())
    os.kill(client.pid, signal.SIGKILL)
    events.wait_for(Ready)
    assert_heard(recording, 440)
    # The silence in between may be short: it is looked for in tenths of a second.
    since = recording.everything()[before:, 0]
    tenths = since[: len(since) // (RATE // 10) * (RATE // 10)].reshape(-1, RATE // 10)
    assert (np.abs(tenths).max(axis=1) == 0).any()


def test_a_paused_player_asks_the_device_for_nothing_and_goes_on_where_it_was(start_client, pulse, tones):
    client, events = start_client("stream", environment=pulse.environment)
    client.send(Load(str(tones / "long.flac"), 0.0, 1, True))
    events.wait_for(Position, lambda at: at.seconds > 0.3)
    client.send(Pause())
    place = events.wait_for(Position, lambda at: not at.playing).seconds
    wait_until(lambda: "Corked: no" not in sink_inputs(pulse))
    with pulse.recording() as recording:
        client.send(Play())
        assert events.wait_for(Position, lambda at: at.playing).seconds == pytest.approx(place, abs=0.5)
        assert_heard(recording, 440)
    assert "Corked: no" in sink_inputs(pulse)


def sink_inputs(pulse):
    listed = subprocess.run(
        ["pactl", "list", "sink-inputs"],
        env={**os.environ, **pulse.environment, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout


def wait_until(holds, timeout=10.0):
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def test_a_device_that_goes_away_pauses_the_track_until_it_is_back(start_client, pulse, tones):
    client, events = start_client("stream", environment=pulse.environment)
    client.send(Load(str(tones / "long.flac"), 0.0, 1, True))
    place = events.wait_for(Position, lambda at: at.seconds > 0.3).seconds
    pulse.kill()
    try:
        assert "went away" in events.wait_for(DeviceLost).message
        assert not events.wait_for(Position).playing
    finally:
        pulse.restart()
    events.wait_for(DeviceChanged)
    with pulse.recording() as recording:
        client.send(Play())
        assert events.wait_for(Position, lambda at: at.playing).seconds == pytest.approx(place, abs=3)
        assert_heard(recording, 440)


def test_a_process_that_dies_while_the_device_is_away_waits_for_it(start_client, pulse, tones):
    client, events = start_client("stream", environment=pulse.environment)
    client.send(Load(str(tones / "long.flac"), 0.0, 1, True))
    events.wait_for(Position, lambda at: at.seconds > 0.3)
    pulse.kill()
    try:
        events.wait_for(DeviceLost)
        os.kill(client.pid, signal.SIGKILL)
        assert events.wait_for(Ready).engine == "stream", "not played silently by the clock"
        events.wait_for(DeviceLost)
    finally:
        pulse.restart()
    events.wait_for(DeviceChanged)
    with pulse.recording() as recording:
        client.send(Play())
        assert_heard(recording, 440)


@pytest.mark.parametrize("play", [True, False], ids=["while it is opened", "while it is closed"])
def test_a_sound_server_that_stops_answering_is_a_lost_device_within_seconds(start_client, pulse, tones, play):
    client, events = start_client("stream", environment=pulse.environment)
    events.wait_for(Ready)
    if not play:
        client.send(Load(str(tones / "long.flac"), 0.0, 1, True))
        events.wait_for(Position, lambda at: at.seconds > 0.3)
    pulse.signal(signal.SIGSTOP)
    try:
        client.send(Load(str(tones / "long.flac"), 0.0, 1, True) if play else Pause())
        assert "does not answer" in events.wait_for(DeviceLost, timeout=8.0).message
    finally:
        pulse.signal(signal.SIGCONT)
    assert events.wait_for(Ready, timeout=15.0).engine == "stream"
    with pulse.recording() as recording:
        client.send(Play())
        assert_heard(recording, 440)
    assert not events.of(Failed)


def test_a_sound_server_killed_while_its_device_is_opened_is_said_within_seconds(start_client, pulse, tones):
    client, events = start_client("stream", environment=pulse.environment)
    events.wait_for(Ready)
    pulse.signal(signal.SIGSTOP)
    client.send(Load(str(tones / "long.flac"), 0.0, 1, True))
    time.sleep(0.5)  # by now it waits for an answer
    pulse.kill()
    try:
        events.wait_for(DeviceLost, timeout=6.0)
    finally:
        pulse.restart()
    events.wait_for(DeviceChanged | Ready, timeout=15.0)
    with pulse.recording() as recording:
        client.send(Play())
        assert_heard(recording, 440)
    assert not events.of(Failed)


def test_without_a_device_the_clock_plays_and_the_reason_is_said(start_client, pulse, tones, tmp_path, engine):
    nowhere = {**pulse.environment, "PULSE_RUNTIME_PATH": str(tmp_path), "PULSE_SERVER": f"unix:{tmp_path}/none"}
    client, events = start_client(engine, environment=nowhere)
    ready = events.wait_for(Ready)
    assert ready.engine == "null"
    assert "No output device was found" in ready.note
    client.send(Load(str(tones / "short.flac"), 0.0, 1, True))
    events.wait_for(Finished)


def test_a_device_that_was_not_there_at_the_start_is_gone_over_to_when_it_appears(start_client, pulse, tones):
    pulse.kill()
    try:
        client, events = start_client("auto", environment=pulse.environment)
        assert "No output device was found" in events.wait_for(Ready).note
        client.send(Load(str(tones / "long.flac"), 0.0, 1, True))
        events.wait_for(Position, lambda at: at.seconds > 0.3)
    finally:
        pulse.restart()
    assert events.wait_for(DeviceChanged).device == "default"
    with pulse.recording() as recording:
        client.send(Seek(0.0))
        assert_heard(recording, 440)
    os.kill(client.pid, signal.SIGKILL)
    assert events.wait_for(Ready).engine == "stream"


def test_an_unknown_device_falls_back_to_the_default_and_says_so(start_client, pulse, engine):
    _client, events = start_client(engine, device="gramophone", environment=pulse.environment)
    ready = events.wait_for(Ready)
    assert ready.engine == "stream"
    assert "gramophone" in ready.note


@pytest.mark.slow
def test_what_an_engine_cannot_is_declared_and_so_it_is(start_client, pulse, tones, engine):
    client, events = start_client(engine, environment=pulse.environment)
    cannot = events.wait_for(Ready).cannot.split()
    assert ("Gapless" in cannot) == (engine == "vlc")
    client.send(Load(str(tones / "short.flac"), 0.0, 1, True))
    client.send(Prepare(str(tones / "song.wav"), 2))
    events.wait_for(Finished)
    if engine == "stream":
        assert events.wait_for(Started, lambda event: event.token == 2)
    else:
        time.sleep(0.5)
        assert [event.token for event in events.of(Started)] == [1], "it waits to be told"
        client.send(Load(str(tones / "song.wav"), 0.0, 2, True))
        assert events.wait_for(Started).token == 2


@pytest.mark.slow
def test_the_device_is_changed_while_the_music_plays(start_client, pulse, tones):
    client, events = start_client("stream", environment=pulse.environment)
    client.send(Load(str(tones / "long.flac"), 0.0, 1, True))
    place = events.wait_for(Position, lambda at: at.seconds > 0.3).seconds
    client.send(SetDevice("gramophone"))
    assert "gramophone" in events.wait_for(Refused).message
    client.send(SetDevice("pulse"))
    changed = events.wait_for(DeviceChanged)
    assert (changed.device, changed.switched) == ("pulse", True)
    with pulse.recording() as recording:
        assert_heard(recording, 440)
    assert events.of(Position)[-1].seconds < place + 8
    assert [event.token for event in events.of(Started)] == [1]
