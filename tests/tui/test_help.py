import pytest

from player.tui.keys import IN_LIBRARY, IN_SIMILAR, IN_STORY, IN_WHY, ON_MAP, PLACES, PLAYING, QUEUE, ROW, STATION
from player.tui.screens.help import HelpPage

pytestmark = pytest.mark.slow


async def test_help_names_every_key_and_what_feedback_means(running, player):
    async with running(player, size=(160, 240)) as stage:
        await stage.press("question_mark")
        for key in (*PLAYING, *ROW, *QUEUE, *STATION, *PLACES, *IN_LIBRARY, *IN_SIMILAR, *IN_WHY, *IN_STORY, *ON_MAP):
            assert f"{key.shown} " in stage.text
            assert key.help in stage.text
        for word in ("thumb up", "thumb down", "skip, early", "finish", "never"):
            assert word in stage.text


async def test_all_of_it_can_be_reached_in_a_small_terminal(running, player):
    async with running(player) as stage:
        await stage.press("question_mark")
        assert "Signs" not in stage.text
        await stage.press("end")
        assert "Signs" in stage.text
        await stage.press("escape")
        assert stage.screen == "StationScreen"


@pytest.mark.parametrize("key", ["q", "question_mark", "escape"])
async def test_leaving_help_does_not_leave_the_player(running, player, key):
    async with running(player) as stage:
        await stage.press("question_mark", key)
        assert stage.screen == "StationScreen"
        assert player.calls == [("start",)]


@pytest.mark.parametrize("width", [30, 60, 76, 94])
async def test_no_line_of_help_is_wider_than_the_page(running, player, width):
    async with running(player, size=(width, 24)) as stage:
        await stage.press("question_mark")
        page = stage.app.screen.query_one(HelpPage)
        room = page.content_size.width
        assert all(sum(len(text) for text, _ in page.line(y, room)) <= room for y in range(page.size.height))
