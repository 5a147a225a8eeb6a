import json
import subprocess
import sys

import pytest

from player.tui.app import run_tui

HEAVY = ("torch", "scipy", "sqlalchemy", "av", "numpy", "sounddevice", "vlc")


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_the_screen_imports_nothing_heavy():
    loaded = json.loads(run_python("import json, sys, player.tui.app; print(json.dumps(sorted(sys.modules)))"))
    assert set(HEAVY) & set(loaded) == set()


@pytest.mark.slow
def test_what_plays_behind_it_decodes_reads_and_fetches_nothing():
    imported = "player.playback.controller, player.remote.companions, player.library.scan_roots"
    loaded = json.loads(run_python(f"import json, sys, {imported}; print(json.dumps(sorted(sys.modules)))"))
    elsewhere = {"torch", "scipy", "av", "sounddevice", "vlc", "urllib.request", "player.library.containers", "tomlkit"}
    assert elsewhere & set(loaded) == set()


@pytest.mark.slow
async def test_without_colour_every_colour_is_gone_and_the_signs_stay(running, player, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(player, size=(160, 50)) as stage:
        picture = stage.app.export_screenshot()
        assert "#c87f1a" not in picture
        assert {"▲3", "▼2", "●", "▌"} <= set(stage.text.split())


@pytest.mark.slow
async def test_with_colour_there_is_one_accent(running, player):
    async with running(player) as stage:
        assert "#c87f1a" in stage.app.export_screenshot()


async def test_the_background_is_the_terminals_own(running, player):
    async with running(player) as stage:
        backgrounds = {
            segment.style.bgcolor.name
            for strip in stage.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None and segment.style.bgcolor is not None and segment.text.strip()
        }
        assert backgrounds <= {"default"}


def test_the_player_is_closed_even_when_the_app_fails(player, monkeypatch):
    from player.tui.app import PlayerApp

    monkeypatch.setattr(PlayerApp, "run", lambda _app: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_tui(player)
    assert player.calls == [("close",)]
