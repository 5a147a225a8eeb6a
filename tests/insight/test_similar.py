import numpy as np
import pytest

from player.errors import PlayerError
from player.insight.similar import similar_tracks
from player.library.vectors import store_embedding
from player.stations.collection import load_collection
from tests.support.library import CARD, copy_home


@pytest.fixture
def home(demo_template, tmp_path):
    home = copy_home(demo_template, tmp_path / "data")
    yield home
    home.close()


def test_the_nearest_come_first_and_are_those_of_a_slow_search(home):
    collection = load_collection(home.database)
    track = home.track_ids[4]
    row = collection.index[track]
    found = similar_tracks(collection, track, 5)
    vectors = [vector.astype(float) for vector in collection.vectors.vectors]
    cosines = {
        collection.rows[other].id: np.dot(vectors[row], vectors[other])
        / np.sqrt(np.dot(vectors[row], vectors[row]) * np.dot(vectors[other], vectors[other]))
        for other in range(len(vectors))
        if other != row
    }
    expected = sorted(cosines, key=lambda key: -cosines[key])[:5]
    assert [item.track.id for item in found] == expected
    assert [item.similarity for item in found] == pytest.approx([cosines[key] for key in expected], abs=1e-5)


def test_a_track_without_a_vector_is_not_alike_and_cannot_be_asked_about(home):
    silent = home.track_ids[0]
    with home.database.session() as session:
        store_embedding(session, silent, CARD.name, CARD.version, vector=None, tags=None, error="it is damaged")
    collection = load_collection(home.database)
    assert silent not in {item.track.id for item in similar_tracks(collection, home.track_ids[1], 100)}
    with pytest.raises(PlayerError, match="player embed"):
        similar_tracks(collection, silent, 5)


def test_an_unknown_track_is_said_so(home):
    with pytest.raises(PlayerError, match="no track 99999"):
        similar_tracks(load_collection(home.database), 99999, 5)
