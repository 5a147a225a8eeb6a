"""``player experiment clep``: on a data set with vectors of its own and on the player's log, and wrong input."""

from pathlib import Path

import numpy as np
import pytest

from embeddings import registry
from embeddings.registry import frontend_spec
from embeddings.weights.files import find_weights
from player.cli.experiments.commands import DEFAULT_FRONTEND, LEAST
from player.folders import locate
from recommender.experiments.clep_listeners import FEWEST_OF_EACH
from tests.support.tones import write_tones


@pytest.fixture(scope="module")
def emotify(tmp_path_factory):
    """Answers in Emotify's form by seven kinds of people about forty tracks; no audio."""
    rng = np.random.default_rng(0)
    lines = ["track_id,liked,disliked,age,gender,mother_tongue"]
    for person in range(7):
        for track in rng.permutation(40)[:30]:
            liked = int(rng.random() < 0.5)
            lines.append(f"{track},{liked},{1 - liked},{20 + person},0,Dutch")
    path = tmp_path_factory.mktemp("emotify") / "annotations.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_defaults_of_the_help_are_the_library_s():
    assert LEAST == FEWEST_OF_EACH
    assert DEFAULT_FRONTEND == registry.DEFAULT_FRONTEND


def test_without_audio_it_says_how_to_name_it(player, emotify):
    sentence = player("experiment", "clep", "--dataset", f"emotify:{emotify}").sentence
    assert "--music DIR --index CSV" in sentence


def test_music_without_an_index_is_wrong_usage(player, emotify):
    answer = player("experiment", "clep", "--dataset", f"emotify:{emotify}", "--music", ".")
    assert answer.code == 2
    assert "--index" in answer.err


def test_the_own_log_knows_one_front_end(player):
    answer = player("experiment", "clep", "--dataset", "log", "--frontend", "clmr")
    assert answer.code == 2
    assert "musicnn" in answer.err


@pytest.mark.slow
def test_an_empty_log_says_what_is_missing(player):
    assert "0 likes and 0 dislikes" in player("experiment", "clep", "--dataset", "log").sentence


@pytest.mark.slow
def test_from_audio_to_tables_shown_and_repeated(player, emotify, audio):
    command = ("experiment", "clep", "--dataset", f"emotify:{emotify}", *audio, "--seeds", "1")
    document = player(*command, "--json").document
    assert document["listeners"] == 7
    assert {row["variant"] for row in document["table2"]} >= {"pn", "p", "n", "best", "majority", "like-rate"}
    assert all(Path(figure).is_file() for figure in document["figures"])
    shown = player("experiment", "show", document["id"])
    assert shown.code == 0
    assert "medians over 7 listeners" in shown.out
    assert document["conclusion"][:30] in shown.out
    repeated = player("experiment", "repeat", document["id"], "--json").document
    assert repeated["agree"]


@pytest.fixture
def audio(tmp_path):
    """Options that name forty tracks of different tones."""
    if find_weights(frontend_spec("musicnn").weights, named=None, cache=locate(tmp_path / "data").cache) is None:
        pytest.skip("the weights of musicnn are not installed here")
    music = tmp_path / "music"
    music.mkdir()
    for track in range(40):
        write_tones(music / f"{track}.flac", [(110.0 * 1.06**track, 3.2)], rate=16_000, layout="mono")
    index = tmp_path / "index.csv"
    index.write_text("track_id,path\n" + "".join(f"{track},{track}.flac\n" for track in range(40)))
    return "--music", music, "--index", index
