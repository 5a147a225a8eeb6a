"""The survey with a real audio process that keeps time without a device, and with a controller that lends it."""

import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from player.audio import messages as audio
from player.audio.client import AudioClient
from player.feedback.event_store import EventStore
from player.playback.controller import Controller
from player.survey.clip_player import FADE_SECONDS, ClipSound
from player.survey.session import FAILURES_IN_A_ROW, PROFITS, SurveySession, load_plan
from player.survey.survey import ORIGIN, SurveyPlan
from player.survey.view import Clip
from tests.support.library import settings

PATIENCE_SECONDS = 60.0
CLIP_SECONDS = 0.6


def until(true, what="it did not happen in time"):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Wire:
    """The audio process's side of a session: what it was sent, in order."""

    def __init__(self):
        self.sent = []
        self.closed = False
        self.heard = None

    def __call__(self, heard):
        self.heard = heard
        return self

    def send(self, command):
        self.sent.append(command)

    def close(self):
        self.closed = True

    @property
    def load(self):
        return next(command for command in reversed(self.sent) if isinstance(command, audio.Load))


@contextmanager
def sitting(home, open_sound=None, count=60, plan=None):
    """A session that was started, over a silent audio process unless told otherwise."""
    session = SurveySession(
        home.database,
        plan or (lambda: load_plan(home.database, CLIP_SECONDS)),
        open_sound or (lambda heard: AudioClient(heard, engine="null")),
        count=count,
    )
    try:
        session.start()
        yield session
    finally:
        session.close()


def answer(session, what="like"):
    session.answer(what, session.view().clip.track.id)


def told(home):
    return [(event.kind, event.origin) for event in EventStore(home.database, "cli").read()]


def clip_of(path, start=1.0, seconds=2.0):
    from player.library.tracks import TrackRow

    return Clip(TrackRow(1, str(path), "T", "A", "", "", None, 30.0, missing=False), start, seconds)


# --- the sound of clips


@pytest.mark.slow
def test_a_clip_fades_in_and_out_and_is_silent_at_its_end():
    sent = []
    sound = ClipSound(lambda command: sent.append((time.monotonic(), command)), pytest.fail, volume=0.8)
    sound.play(clip_of("/music/x.mp3", start=7.0, seconds=1.0))
    (_, first), (_, load) = sent
    assert first == audio.SetVolume(0.0)
    assert load == audio.Load("/music/x.mp3", 7.0, -1, play=True)
    assert (sound.sounding, sound.heard) == (False, 0.0)
    sound.take(audio.Started(-1))
    assert sound.sounding
    until(lambda: sound.over)
    levels = [command.level for _, command in sent if isinstance(command, audio.SetVolume)]
    top = levels.index(max(levels))
    assert max(levels) == pytest.approx(0.8)
    assert levels[: top + 1] == sorted(levels[: top + 1])
    assert levels[top:] == sorted(levels[top:], reverse=True)
    assert len(levels[: top + 1]) > 3, "it glides"
    assert levels[-1] < 0.2
    stops = [moment for moment, command in sent if command == audio.Stop()]
    assert len(stops) == 1
    assert stops[0] - sent[1][0] == pytest.approx(1.0, abs=0.3)
    assert (sound.sounding, sound.heard) == (False, 1.0)
    sound.close()
    assert sent[-1][1] == audio.SetVolume(0.8), "the slider is where the listener left it"


def test_the_place_follows_the_audio_process_and_not_the_clock():
    sound = ClipSound(lambda _: None, pytest.fail, volume=1.0)
    sound.play(clip_of("/x", start=5.0, seconds=60.0))
    sound.take(audio.Position(-1, 5.0, 200.0, True, 0))
    assert not sound.sounding, "it was loaded, and nothing was heard yet"
    sound.take(audio.Started(-1))
    sound.take(audio.Position(-1, 25.0, 200.0, True, 0))
    assert sound.heard == pytest.approx(20.0, abs=0.2)
    sound.take(audio.Position(17, 100.0, 200.0, True, 0))
    assert sound.heard < 21, "another track's place says nothing"
    sound.close()


def test_the_slider_moves_the_clip_that_sounds():
    sent = []
    sound = ClipSound(sent.append, pytest.fail, volume=1.0)
    sound.play(clip_of("/x", seconds=60.0))
    sound.take(audio.Started(-1))
    sound.take(audio.Position(-1, 1.0 + 2 * FADE_SECONDS, 200.0, True, 0))
    sound.set_volume(0.5)
    assert sent[-1] == audio.SetVolume(0.5)
    sound.set_volume(7.0)
    assert sound.volume == 1.0
    sound.close()


@pytest.mark.parametrize(
    ("event", "words"),
    [(audio.Failed(-1, "x.mp3 is damaged."), "x.mp3 is damaged."), (audio.Finished(-1), "holds no sound")],
)
def test_a_clip_without_a_sound_has_failed(event, words):
    problems = []
    sound = ClipSound(lambda _: None, problems.append, volume=1.0)
    sound.play(clip_of("/x"))
    sound.take(event)
    assert words in problems[0]
    sound.take(event)
    assert len(problems) == 1
    sound.close()


def test_a_track_that_ends_in_its_clip_is_over_and_has_not_failed():
    sound = ClipSound(lambda _: None, pytest.fail, volume=1.0)
    sound.play(clip_of("/x"))
    sound.take(audio.Started(-1))
    sound.take(audio.Finished(-1))
    assert sound.over
    sound.close()


# --- sitting before it


@pytest.mark.slow
def test_clips_are_heard_and_answered_one_after_the_other(tones):
    with sitting(tones) as session:
        until(lambda: session.view().over)
        first = session.view().clip
        assert first.seconds == CLIP_SECONDS
        answer(session, "like")
        assert session.view().clip != first
        answer(session, "dislike")
        answer(session, "skip")
        view = session.view()
        assert view.marks == ("like", "dislike", "skip")
        assert view.progress.words() == "3 of 8 · 1 liked"
    assert told(tones) == [("up", ORIGIN), ("down", ORIGIN), ("clear", ORIGIN)]
    event = EventStore(tones.database, "cli").read()[0]
    assert event.position == pytest.approx(first.start + CLIP_SECONDS, abs=0.01)


@pytest.mark.slow
def test_what_was_answered_is_not_asked_by_the_next_session(tones):
    with sitting(tones) as session:
        answered = session.view().clip.track.id
        answer(session)
        following = session.view().clip
    with sitting(tones) as session:
        assert session.view().clip == following
        assert session.view().marks == ("like",)
        assert answered != following.track.id


@pytest.mark.slow
def test_an_answer_meant_for_the_clip_before_is_passed_over(tones):
    with sitting(tones) as session:
        before = session.view().clip.track.id
        answer(session)
        session.answer("dislike", before)
        assert session.view().marks == ("like",)


@pytest.mark.slow
def test_undo_takes_back_and_asks_again_and_only_what_was_answered_here(tones):
    with sitting(tones) as session:
        answer(session)
    with sitting(tones) as session:
        session.undo()
        assert "no answer to take back" in session.view().words
        clip = session.view().clip
        answer(session, "dislike")
        session.undo()
        assert session.view().clip == clip
        assert session.view().marks == ("like",)


def test_space_plays_the_clip_again(tones):
    wire = Wire()
    with sitting(tones, wire) as session:
        first = wire.load
        session.replay()
        assert (wire.load.path, wire.load.position) == (first.path, first.position)
        assert wire.load.token != first.token
    assert wire.closed


def test_at_the_end_of_a_round_another_one_can_be_asked_for(tones):
    with sitting(tones, Wire(), count=2) as session:
        answer(session)
        answer(session)
        view = session.view()
        assert (view.clip, view.ended, view.more) == (None, True, True)
        assert "last of 2 clips" in view.words
        session.more()
        assert session.view().progress.words() == "2 of 4 · 2 liked"
        for _ in range(2):
            answer(session, "skip")
        session.more()
        session.undo()
        assert session.view().clip is not None


def test_with_everything_answered_there_is_no_more(tones):
    with sitting(tones, Wire()) as session:
        for _ in range(8):
            answer(session, "skip")
        view = session.view()
        assert (view.ended, view.more) == (True, False)
        assert "Nothing is left to ask about" in view.words
        session.more()
        assert session.view().clip is None


@pytest.mark.parametrize("tracks", [0, 1, 3])
def test_small_libraries_have_short_surveys(tones, tracks):
    rows = tones.rows[:tracks]
    with sitting(tones, Wire(), plan=lambda: SurveyPlan(rows, [""] * tracks)) as session:
        for number in range(tracks):
            assert session.view().progress.answered == number
            assert session.view().progress.of == tracks
            answer(session)
        assert session.view().ended
        assert ("library is empty" if not tracks else "Nothing is left") in session.view().words


def test_after_thirty_verdicts_it_is_said_what_they_are_good_for_once(tones, monkeypatch):
    monkeypatch.setattr("player.survey.session.PROFIT", 3)
    with sitting(tones, Wire()) as session:
        said = []
        for what in ("like", "skip", "dislike", "like", "like"):
            answer(session, what)
            said.append(session.view().words == PROFITS)
        assert said == [False, False, False, True, False]


@pytest.mark.slow
def test_a_file_that_cannot_be_decoded_is_passed_over_and_said(tones):
    with sitting(tones, Wire()) as session:
        first = session.view().clip.track
    bad = Path(first.path)
    kept = bad.read_bytes()
    try:
        bad.write_bytes(b"no music at all" * 100)
        with sitting(tones) as session:
            until(lambda: session.view().clip.track.id != first.id)
            assert "passed over" in session.view().words
            assert session.view().progress.of == 7
        assert told(tones) == []
    finally:
        bad.write_bytes(kept)


def test_a_file_that_is_gone_is_passed_over_and_said(tones):
    with sitting(tones, Wire()) as session:
        first = session.view().clip.track
    gone = Path(first.path)
    kept = gone.read_bytes()
    try:
        gone.unlink()
        with sitting(tones, Wire()) as session:
            assert session.view().clip.track.id != first.id
            assert f"The file of “{first.title}” is missing" in session.view().words
    finally:
        gone.write_bytes(kept)


def test_when_nothing_can_be_played_it_stops_asking(tones):
    wire = Wire()
    with sitting(tones, wire) as session:
        for _ in range(FAILURES_IN_A_ROW):
            wire.heard(audio.Failed(wire.load.token, "It is damaged."))
        assert session.view().ended
        assert "player doctor" in session.view().words
        session.more()
        assert session.view().clip is not None


def test_a_clip_that_is_heard_forgives_the_failures_before_it(tones):
    wire = Wire()
    with sitting(tones, wire) as session:
        for _ in range(FAILURES_IN_A_ROW - 1):
            wire.heard(audio.Failed(wire.load.token, "It is damaged."))
        wire.heard(audio.Started(wire.load.token))
        wire.heard(audio.Failed(wire.load.token, "It broke off."))
        assert session.view().clip is not None


def test_a_lost_device_is_said_and_the_clip_is_still_asked_about(tones):
    wire = Wire()
    with sitting(tones, wire) as session:
        wire.heard(audio.Ready("stream", "Speakers", ""))
        assert session.view().output == "Output: Speakers"
        clip = session.view().clip
        wire.heard(audio.DeviceLost("The device went away."))
        assert session.view().words == "The device went away."
        assert session.view().clip == clip
        assert session.view().over


def test_every_change_is_told(tones):
    wire, told_of = Wire(), threading.Event()
    with sitting(tones, wire) as session:
        session.subscribe(told_of.set)
        answer(session)
        assert told_of.is_set()


def test_closing_before_the_start_has_ended_opens_no_sound(tones):
    wire = Wire()
    session = SurveySession(tones.database, lambda: load_plan(tones.database), wire)
    session.close()
    session.start()
    assert wire.heard is None


# --- a survey of the controller's


@pytest.fixture
def controller(tones):
    station = tones.station()
    made = Controller(tones.database, tones.paths, settings(), origin="tui")
    made.start()
    until(lambda: made.snapshot().output)
    yield made, station
    made.close()


@pytest.mark.slow
def test_the_music_waits_for_the_survey_and_goes_on_where_it_was(controller, tones):
    player, station = controller
    assert player.survey_waits()
    player.open_station(station.id)
    until(lambda: player.snapshot().now is not None and player.snapshot().now.position > 0.2)
    before = player.snapshot().now
    events = len(told(tones))
    session = player.survey()
    session.start()
    until(lambda: session.view().over or session.view().sounding)
    time.sleep(1.6)  # longer than what was left of the track
    assert player.snapshot().now.track == before.track, "a track that waits does not end"
    answer(session)
    session.set_volume(0.4)
    session.close()
    assert player.snapshot().volume == 0.4
    assert told(tones)[events:] == [("up", ORIGIN)]
    until(lambda: player.snapshot().now.position > before.position + 0.3 or len(told(tones)) > events + 1)
    assert not player.survey_waits()


@pytest.mark.slow
def test_answers_move_the_queue_that_waits(controller, tones):
    player, station = controller
    player.open_station(station.id)
    session = player.survey()
    session.start()
    scores = {row.track.id: row.score for row in player.snapshot().queue}
    for what in ("like", "dislike", "like"):
        answer(session, what)
    session.close()
    after = {row.track.id: row.score for row in player.snapshot().queue}
    assert any(abs(after[one] - scores[one]) > 0.1 for one in after.keys() & scores.keys())


@pytest.mark.slow
def test_closing_the_player_in_the_middle_of_a_survey_is_orderly(tones):
    player = Controller(tones.database, tones.paths, settings(), origin="tui")
    player.start()
    session = player.survey()
    session.start()
    answer(session)
    player.close()
    session.close()
    assert told(tones) == [("up", ORIGIN)]
