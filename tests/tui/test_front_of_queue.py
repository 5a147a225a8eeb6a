"""Dial, modes, pins and stations like a track, pressed on the real screen."""

import pytest

from player.stations.snapshot import Snapshot, StationRow
from player.tui.widgets.diversity import slider
from player.tui.widgets.queue_list import QueueList
from player.tui.widgets.styled_text import width_of

pytestmark = pytest.mark.slow


def queue_lines(stage):
    lines = stage.text.splitlines()
    first = next(number for number, line in enumerate(lines) if "Up next" in line)
    return [line.strip(" ▌") for line in lines[first + 1 :]]


def text_of(line):
    return "".join(text for text, _ in line)


# --- the dial


@pytest.mark.parametrize(
    ("keys", "told", "shown"), [(".", [10], 60), (">", [10], 60), (",", [-10], 40), ("<", [-10], 40)]
)
async def test_the_dial_turns_each_way_by_ten(running, player, keys, told, shown):
    names = {".": "full_stop", ">": "greater_than_sign", ",": "comma", "<": "less_than_sign"}
    async with running(player) as stage:
        await stage.press(names[keys])
        assert player.told("turn_dial") == [(by,) for by in told]
        assert f"discover  {shown}" in stage.text


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_dial_is_a_slider_with_what_it_did(running, player, size):
    async with running(player, size=size) as stage:
        assert "familiar ──" in stage.text
        assert "new to you, more" not in stage.text, "in its middle it does nothing"
        await stage.press("full_stop")
        for figure in ("60 % new to you", "more artists"):
            assert figure in stage.text


async def test_on_a_short_screen_the_queue_has_the_room_of_the_dial(running, player):
    async with running(player, size=(80, 14)) as stage:
        assert "familiar" not in stage.text


@pytest.mark.parametrize("width", [20, 34, 60, 120])
@pytest.mark.parametrize("dial", [0, 5, 50, 100])
def test_the_slider_fits_and_its_knob_is_where_the_dial_is(dial, width):
    line = slider(dial, width)
    assert width_of(line) <= max(width, 30)
    left, knob, right = text_of(line).removeprefix("familiar ").partition("●")
    cells = len(left) + 1 + right.count("─")
    assert len(left) == round(dial / 100 * (cells - 1))
    assert knob
    assert text_of(line).endswith(f"{dial:>3}")


# --- modes


async def test_a_mode_is_picked_from_a_list_that_marks_the_present_one(running, player):
    async with running(player) as stage:
        await stage.press("v")
        assert stage.screen == "ModePicker"
        assert "●  Station" in stage.text
        assert "whole albums, in order" in stage.text
        await stage.press("down", "enter")
        assert player.told("set_mode") == [("stay",)]
        assert stage.screen == "StationScreen"
        await stage.press("v", "escape")
        assert player.told("set_mode") == [("stay",)]


async def test_without_a_station_there_is_no_mode_to_pick(running, make_player):
    player = make_player(station=False)
    async with running(player) as stage:
        await stage.press("escape", "v")
        assert stage.screen == "StationScreen"
        assert "choose one first" in stage.text


async def test_the_picker_of_stations_tells_their_modes(running, player):
    player.known.append(StationRow(4, "Shelf", "the whole library", 0, 0, "albums"))
    async with running(player) as stage:
        await stage.press("s")
        assert "album radio · the whole library" in stage.text


# --- pins


async def test_rows_are_pinned_moved_and_taken_off(running, player):
    async with running(player) as stage:
        third, fourth = (player.snapshot().queue[place].track for place in (2, 3))
        await stage.press("down", "down", "N")
        assert player.told("pin_next") == [(third.id,)]
        assert queue_lines(stage)[0].startswith("◆1")
        assert third.title[:8] in queue_lines(stage)[0]
        assert stage.app.screen.query_one(QueueList).selected.track == third, "the cursor stays on its track"
        stage.app.screen.query_one(QueueList).cursor = 3
        await stage.press("A")
        assert player.told("pin_last") == [(fourth.id,)]
        assert [line[:2] for line in queue_lines(stage)[:2]] == ["◆1", "◆2"]
        await stage.press("K")
        assert player.told("move_pin") == [(fourth.id, -1)]
        assert fourth.title[:8] in queue_lines(stage)[0]
        await stage.press("J")
        assert player.told("move_pin")[-1] == (fourth.id, 1)
        await stage.press("A")
        assert [line[:2] for line in queue_lines(stage)[:2]] != ["◆1", "◆2"]


@pytest.mark.parametrize("way", [("L",), ("F",)])
async def test_tracks_are_pinned_from_the_library_and_from_similar_ones(running, player, way):
    async with running(player) as stage:
        await stage.press(*way, "N", "down", "A")
        assert len(player.told("pin_next")) == len(player.told("pin_last")) == 1
        assert stage.screen != "StationScreen", "one goes on looking"


async def test_found_tracks_are_pinned_after_the_search(running, player):
    async with running(player) as stage:
        await stage.press("slash", *"fandango", "down", "A")
        assert player.told("pin_last") == [(4,)]


async def test_what_is_pinned_without_a_station_is_shown_as_such(running, make_player):
    player = make_player(station=False)
    async with running(player) as stage:
        await stage.press("escape")
        assert "no station" in stage.text
        rows = make_player().snapshot().queue[:2]
        player.change(queue=rows)
        await stage.settle()
        assert "Up next  your pins" in stage.text


# --- stations like a track


async def test_more_like_the_playing_track_and_back_with_one_key_each(running, player):
    async with running(player) as stage:
        await stage.press("L", "M")
        assert player.told("more_like") == [(None,)]
        assert stage.screen == "StationScreen"
        assert "Up next  Consolation No. 3 · Ivan Ilic" in stage.text
        await stage.press("b")
        assert "Up next  Quiet piano" in stage.text


async def test_more_like_a_row_of_the_queue(running, player):
    async with running(player) as stage:
        wanted = player.snapshot().queue[1].track
        await stage.press("down", "a")
        assert player.told("more_like") == [(wanted.id,)]


def test_a_snapshot_has_no_trial_and_no_dial_effect_unless_told():
    snapshot = Snapshot(revision=1)
    assert (snapshot.trial, snapshot.dial_effect) == ("", "")


async def test_a_trial_is_one_quiet_line(running, player):
    async with running(player) as stage:
        assert "a trial" not in stage.text
        player.change(trial="a trial: live against untrained, 12 of 84 pairs")
        await stage.settle()
        assert "a trial: live against untrained, 12 of 84 pairs" in stage.text
