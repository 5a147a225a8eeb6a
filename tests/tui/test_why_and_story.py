"""Why a track and everything known about it, on the screen over the real controller: real database, real music."""

import asyncio
import time
from dataclasses import replace

import pytest

from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.playback.controller import Controller, Opening
from player.tui.app import PlayerApp
from player.tui.widgets.story_list import StoryList
from player.tui.widgets.styled_text import leaning
from player.tui.widgets.why_list import WhyList, standing
from tests.support.library import copy_home, settings

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 60.0


@pytest.fixture
def home(demo_template, tmp_path):
    home = copy_home(demo_template, tmp_path / "data")
    ids = home.track_ids
    station = home.station("Evening", f"track:{ids[0]}", f"track:{ids[9]}")
    EventStore(home.database, "tui").append_all(
        [
            NewEvent(kind, ids[place], station.id, position=4.0)
            for place, kind in ((3, "up"), (7, "finish"), (12, "down"))
        ]
    )
    yield home
    home.close()


class Stage:
    """The app over the real controller, playing the station."""

    def __init__(self, home, pilot, controller):
        self.home = home
        self.pilot = pilot
        self.controller = controller

    async def until(self, true):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not true():
            assert time.monotonic() < deadline, f"it did not happen in time:\n{self.text}"
            await self.pilot.pause()
            await asyncio.sleep(0.05)

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await self.pilot.pause()

    @property
    def screen(self):
        return type(self.pilot.app.screen).__name__

    @property
    def text(self):
        return "\n".join(strip.text.rstrip() for strip in self.pilot.app.screen._compositor.render_strips())

    @property
    def kinds(self):
        return [(event.kind, event.note) for event in EventStore(self.home.database, "tui").read()]

    def rows(self, widget):
        return self.pilot.app.screen.query_one(widget)._rows

    async def select(self, widget, wanted):
        """Put the cursor on the first row that is ``wanted``."""
        await self.until(lambda: any(wanted(row) for row in self.rows(widget)))
        place = next(place for place, row in enumerate(self.rows(widget)) if wanted(row))
        self.pilot.app.screen.query_one(widget).cursor = place
        await self.pilot.pause()
        return self.rows(widget)[place]


@pytest.fixture
def playing(home):
    class Playing:
        async def __aenter__(self):
            controller = Controller(home.database, home.paths, settings(), origin="tui", opening=Opening(station_id=1))
            self._controller = controller
            self._context = PlayerApp(controller).run_test(size=(120, 40))
            self._pilot = await self._context.__aenter__()
            stage = Stage(home, self._pilot, controller)
            await stage.until(lambda: controller.snapshot().now is not None and controller.snapshot().queue)
            return stage

        async def __aexit__(self, *error):
            await asyncio.to_thread(self._controller.close)
            await self._pilot.pause()
            await self._context.__aexit__(*error)

    return Playing


async def test_w_explains_the_selected_row_and_shift_w_the_playing_track(playing):
    async with playing() as stage:
        queued = stage.controller.snapshot().queue[1]
        await stage.press("down", "w")
        await stage.until(lambda: "place 2" in stage.text)
        assert f"Why  {queued.track.title}" in stage.text
        assert "sounds like the station" in stage.text
        await stage.press("escape", "W")
        await stage.until(lambda: "playing ·" in stage.text)
        assert f"Why  {stage.controller.snapshot().now.track.title}" in stage.text


async def test_less_because_of_a_label_takes_it_away_and_del_again_gives_it_back(playing):
    async with playing() as stage:
        await stage.press("w")
        row = await stage.select(WhyList, lambda row: row.key.startswith("label:"))
        await stage.press("delete")
        await stage.until(lambda: any(one.muted and one.key == row.key for one in stage.rows(WhyList)))
        assert ("less", row.key) in stage.kinds
        assert "is ignored: " in stage.text
        await stage.select(WhyList, lambda one: one.muted)
        await stage.press("delete")
        await stage.until(lambda: any(one.key == row.key and not one.muted for one in stage.rows(WhyList)))
        assert stage.kinds[-1][0] == "undo"


async def test_z_takes_a_less_back_too(playing):
    async with playing() as stage:
        await stage.press("w")
        row = await stage.select(WhyList, lambda row: row.key == "part:head")
        before = [(one.key, one.lead) for one in stage.rows(WhyList)]
        await stage.press("delete")
        await stage.until(lambda: any(one.muted for one in stage.rows(WhyList)))
        await stage.press("z")
        await stage.until(lambda: [(one.key, one.lead) for one in stage.rows(WhyList)] == before)
        assert row.lead != 0


async def test_what_is_the_dials_business_is_refused_in_a_sentence(playing):
    async with playing() as stage:
        await stage.press("w")
        await stage.select(WhyList, lambda row: row.key == "part:diversity")
        await stage.press("delete")
        await stage.until(lambda: "Variety is set by the dial" in stage.text)
        assert not any(kind == "less" for kind, _ in stage.kinds)


async def test_i_shows_the_story_and_del_takes_an_event_back(playing):
    async with playing() as stage:
        track = stage.controller.snapshot().now.track
        await stage.press("plus", "I")
        await stage.until(lambda: "thumbed up" in stage.text)
        assert stage.screen == "TrackStoryScreen"
        assert f"Track info  {track.title}" in stage.text
        row = await stage.select(StoryList, lambda row: row.event is not None and row.event.kind == "up")
        assert row.event.label == 1.0
        await stage.press("delete")
        await stage.until(lambda: "taken back" in stage.text)
        assert stage.controller.snapshot().now.thumb == 0


async def test_a_thumb_a_ban_and_a_rest_are_lifted_where_they_are_shown(playing):
    async with playing() as stage:
        queued = stage.controller.snapshot().queue[0].track
        await stage.press("i", "u", "X", "y", "enter")
        await stage.until(lambda: all(word in stage.text for word in ("▲ thumb up", "never", "rests")))
        for label in ("▲ thumb up", "never", "rests"):
            await stage.select(StoryList, lambda row, label=label: row.label == label)
            await stage.press("delete")
            await stage.until(lambda label=label: not any(row.label == label for row in stage.rows(StoryList)))
        assert "Your feedback" not in stage.text
        story = stage.controller.story(queued.id)
        assert (story.thumbs, story.never, story.rests_until) == ((), False, None)
        assert [event.kind for event in story.events if event.stands] == ["clear", "up"]


async def test_a_thumb_everywhere_from_the_story_holds_on_every_station(playing, home):
    async with playing() as stage:
        await stage.press("i")
        track = stage.controller.snapshot().queue[0].track.id
        await stage.until(lambda: stage.rows(StoryList))
        await stage.press("D")
        await stage.until(lambda: "▼ thumb down" in stage.text)
        assert "everywhere" in stage.text
        assert track not in [row.track.id for row in stage.controller.snapshot().queue]
        other = home.station("Morning")
        stage.controller.open_station(other.id)
        assert track not in [row.track.id for row in stage.controller.snapshot().queue]


async def test_the_rest_menu_rests_the_playing_track_for_what_is_chosen(playing):
    async with playing() as stage:
        track = stage.controller.snapshot().now.track.id
        await stage.press("y", "down", "down", "enter")
        await stage.until(lambda: stage.controller.snapshot().now.track.id != track)
        event = next(event for event in EventStore(stage.home.database, "tui").read() if event.kind == "not-now")
        assert (event.track_id, event.value) == (track, 30 * 24 * 3600.0)


async def test_the_rest_menu_rests_the_track_it_names_even_when_another_one_plays_by_then(playing):
    async with playing() as stage:
        track = stage.controller.snapshot().now.track
        await stage.press("y")
        assert f"Not now  {track.title}" in stage.text
        await asyncio.to_thread(stage.controller.next)
        playing_now = stage.controller.snapshot().now.track.id
        assert playing_now != track.id
        await stage.press("enter")
        await stage.until(lambda: any(kind == "not-now" for kind, _ in stage.kinds))
        event = next(event for event in EventStore(stage.home.database, "tui").read() if event.kind == "not-now")
        assert (event.track_id, event.value) == (track.id, 3600.0)
        assert stage.controller.snapshot().now.track.id == playing_now


async def test_a_pinned_track_has_its_place_whatever_would_have_kept_it_out(playing):
    async with playing() as stage:
        queued = stage.controller.snapshot().queue[0].track.id
        why = replace(stage.controller.why(queued), propensity=None, blocked="it was heard too recently")
        assert standing(why).startswith("kept out: it was heard too recently · ")
        assert standing(replace(why, pinned=True)).startswith("place 1 · ")


async def test_t_sets_the_sleep_timer(playing):
    async with playing() as stage:
        await stage.press("t")
        await stage.until(lambda: "stops in 15 minutes" in stage.text and "sleep in 15 min" in stage.text)
        await stage.press("escape")
        await stage.until(lambda: "Sleep timer off." in stage.text and "sleep in" not in stage.text)


@pytest.mark.parametrize("value", [-3.0, -1.0, -0.4, 0.0, 0.2, 1.0, 2.0])
def test_a_leaning_bar_has_its_width_and_leans_to_the_side_of_its_sign(value):
    pieces = leaning(value, 2.0, 11)
    left, middle, right = (text for text, _ in pieces)
    assert (len(left), middle, len(right)) == (5, "│", 5)
    assert bool(left.strip()) == (value < 0)
    assert bool(right.strip()) == (value > 0)
    assert left.count("━") <= 5
    if abs(value) >= 2.0:
        assert (left + right).count("━") == 5
