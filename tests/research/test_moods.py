"""Moods learned from answers: what vectors tell is found on artists held out, what they do not is not, and only the first are kept."""

from dataclasses import replace

import numpy as np
import pytest

from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from player.config import Settings
from player.errors import PlayerError, UsageError
from player.library.sound_tags import Moods, known_tag_names, load_moods, sound_tags
from player.library.vectors import VectorTable
from player.research.datasets import Desk, Source
from player.research.moods import NAME_OF, learn, learn_moods
from player.storage.key_value import keep_fact
from recommender.datasets.opening import dataset_of
from recommender.events import EventLog, Outcome

SPEC = frontend_spec(DEFAULT_FRONTEND)
TRACKS, ANSWERS = 120, 25
CARRIERS = 10
"""Dimensions that are of quiet tracks, as a network's move together."""


@pytest.fixture
def emotify(tmp_path):
    """Annotations in which calm is in the sound and tension is not; the vectors stand in for hearing, which has its own tests."""
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(TRACKS, SPEC.dimension)).astype(np.float32)
    quiet = rng.normal(size=TRACKS)
    vectors[:, :CARRIERS] += 2 * quiet[:, None].astype(np.float32)
    calm = 1 / (1 + np.exp(-2 * quiet))
    lines = [",".join(("track_id", "genre", *NAME_OF, "liked", "disliked", "age", "gender", "mother_tongue"))]
    for track in range(TRACKS):
        for _ in range(ANSWERS):
            felt = [int(rng.random() < (calm[track] if name == "calmness" else 0.3)) for name in NAME_OF]
            lines.append(",".join(map(str, (track, "x", *felt, 1, 0, 30, 0, "Dutch"))))
    lines.append("7,x,2,words,0,0,0,0,0,0,0,1,0,30,0,Dutch")
    path = tmp_path / "annotations.csv"
    path.write_text("\n".join(lines) + "\n")
    log = EventLog(
        listener=np.zeros(TRACKS, np.int64),
        station=np.zeros(TRACKS, np.int64),
        track=np.arange(TRACKS),
        time=np.arange(float(TRACKS)),
        outcome=np.full(TRACKS, Outcome.THUMB_UP, np.int8),
        label=np.ones(TRACKS, np.int8),
        weight=np.ones(TRACKS, np.float32),
        explicit=np.ones(TRACKS, np.bool_),
        tracks=TRACKS,
    )
    data = dataset_of(
        log,
        name=f"emotify:{path}",
        listeners=("a",),
        tracks=tuple(map(str, range(TRACKS))),
        content=vectors,
        artist=np.arange(TRACKS) // 3,
    )
    return data, path


def test_what_the_sound_tells_is_found_on_other_artists_and_kept_as_a_tag(demo, emotify):
    found = {row.name: row for row in learn(demo.database, *emotify, keep=True)}
    assert found["calm"].correlation > 0.6
    assert found["calm"].low <= found["calm"].correlation <= found["calm"].high
    assert abs(found["tense"].correlation) < 0.3
    assert [row.name for row in found.values() if row.good] == ["calm"]
    assert known_tag_names(demo.database) == (*SPEC.tag_names, "calm")
    vectors = np.zeros((3, SPEC.dimension), np.float32)
    vectors[:, :CARRIERS], vectors[2] = [[-3], [3], [0]], np.nan
    table = VectorTable(vectors, np.full((3, len(SPEC.tag_names)), 0.1, np.float32))
    with demo.database.reader() as session:
        tags = sound_tags(session, table)
    share = tags.probabilities[:, tags.names.index("calm")]
    assert 0 < share[0] < 0.4 < share[1] < 1
    assert np.isnan(share[2])
    assert tags.holding("calm").tolist() == [False, True, False]


def test_nothing_is_kept_unasked_nor_where_nothing_is_foretold(demo, emotify):
    learn(demo.database, *emotify, keep=False)
    assert known_tag_names(demo.database) == SPEC.tag_names
    data, path = emotify
    noise = replace(data, content=np.random.default_rng(0).normal(size=data.content.shape).astype(np.float32))
    with pytest.raises(PlayerError, match="nothing was kept"):
        learn(demo.database, noise, path, keep=True)
    assert known_tag_names(demo.database) == SPEC.tag_names


def test_another_set_one_without_audio_and_one_too_small_are_told(demo, emotify):
    data, path = emotify
    desk = Desk(demo.paths, Settings(), demo.database, lambda _: None)
    for wrong in (Source("csv:x", music=path, index=path), Source(f"emotify:{path}")):
        with pytest.raises(UsageError, match="emotify:FILE, with --music and --index"):
            learn_moods(desk, wrong, keep=True)
    few = replace(data, content=np.where(np.arange(TRACKS)[:, None] < 9, data.content, np.nan))
    with pytest.raises(PlayerError, match="9 tracks by 3 artists have answers and audio"):
        learn(demo.database, few, path, keep=True)


@pytest.mark.parametrize(
    "kept",
    [
        "words",
        {"names": ["calm"]},
        {"frontend": SPEC.name, "version": SPEC.version, "names": ["calm"], "weights": [[1.0]], "level": [0.0]},
        {"frontend": SPEC.name, "version": "older", "names": [], "weights": np.zeros((200, 0)).tolist(), "level": []},
    ],
)
def test_moods_that_are_damaged_or_of_other_vectors_are_none(demo, kept):
    with demo.database.session() as session:
        keep_fact(session, "moods", kept)
        assert load_moods(session, SPEC) is None
    assert known_tag_names(demo.database) == SPEC.tag_names


def test_moods_are_kept_as_they_are(demo):
    kept = Moods(SPEC.name, SPEC.version, ("calm",), np.full((SPEC.dimension, 1), 0.5), np.array([0.25]))
    with demo.database.session() as session:
        kept.keep(session)
        found = load_moods(session, SPEC)
    assert found is not None
    np.testing.assert_array_equal(found.weights, kept.weights)
