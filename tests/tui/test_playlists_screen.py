"""The listener's playlists, pressed on the real screen."""

import pytest

pytestmark = pytest.mark.slow


async def test_a_playlist_plays_in_its_own_order_and_is_queued(running, player):
    async with running(player) as stage:
        await stage.press("f3")
        assert "2 playlists" in stage.text
        assert "1 track of it not in your library: Gone.mp3" in stage.text
        await stage.press("A", "enter")
        assert player.told("pin_all") == [((3, 1, 7),)]
        assert player.told("play_in_order") == [((3, 1, 7),)]
        await stage.press("f3", "right", "down", "enter")
        assert player.told("play_in_order")[-1] == ((1, 7),)


async def test_a_saved_search_is_always_up_to_date_and_makes_a_station(running, player):
    async with running(player) as stage:
        await stage.press("f3", "down")
        assert "finds bach" in stage.text
        assert "Wachet auf" in stage.text
        await stage.press("a")
        assert player.told("play_station_of") == [(("query", "bach"),)]


async def test_a_track_is_taken_out_and_a_playlist_renamed_and_deleted(running, player):
    async with running(player) as stage:
        await stage.press("f3", "delete")
        assert "Select a track" in stage.text
        await stage.press("right", "down", "delete")
        assert player.told("take_from_playlist") == [("Evening", 1)]
        await stage.press("left", "ctrl+r", *"Night", "enter")
        assert player.told("rename_playlist") == [("Evening", "Night")]
        await stage.press("ctrl+d")
        assert player.told("remove_playlist") == [("Evening",)]
        assert "1 playlist" in stage.text


async def test_whatever_is_selected_is_put_into_a_playlist_or_begins_one(running, player):
    async with running(player) as stage:
        await stage.press("down", "B")
        await stage.settle()
        await stage.press("enter")
        assert player.told("add_to_playlist") == [("Evening", (6,))]
        await stage.press("l", "B")
        await stage.settle()
        await stage.press(*"New", "enter")
        assert player.told("add_to_playlist")[-1] == ("New", (1, 2, 3))


async def test_a_search_is_saved_under_a_name(running, player):
    async with running(player) as stage:
        await stage.press("l", "ctrl+s")
        assert "There is no search to save" in stage.text
        await stage.press("slash", *"bach", "ctrl+s", *"Only", "enter")
        assert player.told("save_search") == [("bach", "Only")]
