import pytest
from textual.widgets import Input

from player.tui.screens.picker import MODE_NAMES
from player.tui.widgets.choice_list import ChoiceList
from player.tui.widgets.now_playing import NowPlayingPanel
from player.tui.widgets.status_lines import NoticeLine
from player.tui.widgets.styled_text import Ink

pytestmark = pytest.mark.slow


async def test_the_picker_lists_stations_with_seeds_and_thumbs(running, player):
    async with running(player) as stage:
        await stage.press("s")
        assert stage.screen == "StationPicker"
        for part in ("Quiet piano", "artist Ivan Ilic, mellow", "▲12 ▼3", "[b]Rock[/b]", "New station …"):
            assert part in stage.text


async def test_enter_tunes_in_and_goes_back_to_the_station(running, player):
    async with running(player) as stage:
        await stage.press("s", "down", "enter")
        assert player.told("open_station") == [(2,)]
        assert stage.screen == "StationScreen"
        assert "Up next  Everything" in stage.text


async def test_typing_filters_stations_and_proposes_new_ones(running, player):
    async with running(player) as stage:
        await stage.press("s", *"mellow")
        assert "Quiet piano" in stage.text
        assert "[b]Rock[/b]" not in stage.text
        assert "new station, tag" in stage.text
        await stage.press("down", "enter")
        assert player.told("create_station") == [("mellow", (("tag", "mellow"),), "station")]
        assert player.told("open_station") == [(4,)]


async def test_escape_leaves_everything_as_it_was(running, player):
    async with running(player) as stage:
        await stage.press("s", "down", "escape")
        assert stage.screen == "StationScreen"
        assert player.calls == [("start",)]


async def test_a_first_run_opens_the_picker_with_proposals(running, make_player):
    player = make_player(station=False)
    player.known = []
    async with running(player) as stage:
        assert stage.screen == "StationPicker"
        assert "new station, whole library" in stage.text
        assert "15 tracks" in stage.text
        await stage.press("down", "enter")
        assert player.told("create_station") == [("Classical", (("genre", "Classical"),), "station")]
        assert stage.screen == "StationScreen"
        assert "Up next  Classical" in stage.text


async def test_a_new_station_grows_from_a_mix_of_seeds(running, player):
    async with running(player) as stage:
        await stage.press("s", "up", *["down"] * 3, "enter")
        assert stage.screen == "StationForm"
        await stage.press(*"mell", "enter", *"ilic", "enter")
        assert "based on    tag mellow + artist Ivan Ilic" in stage.text
        assert "name: mellow + Ivan Ilic" in stage.text
        await stage.press("tab", *"Evening", "enter")
        assert player.told("create_station") == [("Evening", (("tag", "mellow"), ("artist", "Ivan Ilic")), "station")]
        assert stage.screen == "StationScreen"
        assert "Up next  Evening" in stage.text


async def test_a_station_without_a_name_is_called_by_its_seeds(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", *"mell", "enter", "ctrl+s")
        assert player.told("create_station") == [("mellow", (("tag", "mellow"),), "station")]


async def test_backspace_in_an_empty_search_drops_the_last_seed(running, player):
    async with running(player) as stage:
        await stage.press(
            "s", *["down"] * 3, "enter", *"mell", "enter", *"ili", "enter", *"x", "backspace", "backspace"
        )
        assert "based on    tag mellow  " in stage.text
        await stage.press("backspace", "backspace")
        assert "nothing yet" in stage.text


async def test_the_same_seed_counts_once(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", *"mell", "enter", *"mell", "enter", "ctrl+s")
        assert player.told("create_station") == [("mellow", (("tag", "mellow"),), "station")]


async def test_a_new_station_plays_in_the_mode_that_the_form_shows(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", *"mell", "enter")
        assert "plays       station: on and on, near what it is based on" in stage.text
        await stage.press("ctrl+o", *["ctrl+o"] * 5)
        assert "plays       album radio: whole albums, in order" in stage.text
        await stage.press("ctrl+s")
        assert player.told("create_station") == [("mellow", (("tag", "mellow"),), "albums")]
        assert "Up next  mellow · album radio" in stage.text


async def test_the_modes_of_the_form_begin_again_after_the_last_one(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", *["ctrl+o"] * len(MODE_NAMES))
        assert "plays       station: " in stage.text


async def test_a_station_without_seeds_is_not_made(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", "ctrl+s")
        assert "Choose at least one thing" in stage.text
        assert player.told("create_station") == []


async def test_a_refused_station_leaves_the_form_open_and_says_why(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", *"mell", "enter")
        player.refusal = "A station named mellow exists already: choose another name."
        await stage.press("ctrl+s")
        assert stage.screen == "StationForm"
        assert player.refusal in stage.text
        player.refusal = ""
        await stage.press("ctrl+s")
        assert stage.screen == "StationScreen"


async def test_what_was_said_of_the_music_is_not_said_again_over_it(running, player):
    async with running(player) as stage:
        player.change(notice="Noted.")
        await stage.settle()
        assert "Noted." in stage.text
        await stage.press("s")
        assert not stage.app.screen.query_one(NoticeLine).line(0, 70)
        await stage.press("escape")
        assert "Noted." in stage.text


async def test_the_music_stays_in_sight_behind_the_stations_without_its_colours(running, player):
    async with running(player, size=(120, 36)) as stage:
        station = stage.app.screen
        title = station.query_one(NowPlayingPanel)
        assert not title.ink(Ink.TITLE).dim
        await stage.press("s")
        assert "Consolation No. 3" in stage.text
        assert all(title.ink(ink).dim and title.ink(ink).color.is_default for ink in Ink)
        await stage.press("escape")
        assert not title.ink(Ink.TITLE).dim


async def test_the_cursor_of_a_text_field_shows_on_any_background(running, player):
    async with running(player) as stage:
        await stage.press("s")
        cursor = stage.app.screen.query_one(Input).get_component_rich_style("input--cursor")
        assert cursor.reverse
        assert cursor.color.is_default
        assert cursor.bgcolor.is_default


async def test_nothing_found_is_no_problem(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", *"zzzz", "enter", "down", "up")
        assert stage.app.screen.query_one(ChoiceList).length == 0
        assert stage.screen == "StationForm"


async def test_the_form_says_what_a_station_leaves_out_and_chooses_from(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", *"mell", "enter", *"ilic", "ctrl+n")
        assert "leaves out  artist Ivan Ilic" in stage.text
        assert "chooses from 14 tracks" in stage.text
        await stage.press("ctrl+s")
        assert player.told("create_station") == [
            ("mellow", (("tag", "mellow"), ("not artist", "Ivan Ilic")), "station")
        ]


async def test_a_station_is_changed_in_the_form_that_shows_what_it_is(running, player):
    async with running(player) as stage:
        await stage.press("s", "ctrl+e")
        assert "based on    artist Ivan Ilic + tag mellow" in stage.text
        assert "leaves out  genre Rock" in stage.text
        await stage.press("backspace", "ctrl+s")
        kept = (("artist", "Ivan Ilic"), ("tag", "mellow"))
        assert player.told("change_station") == [(1, "Quiet piano", kept, "station")]
        assert stage.screen == "StationScreen"
