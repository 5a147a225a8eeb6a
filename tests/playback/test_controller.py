"""The controller with a real audio process (silent, in real time): what is pressed becomes events, events the queue."""

import threading
import time

import pytest
from sqlalchemy import update

from player.errors import PlayerError
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.playback.audio_events import FAILURES_IN_A_ROW
from player.playback.controller import Opening
from player.stations.resume import ResumePoint, load_resume_point, save_resume_point
from player.storage.database import open_database
from player.storage.models import TrackFile
from tests.support.listener import Listener

pytestmark = pytest.mark.slow

A_SECOND = 1.5
"""Within which other processes are to be noticed, and something for a machine that is busy."""


@pytest.fixture
def listen():
    """Starts listeners and closes them at the end."""
    started = []

    def start(home, opening=None, **changes):
        started.append(Listener(home, opening, **changes).start())
        return started[-1]

    yield start
    for listener in started:
        listener.controller.close()


@pytest.fixture
def evening(demo, listen):
    """The demo library's tracks, of which one plays on the station Evening."""
    station = demo.station()
    listener = listen(demo, Opening(station_id=station.id))
    listener.wait_until_sounding()
    return listener


# --- playing


def test_opening_a_station_plays_its_first_track(tones, listen):
    station = tones.station()
    listener = listen(tones)
    assert listener.now is None
    listener.controller.open_station(station.id)
    listener.wait_until_sounding()
    shown = listener.controller.snapshot()
    assert shown.station.name == "Evening"
    assert shown.output == "No sound: no output device"
    assert listener.events == [("start", shown.now.track.id, None)]
    assert shown.now.track.id != listener.queue[0]
    assert shown.queue
    assert shown.diversity


def test_at_the_end_of_a_track_the_queue_goes_on(tones, listen):
    station = tones.station()
    listener = listen(tones, Opening(station_id=station.id))
    first, upcoming = listener.now.track.id, listener.queue
    listener.wait(lambda: listener.now.track.id != first, "the next track")
    second = listener.now.track.id
    assert second in upcoming
    assert listener.events == [("start", first, None), ("finish", first, "end"), ("start", second, None)]
    assert listener.logged[1].position == pytest.approx(1.5, abs=0.1)


def test_a_served_track_is_logged_with_what_it_was_chosen_from(evening):
    decisions = [event.decision_id for event in evening.logged]
    assert decisions == [1]
    evening.controller.next()
    assert [event.decision_id for event in evening.logged] == [1, 1, 2]


def test_next_logs_where_in_the_track_it_was_pressed(evening):
    first, upcoming = evening.now.track.id, evening.queue
    evening.wait_until_sounding(0.5)
    position = evening.now.position
    evening.controller.next()
    second = evening.now.track.id
    assert second in upcoming
    assert [(event.kind, event.track_id, event.action) for event in evening.logged[1:]] == [
        ("skip", first, "next"),
        ("start", second, None),
    ]
    assert evening.logged[1].position == pytest.approx(position, abs=0.5)


def test_pause_keeps_the_place_and_space_goes_on(evening):
    evening.controller.toggle_pause()
    evening.wait(lambda: not evening.now.playing, "the pause")
    time.sleep(0.4)
    place = evening.now.position
    time.sleep(0.6)
    assert evening.now.position == pytest.approx(place, abs=0.05)
    evening.controller.toggle_pause()
    evening.wait_until_sounding(place + 0.2)
    assert [event.kind for event in evening.logged] == ["start"]


def test_seeking_moves_within_the_track(evening):
    evening.controller.seek(30.0)
    evening.wait_until_sounding(30.1)
    evening.controller.seek_by(-20.0)
    evening.wait(lambda: 9 < evening.now.position < 13, "the seek back")
    evening.controller.seek_by(-1000.0)
    evening.wait(lambda: evening.now.position < 2, "the start")


def test_the_volume_keeps_to_its_bounds(evening):
    for asked, got in ((0.3, 0.3), (7.0, 1.0), (-1.0, 0.0)):
        evening.controller.set_volume(asked)
        assert evening.controller.snapshot().volume == got


def test_previous_later_in_a_track_starts_it_again(evening):
    first = evening.now.track.id
    evening.controller.seek(20.0)
    evening.wait_until_sounding(20.0)
    evening.controller.previous()
    evening.wait(lambda: evening.now.position < 3, "the start")
    assert evening.now.track.id == first
    assert [event.kind for event in evening.logged] == ["start"]


def test_previous_at_the_start_of_a_track_goes_back_one(evening):
    first = evening.now.track.id
    evening.controller.next()
    second = evening.now.track.id
    evening.controller.previous()
    assert evening.now.track.id == first
    assert evening.events[-2:] == [("skip", second, "previous"), ("start", first, "previous")]


def test_a_track_chosen_by_hand_plays_at_once_and_the_station_goes_on_after_it(evening):
    first, wanted = evening.now.track.id, evening.queue[7]
    evening.controller.play_track(wanted)
    assert evening.now.track.id == wanted
    assert evening.now.reason == "chosen by you"
    assert evening.events[-2:] == [("skip", first, "chose"), ("start", wanted, "chose")]
    assert evening.logged[-1].decision_id is None
    evening.controller.next()
    assert evening.logged[-1].decision_id is not None
    assert evening.now.reason != "chosen by you"


# --- feedback


def test_a_thumb_up_is_shown_and_recorded_and_goes_away_when_pressed_again(evening):
    track = evening.now.track.id
    evening.controller.thumb(1)
    assert evening.now.thumb == 1
    assert evening.controller.snapshot().station.thumbs_up == 1
    evening.controller.thumb(1)
    assert evening.now.thumb == 0
    assert evening.events[1:] == [("up", track, None), ("clear", track, None)]


def test_a_thumb_down_skips_the_track_and_takes_it_off_the_station(evening):
    track = evening.now.track.id
    evening.controller.thumb(-1)
    assert evening.events[1:3] == [("down", track, None), ("skip", track, "down")]
    assert evening.now.track.id != track
    assert track not in evening.queue
    assert evening.controller.snapshot().station.thumbs_down == 1


@pytest.mark.parametrize(("verb", "kind"), [("not_now", "not-now"), ("never", "never")])
def test_putting_the_playing_track_away_goes_on_to_the_next(evening, verb, kind):
    track = evening.now.track.id
    getattr(evening.controller, verb)()
    assert evening.events[1:3] == [(kind, track, None), ("skip", track, kind)]
    assert evening.now.track.id != track
    assert track not in evening.queue


@pytest.mark.parametrize(("verb", "kind"), [("not_now", "not-now"), ("never", "never"), ("down", "down")])
def test_putting_a_queued_track_away_leaves_the_music_alone(evening, verb, kind):
    playing, queued = evening.now.track.id, evening.queue[4]
    if verb == "down":
        evening.controller.thumb(-1, queued)
    else:
        getattr(evening.controller, verb)(queued)
    assert evening.now.track.id == playing
    assert evening.events[1:] == [(kind, queued, None)]
    assert queued not in evening.queue


def test_undo_brings_a_thumbed_down_track_back(evening):
    track = evening.now.track.id
    evening.controller.thumb(-1)
    evening.controller.undo()
    assert [kind for kind, *_ in evening.events[-2:]] == ["undo", "undo"]
    assert evening.controller.snapshot().station.thumbs_down == 0
    evening.wait(lambda: track in evening.queue, "the track in the queue")
    assert "Took back" in evening.notice


def test_undo_takes_back_one_thing_after_the_other_and_then_says_so(evening):
    track = evening.now.track.id
    evening.controller.thumb(1)
    evening.controller.replay()
    evening.controller.undo()
    assert evening.now.thumb == 1
    evening.controller.undo()
    assert evening.now.thumb == 0
    evening.controller.undo()
    assert evening.notice == "There is nothing to undo."
    assert evening.events[1:] == [
        ("up", track, None),
        ("replay", track, None),
        ("undo", track, None),
        ("undo", track, None),
    ]


def test_replay_is_recorded_and_starts_again(evening):
    evening.controller.seek(20.0)
    evening.wait_until_sounding(20.0)
    evening.controller.replay()
    evening.wait(lambda: evening.now.position < 3, "the start")
    assert evening.logged[-1].kind == "replay"
    assert evening.logged[-1].position == pytest.approx(20, abs=1.5)


def test_feedback_is_on_disk_before_it_is_shown(demo, listen):
    station = demo.station()
    listener = listen(demo, Opening(station_id=station.id))
    other = open_database(demo.paths.database)
    seen = []

    def look():
        now = listener.now
        if now is not None and now.thumb:
            seen.append([event.kind for event in EventStore(other, "cli").read()])

    listener.controller.subscribe(look)
    listener.controller.thumb(1)
    other.close()
    assert seen
    assert all("up" in kinds for kinds in seen)


def test_what_the_listener_did_stays_on_show(evening):
    evening.controller.thumb(1)
    said, moves = evening.notice, [row.move for row in evening.controller.snapshot().queue]
    assert "Thumbed up" in said
    time.sleep(1.5)  # the watching of the database has looked at least twice
    assert evening.notice == said
    assert [row.move for row in evening.controller.snapshot().queue] == moves


# --- stations


def test_changing_the_station_ends_the_play_without_a_verdict(demo, listen):
    one, other = demo.station("One"), demo.station("Other")
    listener = listen(demo, Opening(station_id=one.id))
    track = listener.now.track.id
    listener.controller.open_station(other.id)
    assert listener.events[1] == ("stop", track, "station")
    assert listener.controller.snapshot().station.name == "Other"


def test_a_station_is_made_and_listed(evening):
    made = evening.controller.create_station("Morning", [("library", "")])
    assert (made.name, made.seeds) == ("Morning", "the whole library")
    assert [row.name for row in evening.controller.stations()] == ["Evening", "Morning"]
    with pytest.raises(PlayerError, match="already a station"):
        evening.controller.create_station("Morning", [("library", "")])


def test_a_station_that_is_gone_is_told(evening):
    evening.controller.open_station(99)
    assert "gone" in evening.notice


def test_without_a_station_it_asks_for_one(demo, listen):
    listener = listen(demo)
    listener.controller.toggle_pause()
    assert "Choose a station" in listener.notice
    listener.controller.thumb(1)
    assert "needs a playing track" in listener.notice
    for verb in ("next", "previous", "replay", "not_now", "never", "undo"):
        getattr(listener.controller, verb)()
    listener.controller.seek(10.0)
    assert listener.events == []


def test_the_library_is_searched(evening):
    row = evening.controller.catalogue()[5]
    found = evening.controller.search(row.title)
    assert 5 in found
    assert ("artist", row.artist) in [
        (kind, value) for kind, value, _ in evening.controller.seed_suggestions(row.artist)
    ]


# --- closing and going on


@pytest.mark.parametrize("paused", [False, True])
def test_the_player_goes_on_where_it_stopped(demo, listen, paused):
    station = demo.station()
    listener = listen(demo, Opening(station_id=station.id))
    listener.controller.set_volume(0.4)
    listener.controller.seek(12.0)
    listener.wait_until_sounding(12.3)
    if paused:
        listener.controller.toggle_pause()
        listener.wait(lambda: not listener.now.playing, "the pause")
        time.sleep(0.3)
    left, queue = listener.now, listener.queue
    listener.controller.close()
    assert listener.events[-1] == ("stop", left.track.id, "quit")
    position = listener.logged[-1].position
    assert position == pytest.approx(left.position, abs=3.0 if not paused else 0.5)
    again = listen(demo)
    assert again.now.track.id == left.track.id
    assert again.now.position == pytest.approx(position, abs=0.5)
    assert again.now.reason == left.reason
    assert again.queue == queue
    assert again.controller.snapshot().volume == 0.4
    if paused:
        time.sleep(0.8)
        assert not again.now.playing
        assert again.now.position == pytest.approx(position, abs=0.5)
    else:
        again.wait_until_sounding(position + 0.2)
    assert [kind for kind, *_ in again.events].count("start") == 1
    again.controller.next()
    assert again.logged[0].decision_id == 1


def test_going_on_with_a_track_that_is_gone_waits_for_the_listener(demo, listen):
    station = demo.station()
    save_resume_point(demo.database, ResumePoint(station.id, 99_999, 12.0))
    listener = listen(demo)
    assert listener.now is None
    listener.controller.toggle_pause()
    listener.wait_until_sounding()


def test_the_place_is_kept_while_music_plays(evening):
    evening.controller.seek(25.0)
    evening.wait_until_sounding(25.1)
    evening.wait(lambda: load_resume_point(evening.home.database).position >= 25.0, "the place on disk")
    assert load_resume_point(evening.home.database).track_id == evening.now.track.id


def test_closing_ends_the_audio_process_and_is_over_soon(evening):
    client = evening.controller._session.playback._client
    began = time.monotonic()
    evening.controller.close()
    assert time.monotonic() - began < 3.0
    assert client.pid is None


# --- other processes


def test_feedback_from_another_process_changes_the_queue_within_a_second(evening):
    unwanted = evening.queue[3]
    other = open_database(evening.home.paths.database)
    EventStore(other, "cli").append(NewEvent("down", unwanted, 1))
    other.close()
    evening.wait(lambda: unwanted not in evening.queue, "the change", timeout=A_SECOND)
    assert evening.controller.snapshot().station.thumbs_down == 1


def test_feedback_from_another_process_just_before_ones_own_is_not_passed_over(evening):
    unwanted = evening.queue[3]
    other = open_database(evening.home.paths.database)
    EventStore(other, "cli").append(NewEvent("down", unwanted, 1))
    evening.controller.thumb(1)
    other.close()
    assert unwanted not in evening.queue
    assert (evening.controller.snapshot().station.thumbs_up, evening.controller.snapshot().station.thumbs_down) == (
        1,
        1,
    )


def test_a_file_that_vanished_at_a_scan_leaves_the_queue(evening):
    gone = evening.queue[3]
    other = open_database(evening.home.paths.database)
    with other.session() as session:
        session.execute(update(TrackFile).where(TrackFile.track_id == gone).values(missing=True))
    other.close()
    evening.wait(lambda: gone not in evening.queue, "the change")
    playing = evening.now.track.id
    evening.controller.play_track(gone)
    assert "missing" in evening.notice
    assert evening.now.track.id == playing
    assert ("skip", playing, "chose") not in evening.events


# --- what cannot be played


def lose_files(home, count, folder):
    """Point tracks to files that are not there, as if they had been deleted since the scan."""
    with home.database.session() as session:
        for track in home.track_ids[:count]:
            session.execute(
                update(TrackFile).where(TrackFile.track_id == track).values(path=str(folder / f"{track}.flac"))
            )


def test_a_file_that_is_gone_is_told_and_the_next_one_plays(tones, listen, tmp_path):
    station = tones.station()
    lose_files(tones, 1, tmp_path / "nowhere")
    listener = listen(tones, Opening(station_id=station.id))
    lost = tones.track_ids[0]
    listener.controller.play_track(lost)
    listener.wait(lambda: listener.now is not None and listener.now.track.id != lost, "the next track")
    listener.wait_until_sounding()
    assert ("stop", lost, "error") in listener.events
    assert lost not in listener.queue
    assert not any(kind == "skip" and track == lost for kind, track, _ in listener.events)


def test_the_sentence_about_a_file_that_is_gone_names_it(tones, listen, tmp_path):
    tones.station()
    lose_files(tones, 1, tmp_path / "nowhere")
    notices = []
    listener = listen(tones, Opening(station_id=1))
    listener.controller.subscribe(lambda: notices.append(listener.notice))
    listener.controller.play_track(tones.track_ids[0])
    listener.wait(lambda: ("stop", tones.track_ids[0], "error") in listener.events, "the failure")
    listener.wait(lambda: any(f"{tones.track_ids[0]}.flac" in notice for notice in notices), "the sentence")


def test_when_nothing_can_be_played_it_stops_and_says_so(tones, listen, tmp_path):
    station = tones.station()
    lose_files(tones, len(tones.track_ids), tmp_path / "nowhere")
    listener = listen(tones, Opening(station_id=station.id))
    listener.wait(lambda: "player doctor" in listener.notice, "the sentence")
    assert listener.now is None
    assert [action for kind, _, action in listener.events if kind == "stop"] == ["error"] * FAILURES_IN_A_ROW


def test_a_damaged_model_is_told_and_the_music_plays_on(demo, listen):
    station = demo.station()
    demo.paths.models.mkdir()
    (demo.paths.models / "current").write_text("../../etc/passwd")
    listener = listen(demo)
    assert "damaged" in listener.notice
    listener.controller.open_station(station.id)
    listener.wait_until_sounding()
    assert listener.controller.snapshot().model_version == "content"


def test_all_buttons_at_once_from_many_threads_leave_a_log_and_readers_that_make_sense(evening):
    controller, home = evening.controller, evening.home
    # A log long enough that an undo, which goes through all of it, takes a while; the taste is at its end. Every track
    # is thumbed up there, since a thumb down told below takes back that of the track which plays.
    past = [NewEvent("start", home.track_ids[0], 1)] * 3000
    EventStore(home.database, "cli").append_all([*past, *(NewEvent("up", track, 1) for track in home.track_ids)])
    evening.wait(lambda: controller.snapshot().station.thumbs_up == len(home.track_ids), "the thumbs")
    verbs = [
        controller.next,
        controller.replay,
        controller.undo,
        controller.toggle_pause,
        lambda: controller.thumb(1),
        lambda: controller.thumb(-1),
        lambda: controller.seek_by(5.0),
        lambda: controller.play_track(home.track_ids[0]),
    ]
    answers = {
        "a taste": lambda: not controller.survey_waits(),
        "the thumbs of before": lambda: controller.stations()[0].thumbs_up >= 1,
        "a story": lambda: "up" in [row.kind for row in controller.story(home.track_ids[-1]).events],
        "colours": lambda: len(controller.map_colours(controller.catalogue(), "thumb").groups) == len(home.track_ids),
        "a track": lambda: 5 in controller.search(controller.catalogue()[5].title),
        "reasons": lambda: controller.why(home.track_ids[-1]).track.id == home.track_ids[-1],
        "a queue": lambda: len(controller.snapshot().queue) > 1,
    }
    wrong, done = [], threading.Event()

    def look(name, ask):
        while not done.is_set():
            try:
                if not ask():
                    wrong.append(name)
            except Exception as error:  # noqa: BLE001 - whatever a reader meets is a finding
                wrong.append((name, error))
            time.sleep(0.001)  # as a screen does, which does not hold on to the lock

    readers = [threading.Thread(target=look, args=each) for each in answers.items()]
    threads = [threading.Thread(target=lambda verb=verb: [verb() for _ in range(4)]) for verb in verbs]
    for thread in (*readers, *threads):
        thread.start()
    for thread in threads:
        thread.join(40)
        assert not thread.is_alive()
    done.set()
    for thread in readers:
        thread.join(20)
    assert wrong == []
    events = EventStore(home.database, "cli").read()
    assert [event.id for event in events if event.origin == "tui"] == [event.id for event in evening.logged]
    taken = [event.undoes_id for event in events if event.kind == "undo"]
    assert len(set(taken)) == len(taken)
