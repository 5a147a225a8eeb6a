import threading

import pytest

from player.tui.screens.similar import SHOWN
from player.tui.widgets.track_list import SimilarList

pytestmark = pytest.mark.slow


def listed(stage) -> list[int]:
    return [similar.track.id for similar in stage.app.screen.query_one(SimilarList)._found]


async def test_f_shows_what_sounds_like_the_playing_track_on_every_screen(running, player):
    playing = player.snapshot().now.track
    for way in ((), ("L",), ("m",)):
        async with running(player) as stage:
            await stage.press(*way, "F")
            assert stage.screen == "SimilarScreen"
            assert player.told("similar")[-1] == (playing.id, SHOWN)
            assert f"Sounds like  {playing.title} · {playing.artist}" in stage.text
            assert listed(stage)[:2] == [playing.id - 1, playing.id + 1]
            assert "0.95" in stage.text


async def test_small_f_asks_about_the_selected_row_of_the_queue_and_of_the_library(running, player):
    async with running(player) as stage:
        await stage.press("down", "f")
        assert player.told("similar") == [(player.snapshot().queue[1].track.id, SHOWN)]
        await stage.press("escape", "L", "down", "f")
        assert player.told("similar")[-1] == (2, SHOWN)


async def test_the_library_is_searched_beside_the_event_loop(running, player):
    async with running(player) as stage:
        await stage.press("F")
        assert player.threads["similar"] != threading.get_ident()
        assert stage.screen == "SimilarScreen"


async def test_enter_plays_a_row_and_stays(running, player):
    async with running(player) as stage:
        await stage.press("F", "down", "enter")
        assert player.told("play_track") == [(4,)]
        assert stage.screen == "SimilarScreen"


async def test_a_starts_a_station_from_the_selected_track(running, player):
    async with running(player) as stage:
        await stage.press("F", "down", "a")
        assert player.told("more_like") == [(4,)]
        assert stage.screen == "StationScreen"


async def test_one_walks_from_track_to_track_and_back_to_the_row_one_left(running, player):
    async with running(player) as stage:
        await stage.press("F", "down", "f")
        assert "Sounds like  Fandango" in stage.text
        await stage.press("f")
        assert player.told("similar")[-1] == (3, SHOWN), "the first row is selected again"
        await stage.press("escape", "escape")
        assert "Sounds like  Consolation" in stage.text
        assert stage.app.screen.query_one(SimilarList).cursor == 1
        await stage.press("escape")
        assert stage.screen == "StationScreen"


async def test_a_track_that_was_not_listened_to_is_said_to_be_so(running, player):
    async with running(player) as stage:
        await stage.press("L", *["down"] * 4, "f")
        assert "was not analysed yet" in stage.text
        assert listed(stage) == []
        await stage.press("enter", "f", "escape")
        assert stage.screen == "LibraryScreen"


async def test_without_a_playing_track_there_is_a_sentence(running, make_player):
    async with running(make_player(station=False)) as stage:
        await stage.press("escape", "F")
        assert "Nothing is playing" in stage.text


async def test_screens_are_returned_to_and_not_piled_up(running, player):
    async with running(player) as stage:
        await stage.press("L", "f", "m", "f", "L", "m", "F", "m", "F")
        kinds = [type(screen).__name__ for screen in stage.app.screen_stack]
        assert len(kinds) == len(set(kinds))
