"""The library in three columns, pressed on the real screen."""

import time

import pytest

from player.library.tracks import TrackRow
from player.tui.screens.browse import KINDS, Shelf
from player.tui.widgets.row_list import RowList

pytestmark = pytest.mark.slow


def focused(stage):
    return stage.app.focused.id


async def test_an_album_plays_in_order_in_two_keys(running, player):
    async with running(player) as stage:
        await stage.press("l")
        assert stage.screen == "BrowseScreen"
        assert "Library  15 tracks" in stage.text
        await stage.press("enter")
        assert player.told("play_in_order") == [((1, 2, 3),)], "the album of the playing track, from its beginning"
        assert stage.screen == "StationScreen"


async def test_from_a_track_on_the_rest_of_its_album_plays(running, player):
    async with running(player) as stage:
        await stage.press("l", "right", "down", "enter")
        assert player.told("play_in_order") == [((2, 3),)]


async def test_groups_albums_and_tracks_follow_the_cursor(running, player):
    async with running(player, size=(120, 30)) as stage:
        await stage.press("l", "left", "home", "down")
        assert "音楽図鑑" not in stage.text
        stage.app.screen.query_one("#groups", RowList).cursor = 6
        await stage.settle()
        assert "音楽図鑑" in stage.text
        assert "羽の林で" in stage.text
        await stage.press("v")
        assert "by genre" in stage.text
        await stage.press("v")
        assert "by year" in stage.text


async def test_what_is_typed_narrows_all_three(running, player):
    async with running(player, size=(120, 30)) as stage:
        await stage.press("l", "slash", *"bach")
        assert "2 of 15 tracks" in stage.text
        assert "Bezdin" not in stage.text
        await stage.press("enter")
        assert player.told("play_in_order") == [((14, 15),)]


async def test_what_is_wrong_with_a_search_stands_beside_it_and_the_screen_goes_on(running, player):
    async with running(player, size=(120, 30)) as stage:
        await stage.press("l", "slash", *"yeer:")
        assert "There is no field “yeer”" in stage.text
        await stage.press(*["backspace"] * 5)
        assert "Library  15 tracks" in stage.text


async def test_an_album_is_pinned_and_made_a_station(running, player):
    async with running(player) as stage:
        await stage.press("l", "A")
        assert player.told("pin_all") == [((1, 2, 3),)]
        await stage.press("a")
        assert player.told("play_station_of") == [
            (("album", "Fugitive Visions - Piano Masterworks by Chopin and Liszt"),)
        ]
        await stage.press("l", "left", "a")
        assert player.told("play_station_of")[-1] == (("artist", "Ivan Ilic"),)


@pytest.mark.parametrize("size", [(40, 10), (60, 18), (300, 80)])
async def test_it_fits_any_terminal(running, player, size):
    async with running(player, size=size) as stage:
        await stage.press("l")
        assert all(len(line) <= size[0] for line in stage.text.splitlines())
        await stage.press("left")
        assert focused(stage) == "groups"
        assert "Ivan Ilic" in stage.text


GROUPS = {"artist": 1001, "genre": 2, "year": 71, "folder": 1001, "recently added": 3}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_a_hundred_thousand_tracks_are_shelved_in_a_moment(kind, make_player):
    tracks = [
        TrackRow(
            n, f"/m/{n // 100}/{n // 10}/{n}.flac", f"Title {n}", f"Artist {n // 100}", f"Album {n // 10}", "Rock",
            1950 + n % 70, 200.0, False,
        )
        for n in range(100_000)
    ]  # fmt: skip
    player = make_player(tracks, station=False)
    player.search = lambda query: range(50) if query == "added:<7d" else range(80) if query else []
    began = time.process_time()
    shelf = Shelf.of(tracks, range(len(tracks)), kind, kind.places(player, tracks))
    if kind.noun == "artist":
        assert list(shelf.albums("Artist 7")) == [f"Album {n}" for n in range(70, 80)]
    if kind.noun == "folder":
        assert shelf.names[:3] == ("", "0", "1")
        assert list(shelf.albums("7")) == [str(n) for n in range(70, 80)]
    assert time.process_time() - began < 2, "processor time, about .1 s on an idle machine"
    assert len(shelf.names) == GROUPS[kind.noun]


async def test_what_came_lately_and_where_it_lies_are_ways_to_begin(running, player, monkeypatch):
    monkeypatch.setattr(player, "search", lambda query="": {"added:<1d": [], "added:<7d": [3, 4]}.get(query, [0, 3, 4]))
    async with running(player, size=(120, 30)) as stage:
        await stage.press("l", "5", "left", "home", "down")
        assert "recently added" in stage.text.splitlines()[4]
        assert stage.app.screen.chosen.id == 4
        assert "2" in next(line for line in stage.text.splitlines() if "the last 7 days" in line)
        await stage.press("4")
        assert "by folder" in stage.text


async def test_a_column_is_sorted_by_key_and_by_click_and_stays_so(running, player):
    async with running(player, size=(120, 30)) as stage:
        await stage.press("l", "left", "o")
        assert "tracks↓" in stage.text
        assert stage.text.index("Ivan Ilic    ") < stage.text.index("American Bach")
        await stage.press("ctrl+o")
        assert "tracks↑" in stage.text
        heads = stage.app.screen.query_one("#heads")
        tracks = stage.app.screen.query_one("#tracks", RowList)
        await stage.pilot.click(heads, offset=(tracks.region.x - heads.region.x + 2, 0))
        await stage.settle()
        assert "title↓" in stage.text
        kept = player.told("keep_sorting")[-1][0]
        assert kept == {"BrowseScreen groups": ("tracks", True), "BrowseScreen tracks": ("title", False)}
        await stage.press("escape", "L", "o", "escape", "l")
        assert "tracks↑" in stage.text
        assert "title↓" in stage.text


async def test_how_lists_were_sorted_holds_at_the_next_start(running, player):
    player.sorted_by = {"LibraryScreen tracks": ("length", True)}
    async with running(player) as stage:
        await stage.press("L")
        assert "length↑" in stage.text
