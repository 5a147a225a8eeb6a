"""Near-duplicates, outliers and tags on real sound: music, music encoded anew, and what is no music, all really listened to."""

import csv
import os
import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from embeddings.errors import EmbeddingError
from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from embeddings.weights.files import ensure_weights
from player.insight.neighbours import near_duplicates, outliers, strangeness
from player.library.embed import embed_pending
from player.library.scan import scan
from player.library.sound_tags import SoundTags
from player.stations.collection import load_collection
from tests.support.library import open_home

SHARED = Path(__file__).parents[3] / "shared"
A_GROUP = 12
"""Tracks of each of the four groups."""
ANEW_A_GROUP = 2
"""Of them encoded once more."""
RATE, SECONDS = 22_050, 12
HERTZ = 440

pytestmark = [
    pytest.mark.slow,
    pytest.mark.shared,
    pytest.mark.skipif(not (SHARED / "music.csv").is_file(), reason=f"needs the development data at {SHARED}"),
]


def encode_anew(source: Path, target: Path) -> None:
    """The same sound as Opus at 48 kbit/s, without its tags."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream("libopus", rate=48_000, layout="stereo", options={"b": "48000"})
        resampler = av.AudioResampler("s16", "stereo", 48_000, frame_size=960)
        frames = [piece for frame in old.decode(audio=0) for piece in resampler.resample(frame)]
        for frame in [*frames, *resampler.resample(None), None]:
            if frame is not None:
                frame.pts = None
            new.mux(stream.encode(frame))


def write_wave(path: Path, samples: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples * 32_767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])


def babble(rng) -> np.ndarray:
    """Noise in syllables, four a second, each with two formants of its own: the rhythm and the colour of speech, no words."""
    time = np.arange(RATE // 4) / RATE
    syllables = []
    for first, second in zip(rng.uniform(250, 800, 4 * SECONDS), rng.uniform(900, 2500, 4 * SECONDS), strict=True):
        buzz = np.sign(np.sin(2 * np.pi * rng.uniform(90, 160) * time))
        voice = buzz * (np.sin(2 * np.pi * first * time) + 0.5 * np.sin(2 * np.pi * second * time))
        syllables.append(0.25 * voice * np.hanning(len(time)))
    return np.concatenate(syllables)


def no_music() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    time = np.arange(RATE * SECONDS) / RATE
    clicks = np.zeros(len(time))
    clicks[:: RATE // 2] = 0.9
    return {
        "silence": np.zeros(len(time)),
        "noise": np.clip(0.2 * rng.standard_normal(len(time)), -1, 1),
        "tone": 0.5 * np.sin(2 * np.pi * HERTZ * time),
        "sweep": 0.5 * np.sin(2 * np.pi * np.cumsum(50 * 100 ** (time / SECONDS)) / RATE),
        "clicks": clicks,
        "babble": babble(rng),
    }


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """60 tracks, eight of them twice, and six sounds that are no music; file names tell which is which."""
    folder = tmp_path_factory.mktemp("sounds")
    taken = dict.fromkeys(("classical", "rock", "electronic", "pop"), 0)
    with (SHARED / "music.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if taken[row["group"]] < A_GROUP:
                source = SHARED / "music" / row["path"]
                name = f"{row['group']} {row['track_id']}"
                shutil.copy(source, folder / f"{name}{source.suffix}")
                if taken[row["group"]] < ANEW_A_GROUP:
                    encode_anew(source, folder / f"{name} anew.opus")
                taken[row["group"]] += 1
    for name, samples in no_music().items():
        write_wave(folder / f"strange {name}.wav", samples)
    home = open_home(tmp_path_factory.mktemp("home"))
    try:
        listen(home, folder)
        return load_collection(home.database)
    finally:
        home.close()


def listen(home, folder: Path) -> None:
    card = frontend_spec(DEFAULT_FRONTEND)
    try:
        weights = ensure_weights(card.weights, named=None, cache=home.paths.cache)
    except EmbeddingError as error:
        pytest.skip(f"the weights of {card.name} cannot be had: {error}")
    assert scan(home.database, [folder]).failed == ()
    done = embed_pending(
        home.database,
        home.paths,
        frontend=card.name,
        weights=weights,
        workers=min(2, os.cpu_count() or 1),
        retry_failed=False,
        report=lambda _progress: None,
        should_stop=lambda: False,
    )
    assert (done.failed, done.left) == ((), 0)


def names(rows) -> list[str]:
    return [Path(row.path).stem for row in rows]


def kind(collection, wanted: str) -> np.ndarray:
    return np.array([name.startswith(wanted) for name in names(collection.rows)])


def music_only(collection) -> np.ndarray:
    return np.array(["anew" not in name and "strange" not in name for name in names(collection.rows)])


def test_most_tracks_encoded_anew_are_found_and_hardly_anything_else(collection):
    music = [pair for pair in near_duplicates(collection) if "strange" not in "".join(names([pair.a, pair.b]))]
    pairs = [tuple(sorted(names([pair.a, pair.b]))) for pair in music]
    true = [pair for pair in pairs if pair[1] == f"{pair[0]} anew"]
    assert len(true) > 4 * ANEW_A_GROUP / 2, pairs
    assert len(pairs) - len(true) <= 2, pairs


def test_a_sound_that_is_no_music_is_stranger_than_most_music_when_it_is_alone_among_it(collection):
    vectors = collection.vectors.vectors
    music, strange = np.flatnonzero(music_only(collection)), np.flatnonzero(kind(collection, "strange"))
    shares = []
    for row in strange:
        values = strangeness(vectors[[*music, row]])
        shares.append(float(np.mean(values[:-1] < values[-1])))
    assert len(shares) == 6
    assert np.mean(shares) > 0.9, shares
    assert min(shares) > 0.6, shares


def test_few_tracks_of_music_are_called_strange(collection):
    called = names(outlier.track for outlier in outliers(collection))
    assert len([name for name in called if "strange" not in name]) <= 5, called


@pytest.mark.parametrize(
    ("tag", "group"), [("rock", "rock"), ("electronic", "electronic"), ("instrumental", "classical")]
)
def test_a_tag_holds_for_the_group_it_names_far_more_often_than_for_others(collection, tag, group):
    music = music_only(collection)
    held = SoundTags(collection.tag_names, collection.vectors.tags[music]).holding(tag)
    of_group = kind(collection, group)[music]
    assert held[of_group].mean() > 0.6
    assert held[of_group].mean() > 2 * held[~of_group].mean()
