"""``player frontends``, and ``player embed`` with front-ends other than the default."""

import sys

import pytest

from player.library.vectors import load_vectors
from player.storage.database import open_database
from tests.support.library import paths_in, write_songs
from tests.support.published import save_checkpoint

pytestmark = pytest.mark.slow

NAMES = ["musicnn", "openl3", "clmr", "mee", "jukebox", "mule"]
STATES = {"ready", "weights missing", "package missing", "command missing"}


@pytest.fixture(autouse=True)
def no_weights(tmp_path, monkeypatch):
    """An environment and a cache of one's own, without weights."""
    monkeypatch.setattr("sys.prefix", str(tmp_path / "prefix"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PLAYER_MULE_COMMAND", "")


@pytest.fixture
def loudness(tmp_path):
    """A command that stands in for MULE's network: how loud the sound is, 1728 times."""
    program = tmp_path / "loudness.py"
    program.write_text(
        "import json, sys, numpy as np\n"
        "print(json.dumps({'ready': True, 'dimension': 1728}), flush=True)\n"
        "for line in sys.stdin:\n"
        "    ask = json.loads(line)\n"
        "    np.save(ask['vectors'], np.full((1, 1728), np.abs(np.load(ask['audio'])).max(), 'float32'))\n"
        "    print(json.dumps({'done': True}), flush=True)\n"
    )
    return f"{sys.executable} {program}"


@pytest.fixture
def songs(tmp_path):
    return write_songs(tmp_path / "songs", 2, 0.5)


def test_the_front_ends_are_listed_in_one_document(player):
    documents = player("frontends", "--json").document
    assert [document["name"] for document in documents] == NAMES
    for document in documents:
        assert set(document) == {"name", "dimension", "state", "weights", "licence"}
        assert document["state"] in STATES
        assert document["dimension"] > 0
        assert document["weights"]
        assert document["licence"]


def test_what_a_front_end_lacks_is_said_with_the_fix(player):
    answer = player("frontends")
    assert (answer.code, answer.err) == (0, "")
    for name in NAMES:
        assert f"\n{name} " in f"\n{answer.out}"
    for part in ("weights missing", "player embed --frontend openl3 --fetch", "no hash is published", "GPL-3.0-only"):
        assert part in answer.out


def test_tracks_are_embedded_with_weights_from_a_file_the_listener_names(player, songs, tmp_path):
    checkpoint = save_checkpoint(tmp_path / "clmr.pt", "clmr", "encoder.")
    player("scan", songs)
    answer = player("embed", "--frontend", "clmr", "--weights", checkpoint, "--workers", 1, "--json")
    assert (answer.document["frontend"], answer.document["embedded"], answer.document["failed"]) == ("clmr", 2, [])
    database = open_database(paths_in(tmp_path / "data").database)
    with database.reader() as session:
        table = load_vectors(session, "clmr", [1, 2])
    database.close()
    assert table.vectors.shape == (2, 512)
    assert table.present.all()


def test_tracks_are_embedded_by_the_program_that_the_listener_names(player, songs, loudness):
    player("scan", songs)
    answer = player("embed", "--frontend", "mule", "--command", loudness, "--workers", 1, "--json")
    assert (answer.document["frontend"], answer.document["embedded"], answer.document["failed"]) == ("mule", 2, [])


def test_the_settings_name_the_program_too(player, songs, loudness, tmp_path):
    settings = tmp_path / "data" / "config.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(f"[commands]\nmule = '{loudness}'\n")
    states = {one["name"]: one["state"] for one in player("frontends", "--json").document}
    assert states["mule"] == "ready"
    player("scan", songs)
    assert player("embed", "--frontend", "mule", "--workers", 1, "--json").document["embedded"] == 2


@pytest.mark.parametrize(
    ("options", "settings", "words"),
    [
        (["--frontend", "clmr", "--command", "x"], "", "no command runs clmr"),
        (["--frontend", "mule", "--command", "/absent/program x"], "", "/absent/program"),
        (["--frontend", "mule"], "[commands]\nmulle = 'x'\n", "mulle"),
        (["--frontend", "mule"], "[commands]\nmule = '/absent/program x'\n", "/absent/program"),
        (["--frontend", "mule"], "[commands]\nmule = 3\n", "commands.mule"),
    ],
)
def test_a_program_that_cannot_be_used_is_told_in_a_sentence(player, songs, tmp_path, options, settings, words):
    player("scan", songs)
    (tmp_path / "data" / "config.toml").write_text(settings)
    assert words in player("embed", *options).sentence


def test_what_large_weights_ask_of_the_machine_is_said_before_they_are_read(player, songs, tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("vqvae.pth.tar", "prior_level_2.pth.tar"):
        (folder / name).write_bytes(b"no weights")
    player("scan", songs)
    said = player("embed", "--frontend", "jukebox", "--weights", folder).err.splitlines()
    assert said[0].startswith("jukebox: the weights are about 10 GB; reading them takes 11 GB of free memory")
    assert said[-1].startswith("player: Embedding with jukebox: ")


def test_a_file_of_weights_for_another_network_is_told_in_a_sentence(player, songs, tmp_path):
    checkpoint = save_checkpoint(tmp_path / "clmr.pt", "clmr", "encoder.")
    player("scan", songs)
    assert "Music Effects Encoder" in player("embed", "--frontend", "mee", "--weights", checkpoint).sentence


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--frontend", "openl3"], "15e483646fa3d4091a463f0affbb706e6bbbb098"),
        (["--frontend", "clmr"], "clmr_checkpoint_10000.zip"),
        (["--frontend", "mule"], "GPL-3.0-only"),
        (["--frontend", "jukebox"], "10 GB"),
    ],
)
def test_embedding_without_weights_says_which_file_to_get(player, songs, options, words):
    player("scan", songs)
    assert words in player("embed", *options).sentence


def test_what_cannot_be_fetched_by_hash_is_refused(player, songs):
    player("scan", songs)
    answer = player("embed", "--frontend", "mee", "--fetch")
    assert answer.code == 1
    assert "music_effects_encoder_1000.pt" in answer.err.splitlines()[-1]
    assert "Traceback" not in answer.err
