from dataclasses import replace

import pytest

from player.library.tracks import TrackRow
from player.tui.screens.library import ORDERS, SortedCatalogue
from player.tui.widgets.track_list import TrackList

pytestmark = pytest.mark.slow

MANY = 100_000


@pytest.fixture(scope="module")
def many_tracks():
    return [
        TrackRow(
            n, f"/m/{n}", f"Title {n}", f"Artist {n // 100}", f"Album {n // 10}", "Rock", 1950 + n % 70, 200.0, False
        )
        for n in range(MANY)
    ]


def listed(stage) -> list[str]:
    rows = stage.app.screen.query_one(TrackList)
    return [rows._catalogue[index].title for index in rows._indices]


async def test_the_library_lists_all_tracks_and_its_order(running, player):
    async with running(player) as stage:
        await stage.press("L")
        assert stage.screen == "LibraryScreen"
        assert "All tracks  15 tracks" in stage.text
        assert "by artist" in stage.text
        assert "▶ Consolation No. 3" in stage.text


async def test_the_list_narrows_as_one_types(running, player):
    async with running(player) as stage:
        await stage.press("slash", *"bach")
        assert "2 of 15 tracks" in stage.text
        assert listed(stage) == [track.title for track in player.tracks[-2:]]
        await stage.press("backspace", "backspace", "backspace", "backspace")
        assert "All tracks  15 tracks" in stage.text


async def test_keys_typed_into_the_search_are_letters_and_not_commands(running, player):
    async with running(player) as stage:
        await stage.press("slash", "n", "q", "space", "plus", "x")
        assert player.calls == [("start",)]
        assert stage.app.screen.query_one("Input").value == "nq +x"


async def test_enter_in_the_search_plays_the_first_row_found(running, player):
    async with running(player) as stage:
        await stage.press("slash", *"fandango", "enter")
        assert player.told("play_track") == [(4,)]


async def test_down_from_the_search_reaches_the_rows(running, player):
    async with running(player) as stage:
        await stage.press("slash", *"ilic", "down", "down", "enter")
        assert player.told("play_track") == [(2,)]


async def test_a_starts_a_station_from_the_selected_track_and_goes_to_it(running, player):
    async with running(player) as stage:
        await stage.press("L", "down", "a")
        name = "Chopin Prelude In G Minor Opus 28 · Ivan Ilic"
        assert player.told("more_like") == [(2,)]
        assert stage.screen == "StationScreen"
        assert name[:20] in stage.text


async def test_escape_clears_the_search_and_then_leaves(running, player):
    async with running(player) as stage:
        await stage.press("slash", *"ilic", "escape")
        assert stage.screen == "LibraryScreen"
        assert "All tracks  15 tracks" in stage.text
        await stage.press("escape")
        assert stage.screen == "StationScreen"


async def test_the_library_remembers_search_and_row(running, player):
    async with running(player) as stage:
        await stage.press("slash", *"ilic", "down", "down")
        stage.app.pop_screen()
        await stage.settle()
        await stage.press("L")
        assert "3 of 15 tracks" in stage.text
        assert stage.app.screen.query_one(TrackList).cursor == 1


async def test_o_goes_through_the_orders(running, player):
    async with running(player) as stage:
        await stage.press("L")
        for order in (*ORDERS[1:], ORDERS[0]):
            await stage.press("o")
            assert f"by {order.name}" in stage.text
            expected = sorted(player.tracks, key=order.key)
            assert listed(stage) == [track.title for track in expected]


async def test_a_search_keeps_the_order(running, player):
    async with running(player) as stage:
        await stage.press("L", "o", "slash", *"classical")
        titles = listed(stage)
        assert titles == sorted(titles, key=str.casefold)
        assert len(titles) == 8


async def test_tracks_found_by_a_scan_appear_while_the_library_is_open(running, player):
    async with running(player) as stage:
        await stage.press("L")
        player.tracks = [*player.tracks, replace(player.tracks[0], id=99, title="Just found")]
        player.change(tracks=16)
        await stage.settle()
        assert "All tracks  16 tracks" in stage.text
        assert "Just found" in listed(stage)


async def test_a_hundred_thousand_rows_open_move_and_search(running, make_player, many_tracks):
    async with running(make_player(many_tracks[:20]), size=(160, 50)) as stage:
        stage.player.tracks = many_tracks
        stage.player.change(tracks=MANY)
        await stage.press("L")
        assert "100,000 tracks" in stage.text
        await stage.press("end")
        assert "Title 99999" in stage.text
        await stage.press("home", "pagedown")
        await stage.press("slash", "9")
        assert f"{sum('9' in f'{t.title} {t.artist} {t.album}' for t in many_tracks):,} of" in stage.text


async def test_drawing_costs_the_same_for_any_number_of_rows(running, make_player, many_tracks):
    async with running(make_player(many_tracks)) as stage:
        await stage.press("L")
        rows = stage.app.screen.query_one(TrackList)
        drawn = []
        draw = rows.row
        rows.row = lambda index, width, **kind: (drawn.append(index), draw(index, width, **kind))[1]
        await stage.press("pagedown")
        assert 0 < len(drawn) <= 2 * rows.size.height


def test_indices_beyond_the_catalogue_are_left_out(many_tracks):
    rows = SortedCatalogue(many_tracks[:5])
    assert rows.some([7, 4, 2, 99], 1) == [2, 4]


def test_sorting_some_is_sorting_all_and_leaving_out_the_others(player):
    rows = SortedCatalogue(player.tracks)
    for order in range(len(ORDERS)):
        some = {3, 1, 8, 14}
        assert rows.some(sorted(some), order) == [index for index in rows.all(order) if index in some]


async def test_a_number_counts_a_movement_and_is_shown_while_it_is_typed(running, player):
    async with running(player) as stage:
        await stage.press("L", "1", "2")
        assert stage.text.splitlines()[-1].endswith(" 12")
        await stage.press("G")
        rows = stage.app.screen.query_one(TrackList)
        assert rows.cursor == 11
        assert not stage.text.splitlines()[-1].endswith(" 12")
        await stage.press("3", "k")
        assert rows.cursor == 8
