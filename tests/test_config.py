"""Settings and paths: where they come from, in which order, and what a wrong line is told."""

import os
from pathlib import Path

import pytest

from player.config import Settings, load_settings
from player.errors import PlayerError
from player.folders import locate


@pytest.fixture
def paths(tmp_path, monkeypatch):
    monkeypatch.delenv("PLAYER_DATA_DIR", raising=False)
    return locate(tmp_path)


def refusal(paths) -> str:
    with pytest.raises(PlayerError) as caught:
        load_settings(paths)
    assert str(paths.config_file) in str(caught.value)
    return str(caught.value)


def test_the_option_wins_over_the_environment_and_that_over_the_platform(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "platform"))
    monkeypatch.setenv("PLAYER_DATA_DIR", str(tmp_path / "environment"))
    assert locate(tmp_path / "option").data == tmp_path / "option"
    assert locate().data == tmp_path / "environment"
    monkeypatch.setenv("PLAYER_DATA_DIR", "")
    assert locate().data == tmp_path / "platform" / "skipwise"


def test_a_data_folder_of_ones_own_holds_its_settings_too(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYER_DATA_DIR", str(tmp_path / "environment"))
    for paths in (locate(tmp_path / "option"), locate()):
        assert paths.config_file.parent == paths.data


def test_a_relative_folder_and_a_home_folder_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert locate(Path("here")).data == tmp_path / "here"
    assert locate(Path("~/there")).data == tmp_path / "home" / "there"


@pytest.mark.slow
def test_without_a_file_everything_has_its_default(paths):
    assert load_settings(paths) == Settings()


def test_a_data_folder_below_a_file_is_no_matter_of_settings(tmp_path):
    (tmp_path / "file").touch()
    assert load_settings(locate(tmp_path / "file" / "data")) == Settings()


def test_every_setting_is_read(paths):
    paths.config_file.write_text(
        'musicnn_weights = "/weights.whl"\n[audio]\nengine = "vlc"\ndevice = "USB"\n'
        "[station]\nbreadth = 20\ndiversity = 0.5\n"
    )
    settings = load_settings(paths)
    assert (settings.audio.engine, settings.audio.device) == ("vlc", "USB")
    assert (settings.station.breadth, settings.station.diversity) == (20, 0.5)
    assert settings.musicnn_weights == Path("/weights.whl")


def test_broken_toml_is_told_with_its_line(paths):
    paths.config_file.write_text('[audio]\nengine = "vlc\n')
    assert "line 2" in refusal(paths)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[audio]\nengin = "vlc"\n', "audio.engin"),
        ('colour = "red"\n', "colour"),
        ('[audio]\nengine = "loud"\n', "audio.engine"),
        ("[station]\nbreadth = 0\n", "station.breadth"),
        ("[station]\ndiversity = nan\n", "station.diversity"),
        ('[station]\nvariety = "random"\n', "station.variety"),
        ("[station]\ncalibration = -1\n", "station.calibration"),
        ('musicnn_weights = "~nobody-of-this-name/weights.whl"\n', "musicnn_weights"),
        ('"x - at `$.keys[...]`" = 1\n', "keys"),
    ],
)
def test_a_wrong_line_is_told_by_its_name(paths, text, name):
    paths.config_file.write_text(text)
    sentence = refusal(paths)
    assert f"the setting {name} is wrong" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "{b = " * 100_000])
def test_a_file_that_is_nested_without_end_is_told(paths, text):
    paths.config_file.write_text(text)
    sentence = refusal(paths)
    assert "nested too deeply" in sentence
    assert "\n" not in sentence


def test_a_file_that_is_no_text_is_told(paths):
    paths.config_file.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in refusal(paths)


def test_a_folder_in_its_place_is_told(paths):
    paths.config_file.mkdir()
    assert "cannot be read" in refusal(paths)
    paths.config_file.rmdir()
    os.mkfifo(paths.config_file)
    assert "cannot be read" in refusal(paths)
