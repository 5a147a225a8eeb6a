"""``player status`` and its like, and the remote screen, on a player that really plays."""

import json
import sys
import time

import pytest
from textual.widgets import Static

from player.cli import run
from player.feedback.event_store import EventStore
from player.remote.drive import answered_at_once
from player.storage.event_kinds import Origin
from player.tui.remote_app import RemoteApp
from tests.support.tones import write_tones


@pytest.fixture
def player(monkeypatch, capsys):
    def call(running, *arguments):
        monkeypatch.setenv("PLAYER_DATA_DIR", str(running.home.paths.data))
        monkeypatch.setattr(sys, "argv", ["player", *arguments])
        code = run()
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_commands_drive_the_running_player(running, player):
    state = json.loads(player(running, "status", "--json")[1])
    now = running.snapshot().now
    assert (state["state"], state["station"], state["track"]["track_id"]) == ("playing", "Evening", now.track.id)
    assert [row["track_id"] for row in state["queue"]] == [row.track.id for row in running.snapshot().queue]
    first = state["queue"]
    assert json.loads(player(running, "queue", "--json")[1]) == first
    assert json.loads(player(running, "pause", "--json")[1])["state"] == "paused"
    assert json.loads(player(running, "seek", "0:07", "--json")[1])["position"] == pytest.approx(7)
    assert json.loads(player(running, "seek", "-3", "--json")[1])["position"] == pytest.approx(4)
    assert json.loads(player(running, "volume", "40", "--json")[1])["volume"] == 40
    assert json.loads(player(running, "volume", "-15", "--json")[1])["volume"] == 25
    for _ in range(2):
        assert json.loads(player(running, "up", "--json")[1])["thumb"] == 1, (
            "a command given twice does not take the thumb off"
        )
    assert json.loads(player(running, "next", "--json")[1])["state"] == "playing"
    assert running.snapshot().now.track.id != now.track.id
    assert json.loads(player(running, "previous", "--json")[1])["track"]["track_id"] == now.track.id
    assert json.loads(player(running, "down", "--json")[1])["track"]["track_id"] != now.track.id
    assert running.thumbs()[now.track.id] == -1
    assert json.loads(player(running, "stop", "--json")[1])["state"] == "stopped"
    assert "[playing]" in player(running, "play")[1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("seek", "soon"), 2, "write 1:30"),
        (("volume", "101"), 2, "0 to 100"),
        (("up", "9999"), 1, "no track"),
        (("status", "--data-dir", "/nonexistent/folder"), 1, "No player is running"),
        (("play", "--station", "Evening", "--headless"), 1, "running on"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(running_for_all, player, arguments, code, words):
    got, out, err = player(running_for_all, *arguments)
    assert (got, out) == (code, "")
    assert words in err
    assert err.count("\n") == 1


async def test_the_remote_screen_shows_and_drives_it(running):
    app = RemoteApp(running.home.paths.data, "Open elsewhere.")
    async with app.run_test(size=(80, 20)) as pilot:

        async def until(met):
            for _ in range(200):
                if met():
                    return
                await pilot.pause(0.05)
            pytest.fail("it never came")

        title = app.query_one("#title", Static)
        assert running.snapshot().now.track.title in str(title.content)
        assert str(app.query_one("#notice", Static).content) == "Open elsewhere."
        await pilot.press("plus")
        await until(lambda: "▲" in str(title.content))
        chosen = running.snapshot().queue[1].track
        await pilot.press("down", "down", "enter")
        await until(lambda: chosen.title in str(title.content))
        await pilot.press("space")
        await until(lambda: not running.snapshot().now.playing)
        await pilot.press("right_square_bracket", "left_square_bracket", "left_square_bracket", "right", "z")
        await until(lambda: running.snapshot().volume == pytest.approx(0.9))
        # What is done elsewhere comes by itself.
        running.next()
        await until(lambda: running.snapshot().now.track.title in str(title.content))
        await pilot.press("q")
    assert running.snapshot().now is not None


@pytest.mark.parametrize("command", ["status", "next", "pause"])
def test_plain_commands_are_answered_without_the_whole_command_line(running_for_all, capsys, command):
    data = str(running_for_all.home.paths.data)
    assert answered_at_once([command, "--json", "--data-dir", data]) == 0
    assert json.loads(capsys.readouterr().out)["station"] == "Evening"
    assert answered_at_once([command, "--data-dir", "/nonexistent"]) == 1
    assert capsys.readouterr().err.startswith("player: No player is running on /nonexistent;")
    assert answered_at_once([command, "--station", "x"]) is None


def test_music_that_is_named_is_played_by_the_running_player_and_then_its_station_goes_on(running, player, tmp_path):
    first, second = (
        write_tones(tmp_path / f"{name}.flac", [(hertz, 0.5)]) for name, hertz in (("one", 440), ("two", 660))
    )
    before = running.snapshot().now.track.id
    code, out, err = player(running, "play", str(first), str(second), "--headless")
    assert (code, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(line["event"], line["title"], line["action"]) for line in lines] == [
        ("start", "one", "chose"),
        ("finish", "one", "end"),
        ("start", "two", "chose"),
        ("finish", "two", "end"),
    ]
    assert {"gain_db", "limited", "loudness_lufs"} <= lines[0].keys()
    events = EventStore(running.home.database, Origin.CLI).read()
    assert (events[1].kind, events[1].track_id, events[1].action) == ("stop", before, "station")
    deadline = time.monotonic() + 5
    while running.snapshot().station is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running.snapshot().station.name == "Evening"
    assert player(running, "play", str(tmp_path / "three.flac"), "--headless")[0] == 1
    assert "one" in player(running, "play", str(first))[1], "without a terminal it is said what plays"
