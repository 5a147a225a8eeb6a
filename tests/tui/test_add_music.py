"""The folder of one's music, chosen on the screen."""

import pytest

from player.stations.snapshot import JobView

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


async def test_a_history_is_read_through_first_and_then_believed(running, player):
    async with running(player, size=(100, 30)) as stage:
        await stage.press("C", "down", "down", "down", "enter")
        assert stage.screen == "ImportFile"
        assert "Where is the history of Last.fm?" in stage.text
        await stage.press(*"/m", "enter")
        assert player.told("import_history") == [("lastfm", "/m/scrobbles.csv")]
        read = JobView(
            "import", "Importing", 0, 0, None, finished=True, question=True, summary="7 of 9 would be recorded."
        )
        player.change(job=read)
        await stage.settle()
        assert stage.screen == "Confirm"
        assert "7 of 9 would be recorded." in stage.text
        await stage.press("down", "enter")
        assert player.told("record_history") == [()]
        player.change(volume=0.4)
        await stage.settle()
        assert stage.screen == "StationScreen", "it asks once"
