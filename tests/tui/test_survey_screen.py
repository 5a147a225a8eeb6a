import pytest

from player.errors import PlayerError

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Keys may follow each other at once."""
    monkeypatch.setattr("player.tui.screens.survey.HELD_SECONDS", 0.0)


async def test_s_opens_the_survey_and_its_keys_answer(running, player):
    async with running(player) as stage:
        await stage.press("S")
        assert stage.screen == "SurveyScreen"
        assert "Survey  0 of 4 · 0 liked" in stage.text
        assert player.tracks[0].title in stage.text
        await stage.press("l", "d", "s")
        assert [answer for answer, _ in player.told("answer")] == ["like", "dislike", "skip"]
        assert [track for _, track in player.told("answer")] == [1, 2, 3]
        assert "3 of 4 · 1 liked" in stage.text
        assert "▲▼·" in stage.text


async def test_space_plays_again_and_z_takes_back(running, player):
    async with running(player) as stage:
        await stage.press("S", "space", "l", "z")
        assert player.told("again") == [()]
        assert player.told("undo_answer") == [()]
        assert "Took the last answer back." in stage.text
        assert "0 of 4" in stage.text


async def test_no_key_of_the_player_reaches_through(running, player):
    async with running(player) as stage:
        await stage.press("S")
        before = len(player.calls)
        await stage.press("p", "R", "X", "x", "r", "e", "f5", "m", "F", "slash", "question_mark", "left", "right")
        assert stage.screen == "SurveyScreen"
        assert {call[0] for call in player.calls[before:]} <= {"again", "more"}


async def test_it_can_be_louder_and_quieter(running, player):
    async with running(player) as stage:
        await stage.press("S", "left_square_bracket", "left_square_bracket", "right_square_bracket")
        assert player.told("survey_volume") == [(0.95,), (0.9,), (0.95,)]
        assert player.told("set_volume") == []


@pytest.mark.parametrize("key", ["q", "escape", "ctrl+c"])
async def test_leaving_gives_the_sound_back_and_the_player_goes_on(running, player, key):
    async with running(player) as stage:
        await stage.press("S", key)
        assert stage.screen == "StationScreen"
        assert player.told("close_survey")
        assert player.told("close") == [], "the player itself is still there"


async def test_at_the_end_m_asks_for_more_and_q_leaves(running, player):
    async with running(player) as stage:
        await stage.press("S", "l", "l", "d", "s")
        assert "That was the last of 4 clips" in stage.text
        assert "m more" in stage.text
        assert "l like" not in stage.text
        await stage.press("l")
        assert len(player.told("answer")) == 4, "there is nothing to answer"
        await stage.press("m")
        assert "4 of 8" in stage.text
        assert "l like" in stage.text
        await stage.press("q")
        assert stage.screen == "StationScreen"


async def test_a_key_that_is_still_held_down_is_no_answer(running, player, monkeypatch):
    monkeypatch.setattr("player.tui.screens.survey.HELD_SECONDS", 1000.0)
    async with running(player) as stage:
        await stage.press("S", "l")
        assert player.told("answer") == []


async def test_what_cannot_be_recorded_is_said_and_asked_again(running, player):
    async with running(player) as stage:
        await stage.press("S")
        player.refusal = "The disk is full; make room."
        await stage.press("l")
        assert "The disk is full" in stage.text
        player.refusal = ""
        await stage.press("l")
        assert "The disk is full" not in stage.text
        assert [track for _, track in player.told("answer")] == [1, 1]


async def test_a_new_listener_sees_it_first_and_enter_still_plays(running, make_player):
    player = make_player(station=False)
    player.new = True
    async with running(player) as stage:
        assert stage.screen == "StationPicker"
        lines = stage.text.splitlines()
        survey = next(number for number, line in enumerate(lines) if "Survey …" in line)
        assert "new here?" in lines[survey]
        assert "▌" in lines[survey + 1]
        await stage.press("up", "enter")
        assert stage.screen == "SurveyScreen"
        await stage.press("q")
        assert stage.screen == "StationPicker", "now for a station"
        await stage.press("down", "enter")
        assert player.told("open_station")


async def test_others_find_it_at_the_end_of_the_stations(running, player):
    async with running(player) as stage:
        await stage.press("s")
        lines = [line for line in stage.text.splitlines() if "…" in line]
        assert "New station …" in lines[-2]
        assert "Survey …" in lines[-1]
        await stage.press("up", *["down"] * 9, "enter")
        assert stage.screen == "SurveyScreen"


async def test_the_start_screen_without_a_station_names_it(running, make_player):
    async with running(make_player(station=False), size=(120, 30)) as stage:
        await stage.press("escape")
        assert "S asks what you like" in stage.text


async def test_an_empty_library_has_no_survey(running, make_player):
    async with running(make_player([])) as stage:
        await stage.press("escape", "S")
        assert stage.screen == "StationScreen"
        assert "no music to ask about" in stage.text


async def test_a_survey_that_cannot_begin_is_said(running, player, monkeypatch):
    def refuse():
        raise PlayerError("One moment: the library is being opened.")

    monkeypatch.setattr(player, "survey", refuse)
    async with running(player) as stage:
        await stage.press("S")
        assert "One moment" in stage.text


async def test_tags_are_shown_letter_by_letter(running, player):
    player.tracks = [track for track in player.tracks if "\x1b" in track.title or "[red]" in track.title]
    async with running(player) as stage:
        await stage.press("S")
        assert "[red]x[/] [link=file:///]y[/link]" in stage.text
        await stage.press("l")
        assert "\x1b" not in stage.text


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (12, 4), (40, 10), (300, 90)])
async def test_no_size_crashes_it(running, player, size):
    async with running(player, size=size) as stage:
        await stage.press("S", "l", "d", "s", "l")
        assert stage.screen == "SurveyScreen"
