"""Why a track is near a station's seeds: the tags heard in both, and only those that hold."""

from itertools import count

import numpy as np
import pytest
from sqlalchemy import delete, update

from player.config import StationSettings
from player.feedback.event_history import load_history
from player.library.vectors import store_embedding
from player.stations.collection import load_collection
from player.stations.reasons import Reasons
from player.stations.seed_similarity import LONGEST_SEED
from player.stations.station_queue import Listening, rank_station
from player.stations.station_scoring import StationScorer
from player.storage.models import Embedding, Track
from tests.support.library import CARD, copy_home, make_library, write_songs

SONGS = 12
FAINT, STRONG = 0.01, 0.3
NUMBERS = count()


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tagged")
    make_library(folder / "home", [write_songs(folder / "songs", SONGS, 0.3)], vectors=False)
    return folder / "home"


@pytest.fixture
def tagged(template, tmp_path):
    """Twelve tones: the first four are heard as mellow, acoustic folk, the next four as metal, the rest as nothing much."""
    home = copy_home(template, tmp_path / "home")
    rng = np.random.default_rng(0)
    sides = rng.standard_normal((3, CARD.dimension))
    for place, track in enumerate(home.track_ids):
        hear(home, track, sides[place // 4] + 0.3 * rng.standard_normal(CARD.dimension), HEARD[place // 4])
    yield home
    home.close()


HEARD = ({"Mellow": STRONG, "acoustic": STRONG / 2, "folk": STRONG / 4}, {"metal": STRONG, "heavy metal": STRONG}, {})


def hear(home, track, vector, tags):
    probabilities = np.full(len(CARD.tag_names), FAINT)
    for name, probability in tags.items():
        probabilities[CARD.tag_names.index(name)] = probability
    with home.database.session() as session:
        store_embedding(
            session, track, CARD.name, CARD.version, vector=vector.astype("<f4").tobytes(),
            tags=probabilities.astype("<f4").tobytes(), error=None,
        )  # fmt: skip


def scorer(home, *seeds):
    station = home.station(f"Station {next(NUMBERS)}", *seeds)
    return StationScorer(load_collection(home.database), [station], station, None)


def likeness(home, place, *seeds):
    """What is said of the track at ``place``."""
    ours = scorer(home, *seeds)
    return ours.likeness(ours.collection.index[home.track_ids[place]])


def test_the_tags_that_hold_for_both_make_a_track_like_its_seed(tagged):
    said = likeness(tagged, 1, f"track:{tagged.track_ids[0]}")
    assert said.text == "mellow, acoustic like “Tone 00”"
    assert said.seed == "“Tone 00”"


def test_of_two_tags_that_say_the_same_one_is_named(tagged):
    assert likeness(tagged, 5, f"track:{tagged.track_ids[4]}").text in {
        "metal like “Tone 04”",
        "heavy metal like “Tone 04”",
    }


def test_without_a_tag_in_common_the_seed_alone_is_named(tagged):
    for place in (5, 9):
        assert likeness(tagged, place, f"track:{tagged.track_ids[0]}").text == ""


def test_a_seed_is_not_said_to_be_like_itself(tagged):
    assert likeness(tagged, 0, f"track:{tagged.track_ids[0]}").text == "this station's seed"


def test_a_station_of_a_tag_says_that_it_is_heard_and_what_else(tagged):
    assert likeness(tagged, 2, "tag:mellow").text == "heard in it: mellow, acoustic"
    assert likeness(tagged, 6, "tag:mellow").text == ""


def test_a_seed_of_several_tracks_has_the_tags_of_most_of_them(tagged):
    artist = tagged.rows[0].artist
    assert all(row.artist == artist for row in tagged.rows)
    # A third of the artist's tracks are mellow: that is not what the artist is.
    assert likeness(tagged, 1, f"artist:{artist}").text == ""


def test_a_track_that_nobody_listened_to_has_no_tags_in_common(tagged):
    with tagged.database.session() as session:
        session.execute(delete(Embedding).where(Embedding.track_id == tagged.track_ids[1]))
    assert likeness(tagged, 1, f"track:{tagged.track_ids[0]}").text == ""
    assert likeness(tagged, 1, "tag:mellow").text == ""


def test_a_station_of_everything_has_nothing_to_be_like(tagged):
    assert likeness(tagged, 1, "library").seed == ""


def test_a_long_title_is_cut_inside_its_quotation_marks(tagged):
    with tagged.database.session() as session:
        session.execute(
            update(Track).where(Track.id == tagged.track_ids[0]).values(title="A very long title of a tone")
        )
    seed = likeness(tagged, 1, f"track:{tagged.track_ids[0]}").seed
    assert seed == "“A very long title of a…”"[: len(seed) - 2] + "…”"
    assert len(seed) <= LONGEST_SEED


def test_the_reason_for_a_track_near_the_seed_names_the_tags(tagged):
    ours = scorer(tagged, f"track:{tagged.track_ids[0]}")
    history = load_history(tagged.database, tagged.rows)
    queue = rank_station(ours, Listening(history.state, history.labels, 0.0), StationSettings(), SONGS)
    reasons = Reasons(queue, ours, history.state, 0.0)
    said = {ours.collection.rows[row.track].id: reasons.of(row) for row in queue.ranking.rows}
    assert "mellow, acoustic like “Tone 00”" in {said.get(track) for track in tagged.track_ids[1:4]}
    assert not any("mellow" in said[track] for track in tagged.track_ids[4:] if track in said)
