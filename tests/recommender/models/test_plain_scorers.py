from dataclasses import replace

import numpy as np
import pytest

from recommender.models.plain_scorers import ArtistScorer, ShuffleScorer


@pytest.fixture
def world(make_world):
    """Tracks of ten artists by turn; whose vectors mean nothing here."""
    world = make_world(events=200, tracks=50)
    return replace(world, catalogue=replace(world.catalogue, artist=np.arange(50) % 10))


def test_a_shuffle_learns_nothing(world):
    scorer, now = ShuffleScorer(world.catalogue, None), float(world.log.time[-1]) + 1.0
    one, other = (scorer.scores(world.log.first(rows), 0, now).total for rows in (10, 200))
    assert np.array_equal(one, other)


def test_an_artist_liked_lifts_every_track_of_theirs_alike_and_one_disliked_sinks_them(world):
    log = world.log
    log = replace(log, label=np.where(log.track % 10 < 3, 1, np.where(log.track % 10 < 6, -1, 0)).astype(np.int8))
    found = ArtistScorer(world.catalogue, None).scores(log, 0, float(log.time[-1]) + 1.0)
    shuffled = ShuffleScorer(world.catalogue, None).scores(log, 0, float(log.time[-1]) + 1.0)
    learned = (found.total - shuffled.total).reshape(5, 10)
    assert np.allclose(learned, learned[0])
    assert learned[0, :3].min() > learned[0, 6:].max()
    assert learned[0, 6:].min() > learned[0, 3:6].max()
    assert found.parts.logits.sum(axis=0) == pytest.approx(found.total)
