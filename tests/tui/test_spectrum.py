"""The spectrum: measured while somebody looks, drawn as bars."""

import pytest

pytestmark = pytest.mark.slow


async def test_it_is_measured_only_while_the_screen_of_the_playing_track_is_in_front(running, player):
    async with running(player) as stage:
        assert player.told("watch_sound") == []
        await stage.press("c")
        assert player.told("watch_sound")[-1] == (True,)
        await stage.press("question_mark")
        assert player.told("watch_sound")[-1] == (False,)
        await stage.press("escape")
        assert player.told("watch_sound")[-1] == (True,)
        await stage.press("escape")
        assert player.told("watch_sound")[-1] == (False,)


async def test_bars_stand_as_high_as_their_bands(running, player):
    player.bands = [0.0, 1.0, 0.5] + [0.25] * 29
    async with running(player, size=(80, 24)) as stage:
        await stage.press("c")
        await stage.pilot.pause(0.3)
        top, middle, bottom = (line.strip("\n") for line in stage.text.splitlines()[-6:-3])
        assert top.strip() == "█"
        assert middle.strip().startswith("█ ▄")
        assert bottom.strip().startswith("█ █ ▆")


async def test_without_motion_nothing_is_measured(running, player):
    async with running(player) as stage:
        stage.app.animation_level = "none"
        await stage.press("c")
        assert (True,) not in player.told("watch_sound")
