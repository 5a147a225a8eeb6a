import asyncio
import subprocess
import sys
import threading
from concurrent.futures import Future
from dataclasses import replace

import pytest

from player.errors import PlayerError
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.stations.first_look import look_at
from player.stations.resume import ResumePoint, save_resume_point
from player.stations.snapshot import NowPlaying
from player.storage.event_kinds import Kind, Origin
from player.tui.app import PlayerApp, run_tui
from player.tui.lazy_player import LazyPlayer
from player.tui.screens.stations import StationPicker
from player.tui.widgets.choice_list import ChoiceList

pytestmark = pytest.mark.slow


async def test_the_first_frame_does_not_wait_for_the_library(make_player, monkeypatch):
    gate = threading.Event()

    def slowly():
        assert gate.wait(10)
        return make_player()

    app = PlayerApp(LazyPlayer(slowly))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert "Opening the library" in app.player.snapshot().notice
        await pilot.press("plus", "n", "l", "escape")
        gate.set()
        for _ in range(100):
            await pilot.pause()
            if app.player.snapshot().tracks:
                break
            await asyncio.sleep(0.05)
        assert app.player.snapshot().tracks
        assert app.player.stations()
        await pilot.press("q")
        await pilot.pause()


@pytest.mark.parametrize("early", [True, False], ids=["in the first frame", "after it"])
async def test_stations_are_offered_before_the_library_is_read(make_player, demo, early):
    demo.station("Evening")
    demo.station("Morning")
    gate, player, looking = threading.Event(), make_player(station=False), Future()
    if early:
        looking.set_result(look_at(demo.database))

    def slowly():
        assert gate.wait(30)
        return player

    app = PlayerApp(LazyPlayer(slowly, looking))
    async with app.run_test() as pilot:
        assert isinstance(app.screen, StationPicker) == early
        if not early:
            looking.set_result(look_at(demo.database))
        await until(pilot, lambda: isinstance(app.screen, StationPicker))
        await pilot.press(*"morn", "enter")
        await until(pilot, lambda: "comes next" in app._problem)
        gate.set()
        await until(pilot, lambda: not app.player.snapshot().first_look)
        await until(pilot, lambda: player.calls == [("start",), ("open_station", 2)])
        await until(pilot, lambda: not isinstance(app.screen, StationPicker))


async def test_proposals_follow_where_there_was_no_station_to_offer(make_player, demo):
    gate, looking = threading.Event(), Future()
    looking.set_result(look_at(demo.database))
    player = make_player(station=False)
    player.known = []

    def slowly():
        assert gate.wait(30)
        return player

    app = PlayerApp(LazyPlayer(slowly, looking))
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, StationPicker))
        before = app.screen.query_one(ChoiceList).length
        gate.set()
        await until(pilot, lambda: app.screen.query_one(ChoiceList).length > before)


def test_where_the_listener_stopped_is_shown_at_first_sight(demo):
    station, track = demo.station("Evening"), demo.rows[0]
    EventStore(demo.database, Origin.TUI).append(NewEvent(Kind.UP, track.id, station.id))
    save_resume_point(demo.database, ResumePoint(station.id, track.id, 12.0, volume=0.5, reason="like you"))
    seen = look_at(demo.database)
    assert (seen.snapshot.station, seen.snapshot.tracks) == (seen.stations[0], len(demo.rows))
    assert seen.snapshot.now == NowPlaying(track, 12.0, track.duration, playing=False, thumb=1, reason="like you")
    other = demo.station("Morning")
    named = look_at(demo.database, "morning").snapshot
    assert (named.station.id, named.now, named.volume) == (other.id, None, 0.5)
    assert look_at(demo.database, "Evening") == replace(seen, stations=look_at(demo.database).stations)
    assert look_at(demo.database, "Noon") is None


async def until(pilot, holds):
    for _ in range(600):
        await pilot.pause()
        if holds():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it never came to be")


def test_before_it_is_open_there_is_nothing_and_nothing_can_be_done(make_player):
    deferred = LazyPlayer(make_player)
    assert deferred.stations() == deferred.catalogue() == deferred.search("x") == deferred.seed_suggestions("") == []
    assert deferred.catalogue() is deferred.catalogue()
    with pytest.raises(PlayerError, match="being opened"):
        deferred.next()
    deferred.close()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PlayerError("The disk is gone."), "The disk is gone"),
        (TypeError("a slip"), r"could not be opened \(TypeError: a slip\)"),
    ],
)
def test_what_keeps_it_from_opening_is_raised_to_the_caller(monkeypatch, error, said):
    def refuse():
        raise error

    monkeypatch.setattr(PlayerApp, "run", lambda app: asyncio.run(_run_headless(app)))
    with pytest.raises(PlayerError, match=said):
        run_tui(LazyPlayer(refuse))


async def _run_headless(app):
    async with app.run_test() as pilot:
        for _ in range(100):
            await pilot.pause()
            if app.failure is not None:
                return
            await asyncio.sleep(0.02)


def test_the_screen_is_drawn_without_database_or_numpy():
    code = (
        "import player.cli.main, player.cli.screen, player.tui.app, player.tui.lazy_player, sys;"
        "print([m for m in ('sqlalchemy', 'numpy', 'pydantic', 'av', 'torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
