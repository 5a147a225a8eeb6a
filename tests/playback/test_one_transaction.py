"""A command is one transaction: one commit, nothing read back, acknowledged only when it is on disk, or undone altogether."""

import sqlite3
import threading
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import event

from player.errors import PlayerError
from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.playback.controller import Opening
from player.stations.resume import load_resume_point
from tests.support.listener import Listener

pytestmark = pytest.mark.slow


@pytest.fixture
def evening(demo):
    """The demo library's tracks, of which one plays on the station Evening."""
    station = demo.station()
    listener = Listener(demo, Opening(station_id=station.id)).start()
    listener.wait_until_sounding()
    yield listener
    listener.controller.close()


@contextmanager
def watched(engine):
    """What this thread has the database do: statements, COMMIT among them."""
    done, thread = [], threading.get_ident()

    def note(*what):
        if threading.get_ident() == thread:
            done.append(what)

    def commit(_connection):
        note("COMMIT")

    def statement(_connection, _cursor, statement, *_):
        note(statement.split()[0])

    event.listen(engine, "commit", commit)
    event.listen(engine, "before_cursor_execute", statement)
    try:
        yield done
    finally:
        event.remove(engine, "commit", commit)
        event.remove(engine, "before_cursor_execute", statement)


COMMANDS = {
    "thumb down": lambda controller: controller.thumb(-1),
    "thumb up": lambda controller: controller.thumb(1),
    "skip": lambda controller: controller.next(),
    "never": lambda controller: controller.never(),
    "not now": lambda controller: controller.not_now(),
    "replay": lambda controller: controller.replay(),
    "undo": lambda controller: controller.undo(),
    "thumb of a row": lambda controller: controller.thumb(-1, controller.snapshot().queue[3].track.id),
    "pin": lambda controller: controller.pin_next(controller.snapshot().queue[4].track.id),
    "play": lambda controller: controller.play_track(controller.snapshot().queue[5].track.id),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_one_commit_and_reads_nothing(evening, name):
    evening.controller.thumb(1)  # something to undo, or to clear
    with watched(evening.home.database.engine) as done:
        COMMANDS[name](evening.controller)
    kinds = [kind for (kind,) in done]
    assert kinds.count("COMMIT") == 1
    assert "SELECT" not in kinds
    assert kinds[-1] == "COMMIT"


def test_the_next_track_at_the_end_of_one_is_one_commit(tones):
    station = tones.station()
    listener = Listener(tones, Opening(station_id=station.id))
    commits, told = [], []
    event.listen(tones.database.engine, "commit", lambda _connection: commits.append(threading.get_ident()))
    event.listen(
        tones.database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: told.append((threading.get_ident(), statement)),
    )
    threads = {}
    listener.controller._session._on_logged = lambda logged: threads.setdefault(
        (logged.kind, logged.id), (threading.get_ident(), len(commits), len(told))
    )
    listener.start()
    try:
        listener.wait(lambda: any(kind == "finish" for kind, _ in threads), "the end")
        listener.wait(lambda: max(threads)[0] and len(threads) > 2, "the next one")
    finally:
        listener.controller.close()
    finish = next(key for key in threads if key[0] == "finish")
    thread, commit, statement = threads[finish]
    start = threads["start", finish[1] + 1]
    assert start == (thread, commit, statement), "both were told after one and the same commit"
    of_thread = [words for who, words in told[:statement] if who == thread]
    assert not any(words.startswith("SELECT") for words in of_thread)


def test_where_to_go_on_from_is_written_with_the_event(evening):
    evening.controller.next()
    point = load_resume_point(evening.home.database)
    assert (point.station_id, point.track_id) == (1, evening.now.track.id)


def test_nothing_is_shown_logged_or_sounded_before_it_is_on_disk(evening):
    shown, database = [], evening.home.paths.database

    def kinds():
        with closing(sqlite3.connect(database)) as connection:
            return [kind for (kind,) in connection.execute("SELECT kind FROM event ORDER BY id")]

    evening.controller.subscribe(lambda: shown.append((evening.notice, kinds())))
    evening.controller.thumb(-1)
    before = [said for said in shown if "Thumbed down" in said[0]]
    assert before
    assert all(said[1][-3:] == ["down", "skip", "start"] for said in before)


def test_a_command_that_the_disk_refuses_changes_nothing(evening):
    controller, session = evening.controller, evening.controller._session
    controller.thumb(1)
    sent, engine = [], evening.home.database.engine
    session.playback._client.send, send = sent.append, session.playback._client.send
    queue, now, events = evening.queue, evening.now, evening.events
    prepared, pins = session.tuned.prepared, session.pins

    def refuse(_connection):
        raise sqlite3.OperationalError("database or disk is full")

    thread = threading.get_ident()
    event.listen(engine, "commit", lambda one: refuse(one) if threading.get_ident() == thread and refusing else None)
    refusing = True
    for press in (
        controller.next,
        lambda: controller.thumb(-1),
        controller.undo,
        lambda: controller.pin_next(queue[3]),
    ):
        with pytest.raises((PlayerError, sqlite3.OperationalError), match="full"):
            press()
    refusing = False
    session.playback._client.send = send
    assert sent == []
    assert evening.events == events
    assert (evening.queue, evening.now.track, evening.now.thumb) == (queue, now.track, 1)
    assert (session.tuned.prepared, session.pins) == (prepared, pins)
    assert session.history.watermark == evening.logged[-1].id
    controller.undo()
    assert evening.now.thumb == 0
    controller.next()
    assert evening.now.track.id in queue
    written = load_history(evening.home.database, evening.home.rows)
    assert written.state == session.history.state
    assert [one.id for one in EventStore(evening.home.database, "cli").read()] == [one.id for one in evening.logged]


def test_what_another_process_wrote_meanwhile_has_its_effect_too(evening):
    unwanted = evening.queue[3]
    EventStore(evening.home.database, "cli").append(NewEvent("down", unwanted, 1))
    evening.controller.next()
    assert unwanted not in evening.queue
    assert evening.controller._session.history.state == load_history(evening.home.database, evening.home.rows).state
