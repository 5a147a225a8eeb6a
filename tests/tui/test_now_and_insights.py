"""The playing track alone, the insights, keys of one's own, and the smallest screens."""

from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
from PIL import Image

from player.insight.listening_summary import Leaning, ListeningSummary
from player.library.cover_art import CoverArt
from player.library.lyrics import LyricsLine, parse_lyrics
from player.tui.keys import NAMED, NEXT, Keymap
from player.tui.screens.insights import summary_lines
from player.tui.widgets.cover import half_blocks, texture


def picture(width=60, height=60):
    kept = BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(kept, "PNG")
    return kept.getvalue()


@pytest.mark.slow
async def test_cover_and_lyrics_of_the_playing_track_fill_the_screen(running, player):
    player.covers[3] = CoverArt(picture(), "image/png")
    player.words[3] = (LyricsLine("Before", 1.0), LyricsLine("Sung now", 70.0), LyricsLine("Later", 200.0))
    async with running(player, size=(120, 36)) as stage:
        assert "▀▀▀▀" in stage.text, "beside the queue too"
        await stage.press("c")
        assert stage.screen == "NowScreen"
        assert "▀▀▀▀" in stage.text
        assert "▸ Sung now" in stage.text
        await stage.press("escape")
        assert stage.screen == "StationScreen"


@pytest.mark.slow
async def test_without_cover_and_lyrics_it_says_why_the_track_plays(running, player):
    async with running(player, size=(80, 24)) as stage:
        await stage.press("c")
        assert "Plays because: sounds like Fandango" in stage.text
        assert "Then" in stage.text


def test_a_picture_keeps_its_shape_and_what_is_none_is_none():
    lines = half_blocks(picture(60, 30), 40, 20)
    assert (len(lines), {line.cell_length for line in lines}) == (10, {40})
    assert half_blocks(b"\x89PNG\r\n\x1a\n" + bytes(200), 40, 20) == []


def test_lyrics_are_read_by_their_times_and_plain_ones_as_they_stand():
    timed = parse_lyrics("[ti:Song]\n[00:10.00]Two\n[00:01.50][01:00]One\nno time")
    assert [(line.seconds, line.words) for line in timed] == [(1.5, "One"), (10.0, "Two"), (60.0, "One")]
    assert parse_lyrics("first\n\nsecond\x1b[31m")[0] == LyricsLine("first")
    assert "\x1b" not in parse_lyrics("\x1b[31mred")[0].words


# --- keys of one's own


def test_own_keys_are_taken_and_what_is_wrong_with_them_is_told():
    keymap = Keymap.of({"next": "ctrl+n", "up": "z", "foo": "x"})
    assert keymap.keys(NEXT) == "ctrl+n"
    assert keymap.shown(NEXT) == "^n"
    assert any("keys.foo is no action" in problem for problem in keymap.problems)
    assert any("z is the key of undo too" in problem for problem in keymap.problems)
    assert Keymap.of({"next": "ctrl+n"}).problems == ()


def test_built_in_keys_of_one_table_do_not_clash():
    assert (
        Keymap.of({name: key.keys for name, key in NAMED.items() if name in {"next", "up", "stations", "now"}}).problems
        == ()
    )


@pytest.mark.slow
async def test_an_own_key_does_what_the_built_in_one_did(running, player):
    player.own = {"next": "ctrl+n"}
    async with running(player) as stage:
        assert "^n skip" in stage.text
        await stage.press("n")
        assert player.told("next") == []
        await stage.press("ctrl+n")
        assert player.told("next") == [()]


# --- jobs are stopped on purpose


@pytest.mark.slow
async def test_escape_stops_nothing_and_the_key_that_does_asks_first(running, player):
    async with running(player) as stage:
        await stage.press("r", "escape", "escape")
        assert player.told("stop_job") == []
        await stage.press("ctrl+x")
        assert "Training: stop it?" in stage.text
        await stage.press("enter")
        assert player.told("stop_job") == []
        await stage.press("ctrl+x", "down", "enter")
        assert player.told("stop_job") == [()]


# --- small and large


@pytest.mark.slow
@pytest.mark.parametrize("size", [(20, 5), (40, 5), (40, 10), (300, 80)])
async def test_the_smallest_and_the_largest_screen_tell_what_plays_and_what_comes(running, player, size):
    async with running(player, size=size) as stage:
        assert "Consolation" in stage.text
        coming = player.snapshot().queue[0].track.title.split()[0]
        assert coming in stage.text
        await stage.press("plus")
        assert player.told("thumb")


# --- insights


def test_the_calendar_has_a_column_a_week_and_the_last_one_is_this():
    today = date(2026, 3, 4)
    summary = ListeningSummary(
        ("A sentence.",), {today: 4, date(2026, 3, 2): 1}, (0,) * 24, (Leaning("Artist", 0.75, 4),), (), ()
    )
    text = ["".join(piece for piece, _ in line) for line in summary_lines(summary, 60, today)]
    monday, wednesday, thursday = (next(line for line in text if line.startswith(day)) for day in ("Mon", "Wed", "Thu"))
    assert monday.rstrip().endswith("░")
    assert wednesday.rstrip().endswith("█")
    assert len(thursday.rstrip()) < len(wednesday.rstrip())
    assert any("Artist" in line and "75 % for, of 4" in line for line in text)
    assert any("Which genres you like" in line for line in text), "what is missing is said, and how to get it"
    assert not any("Which artists" in line for line in text)
    assert any("player ab start" in line for line in text)
    tried = replace(summary, sounds=(Leaning("mellow", 0.25, 4),), trials=("Evening: “live” won against “untrained”.",))
    told = "\n".join("".join(piece for piece, _ in line) for line in summary_lines(tried, 60, today))
    assert "▼ mellow" in told
    assert "Evening: “live” won" in told
    assert "player ab start" not in told


@pytest.mark.slow
async def test_a_setting_is_shown_with_its_meaning_and_changed(running, player):
    async with running(player) as stage:
        await stage.press("f2", "down")
        assert "How the screen looks." in stage.text
        await stage.press("enter", "ctrl+u", *"dracula", "enter")
        assert player.told("change_setting") == [("screen.theme", "dracula")]


@pytest.mark.slow
async def test_every_command_is_found_by_its_name(running, player):
    async with running(player) as stage:
        await stage.press("colon", *"insights")
        await stage.pilot.pause(0.5)
        await stage.press("enter")
        assert stage.screen == "InsightsScreen"


def test_the_pattern_of_an_album_is_its_own_and_fills_its_line():
    lines = [texture("Touch", line / 10, 20) for line in range(10)]
    assert {len(line) for line in lines} == {20}
    assert lines == [texture("Touch", line / 10, 20) for line in range(10)]
    assert lines != [texture("Human", line / 10, 20) for line in range(10)]
    assert len(set("".join(lines))) > 2
