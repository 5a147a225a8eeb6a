"""Pictures of every screen at the smallest comfortable size and at a large one; ``--snapshot-update`` renews them."""

import pytest
from textual.widgets import Input

from player.stations.snapshot import JobView
from player.tui.app import PlayerApp

pytestmark = pytest.mark.slow

SIZES = [(80, 24), (160, 50)]


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


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
@pytest.mark.parametrize(
    ("keys", "change"),
    [
        pytest.param((), None, id="main"),
        pytest.param(("L", "down", "down"), None, id="library"),
        pytest.param(("slash", *"bach"), None, id="search"),
        pytest.param(("s", "down"), None, id="stations"),
        pytest.param(("s", "down", "down", "down", "enter", *"mell", "enter"), None, id="new-station"),
        pytest.param(("v",), None, id="modes"),
        pytest.param(("y",), None, id="rest"),
        pytest.param(("question_mark",), None, id="help"),
        pytest.param((), train, id="retraining"),
        pytest.param((), pause, id="paused"),
        pytest.param(("F", "down"), None, id="similar"),
        pytest.param(("m",), None, id="map"),
        pytest.param(("S",), None, id="survey"),
        pytest.param(("m", "c", "c", "plus", "up"), None, id="map-of-scores"),
    ],
)
def test_the_screen_looks_as_it_did(snap_compare, player, keys, change, size):
    app = PlayerApp(player, clock=lambda: 100.0)
    assert snap_compare(app, run_before=still(keys, change), terminal_size=size)


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x50"])
def test_the_empty_library_looks_as_it_did(snap_compare, make_player, size):
    app = PlayerApp(make_player([]), clock=lambda: 100.0)
    assert snap_compare(app, run_before=still(), terminal_size=size)
