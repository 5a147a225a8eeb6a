"""The pages that are made from the program say what it says."""

from msgspec.structs import fields

from bench.pages import ARCHITECTURE, CONFIGURATION, KEYS, configuration_page, keys_page, with_layers
from player.config import Settings, sections, settings_of
from tests.docs.conftest import ROOT

STALE = "run `python -m bench.pages`"


def test_the_configuration_page_says_what_the_settings_model_says():
    assert CONFIGURATION.read_text("utf-8") == configuration_page(), STALE


def test_the_page_of_keys_says_what_the_tables_of_keys_say():
    assert KEYS.read_text("utf-8") == keys_page(), STALE


def test_the_table_of_layers_is_that_of_the_contracts():
    page = ARCHITECTURE.read_text("utf-8")
    assert page == with_layers(page), STALE


def test_every_setting_is_on_the_page_with_its_default(tmp_path):
    import re
    import tomllib

    page = CONFIGURATION.read_text("utf-8")
    (defaults,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert settings_of(tomllib.loads(defaults)) == Settings()
    for model in (Settings, *sections().values()):
        for setting in fields(model):
            assert f"| `{setting.name}` |" in page or f"## [{setting.name}]" in page


def test_the_pictures_are_of_the_program_and_fetch_nothing():
    for name in ("station.svg", "why.svg"):
        drawing = (ROOT / "docs" / "guide" / name).read_text("utf-8")
        assert "Generated with Rich" in drawing
        assert "@font-face" not in drawing
        assert "url(http" not in drawing
