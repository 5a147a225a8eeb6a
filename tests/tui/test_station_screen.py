from dataclasses import replace

import pytest

from player.stations.snapshot import JobView, Measure
from player.tui.widgets.now_playing import PositionBar
from player.tui.widgets.queue_list import QueueList

pytestmark = pytest.mark.slow

HOSTILE = "[red]x[/] [link=file:///]y[/link]"


async def test_the_playing_track_is_shown_with_artist_reason_times_and_output(running, player):
    async with running(player) as stage:
        for part in ("▶ Consolation No. 3", "Ivan Ilic · Fugitive Visions", "2008", "1:13", "3:22", "80 %",
                     "sounds like Fandango, which you thumbed up", "stream on Built-in Audio"):  # fmt: skip
            assert part in stage.text


async def test_a_row_says_how_it_moved(running, player):
    async with running(player) as stage:
        rows = stage.text.splitlines()[6:]
        assert [row.split()[0] for row in rows[1:5]] == ["▲3", "▼2", "●", "▲12"]


async def test_the_selected_row_tells_its_whole_reason_and_chance(running, player):
    async with running(player) as stage:
        await stage.press("down")
        assert "you finished 4 of its artist" in stage.text
        assert "score 0.89" not in stage.text, "figures are for those who ask for them"
        await stage.press("f12")
        assert "score 0.89 · chance 12%" in stage.text


async def test_enter_plays_the_selected_row_by_hand(running, player):
    async with running(player) as stage:
        await stage.press("down", "down", "enter")
        assert player.told("play_track") == [(7,)]
        assert "▶ 羽の林で" in stage.text


@pytest.mark.parametrize(
    ("key", "name", "arguments"),
    [("u", "thumb", (1, 6)), ("d", "thumb", (-1, 6)), ("delete", "not_now", (6,))],
)
async def test_keys_for_the_selected_row_name_its_track(running, player, key, name, arguments):
    async with running(player) as stage:
        await stage.press("down", key)
        assert player.told(name) == [arguments]


async def test_a_double_click_plays_a_row_and_a_click_selects_it(running, player):
    async with running(player) as stage:
        await stage.pilot.click(QueueList, offset=(10, 3))
        assert stage.app.screen.query_one(QueueList).cursor == 3
        assert player.told("play_track") == []
        await stage.pilot.double_click(QueueList, offset=(10, 3))
        await stage.settle()
        assert player.told("play_track") == [(8,)]


async def test_the_cursor_stays_on_its_track_when_the_queue_is_reordered(running, player):
    async with running(player) as stage:
        await stage.press("down", "down")
        queue = stage.app.screen.query_one(QueueList)
        chosen = queue.selected.track
        rows = player.snapshot().queue
        player.change(queue=(*rows[5:], *rows[:5]))
        await stage.settle()
        assert queue.selected.track == chosen
        assert queue.cursor != 2


async def test_the_cursor_at_the_top_stays_at_the_top(running, player):
    async with running(player) as stage:
        player.change(queue=player.snapshot().queue[::-1])
        await stage.settle()
        assert stage.app.screen.query_one(QueueList).cursor == 0


async def test_a_queue_that_becomes_empty_is_no_problem(running, player):
    async with running(player) as stage:
        await stage.press("down", "down")
        player.change(queue=(), now=None, notice="Everything on this station is resting.")
        await stage.settle()
        assert "Everything on this station is resting." in stage.text
        await stage.press("enter", "u", "down", "end", "delete")
        assert "Nothing is playing" in stage.text
        assert "No track is selected here" in stage.text
        assert player.told("play_track") == []


async def test_markup_in_tags_is_shown_letter_by_letter(running, player):
    async with running(player, size=(160, 50)) as stage:
        assert HOSTILE in stage.text
        assert "[bold]Bracket[/bold]" in stage.text
        await stage.press("L")
        assert HOSTILE in stage.text
        player.play_track(12)
        await stage.settle()
        assert HOSTILE in stage.text.splitlines()[0]


async def test_control_characters_in_tags_never_reach_the_terminal(running, player):
    async with running(player, size=(160, 50)) as stage:
        player.play_track(13)
        player.change(notice="\x1b]0;title\x07 said a tag")
        await stage.settle()
        assert "Title with [31m an escape" in stage.text
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(stage.text)


async def test_the_position_moves_between_snapshots_and_stops_at_the_end(running, player):
    now = [100.0]
    async with running(player, clock=lambda: now[0]) as stage:
        bar = stage.app.screen.query_one(PositionBar)
        now[0] += 2.5
        assert bar.position == pytest.approx(75.5)
        await stage.pilot.pause(1.2)
        assert "1:15" in stage.text
        now[0] += 1000
        assert bar.position == player.snapshot().now.duration


async def test_a_snapshot_that_knows_no_better_does_not_turn_the_position_back(running, player):
    now = [100.0]
    async with running(player, clock=lambda: now[0]) as stage:
        bar = stage.app.screen.query_one(PositionBar)
        now[0] += 4
        player.change(notice="something else")
        await stage.settle()
        assert bar.position == pytest.approx(77)


async def test_a_paused_position_stands_still(running, player):
    now = [100.0]
    async with running(player, clock=lambda: now[0]) as stage:
        await stage.press("space")
        now[0] += 30
        assert stage.app.screen.query_one(PositionBar).position == pytest.approx(73)


async def test_a_click_on_the_bar_seeks_there(running, player):
    async with running(player) as stage:
        line = stage.text.splitlines()[3]
        start, end = line.index("━"), line.rindex("─")
        await stage.pilot.click(PositionBar, offset=((start + end) // 2 - 1, 0))
        await stage.settle()
        [(seconds,)] = player.told("seek")
        assert seconds == pytest.approx(player.snapshot().now.duration / 2, rel=0.05)


async def test_progress_of_a_training_is_shown_with_time_left_and_metric(running, player):
    async with running(player) as stage:
        for epoch, auc in enumerate((0.61, 0.66, 0.71), start=1):
            player.change(job=JobView("retrain", f"epoch {epoch} of 4", epoch, 4, 12.0, metric=auc))
            await stage.settle()
        for part in ("Training  3 of 4 · 12 s left · epoch 3 of 4", "AUC 0.710 ▁▅█", "^x stop"):
            assert part in stage.text
        player.change(job=JobView("retrain", "", 4, 4, None, finished=True, summary="Version 4 is better: kept."))
        await stage.settle()
        assert "Version 4 is better: kept." in stage.text
        assert "^x stop" not in stage.text
        player.change(job=None)
        await stage.settle()
        assert "Version 4" not in stage.text


async def test_a_job_of_unknown_length_shows_what_is_done(running, player):
    async with running(player) as stage:
        player.change(job=JobView("scan", "reading folders", 1234, 0, None))
        await stage.settle()
        assert "1,234 done" in stage.text


async def test_tracks_without_a_vector_are_counted(running, player):
    async with running(player) as stage:
        player.change(embedded=4)
        await stage.settle()
        assert "4 of 15 analysed" in stage.text


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 50)])
async def test_variety_is_told_in_words_and_in_figures_where_there_is_room_and_wish(running, player, size):
    async with running(player, size=size) as stage:
        assert "many artists ↗ more" in stage.text
        assert "Gini" not in stage.text
        await stage.press("f12")
        if size[0] >= 110:
            for measure in player.snapshot().diversity:
                assert f"{measure.name} " in stage.text
                assert f"{measure.value:.2f} → {measure.after_queue:.2f}" in stage.text
            assert "█" in stage.text


async def test_a_measure_that_is_not_a_number_is_a_dash(running, player):
    async with running(player, size=(160, 50)) as stage:
        measure = Measure("Gini index", float("nan"), float("nan"), (float("nan"),), False, ends=("few", "many"))
        player.change(diversity=(measure,))
        await stage.press("f12")
        assert "nan → –" not in stage.text
        assert "– → –" in stage.text


async def test_an_empty_library_says_how_to_add_music(running, make_player):
    async with running(make_player([])) as stage:
        assert stage.screen == "AddMusic"
        await stage.press("escape")
        assert "chooses the folder" in stage.text
        assert "Up next" not in stage.text
        await stage.press("n", "plus", "enter", "L", "slash", "a", "escape", "escape")
        assert "chooses the folder" in stage.text


async def test_the_screen_fills_when_the_first_tracks_are_found(running, make_player):
    player = make_player([])
    async with running(player) as stage:
        player.change(tracks=15, notice="15 tracks found.")
        await stage.settle()
        assert stage.screen == "StationPicker"
        await stage.press("escape")
        assert "chooses the folder" not in stage.text
        assert "15 tracks found." in stage.text


async def test_the_picker_that_was_closed_does_not_open_again_by_itself(running, make_player):
    player = make_player([])
    async with running(player) as stage:
        player.change(tracks=15)
        await stage.settle()
        await stage.press("escape")
        player.change(tracks=16)
        await stage.settle()
        assert stage.screen == "StationScreen"


@pytest.mark.parametrize("keys", [(), ("L",), ("s",), ("s", "up", "down", "down", "down", "enter"), ("question_mark",)])
async def test_no_size_crashes_any_screen(running, player, keys):
    async with running(player, size=(1, 1)) as stage:
        await stage.press(*keys)
        player.change(job=JobView("retrain", "epoch 1", 1, 3, 3.0, 0.5), notice="A sentence " * 20)
        await stage.settle()
        for size in ((5, 3), (12, 4), (20, 6), (40, 10), (60, 16), (81, 25), (300, 90)):
            await stage.pilot.resize_terminal(*size)
            await stage.settle()
            assert stage.text.strip()


async def test_a_long_notice_is_wrapped_between_words(running, player):
    sentence = (
        "Nothing on this station can be played: 12 tracks rest, 3 are thumbed down; wait, or widen its seeds with s."
    )
    async with running(player) as stage:
        player.change(notice=sentence)
        await stage.settle()
        assert sentence in " ".join(line.strip() for line in stage.text.splitlines())


async def test_a_track_of_an_hour_and_an_unknown_year_fit(running, player):
    async with running(player) as stage:
        now = player.snapshot().now
        player.change(now=replace(now, duration=7384.0, track=replace(now.track, year=None, album="")))
        await stage.settle()
        assert "2:03:04" in stage.text
        assert "Ivan Ilic\n" in stage.text
