"""Everything known about a track, and less because of this, through the real controller and from the disk alone."""

import signal
import subprocess
import sys
import time

import pytest

from player.audio.messages import SetVolume
from player.errors import PlayerError
from player.feedback.correction import Correction
from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.playback.controller import Controller, Opening
from player.playback.track_queries import StoredTrackQueries
from player.stations.resume import load_resume_point
from player.stations.snapshot import ordinal
from recommender.ranking.explain import ScorePart
from tests.support.library import settings

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 60.0


@pytest.fixture
def told(demo):
    ids = demo.track_ids
    station = demo.station("Evening", f"track:{ids[0]}", f"track:{ids[9]}")
    log = EventStore(demo.database, "tui")
    kinds = ("up", "finish", "skip", "down", "up")
    log.append_all(
        [NewEvent(kind, ids[place + 1], station.id, position=4.0, action="next") for place, kind in enumerate(kinds)]
    )
    return demo


def answers(home):
    return StoredTrackQueries(home.database, home.paths, settings())


def wait(true):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def playing(told):
    controller = Controller(told.database, told.paths, settings(), origin="tui", opening=Opening(station_id=1))
    controller.start()
    wait(lambda: controller.snapshot().now is not None and controller.snapshot().now.position > 0)
    yield controller
    controller.close()


def last(home):
    return EventStore(home.database, "tui").read()[-1]


# --- from the disk


def test_the_story_tells_files_events_with_their_weights_and_what_holds(told):
    track = told.track_ids[1]
    log = EventStore(told.database, "tui")
    log.append_all(
        [
            NewEvent("down", track),
            NewEvent("not-now", track, value=3600.0),
            NewEvent("never", track),
            NewEvent("less", track, 1, note="part:sequence"),
            NewEvent("finish", track, 1, position=46.0, action="end", value=5.0),
        ]
    )
    story = answers(told).story(track, "Evening")
    assert [(thumb.station, thumb.value) for thumb in story.thumbs] == [("everywhere", -1), ("Evening", 1)]
    assert (story.never, story.plays, story.embedded) == (True, 1, True)
    assert story.rests_until == pytest.approx(time.time() + 3600, abs=60)
    assert [(muted.station, muted.words) for muted in story.muted] == [("Evening", "what you heard last")]
    assert [file.missing for file in story.files] == [False]
    kinds = {event.kind: event for event in story.events}
    assert [event.kind for event in story.events] == ["finish", "less", "never", "not-now", "down", "up"]
    assert (kinds["up"].label, kinds["down"].label, kinds["never"].label) == (1.0, -1.0, -1.0)
    assert (kinds["finish"].words, kinds["finish"].heard) == ("sought to the end", 5.0)
    assert kinds["finish"].label < 0
    assert all(event.correctable for event in story.events)
    why = answers(told).why("Evening", track)
    assert story.score == pytest.approx(sum(part.logits for part in why.parts if part.part is not ScorePart.DIVERSITY))


def test_what_was_taken_back_stays_in_the_story_and_cannot_be_taken_back_again(told):
    track = told.track_ids[1]
    EventStore(told.database, "tui").append(NewEvent("undo", track, 1))
    undo, up = answers(told).story(track).events
    assert (undo.words, undo.undoes, undo.correctable) == ("took something back", up.id, False)
    assert (up.stands, up.correctable, up.label) == (False, False, None)


def test_an_unknown_track_is_refused(told):
    for ask in (lambda: answers(told).story(999), lambda: answers(told).why("Evening", 999)):
        with pytest.raises(PlayerError, match="There is no track 999"):
            ask()


# --- through the controller


def test_less_says_what_changed_and_the_queue_is_ranked_without_the_reason(told, playing):
    track = playing.snapshot().queue[0].track.id
    said = playing.why(track)
    label = said.labels[0]
    playing.less(track, label.key)
    assert (last(told).kind, last(told).note, last(told).track_id) == ("less", label.key, track)
    after = playing.why(track)
    assert label.key not in {one.key for one in after.labels}
    assert [muted.key for muted in after.muted] == [label.key]
    notice = playing.snapshot().notice
    assert f"your feedback on “{label.title}” is ignored" in notice
    assert f"stays {ordinal(after.rank)}" in notice or f"to {ordinal(after.rank)} of" in notice
    playing.undo()
    assert playing.why(track).muted == ()


def test_less_of_the_last_seed_or_of_nothing_is_refused_and_nothing_is_recorded(told, playing):
    track = playing.snapshot().queue[0].track.id
    first, second = playing.why(track).seeds
    playing.less(track, first.key)
    count = len(EventStore(told.database, "tui").read())
    for reason, words in (
        (second.key, "last seed"),
        (first.key, "already"),
        ("part:diversity", "dial"),
        ("x", "not a reason"),
    ):
        with pytest.raises(PlayerError, match=words):
            playing.less(track, reason)
    assert len(EventStore(told.database, "tui").read()) == count


def test_the_playing_track_is_explained_by_the_ranking_that_served_it(told, playing):
    now = playing.snapshot().now.track
    said = playing.why()
    assert (said.track.id, said.place) == (now.id, 0)
    logged = EventStore(told.database, "tui").read()[-1]
    assert logged.kind == "start"
    from player.feedback.log_reader import read_event_lines

    decision = read_event_lines(told.database)[-1]
    assert said.propensity == pytest.approx(decision.propensity, rel=1e-6)
    parts = {part.part: part.logits for part in said.parts}
    assert sum(parts.values()) - parts[ScorePart.DIVERSITY] == pytest.approx(decision.score, abs=1e-6)
    playing.next()
    second = playing.why()
    assert second.place == 0
    assert second.propensity == pytest.approx(read_event_lines(told.database)[-1].propensity, rel=1e-6)


def test_a_correction_counts_at_once(told, playing):
    track = playing.snapshot().now.track.id
    playing.thumb(1)
    (thumb,) = [event for event in playing.story().events if event.kind == "up"]
    playing.correct(Correction("undo", track, event_id=thumb.id))
    assert playing.snapshot().now.thumb == 0
    assert "Took event" in playing.snapshot().notice


def test_z_passes_over_what_was_taken_back_elsewhere(told, playing):
    track = playing.snapshot().now.track.id
    playing.thumb(1)
    first = last(told)
    playing.replay()
    playing.correct(Correction("undo", track, event_id=last(told).id))
    playing.undo()
    assert last(told).undoes_id == first.id
    playing.undo()
    assert playing.snapshot().notice == "There is nothing to undo."


def test_a_seek_is_noted_with_the_seconds_that_were_heard(told, playing):
    now = playing.snapshot().now
    playing.seek(now.duration - 10.0)
    playing.next()
    skip = next(event for event in reversed(EventStore(told.database, "tui").read()) if event.kind == "skip")
    assert skip.position >= now.duration - 11.0
    assert skip.value < 10.0
    label = load_history(told.database, told.rows).label_of(skip.id)
    assert label.signal.label < 0


def test_without_a_seek_nothing_more_than_the_position_is_noted(told, playing):
    playing.next()
    skip = next(event for event in reversed(EventStore(told.database, "tui").read()) if event.kind == "skip")
    assert skip.value is None


def test_the_sleep_timer_ends_the_music_with_the_track_and_says_nothing_of_it(tones):
    station = tones.station()
    controller = Controller(
        tones.database, tones.paths, settings(), origin="tui", opening=Opening(station_id=station.id)
    )
    controller.start()
    try:
        wait(lambda: controller.snapshot().now is not None)
        controller.stop_after_track()
        wait(lambda: controller.snapshot().now is None)
        event = last(tones)
        assert (event.kind, event.action) == ("finish", "sleep")
        assert load_history(tones.database, tones.rows).labels == []
        assert "sleep timer" in controller.snapshot().notice
        controller.toggle_pause()
        wait(lambda: controller.snapshot().now is not None)
        assert controller.snapshot().now.track.id != event.track_id
    finally:
        controller.close()


def test_the_sleep_timer_pauses_when_its_minutes_are_over(told, playing, monkeypatch):
    playing.turn_sleep_timer()
    assert playing.snapshot().sleep == "sleep in 15 min"
    later = time.monotonic() + 15 * 60
    monkeypatch.setattr("player.playback.audio_events.time.monotonic", lambda: later)
    wait(lambda: last(told).kind == "stop")
    monkeypatch.undo()
    assert last(told).action == "sleep"
    wait(lambda: not playing.snapshot().now.playing)


def test_stopping_after_a_track_is_meant_for_that_track_and_can_be_taken_back(playing):
    playing.stop_after_track()
    assert playing.snapshot().sleep == "stops after this track"
    playing.next()
    assert playing.snapshot().sleep == ""
    playing.turn_sleep_timer()
    playing.cancel_sleep_timer()
    assert playing.snapshot().sleep == ""


def test_mute_balance_and_a_fade_reach_the_sound_and_outlive_the_run(told, playing):
    sent = []
    playing._session.playback._client.send = sent.append
    playing.set_volume(0.5)
    playing.set_balance(-0.3)
    playing.toggle_mute()
    assert sent[-1] == SetVolume(0.5, -0.3, muted=True)
    playing._session.keep_place()
    point = load_resume_point(told.database)
    assert (point.volume, point.balance, point.muted) == (0.5, -0.3, True)
    playing.set_volume(0.5)  # whoever turns the volume wants to hear it
    playing._session.playback.fade(0.25)
    assert sent[-1] == SetVolume(0.125, -0.3)
    sent.clear()
    playing.turn_sleep_timer()
    assert SetVolume(0.5, -0.3) in sent


def test_a_less_and_a_thumb_that_were_acknowledged_survive_kill_9(told):
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from player.config import Paths, settings_of\n"
        "from player.playback.controller import Controller, Opening\n"
        "from player.storage.database import open_database\n"
        "folder = Path(sys.argv[1])\n"
        "paths = Paths(data=folder, config=folder, cache=folder / 'cache')\n"
        "settings = settings_of({'audio': {'engine': 'null'}})\n"
        "player = Controller(open_database(paths.database), paths, settings, origin='tui', opening=Opening(station_id=1))\n"
        "player.start()\n"
        "track = player.snapshot().queue[0].track.id\n"
        "player.less(track, 'part:head')\n"
        "player.thumb_everywhere(1, track)\n"
        "player.not_now(player.snapshot().queue[1].track.id, 3600.0)\n"
        "os.write(1, b'%d' % track)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(told.paths.data)], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    state = load_history(told.database, told.rows).state
    assert state.muted == {1: {"part:head"}}
    assert state.everywhere == {int(done.stdout): 1}
    assert len(state.resting_until) == 1


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (112, "112th"),
        (21, "21st"),
        (12_345, "12,345th"),
        (100_001, "100,001st"),
    ],
)
def test_places_are_said_as_one_says_them(number, words):
    assert ordinal(number) == words
