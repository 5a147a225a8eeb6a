from player.tui.widgets.choice_list import ChoiceList


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
        assert player.told("create_station") == [("mellow", (("tag", "mellow"),))]
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
        assert "the whole library" in stage.text
        assert "15 tracks" in stage.text
        await stage.press("down", "enter")
        assert player.told("create_station") == [("Classical", (("genre", "Classical"),))]
        assert stage.screen == "StationScreen"
        assert "Up next  Classical" in stage.text


async def test_a_new_station_grows_from_a_mix_of_seeds(running, player):
    async with running(player) as stage:
        await stage.press("s", "up", *["down"] * 3, "enter")
        assert stage.screen == "NewStation"
        await stage.press(*"mell", "enter", *"ilic", "enter")
        assert "grows from  tag mellow + artist Ivan Ilic" in stage.text
        assert "name: mellow + Ivan Ilic" in stage.text
        await stage.press("tab", *"Evening", "enter")
        assert player.told("create_station") == [("Evening", (("tag", "mellow"), ("artist", "Ivan Ilic")))]
        assert stage.screen == "StationScreen"
        assert "Up next  Evening" in stage.text


async def test_a_station_without_a_name_is_called_by_its_seeds(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", *"mell", "enter", "ctrl+s")
        assert player.told("create_station") == [("mellow", (("tag", "mellow"),))]


async def test_backspace_in_an_empty_search_drops_the_last_seed(running, player):
    async with running(player) as stage:
        await stage.press(
            "s", *["down"] * 3, "enter", *"mell", "enter", *"ili", "enter", *"x", "backspace", "backspace"
        )
        assert "grows from  tag mellow  " in stage.text
        await stage.press("backspace", "backspace")
        assert "nothing yet" in stage.text


async def test_the_same_seed_counts_once(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", *"mell", "enter", *"mell", "enter", "ctrl+s")
        assert player.told("create_station") == [("mellow", (("tag", "mellow"),))]


async def test_a_station_without_seeds_is_not_made(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", "ctrl+s")
        assert "Choose at least one seed" in stage.text
        assert player.told("create_station") == []


async def test_a_refused_station_leaves_the_form_open_and_says_why(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", *"mell", "enter")
        player.refusal = "A station named mellow exists already: choose another name."
        await stage.press("ctrl+s")
        assert stage.screen == "NewStation"
        assert player.refusal in stage.text
        player.refusal = ""
        await stage.press("ctrl+s")
        assert stage.screen == "StationScreen"


async def test_nothing_found_is_no_problem(running, player):
    async with running(player) as stage:
        await stage.press("s", *["down"] * 3, "enter", *"zzzz", "enter", "down", "up")
        assert stage.app.screen.query_one(ChoiceList).length == 0
        assert stage.screen == "NewStation"
