import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.insight.terminal_map import MapView, PlacedTracks
from player.library.tracks import TrackRow
from player.stations.snapshot import JobView
from player.tui.app import PlayerApp
from player.tui.lazy_player import LazyPlayer
from player.tui.widgets.map_canvas import CURSOR, MapCanvas
from player.tui.widgets.map_lines import MapTrack
from player.tui.widgets.styled_text import width_of

pytestmark = pytest.mark.slow

UNEMBEDDED = 5


def canvas(stage) -> MapCanvas:
    return stage.app.screen.query_one(MapCanvas)


def selected(stage) -> TrackRow:
    return stage.player.map.placed.tracks[canvas(stage).cursor]


def map_lines(stage) -> list[str]:
    region = canvas(stage).content_region
    return [line[region.x : region.right] for line in stage.text.splitlines()[region.y : region.bottom]]


async def test_m_opens_the_map_with_the_cursor_on_the_playing_track(running, player):
    async with running(player) as stage:
        await stage.press("m")
        now = player.snapshot().now.track
        assert stage.screen == "MapScreen"
        assert "Map  by genre" in stage.text
        assert "14 tracks · 1 not yet on it" in stage.text
        assert "[▶]" in "\n".join(map_lines(stage))
        assert f"[{CURSOR}] {now.title} – {now.artist}" in stage.text
        assert "Classical 7" in stage.text
        assert any(0x2800 < ord(letter) < 0x2900 for letter in stage.text)


@pytest.mark.parametrize("size", [(80, 24), (160, 50), (40, 12)])
async def test_the_queue_is_numbered_where_its_tracks_lie(running, player, size):
    async with running(player, size=size) as stage:
        await stage.press("m")
        lines = map_lines(stage)
        points = {track.id: point for point, track in enumerate(player.map.placed.tracks)}
        for step, row in enumerate(player.snapshot().queue[:9], start=1):
            if row.track.id == UNEMBEDDED:
                assert str(step) not in "".join(lines), "it has no place, and the others keep their numbers"
                continue
            place = canvas(stage)._places[points[row.track.id]]
            cell = canvas(stage)._camera.cell(place)
            assert lines[cell.row].ljust(size[0])[cell.column] in {str(step), *"12345678▶[]"[: step - 1], "▶", "[", "]"}


@pytest.mark.parametrize(("key", "axis", "sign"), [("right", 0, 1), ("left", 0, -1), ("up", 1, 1), ("down", 1, -1)])
async def test_an_arrow_goes_to_a_track_in_that_direction_and_neither_seeks_nor_scrolls(
    running, player, key, axis, sign
):
    async with running(player) as stage:
        await stage.press("m")
        moved = 0
        for _ in range(6):
            before, start = canvas(stage).cursor, canvas(stage)._places[canvas(stage).cursor]
            await stage.press(key)
            there = canvas(stage)._places[canvas(stage).cursor]
            if canvas(stage).cursor != before:
                moved += 1
                assert sign * (there - start)[axis] > 0
                assert f"[{CURSOR}] {selected(stage).title[:8]}"[:9] in stage.text
        assert moved
        assert player.told("seek") == []


async def test_every_track_can_be_reached_with_the_arrows(running, player):
    async with running(player, size=(160, 50)) as stage:
        await stage.press("m")
        here = canvas(stage)
        reached, todo = {here.cursor}, [here.cursor]
        while todo:
            origin = todo.pop()
            for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                here.go_to(origin)
                here.action_towards(across, down)
                if here.cursor not in reached:
                    reached.add(here.cursor)
                    todo.append(here.cursor)
        assert len(reached) == len(player.map.placed.tracks)


async def test_enter_plays_the_track_at_the_cursor(running, player):
    async with running(player) as stage:
        await stage.press("m", "right")
        track = selected(stage)
        await stage.press("enter")
        assert player.told("play_track") == [(track.id,)]
        assert stage.screen == "MapScreen"
        assert "[▶]" in "\n".join(map_lines(stage))


async def test_the_selected_track_can_be_thumbed_grown_into_a_station_and_asked_about(running, player):
    async with running(player) as stage:
        await stage.press("m", "left")
        track = selected(stage)
        await stage.press("u", "d", "f")
        assert player.told("thumb") == [(1, track.id), (-1, track.id)]
        assert player.told("similar")[-1][0] == track.id
        await stage.press("escape", "a")
        assert player.told("more_like") == [(track.id,)]
        assert stage.screen == "StationScreen"


async def test_plus_and_minus_zoom_and_do_not_thumb(running, player):
    async with running(player) as stage:
        await stage.press("m", "plus", "plus")
        assert "× 2.6" in stage.text
        assert "[▶]" in "\n".join(map_lines(stage)), "the cursor stays in view"
        await stage.press("minus")
        assert "× 1.6" in stage.text
        await stage.press("minus", "minus")
        assert "×" not in stage.text
        await stage.press("plus", "0")
        assert "×" not in stage.text
        assert player.told("thumb") == []


async def test_the_cursor_stays_in_view_wherever_it_goes(running, player):
    async with running(player) as stage:
        await stage.press("m", *["plus"] * 4)
        for key in ("right", "up", "left", "down") * 5:
            await stage.press(key)
            shown = "\n".join(map_lines(stage))
            assert "[" in shown
            assert "]" in shown


@given(
    title=st.text(st.characters(codec="utf-8"), min_size=1, max_size=80),
    artist=st.text(st.characters(codec="utf-8"), max_size=40),
    width=st.integers(1, 120),
)
def test_the_track_at_the_cursor_fits_its_line_and_is_cut_once(title, artist, width):
    line = MapTrack()
    track = TrackRow(1, "/music/1.opus", title.replace("…", ""), artist.replace("…", ""), "", "Rock", 1999, 61.0, False)
    line.show(track, "2 tracks here")
    pieces = line.line(0, width)
    assert width_of(pieces) <= max(width, width_of(pieces[:1]))
    assert "……" not in "".join(text for text, _ in pieces)


async def test_c_goes_through_the_colours_and_back(running, player):
    async with running(player, size=(160, 50)) as stage:
        await stage.press("m", "c")
        assert "by thumbs on Quiet piano" in stage.text
        assert "thumbed up" in stage.text
        await stage.press("c")
        assert "Score on Quiet piano" in stage.text
        assert "-0.37" in stage.text
        await stage.press("c")
        assert "by genre" in stage.text
        assert player.told("map_colours") == [("genre",), ("thumb",), ("score",), ("genre",)]
        assert player.threads["map_colours"] != threading.get_ident()


async def test_scores_follow_the_feedback(running, player):
    async with running(player) as stage:
        await stage.press("m", "c", "c")
        asked = len(player.told("map_colours"))
        await stage.press("right")
        assert len(player.told("map_colours")) == asked
        await stage.press("n")
        assert player.told("map_colours")[asked:] == [("score",)]


async def test_g_shows_one_group_after_the_other_alone(running, player):
    async with running(player) as stage:
        await stage.press("m")
        every = stage.app.export_screenshot()
        await stage.press("g")
        one = stage.app.export_screenshot()
        assert "#2f9145" in every
        assert "#4a86c0" in one
        assert "#2f9145" not in one
        for _ in range(20):
            await stage.press("g")
            if stage.app.export_screenshot() == every:
                break
        else:
            pytest.fail("after the last group all are shown again")


async def test_without_colour_there_is_none_and_a_group_alone_is_told_by_its_weight(running, player, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(player) as stage:
        await stage.press("m")
        every = stage.app.export_screenshot()
        for colour in ("#4a86c0", "#c87f1a"):
            assert colour not in every
        await stage.press("g")
        dots = [
            bool(segment.style.dim)
            for y in range(canvas(stage).size.height)
            for segment in canvas(stage).render_line(y)
            if any(0x2800 < ord(letter) < 0x2900 for letter in segment.text)
        ]
        assert {True, False} <= set(dots)


async def test_home_goes_to_the_playing_track_and_escape_back(running, player):
    async with running(player) as stage:
        await stage.press("m", "left", "left", "home")
        assert selected(stage).id == player.snapshot().now.track.id
        await stage.press("escape")
        assert stage.screen == "StationScreen"


async def test_tracks_in_one_place_are_counted_and_gone_through_with_tab(running, player):
    player.place()
    placed = player.map.placed
    places = placed.places.copy()
    places[1] = places[2] = places[0]
    player.map = MapView(replace(placed, places=places))
    async with running(player, size=(120, 30)) as stage:
        await stage.press("m")
        assert "3 tracks here" in stage.text
        seen = []
        for _ in range(3):
            seen.append(canvas(stage).cursor)
            await stage.press("tab")
        assert sorted(seen) == [0, 1, 2]
        assert canvas(stage).cursor == seen[0]


async def test_a_click_takes_the_cursor_to_the_nearest_track_and_two_play_it(running, player):
    async with running(player) as stage:
        await stage.press("m")
        target = 7
        cell = canvas(stage)._camera.cell(canvas(stage)._places[target])
        await stage.pilot.click(MapCanvas, offset=(cell.column, cell.row))
        await stage.settle()
        assert canvas(stage).cursor == target
        await stage.pilot.click(MapCanvas, offset=(cell.column, cell.row), times=2)
        await stage.settle()
        assert player.told("play_track")[-1] == (selected(stage).id,)


async def test_while_the_map_is_made_its_progress_stands_there_and_then_the_map(running, player):
    player.map = MapView(share=0.25)
    async with running(player) as stage:
        await stage.press("m", "right", "enter", "plus", "c", "g", "home", "tab")
        assert "Placing the tracks by their sound" in stage.text
        assert "━" * 10 + "─" in stage.text
        assert player.told("play_track") == []
        player.place()
        await stage.settle()
        assert "Placing" not in stage.text
        assert "[▶]" in stage.text


async def test_without_any_vector_a_sentence_says_what_to_do(running, player):
    player.map = MapView(problem="No track was analysed yet, so there is nothing to draw; e analyses them.")
    async with running(player) as stage:
        await stage.press("m", "right", "enter", "f", "a", "u")
        assert "No track was analysed yet" in stage.text
        assert player.told("thumb") == []


async def test_an_older_map_is_shown_while_a_newer_one_is_made_and_the_cursor_keeps_its_track(running, player):
    player.place(share=0.4)
    async with running(player) as stage:
        await stage.press("m", "right")
        track = selected(stage)
        assert "a newer one: 40 %" in stage.text
        player.tracks = player.tracks[::-1][2:]
        player.place()
        await stage.settle()
        assert "newer" not in stage.text
        assert selected(stage).id == track.id


async def test_a_newer_map_is_asked_for_when_tracks_have_come_but_not_amid_an_embedding(running, player):
    async with running(player) as stage:
        await stage.press("m")
        asked = len(player.told("make_map"))
        job = JobView("embed", "Listening", 3, 10, None)
        for embedded in (16, 17, 18):
            player.change(job=job, embedded=embedded)
            await stage.settle()
        assert len(player.told("make_map")) == asked
        player.change(job=replace(job, finished=True, summary="7 embedded."))
        await stage.settle()
        assert len(player.told("make_map")) == asked + 1


async def test_a_map_asked_for_while_the_library_is_opened_comes_when_it_is_there(make_player):
    gate = threading.Event()

    def slowly():
        assert gate.wait(10)
        return make_player()

    app = PlayerApp(LazyPlayer(slowly))
    async with app.run_test() as pilot:
        await pilot.press("m")
        await pilot.pause()
        gate.set()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert type(app.screen).__name__ == "MapScreen"
        await pilot.press("q")


async def test_a_hundred_thousand_tracks_are_drawn(running, make_player):
    many = [TrackRow(n, f"/m/{n}", f"Title {n}", "", "", f"G{n % 12}", None, 9.0, False) for n in range(100_000)]
    player = make_player(many[:20])
    places = np.random.default_rng(0).uniform(-1, 1, (len(many), 2)).astype(np.float32)
    player.map = MapView(PlacedTracks(tuple(many), places, "PCA", 0))
    async with running(player, size=(160, 50)) as stage:
        await stage.press("m")
        await stage.press("right", "down", "plus")
        assert "100,000 tracks" in stage.text
