import asyncio
import inspect
import re
import threading
from pathlib import Path

import pytest
from textual import actions

from player.stations.snapshot import JobView
from player.tui.keys import ON_STATION, PLACES, PLAYING, QUEUE, ROW, STATION
from player.tui.widgets.status_lines import KeyBar

pytestmark = pytest.mark.slow

PRESSES = [
    ("space", ("toggle_pause",)),
    ("n", ("next",)),
    ("p", ("previous",)),
    ("plus", ("thumb", 1)),
    ("equals_sign", ("thumb", 1)),
    ("minus", ("thumb", -1)),
    ("z", ("undo",)),
    ("R", ("replay",)),
    ("x", ("not_now", None)),
    ("X", ("never", None)),
    ("left", ("seek_by", -5)),
    ("right", ("seek_by", 5)),
    ("shift+left", ("seek_by", -30)),
    ("shift+right", ("seek_by", 30)),
    ("left_square_bracket", ("set_volume", 0.75)),
    ("right_square_bracket", ("set_volume", 0.85)),
    ("r", ("start_job", "retrain")),
    ("e", ("start_job", "embed")),
    ("f5", ("start_job", "scan")),
    ("P", ("pause_job",)),
]


@pytest.mark.parametrize(("key", "call"), PRESSES)
async def test_a_key_asks_the_player_for_one_thing(running, player, key, call):
    async with running(player) as stage:
        await stage.press(key)
        assert player.calls == [("start",), call]


async def test_the_same_keys_work_in_the_library(running, player):
    async with running(player) as stage:
        await stage.press("L")
        for key, call in PRESSES:
            player.change(volume=0.8, job=None)
            await stage.press(key)
            assert player.calls[-1] == call
        assert len(player.calls) == 1 + len(PRESSES)
        assert stage.screen == "LibraryScreen"


@pytest.mark.parametrize(("key", "shown"), [("n", "Sinfonia in La Maggiore"), ("plus", "▲ liked"), ("space", "⏸")])
async def test_what_a_key_did_is_on_the_screen(running, player, key, shown):
    async with running(player) as stage:
        assert shown not in stage.text.splitlines()[0]
        await stage.press(key)
        assert shown in stage.text.splitlines()[0]


async def test_quick_presses_are_neither_lost_nor_reordered(running, player):
    async with running(player) as stage:
        player.gate.clear()
        presses = ["n", "plus", "right", "n", "minus", "x", "z"] * 4
        for key in presses:
            await stage.pilot.press(key)
        player.gate.set()
        await stage.settle()
        expected = [
            ("next",),
            ("thumb", 1),
            ("seek_by", 5),
            ("next",),
            ("thumb", -1),
            ("not_now", None),
            ("undo",),
        ] * 4
        assert player.calls[1:] == expected


async def test_a_slow_call_does_not_hold_up_the_screen(running, player):
    async with running(player) as stage:
        player.gate.clear()
        await stage.pilot.press("n")
        await stage.pilot.press("question_mark")
        await stage.pilot.pause()
        assert stage.screen == "HelpScreen"
        assert not player.told("next")
        player.gate.set()
        await stage.settle()
        assert player.told("next") == [()]
        assert player.threads["next"] != threading.get_ident()


async def test_a_refusal_is_shown_until_something_else_happens(running, player):
    player.refusal = "The disk is full: free some space."
    async with running(player) as stage:
        await stage.press("n")
        assert player.refusal in stage.text
        player.change(notice="There is space again.")
        await stage.settle()
        assert player.refusal not in stage.text
        assert "There is space again." in stage.text


async def test_a_refusal_of_a_quick_call_is_shown_too(running, player):
    player.refusal = "The device is gone: plug it in."
    async with running(player) as stage:
        await stage.press("space")
        assert player.refusal in stage.text


async def test_an_unexpected_error_is_told_and_the_next_press_still_works(running, player, monkeypatch):
    async with running(player) as stage:
        monkeypatch.setattr(player, "undo", lambda: 1 / 0)
        await stage.press("z")
        assert "ZeroDivisionError" in stage.text
        await stage.press("n")
        assert player.told("next") == [()]


async def test_a_paused_embedding_says_so_and_goes_on(running, player):
    async with running(player) as stage:
        player.change(job=JobView("embed", "Listening to 240 tracks", 120, 240, 65.0))
        await stage.settle()
        assert "P pause  ^x stop" in stage.text
        assert "120 of 240 · 65 s left" in stage.text
        await stage.press("P")
        assert "P go on  ^x stop" in stage.text
        assert "120 of 240 · paused" in stage.text
        await stage.press("P")
        assert "P pause" in stage.text
        assert "paused" not in stage.text


async def test_what_cannot_be_paused_does_not_offer_it(running, player):
    async with running(player) as stage:
        await stage.press("r")
        line = next(line for line in stage.text.splitlines() if line.strip().startswith("Training"))
        assert "^x stop" in line
        assert "pause" not in line


async def test_a_training_may_start_while_the_embedding_is_paused(running, player):
    async with running(player) as stage:
        player.change(job=JobView("embed", "Listening", 3, 10, None, paused=True))
        await stage.press("r")
        assert player.told("start_job") == [("retrain",)]


async def test_a_second_job_is_refused_in_words(running, player):
    async with running(player) as stage:
        player.change(job=JobView("scan", "reading ~/Music", 3, 10, None))
        await stage.press("r")
        assert player.told("start_job") == []
        assert "goes on already; ctrl+x stops it." in stage.text


async def test_q_closes_the_player_before_the_app_ends(running, player):
    async with running(player) as stage:
        await stage.press("q")
        assert player.calls == [("start",), ("close",)]
        assert stage.app.player_closed
        assert stage.app._exit


async def test_while_the_player_closes_the_screen_says_so(running, player):
    async with running(player) as stage:
        player.gate.clear()
        await stage.pilot.press("q")
        await stage.pilot.pause()
        assert "Stopping the music" in stage.text
        player.gate.set()
        async with asyncio.timeout(5):
            while not stage.app.player_closed:  # noqa: ASYNC110 - the app has no event for it
                await asyncio.sleep(0.01)
        assert player.told("close") == [()]


async def test_the_volume_stays_between_silence_and_full(running, player):
    async with running(player) as stage:
        await stage.press(*["right_square_bracket"] * 6)
        assert player.told("set_volume")[-1] == (1.0,)
        player.change(volume=0.02)
        await stage.press("left_square_bracket")
        assert player.told("set_volume")[-1] == (0.0,)


async def test_a_key_on_the_bar_can_be_clicked(running, player):
    async with running(player) as stage:
        bar = stage.text.splitlines()[-2]
        await stage.pilot.click(offset=(bar.index("skip"), 22))
        await stage.settle()
        assert player.told("next") == [()]


async def test_the_key_bar_never_cuts_a_word(running, player):
    from player.tui.keys import ALWAYS_BAR, MAIN_BAR

    labels = {f"{key.shown} {key.label}" for key in (*MAIN_BAR, *ALWAYS_BAR)}
    async with running(player) as stage:
        for width in (20, 40, 60, 80, 100, 140, 160, 200):
            await stage.pilot.resize_terminal(width, 24)
            await stage.settle()
            bar = stage.app.screen.query_one("#keys")
            lines = stage.text.splitlines()[-bar.size.height :]
            shown = [item for line in lines for item in line.strip().split("  ")]
            assert set(shown) <= labels
            assert shown[-2:] == ["? help", "q quit"]


@pytest.mark.parametrize(("width", "lines"), [(80, 2), (120, 2), (400, 1)])
async def test_the_key_bar_takes_a_second_line_only_where_one_is_too_short(running, player, width, lines):
    async with running(player, size=(width, 36)) as stage:
        assert stage.app.screen.query_one(KeyBar).size.height == lines


async def test_every_key_of_the_issue_is_on_the_bar_at_80_columns(running, player):
    async with running(player) as stage:
        bar = "\n".join(stage.text.splitlines()[-2:])
        for label in ("space pause", "n skip", "+ like", "- dislike", "z undo", "←/→ seek", "s stations", "l library",
                      "/ search", "r retrain", "? help", "q quit"):  # fmt: skip
            assert label in bar


async def test_changes_told_from_many_threads_are_all_drawn_in_the_end(running, player):
    async with running(player) as stage:
        drawn = []
        show = stage.app.screen.show
        stage.app.screen.show = lambda snapshot: (drawn.append(snapshot.notice), show(snapshot))

        def flood(name: str) -> None:
            for number in range(200):
                player.change(notice=f"{name} {number}")

        threads = [threading.Thread(target=flood, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        await asyncio.to_thread(lambda: [thread.join() for thread in threads])
        await stage.settle()
        assert drawn[-1] == player.snapshot().notice
        assert player.snapshot().notice in stage.text
        assert len(drawn) < 400, "a flood merges"


async def test_a_change_told_after_the_app_has_ended_is_harmless(running, player):
    async with running(player) as stage:
        await stage.press("q")
    player.change(notice="too late")


def test_every_operation_that_a_key_or_a_message_names_is_one_of_the_player_and_takes_these_arguments():
    from player.playback.controller import Controller
    from player.tui import keys

    named = 0
    for key in (key for key in vars(keys).values() if isinstance(key, keys.Key)):
        _, action, arguments = actions.parse(key.action)
        if action in ("tell", "tell_row"):
            operation, *rest = arguments
            about = {"track_id": 1} if action == "tell_row" else {}
            inspect.signature(getattr(Controller, operation)).bind(None, *rest, **about)
            named += 1
    assert named > 30
    sources = "".join(path.read_text() for path in Path(keys.__file__).parent.rglob("*.py"))
    told = re.findall(r'Tell\("(\w+)", ([^\n]*?)\)\)?\n', sources)
    assert len(told) == sources.count('Tell("')
    for operation, arguments in told:
        written, signature = re.split(r", (?![^(]*\))", arguments), inspect.signature(getattr(Controller, operation))
        several = any(argument.startswith("*") for argument in written)
        (signature.bind_partial if several else signature.bind)(None, *written)


def test_no_key_on_the_station_screen_means_two_things():
    """Escape excepted: it takes back whatever is open."""
    pressed = [name for key in (*PLAYING, *PLACES, *STATION, *ROW, *QUEUE, *ON_STATION) for name in key.keys.split(",")]
    twice = {name for name in pressed if pressed.count(name) > 1} - {"escape"}
    assert not twice
