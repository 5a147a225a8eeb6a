"""Every key of every screen, made from the bindings: something happens or a sentence is said, and nothing falls over."""

from itertools import count

import pytest
from textual.widgets import Input

from player.tui.screens.station import StationScreen
from tests.tui.conftest import MemoryPlayer, settle

pytestmark = pytest.mark.slow

SCREENS = {
    "StationScreen": (),
    "NowScreen": ("c",),
    "BrowseScreen": ("l",),
    "PlaylistsScreen": ("f3", "right"),
    "LibraryScreen": ("L",),
    "InsightsScreen": ("H",),
    "SettingsScreen": ("f2",),
    "SimilarScreen": ("F",),
    "MapScreen": ("m",),
    "WhyScreen": ("W",),
    "TrackStoryScreen": ("I",),
    "SurveyScreen": ("S",),
    "StationPicker": ("s",),
    "ModePicker": ("v",),
    "RestMenu": ("y",),
    "PlaylistPicker": ("B",),
    "AddMusic": ("f9",),
    "ImportSource": ("C",),
    "HelpScreen": ("question_mark",),
}
LEAVES_THE_APP = {"q", "ctrl+q", "ctrl+c"}
OF_TEXTUAL = {"tab", "shift+tab", "super+c", "ctrl+insert"}
"""Moving the focus where there is one thing to focus, and copying what is marked with the mouse."""
MOVES = {
    "up",
    "down",
    "left",
    "right",
    "home",
    "end",
    "pageup",
    "pagedown",
    "ctrl+pageup",
    "ctrl+pagedown",
    "j",
    "k",
    "g",
    "G",
    *"0123456789",
}
"""They move what can be moved; the lists' own tests hold that."""
HERE = {
    "BrowseScreen": {"1"},
    "PlaylistsScreen": {"l"},
    "MapScreen": {"0", "minus"},
    "WhyScreen": {"enter"},
    "TrackStoryScreen": {"enter"},
    "InsightsScreen": {"enter"},
    "SurveyScreen": {"l", "plus", "equals_sign", "d", "minus", "s", "n"},
}
"""What is so already, lists that are empty here, and clips that were not heard long enough to be judged."""


async def opened(stage, keys):
    """The screen that these keys open, with its cursor off the first row."""
    stage.app.back_to_station()
    stage.app.complain("")
    stage.player.change(job=None, volume=0.5, notice="")
    for key in keys:
        await stage.press(key)
        await settle(stage.pilot)
    if keys not in {("question_mark",), ("S",), ("c",)}:
        await stage.press("down")


def bound(app):
    """The keys that do something now; typing and its editing aside, and those of the app on the main screen alone.

    Of an upper-case letter and its other name, "shift+" and the letter, a terminal sends one.
    """
    field = isinstance(app.focused, Input)
    taken = {name for binding in Input.BINDINGS for name in binding.key.split(",")} if field else set()
    main = isinstance(app.screen, StationScreen)
    keys = {
        key for key, found in app.screen.active_bindings.items() if found.enabled and (found.node is not app or main)
    }
    twice = {key for key in keys if key.startswith("shift+") and key[6:].upper() in keys}
    return sorted(
        key for key in keys - LEAVES_THE_APP - OF_TEXTUAL - MOVES - taken - twice if len(key) > 1 or not field
    )


def state(stage):
    """What a listener could notice."""
    app = stage.app
    stack = [type(screen).__name__ for screen in app.screen_stack]
    return list(stage.player.calls), stack, app.focused and app.focused.id, stage.text


@pytest.mark.parametrize("name", SCREENS)
async def test_every_key_does_something_or_says_why_not(running, name):
    async with running(MemoryPlayer(), size=(80, 24), clock=count(100, 9).__next__) as stage:
        await opened(stage, SCREENS[name])
        assert stage.screen == name
        home = state(stage)[1:3]
        keys, idle = bound(stage.app), set()
        assert keys
        for key in keys:
            stage.app.complain("")
            before = state(stage)
            await stage.pilot.press(key)
            await settle(stage.pilot)
            idle |= {key} if state(stage) == before else set()
            if state(stage)[1:3] != home:
                await opened(stage, SCREENS[name])
        assert idle <= HERE.get(name, set())
