"""Every screen at three sizes, letter by letter (``PLAYER_GOLDEN=write`` renews them), and two as pictures in two themes
(``--snapshot-update``)."""

import pytest
from textual.widgets import Input

from player.stations.snapshot import JobView
from player.tui.app import PlayerApp
from tests.support.golden import holds
from tests.tui.conftest import read

pytestmark = pytest.mark.slow

SIZES = [(40, 10), (80, 24), (160, 50)]
SCREENS = {
    "main": ((), None),
    "now": (("c",), None),
    "library": (("l", "down"), None),
    "playlists": (("f3",), None),
    "all-tracks": (("L", "down", "down"), None),
    "search": (("slash", *"bach"), None),
    "stations": (("s", "down"), None),
    "new-station": (("s", "down", "down", "down", "enter", *"mell", "enter"), None),
    "modes": (("v",), None),
    "rest": (("y",), None),
    "help": (("question_mark",), None),
    "retraining": ((), "train"),
    "paused": ((), "pause"),
    "stop": (("ctrl+x",), "train"),
    "similar": (("F", "down"), None),
    "map": (("m",), None),
    "survey": (("S",), None),
    "settings": (("f2", "down"), None),
    "import": (("C",), None),
}


def still(keys=(), change=None):
    """Bring the app to where the picture is taken, with nothing left to do and no cursor blinking."""

    async def prepare(pilot):
        app = pilot.app
        await app.workers.wait_for_complete()
        await pilot.pause()
        if change is not None:
            change(app.player)
            await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await app.workers.wait_for_complete()
            await pilot.pause()
        for field in app.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause()

    return prepare


def train(player):
    for epoch, auc in enumerate((0.58, 0.63, 0.66, 0.71), start=1):
        player.change(job=JobView("retrain", f"sequential model, epoch {epoch} of 12", epoch, 12, 18.0, metric=auc))


def pause(player):
    player.change(job=JobView("embed", "Listening to the library", 120, 240, None, paused=True))


CHANGES = {"train": train, "pause": pause, None: None}


async def drawn(app, keys, change, size):
    """What the screen says, line by line."""
    async with app.run_test(size=size) as pilot:
        await still(keys, CHANGES[change])(pilot)
        return read(pilot)


@pytest.mark.parametrize("name", SCREENS)
async def test_the_screen_says_what_it_said_at_three_sizes(make_player, name):
    keys, change = SCREENS[name]
    said = [await drawn(PlayerApp(make_player(), clock=lambda: 100.0), keys, change, size) for size in SIZES]
    assert holds(f"screens/{name}", "\n\n".join(said) + "\n")


async def test_the_empty_library_says_what_it_said(make_player):
    said = [await drawn(PlayerApp(make_player([]), clock=lambda: 100.0), (), None, size) for size in SIZES]
    assert holds("screens/empty", "\n\n".join(said) + "\n")


@pytest.mark.parametrize("theme", ["player", "textual-light"])
@pytest.mark.parametrize("keys", [(), ("l",)], ids=["main", "library"])
def test_the_screen_looks_as_it_did_in_two_themes(snap_compare, player, keys, theme):
    player.theme = theme
    assert snap_compare(PlayerApp(player, clock=lambda: 100.0), run_before=still(keys), terminal_size=(80, 24))
