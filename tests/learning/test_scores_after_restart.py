"""State after a restart is the state before: the scores of all tracks, with a trained model and without."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from player.feedback.event_history import load_history
from player.feedback.event_recorder import EventRecorder
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.learning.retraining import load_material
from player.stations.collection import load_collection
from player.stations.station_scoring import StationScorer
from player.stations.stations import Stations
from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.models.model_card import Model
from recommender.training.retraining import retrain
from tests.support.library import copy_home, open_home

pytestmark = pytest.mark.slow

QUICK = TrainingConfig(ClepConfig.best(), SequentialConfig(width=8, length=8, blocks=1, epochs=1))
CLOSE = 1e-5
"""Logits. The running update is found by iteration, so from another start its last digits differ."""

EVENT = st.tuples(
    st.sampled_from(["finish", "skip", "up", "down", "clear", "replay", "never", "not-now"]),
    st.integers(0, 23),
    st.integers(0, 1),
    st.floats(1.0, 25.0),
)


def record(recorder, history, home, stations, steps):
    for kind, track, station, position in steps:
        event = NewEvent(kind, home.track_ids[track], stations[station].id, position=position)
        recorder.record(history, [event])


@pytest.fixture(scope="module")
def told(demo_template, tmp_path_factory):
    """The demo library with two stations and some history, and a model of it in which every part counts."""
    folder = tmp_path_factory.mktemp("told") / "home"
    home = copy_home(demo_template, folder)
    stations = [home.station("Evening"), home.station("Morning")]
    rng = np.random.default_rng(1)
    liked = {row.genre for row in home.rows if row.id % 2}
    EventStore(home.database, "cli").append_all(
        [
            NewEvent(
                "finish" if (row.genre in liked) == (rng.random() < 0.8) else "skip",
                row.id,
                stations[int(rng.integers(2))].id,
                position=5.0,
            )
            for row in rng.choice(np.array(home.rows, object), 90)
        ]
    )
    material = load_material(home.database)
    model = retrain(material.log, material.catalogue, QUICK, None, lambda _: None, lambda: False).model
    assert model is not None
    home.close()
    weights = tuple(0.5 for _ in model.card.blend.weights)
    return folder, Model(replace(model.card, blend=replace(model.card.blend, weights=weights)), model.arrays)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(EVENT, min_size=1, max_size=12), trained=st.booleans())
def test_the_scores_of_all_tracks_are_those_of_before(told, tmp_path_factory, steps, trained):
    folder, model = told
    home = copy_home(folder, tmp_path_factory.mktemp("run") / "home")
    stations = Stations(home.database).all()
    history, recorder = load_history(home.database, home.rows), EventRecorder(home.database, "tui")
    kept = {one.id: scorer(home, stations, one, model if trained else None) for one in stations}
    now = 4e9
    for step in steps:  # scored after every event, as a listener's queue is
        record(recorder, history, home, stations, [step])
        for one in kept.values():
            one.score(history.labels, now)
    before = {key: one.score(history.labels, now).total for key, one in kept.items()}
    home.close()

    again = open_home(home.paths.data)
    try:
        stations = Stations(again.database).all()
        reread = load_history(again.database, again.rows)
        for one in stations:
            fresh = scorer(again, stations, one, model if trained else None).score(reread.labels, now).total
            np.testing.assert_allclose(fresh, before[one.id], atol=CLOSE, rtol=CLOSE)
            assert np.ptp(fresh) > 0
    finally:
        again.close()


def scorer(home, stations, station, model):
    return StationScorer(load_collection(home.database), stations, station, model)
