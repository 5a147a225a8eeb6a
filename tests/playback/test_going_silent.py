"""Silences that the listener did not ask for: said while they last, over with their cause, never kept as a wish."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import event

from player.audio import messages as audio
from player.library.tracks import load_catalogue
from player.playback.controller import Opening
from player.playback.silence import Reason
from player.stations.resume import ResumePoint, load_resume_point, save_resume_point
from tests.support.listener import Listener
from tests.support.pulse import PulseServer, missing_programs

pytestmark = pytest.mark.slow

LOST = "The output device Speaker went away; the music waits until one is back."


@pytest.fixture
def listen():
    started = []

    def start(home, opening=None):
        started.append(Listener(home, opening).start())
        return started[-1]

    yield start
    for listener in started:
        listener.controller.close()


@pytest.fixture
def evening(demo, listen):
    listener = listen(demo, Opening(station_id=demo.station().id))
    listener.wait_until_sounding()
    return listener


def refusing_store(home):
    """A store that refuses to write while the event is set, as a full disk makes SQLite do."""
    full = threading.Event()

    def set_mode(connection, _record, _proxy):
        connection.execute(f"PRAGMA query_only={'ON' if full.is_set() else 'OFF'}")

    event.listen(home.database.engine, "checkout", set_mode)
    return full


def hear(listener, *events):
    for one in events:
        listener.controller._audio_events.heard(one)


# --- the device


def test_music_goes_on_by_itself_when_the_device_is_back(evening):
    hear(evening, audio.DeviceLost(LOST))
    evening.wait(lambda: not evening.now.playing, "silence")
    assert evening.notice == LOST
    hear(evening, audio.DeviceChanged("Speaker"))
    assert evening.notice == "", "it is no longer true"
    place = evening.now.position
    evening.wait_until_sounding(place + 0.3)


def test_a_pause_outlives_a_lost_device(evening):
    evening.controller.toggle_pause()
    hear(evening, audio.DeviceLost(LOST), audio.DeviceChanged("Speaker"))
    time.sleep(0.5)
    assert not evening.now.playing
    hear(evening, audio.DeviceLost(LOST))
    evening.controller.toggle_pause()
    assert not evening.now.playing, "there is nothing to play on"
    hear(evening, audio.DeviceChanged("Speaker"))
    evening.wait_until_sounding()


def test_what_is_chosen_while_the_device_is_away_sounds_when_it_is_back(evening):
    hear(evening, audio.DeviceLost(LOST))
    evening.controller.next()
    assert not evening.now.playing
    assert LOST in evening.notice, "it is still true"
    hear(evening, audio.DeviceChanged("Speaker"))
    evening.wait_until_sounding()


def test_only_the_listeners_pause_is_kept_for_the_next_start(evening):
    hear(evening, audio.DeviceLost(LOST))
    evening.controller.close()
    assert load_resume_point(evening.home.database).playing


def test_after_the_audio_process_was_given_up_space_tries_again(evening):
    place = evening.now.position
    hear(evening, audio.GaveUp("The audio process died."))
    evening.wait(lambda: not evening.now.playing, "silence")
    evening.controller.toggle_pause()
    evening.wait_until_sounding(place)


def test_a_failure_while_paused_leaves_the_next_track_paused(evening):
    first = evening.now.track.id
    evening.controller.toggle_pause()
    token = evening.controller._session.current.token
    hear(evening, audio.Failed(token, "It cannot be played."))
    evening.wait(lambda: evening.now.track.id != first, "the next track")
    time.sleep(0.5)
    assert not evening.now.playing
    assert evening.now.position == 0


# --- the store


def test_a_full_disk_at_the_end_of_a_track_loses_nothing_and_the_music_goes_on_with_the_space(tones, listen):
    listener = listen(tones, Opening(station_id=tones.station().id))
    listener.wait_until_sounding()
    full, first = refusing_store(tones), listener.now.track.id
    full.set()
    listener.wait(lambda: "cannot be written" in listener.notice, "the trouble")
    trouble = listener.notice
    assert not listener.now.playing
    time.sleep(1.2)
    assert listener.notice == trouble, "said once, and as long as it is true"
    full.clear()
    listener.wait(lambda: listener.now.track.id != first, "the next track")
    listener.wait_until_sounding()
    assert listener.notice != trouble
    assert listener.events[1:3] == [("finish", first, "end"), ("start", listener.now.track.id, None)]


def test_closing_before_the_store_was_tried_again_records_the_end_as_an_end(tones, listen, monkeypatch):
    listener = listen(tones, Opening(station_id=tones.station().id))
    listener.wait_until_sounding()
    full, first = refusing_store(tones), listener.now.track.id
    full.set()
    listener.wait(lambda: "cannot be written" in listener.notice, "the trouble")
    monkeypatch.setattr(listener.controller._loop, "retry", lambda: False)  # the watching does not get in between
    full.clear()
    listener.controller.close()
    assert ("finish", first, "end") in listener.events


def test_music_is_not_over_before_its_end_is_told(tones, listen):
    with tones.database.reader() as session:
        track = load_catalogue(session)[0]
    listener = listen(tones, Opening(tracks=(track,), play=True))
    listener.wait_until_sounding()
    told = listener.logged.append
    listener.controller._session._on_logged = lambda one: (time.sleep(0.3), told(one))
    listener.controller.seek(track.duration - 0.3)
    deadline = time.monotonic() + 20
    while Reason.ENDED not in listener.controller.silence.reasons:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert listener.logged[-1].kind == "finish"


# --- without a screen


def headless(home, environment=None):
    home.close()
    command = [sys.executable, "-m", "player", "play", "--station", "Evening", "--headless"]
    command += ["--data-dir", str(home.paths.data)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment or os.environ)


def end_audio_process(playing):
    for child in Path(f"/proc/{playing.pid}/task/{playing.pid}/children").read_text().split():
        if "player.audio" in Path(f"/proc/{child}/cmdline").read_text():
            os.kill(int(child), signal.SIGKILL)


def line_of(playing, fits, limit=400):
    for line in (json.loads(next(playing.stdout)) for _ in range(limit)):
        if fits(line):
            return line
    raise AssertionError("no such line")


def test_playing_without_a_screen_begins_with_music_where_the_listener_had_paused(demo):
    station = demo.station("Evening")
    save_resume_point(demo.database, ResumePoint(station.id, demo.track_ids[0], playing=False))
    demo.paths.config_file.write_text('[audio]\nengine = "null"\n')
    playing = headless(demo)
    line_of(playing, lambda line: line["event"] == "notice" and "Going on" in line["notice"])
    time.sleep(2)
    playing.send_signal(signal.SIGHUP)
    last = json.loads(playing.communicate(timeout=20)[0].splitlines()[-1])
    assert (last["event"], last["action"]) == ("stop", "quit")
    assert last["position"] > 0.2


@pytest.mark.sound
def test_playing_without_a_screen_goes_on_when_the_sound_server_is_back(tones, tmp_path):
    if missing := missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)}")
    (tmp_path / "pulse").mkdir()
    server = PulseServer(tmp_path / "pulse")
    try:
        tones.station("Evening")
        tones.paths.config_file.write_text('[audio]\nengine = "stream"\n')
        playing = headless(tones, server.environment)
        try:
            line_of(playing, lambda line: line["event"] == "finish")
            server.kill()
            lost = line_of(playing, lambda line: line["event"] == "notice" and "went away" in line["notice"])
            server.restart()
            gone = line_of(playing, lambda line: line["event"] == "notice" and line["notice"] != lost["notice"])
            assert gone["notice"] == ""
            assert line_of(playing, lambda line: line["event"] == "output")["state"] == "back"
            line_of(playing, lambda line: line["event"] == "finish")
            end_audio_process(playing)
            outputs = []
            for _ in range(2):
                line_of(playing, lambda line: outputs.append(line.get("state")) or line["event"] == "finish")
            assert not {*outputs} - {None}, "the same device goes on"
        finally:
            playing.terminate()
            playing.communicate(timeout=20)
    finally:
        server.kill()
