"""The folder of one's music, chosen on the screen."""

import pytest

pytestmark = pytest.mark.slow


async def test_an_empty_library_begins_with_the_choice_of_a_folder(running, make_player):
    player = make_player([])
    async with running(player) as stage:
        assert stage.screen == "AddMusic"
        assert "240 files" in stage.text
        await stage.press("enter")
        assert player.told("add_music") == [("/Music",)]
        assert stage.screen == "StationScreen"


async def test_a_typed_path_is_completed_and_looked_through(running, player):
    async with running(player) as stage:
        await stage.press("f9", *"/mnt/", "down", "tab")
        assert "/mnt/Else/" in stage.text
        await stage.press("enter")
        assert player.told("add_music") == [("/mnt/Else/Music",)]


async def test_escape_leaves_everything_as_it_is(running, make_player):
    player = make_player([])
    async with running(player) as stage:
        await stage.press("escape")
        assert stage.screen == "StationScreen"
        assert player.told("add_music") == []
