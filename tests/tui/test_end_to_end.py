"""The screen over the real controller: real database, real audio process (keeping time without a device), real music."""

import asyncio
import time

import pytest

from player.config import settings_of
from player.feedback.event_store import EventStore
from player.playback.controller import Controller
from player.tui.app import PlayerApp
from tests.support.library import copy_home, settings
from tests.support.pulse import PulseServer, missing_programs

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 60.0


@pytest.fixture
def home(demo_template, tmp_path):
    home = copy_home(demo_template, tmp_path / "data")
    yield home
    home.close()


async def until(pilot, true):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await pilot.pause()
        await asyncio.sleep(0.05)


def app_over(home):
    controller = Controller(home.database, home.paths, settings(), origin="tui")
    return controller, PlayerApp(controller)


def kinds(home):
    return [event.kind for event in EventStore(home.database, "tui").read()]


async def test_keys_become_events_and_events_become_the_queue(home):
    home.station("Evening", "genre:Ambient")
    controller, app = app_over(home)
    async with app.run_test(size=(160, 50)) as pilot:
        await until(pilot, lambda: type(app.screen).__name__ == "StationPicker")
        await pilot.press("enter")
        await until(pilot, lambda: controller.snapshot().now is not None and controller.snapshot().queue)
        first = controller.snapshot().now.track.id
        await pilot.press("plus")
        await until(pilot, lambda: controller.snapshot().now.thumb == 1)
        await pilot.press("n")
        await until(pilot, lambda: controller.snapshot().now.track.id != first)
        disliked = controller.snapshot().now.track.id
        await pilot.press("minus")
        await until(pilot, lambda: controller.snapshot().now.track.id != disliked)
        assert disliked not in {row.track.id for row in controller.snapshot().queue}
        assert any(row.move != "same" for row in controller.snapshot().queue)
        await pilot.press("z")
        await until(pilot, lambda: "Took back" in controller.snapshot().notice)
        await pilot.press("q")
        await until(pilot, lambda: app.player_closed)
    told = [kind for kind in kinds(home) if kind not in {"start", "stop"}]
    assert told == ["up", "skip", "down", "skip", "undo", "undo"]


async def test_it_goes_on_where_it_stopped(home):
    home.station("Evening")
    controller, app = app_over(home)
    async with app.run_test() as pilot:
        await until(pilot, lambda: type(app.screen).__name__ == "StationPicker")
        await pilot.press("enter")
        await until(pilot, lambda: controller.snapshot().now is not None)
        await pilot.press("right", "right")
        await until(pilot, lambda: controller.snapshot().now.position >= 10)
        left = controller.snapshot().now
        await pilot.press("q")
        await until(pilot, lambda: app.player_closed)
    again, app = app_over(home)
    async with app.run_test() as pilot:
        await until(pilot, lambda: again.snapshot().now is not None)
        now = again.snapshot().now
        assert now.track.id == left.track.id
        assert abs(now.position - left.position) < 1.5
        await pilot.press("q")
        await until(pilot, lambda: app.player_closed)
    assert kinds(home).count("start") == 1


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A sound server that what is started from here speaks to."""
    if missing := missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)}")
    (tmp_path / "pulse").mkdir()
    server = PulseServer(tmp_path / "pulse")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.kill()


@pytest.mark.sound
async def test_a_sound_server_that_is_restarted_is_said_while_it_is_away_and_leaves_nothing_in_the_log(home, server):
    home.station("Evening")
    sound = settings_of({"audio": {"engine": "stream"}})
    controller = Controller(home.database, home.paths, sound, origin="tui")
    app = PlayerApp(controller)

    def sounding():
        return controller.snapshot().now is not None and controller.snapshot().now.playing

    def shown():
        return "\n".join(line.text for line in app.screen._compositor.render_strips())

    async with app.run_test(size=(160, 50)) as pilot:
        await until(pilot, lambda: type(app.screen).__name__ == "StationPicker")
        await pilot.press("enter")
        await until(pilot, lambda: sounding() and controller.snapshot().now.position > 1)
        first = controller.snapshot().now.track.id
        server.kill()
        await until(pilot, lambda: "went away" in shown() or "does not answer" in shown())
        assert not sounding()
        place = controller.snapshot().now.position
        server.restart()
        await until(pilot, lambda: sounding() and controller.snapshot().now.position > place + 0.5)
        await until(pilot, lambda: "went away" not in shown() and "does not answer" not in shown())
        assert controller.snapshot().now.track.id == first
        await pilot.press("q")
        await until(pilot, lambda: app.player_closed)
    assert kinds(home) == ["start", "stop"]


async def test_feedback_of_another_process_is_on_the_screen_within_a_second_or_so(home):
    station = home.station("Evening")
    controller, app = app_over(home)
    async with app.run_test() as pilot:
        await until(pilot, lambda: type(app.screen).__name__ == "StationPicker")
        await pilot.press("enter")
        await until(pilot, lambda: controller.snapshot().queue)
        target = controller.snapshot().queue[3].track.id
        from player.feedback.events import NewEvent

        EventStore(home.database, "cli").append(NewEvent("down", target, station.id))
        await until(pilot, lambda: target not in {row.track.id for row in controller.snapshot().queue})
        await pilot.press("q")
        await until(pilot, lambda: app.player_closed)


async def test_a_station_made_on_the_screen_plays(home):
    controller, app = app_over(home)
    async with app.run_test() as pilot:
        await until(pilot, lambda: type(app.screen).__name__ == "StationPicker")
        await pilot.press(*"metal", "enter")
        await until(pilot, lambda: controller.snapshot().now is not None)
        assert "metal" in controller.snapshot().station.seeds.casefold()
        await pilot.press("q")
        await until(pilot, lambda: app.player_closed)
