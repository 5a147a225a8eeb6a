"""Vectors for data sets with audio: a real network in real processes, a cache on disk, and wrong input in one sentence."""

import numpy as np
import pytest

from embeddings.registry import frontend_spec
from embeddings.weights.files import find_weights
from player.config import Settings
from player.errors import PlayerError
from player.folders import locate
from player.research.audio_content import content_of
from recommender.datasets.opening import dataset_of
from recommender.events import EventLog, Outcome
from tests.support.tones import write_tones

FRONTEND = "musicnn"
SECONDS = 4.0


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Three tracks, one of them in a folder, and a file that is no audio."""
    folder = tmp_path_factory.mktemp("music")
    (folder / "an album").mkdir()
    write_tones(folder / "low.flac", [(220.0, SECONDS)])
    write_tones(folder / "an album" / "high.opus", [(1760.0, SECONDS)], rate=48_000)
    (folder / "words.mp3").write_bytes(b"these are words, and nothing to hear " * 50)
    return folder


@pytest.fixture
def index(tmp_path):
    def write(*lines):
        path = tmp_path / "index.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def everything(index):
    return index("track_id,group,path", "a,x,low.flac", "b,x,an album/high.opus", "c,x,words.mp3", "z,x,elsewhere.mp3")


@pytest.fixture
def paths(tmp_path):
    return locate(tmp_path / "data")


def dataset():
    log = EventLog(
        listener=np.zeros(4, np.int64),
        station=np.zeros(4, np.int64),
        track=np.arange(4),
        time=np.arange(4.0),
        outcome=np.full(4, Outcome.THUMB_UP, np.int8),
        label=np.array([1, -1, 1, -1], np.int8),
        weight=np.ones(4, np.float32),
        explicit=np.ones(4, np.bool_),
        tracks=4,
    )
    return dataset_of(log, name="csv:answers", tracks=("a", "b", "c", "d"))


def content(music, index, paths, progress=lambda _: None, frontend=FRONTEND):
    return content_of(dataset(), music, index, frontend=frontend, paths=paths, settings=Settings(), progress=progress)


@pytest.fixture
def weights(paths):
    if find_weights(frontend_spec(FRONTEND).weights, named=None, cache=paths.cache) is None:
        pytest.skip("the weights of musicnn are not installed here")


@pytest.mark.slow
def test_tracks_get_the_vectors_of_their_files_and_those_without_get_none(weights, music, everything, paths):
    told = []
    heard = content(music, everything, paths, told.append)
    card = frontend_spec(FRONTEND)
    assert heard.content.shape == (4, card.dimension)
    assert np.isfinite(heard.content).all(axis=1).tolist() == [True, True, False, False]
    assert not np.allclose(heard.content[0], heard.content[1])
    assert (told[-1].done, told[-1].total) == (2, 2)
    assert "2 of 4 tracks have a content vector (musicnn msd-2)." in heard.notes
    assert "words.mp3" in heard.notes[-1]

    again = []
    kept = content(music, everything, paths, again.append)
    assert again == []  # nothing was listened to
    assert np.array_equal(kept.content, heard.content, equal_nan=True)

    (file, *others) = sorted(each for each in (paths.data / "vectors").rglob("*") if each.is_file())
    assert len(others) == 1
    file.write_bytes(b"damaged")
    fixed = content(music, everything, paths, again.append)
    assert again[-1].total == 1
    assert np.array_equal(fixed.content, heard.content, equal_nan=True)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["track_id,file", "a,low.flac"], "no column path"),
        (["track_id,path", "a,/etc/passwd"], "line 2: the path '/etc/passwd' does not lie below --music"),
        (["track_id,path", "a,low.flac", "b,../x.mp3"], "line 3"),
        (["track_id,path", "a,"], "line 2: a track_id and a path are needed"),
        (["track_id,path", "other,low.flac"], "No track_id in .* is a track of csv:answers"),
        (["track_id,path", 'a,"low.flac'], "cannot be read"),
    ],
)
def test_a_wrong_index_is_told_with_its_line(music, index, paths, lines, sentence):
    with pytest.raises(PlayerError, match=sentence):
        content(music, index(*lines), paths)


def test_an_absent_index_is_told(music, tmp_path, paths):
    with pytest.raises(PlayerError, match=r"cannot be read: No such file"):
        content(music, tmp_path / "none.csv", paths)


def test_an_absent_folder_is_told(everything, tmp_path, paths):
    with pytest.raises(PlayerError, match="is no folder; --music"):
        content(tmp_path / "none", everything, paths)


def test_an_unknown_front_end_is_told(music, everything, paths):
    with pytest.raises(PlayerError, match="nonesuch"):
        content(music, everything, paths, frontend="nonesuch")


def test_not_one_file_that_can_be_heard_is_told(music, index, paths):
    with pytest.raises(PlayerError, match=r"Not one of the 2 tracks .* could be heard"):
        content(music, index("track_id,path", "a,words.mp3", "b,elsewhere.mp3"), paths)
