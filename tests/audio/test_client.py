"""The client and a real audio process on the clocked null output."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from player.audio import client as audio_client
from player.audio.client import DEATHS_ALLOWED, AudioClient
from player.audio.messages import (
    Damaged,
    Failed,
    Finished,
    GaveUp,
    Load,
    Meters,
    Pause,
    Play,
    Position,
    Prepare,
    PrepareNothing,
    Ready,
    Restarted,
    Seek,
    SetVolume,
    Started,
    Stop,
    Watch,
)
from tests.support.tones import write_tones

pytestmark = pytest.mark.slow


def load(path, token=1, position=0.0, play=True):
    return Load(str(path), position, token, play)


def test_a_track_starts_runs_by_the_clock_and_finishes(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "short.flac", token=7))
    assert events.wait_for(Ready) == Ready("null", "none (silent)", "")
    assert events.wait_for(Started).token == 7
    started = time.monotonic()
    assert events.wait_for(Finished).token == 7
    finished = time.monotonic()
    assert finished - started == pytest.approx(0.6, abs=0.4)


def test_positions_come_four_times_a_second_and_keep_the_time(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "long.flac"))
    events.wait_for(Started)
    first, began = events.wait_for(Position), time.monotonic()
    time.sleep(1.5)
    seen = len(events.of(Position))
    last = events.of(Position)[-1]
    assert seen >= 4
    assert last.seconds - first.seconds == pytest.approx(time.monotonic() - began, abs=0.5)
    assert last.duration == pytest.approx(12.0, abs=0.1)
    assert last.playing
    assert last.underruns == 0


def test_pause_holds_the_place_and_play_goes_on(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "long.flac"))
    events.wait_for(Started)
    client.send(Pause())
    place = events.wait_for(Position, lambda at: not at.playing).seconds
    time.sleep(0.6)
    assert events.of(Position)[-1].seconds == pytest.approx(place, abs=0.2)
    client.send(Play())
    events.wait_for(Position, lambda at: at.seconds > place + 0.2)
    assert len(events.of(Started)) == 1


def test_a_track_loaded_paused_waits_at_its_place(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "long.flac", position=5.0, play=False))
    at = events.wait_for(Position, lambda at: at.duration > 0)
    assert (at.seconds, at.playing) == (5.0, False)
    assert not events.of(Started)
    client.send(Play())
    events.wait_for(Started)
    assert 5.0 <= events.wait_for(Position, lambda at: at.playing).seconds < 6.0


def test_seek_jumps_and_past_the_end_is_the_end(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "long.flac"))
    events.wait_for(Started)
    client.send(Seek(9.0))
    assert events.wait_for(Position, lambda at: at.seconds >= 9.0).seconds < 9.6
    client.send(Seek(400.0))
    events.wait_for(Finished)
    assert len(events.of(Started)) == 1


def test_a_prepared_track_starts_at_once(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "short.flac", token=1))
    client.send(Prepare(str(tones / "song.mp3"), 2))
    events.wait_for(Finished)
    asked = time.monotonic()
    client.send(load(tones / "song.mp3", token=2))
    events.wait_for(Started, lambda event: event.token == 2)
    assert time.monotonic() - asked < 0.5


def test_a_bad_track_fails_in_a_sentence_and_the_next_one_plays(start_client, tones, tmp_path):
    (tmp_path / "text.mp3").write_text("no music\n" * 100)
    client, events = start_client()
    for token, path in enumerate([tmp_path / "gone.flac", tmp_path / "text.mp3", tmp_path]):
        client.send(load(path, token))
        failed = events.wait_for(Failed)
        assert failed.token == token
        assert path.name in failed.message
    client.send(load(tmp_path / "text.mp3", 8, play=False))
    assert events.wait_for(Failed).token == 8, "told although it was not to be played yet"
    client.send(load(tones / "short.flac", 9))
    assert events.wait_for(Finished).token == 9
    assert len(events.of(Ready)) == 1
    assert not events.of(Restarted)


def test_a_bad_prepared_track_fails_in_its_turn_not_before(start_client, tones, tmp_path):
    client, events = start_client()
    client.send(load(tones / "short.flac", 1))
    client.send(Prepare(str(tmp_path / "gone.flac"), 2))
    events.wait_for(Ready)
    assert not events.of(Failed)
    events.wait_for(Finished)
    client.send(load(tmp_path / "gone.flac", 2))
    assert events.wait_for(Failed).token == 2


def test_a_damaged_and_a_truncated_track_play_what_they_have_and_say_so(start_client, tmp_path):
    whole = write_tones(tmp_path / "whole.flac", [(440, 3.0)]).read_bytes()
    middle = len(whole) // 2
    noise = random.Random(3).randbytes(2000)
    (tmp_path / "hurt.flac").write_bytes(whole[:middle] + noise + whole[middle + len(noise) :])
    longer = write_tones(tmp_path / "longer.flac", [(440, 8.0)]).read_bytes()
    (tmp_path / "cut.flac").write_bytes(longer[: len(longer) // 2])
    client, events = start_client()
    client.send(load(tmp_path / "hurt.flac", 1, position=0.5))
    assert "hurt.flac is damaged in" in events.wait_for(Damaged).message
    events.wait_for(Finished)
    client.send(load(tmp_path / "cut.flac", 2))
    assert "cut short" in events.wait_for(Damaged).message
    assert events.wait_for(Position, lambda at: at.token == 2).duration < 6, "the true end, not the promised one"
    client.send(Seek(7.0))
    events.wait_for(Finished)


def test_stop_drops_the_track_without_a_word(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "long.flac"))
    events.wait_for(Started)
    client.send(Stop())
    time.sleep(0.4)
    count = len(events.all)
    time.sleep(0.5)
    assert len(events.all) == count
    assert not events.of(Finished)


def test_a_killed_process_is_replaced_at_the_same_place_without_a_second_start(start_client, tones):
    client, events = start_client()
    client.send(SetVolume(0.4))
    client.send(load(tones / "long.flac", token=3, position=6.0))
    before = events.wait_for(Position, lambda at: at.seconds > 6.5)
    os.kill(client.pid, signal.SIGKILL)
    assert "signal 9" in events.wait_for(Restarted).message
    events.wait_for(Ready)
    after = events.wait_for(Position)
    assert after.token == 3
    assert after.seconds == pytest.approx(before.seconds, abs=0.6)
    events.wait_for(Position, lambda at: at.seconds > before.seconds + 1)
    assert len(events.of(Started)) == 1


def test_a_killed_process_that_was_paused_stays_paused(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "long.flac", position=2.0))
    events.wait_for(Started)
    client.send(Pause())
    events.wait_for(Position, lambda at: not at.playing)
    os.kill(client.pid, signal.SIGKILL)
    events.wait_for(Ready)
    assert not events.wait_for(Position).playing


def kill_when_loaded(client, events):
    events.wait_for(Position)
    os.kill(client.pid, signal.SIGKILL)


def test_a_track_that_kills_twice_at_the_same_place_is_passed_over(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "long.flac", token=4))
    for _ in range(2):
        kill_when_loaded(client, events)
        if not events.of(Restarted):
            events.wait_for(Restarted)
    assert "long.flac" in events.wait_for(Failed).message
    events.wait_for(Ready)
    client.send(load(tones / "short.flac", token=5))
    assert events.wait_for(Finished).token == 5


def test_a_paused_track_is_not_blamed_for_deaths(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "long.flac", token=1, play=False))
    for _ in range(3):
        kill_when_loaded(client, events)
        events.wait_for(Restarted)
    events.wait_for(Position)
    assert not events.of(Failed)


def test_after_death_upon_death_the_client_gives_up_with_a_sentence_until_the_next_load(
    tones, start_client, monkeypatch
):
    monkeypatch.setattr("player.audio.client.FIRST_BACK_OFF_SECONDS", 0.01)
    broken = {**os.environ, "PYTHONHOME": "/nonexistent"}  # this interpreter dies before it begins
    client, events = start_client(environment=broken)
    message = events.wait_for(GaveUp, timeout=20).message
    assert "player doctor" in message
    assert len(events.of(Restarted)) == DEATHS_ALLOWED
    client._environment = dict(os.environ)
    client.send(load(tones / "short.flac", token=6))
    assert events.wait_for(Finished).token == 6


def test_after_giving_up_it_is_tried_again_without_being_asked(start_client, monkeypatch):
    monkeypatch.setattr("player.audio.client.FIRST_BACK_OFF_SECONDS", 0.01)
    monkeypatch.setattr("player.audio.client.RETRY_SECONDS", 0.5)
    client, events = start_client(environment={**os.environ, "PYTHONHOME": "/nonexistent"})
    events.wait_for(GaveUp, timeout=20)
    client._environment = dict(os.environ)
    assert events.wait_for(Ready, timeout=20).engine == "null"


def running(pid):
    try:
        with Path(f"/proc/{pid}/stat").open() as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_closing_ends_the_process(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "long.flac"))
    events.wait_for(Started)
    pid = client.pid
    began = time.monotonic()
    client.close()
    assert not running(pid)
    assert time.monotonic() - began < 1.5
    client.send(Play())  # to nobody, harmlessly
    client.close()


def test_a_client_closed_at_once_leaves_nothing_behind(start_client):
    client, events = start_client()
    client.close()
    time.sleep(0.3)
    assert client.pid is None
    assert not events.of(Restarted)


def test_a_callback_may_close_the_client():
    closed = []
    client = AudioClient(lambda event: (client.close(), closed.append(event)), engine="null")
    client._thread.join(5)
    assert not client._thread.is_alive()
    assert isinstance(closed[0], Ready)


def test_the_process_ends_when_its_player_is_killed(tones):
    script = (
        "import sys, time\n"
        "from player.audio.client import AudioClient\n"
        "from player.audio.messages import Load, Started\n"
        "def show(event):\n"
        "    if isinstance(event, Started): print(client.pid, flush=True)\n"
        "client = AudioClient(show, engine='null')\n"
        f"client.send(Load({str(tones / 'long.flac')!r}, 0.0, 1, True))\n"
        "time.sleep(30)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    assert running(pid)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 4
    while running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(pid)


def test_the_client_imports_nothing_that_decodes_or_plays():
    script = (
        "import sys, player.audio.client\n"
        "heavy = {'av', 'numpy', 'sounddevice', 'vlc', 'soxr', 'torch'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


def test_a_module_lying_in_the_folder_of_the_music_is_not_run(start_client, tones, tmp_path, monkeypatch):
    (tmp_path / "av.py").write_text("raise SystemExit('ran a stranger')\n")
    monkeypatch.chdir(tmp_path)
    client, events = start_client()
    client.send(load(tones / "short.flac"))
    events.wait_for(Finished)


def test_the_process_stays_small(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "song.mp3"))
    events.wait_for(Started)
    with Path(f"/proc/{client.pid}/status").open() as status:
        resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    assert resident < 100_000, "kB; half of what interface and audio may take together"


@pytest.mark.slow
def test_a_process_that_hangs_is_replaced_at_the_same_place(start_client, tones, monkeypatch):
    monkeypatch.setattr(audio_client, "PING_SECONDS", 0.4)
    client, events = start_client()
    client.send(load(tones / "long.flac", token=3))
    place = events.wait_for(Position, lambda at: at.seconds > 0.5).seconds
    os.kill(client.pid, signal.SIGSTOP)
    assert "signal 9" in events.wait_for(Restarted, timeout=20).message
    assert events.wait_for(Position, lambda at: at.playing).seconds == pytest.approx(place, abs=1.0)
    assert [event.token for event in events.of(Started)] == [3]


def test_a_track_goes_on_into_the_prepared_one_by_itself(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "short.flac", token=1))
    client.send(Prepare(str(tones / "song.wav"), 2))
    assert events.wait_for(Finished).token == 1
    assert events.wait_for(Started).token == 2
    client.send(load(tones / "song.wav", token=2))  # as it plays already, nothing changes
    events.wait_for(Position, lambda at: at.token == 2 and at.seconds > 0.5)
    assert [event.token for event in events.of(Started)] == [1, 2]
    assert not events.of(Failed)


def test_the_music_ends_with_the_track_where_nothing_is_to_follow(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "short.flac", token=1))
    client.send(Prepare(str(tones / "song.wav"), 2))
    client.send(PrepareNothing())
    events.wait_for(Finished)
    time.sleep(0.5)
    assert [event.token for event in events.of(Started)] == [1]


def test_meters_are_told_while_they_are_watched(start_client, tones):
    client, events = start_client()
    client.send(load(tones / "long.flac"))
    events.wait_for(Started)
    assert not events.of(Meters)
    client.send(Watch(on=True))
    seen = events.wait_for(Meters, lambda meters: min(meters.levels) > 0.33)
    assert max(seen.peaks) == pytest.approx(0.5, rel=0.1)
    loudest = seen.bands.index(max(seen.bands))
    assert 40 * 400 ** (loudest / 32) <= 440 <= 40 * 400 ** ((loudest + 1) / 32), "the band of the tone"
    client.send(Watch(on=False))
    client.send(Pause())
    events.wait_for(Position, lambda at: not at.playing)
    told = len(events.of(Meters))
    time.sleep(0.3)
    assert len(events.of(Meters)) == told
