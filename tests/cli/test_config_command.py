"""``player config``: the file is explained, changed one setting at a time, and never broken."""

import stat
import tomllib

import pytest

from player.config import Settings, settings_of
from player.settings_file import default_text


def test_the_default_file_explains_everything_and_changes_nothing():
    assert settings_of(tomllib.loads(default_text())) == Settings()
    for name in ("# engine = ", "# breadth = ", "# port = ", "[remote]"):
        assert name in default_text()


def test_one_setting_is_set_and_all_else_stays(player, tmp_path):
    file = tmp_path / "data" / "config.toml"
    file.parent.mkdir()
    file.write_text('# mine\n[audio] # sound\nengine = "null"\n')
    assert player("config", "set", "station.breadth", "9.5").out == "station.breadth = 9.5\n"
    assert player("config", "set", "audio.device", "My Card").code == 0
    assert file.read_text().startswith('# mine\n[audio] # sound\nengine = "null"\ndevice = "My Card"\n')
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert player("config", "show", "station.breadth", "--json").document == 9.5
    assert player("config", "show", "--json").document["audio"]["device"] == "My Card"
    before = file.read_bytes()
    assert "did you mean engine?" in player("config", "set", "audio.engin", "vlc").sentence
    assert "nothing was changed" in player("config", "set", "remote.port", "70000").sentence
    assert file.read_bytes() == before


def test_a_wrong_line_is_named(player, tmp_path):
    file = tmp_path / "data" / "config.toml"
    file.parent.mkdir()
    file.write_text("[audio]\n\n[station]\ndiversity = 1\nbredth = 2\n")
    sentence = player("config", "check").sentence
    assert f"{file}, line 5: the setting station.bredth is wrong" in sentence
    assert "did you mean breadth?" in sentence


@pytest.mark.parametrize(
    ("editor", "words"), [("/nonexistent/editor", "cannot be started"), ("false", "ended with an error")]
)
def test_an_editor_that_fails_is_named(player, tmp_path, monkeypatch, editor, words):
    monkeypatch.setenv("VISUAL", editor)
    assert words in player("config", "edit").sentence
    assert (tmp_path / "data" / "config.toml").read_text() == default_text(), "a new file explains every setting"


def test_a_password_is_never_shown(player):
    assert player("config", "set", "remote.password", "secret").out == "remote.password = (set)\n"
    assert "secret" not in player("config", "show").out + player("config", "show", "remote.password").out
