"""The model that serves: one that cannot be used is named in a sentence, and the one before it serves."""

import json
from dataclasses import replace

import numpy as np
import pytest

from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.insight.listening_summary import learned_models
from player.learning.retraining import load_material
from player.learning.served_model import load_served_model
from player.stations.collection import load_collection
from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.models.model_card import Model
from recommender.models.registry import Registry
from recommender.training.retraining import retrain
from tests.support.library import copy_home

QUICK = TrainingConfig(ClepConfig.best(), SequentialConfig(width=8, length=8, blocks=1, epochs=1))


@pytest.fixture(scope="module")
def trained(demo_template, tmp_path_factory):
    """The demo library with two models of it, the newer one current."""
    home = copy_home(demo_template, tmp_path_factory.mktemp("trained") / "told")
    station = home.station("Evening")
    rng = np.random.default_rng(0)
    liked = {row.genre for row in home.rows if row.id % 2}
    EventStore(home.database, "cli").append_all(
        [
            NewEvent("up" if (row.genre in liked) == (rng.random() < 0.8) else "skip", row.id, station.id, position=5.0)
            for row in rng.choice(np.array(home.rows, object), 120)
        ]
    )
    material = load_material(home.database)
    model = retrain(material.log, material.catalogue, QUICK, None, lambda _: None, lambda: False).model
    assert model is not None
    registry = Registry(home.paths.models)
    for second in range(2):
        created = f"2030-01-01T00:00:0{second}.000000+00:00"
        card = registry.save(Model(replace(model.card, created=created, promoted=True), model.arrays))
        registry.promote(card.version)
    home.close()
    return home.paths.data


@pytest.fixture
def home(trained, tmp_path):
    copied = copy_home(trained, tmp_path / "home")
    yield copied
    copied.close()


def versions(home):
    return [card.version for card in Registry(home.paths.models).versions()]


@pytest.mark.slow
def test_the_current_model_serves(home):
    finding = load_served_model(home.paths, load_collection(home.database))
    assert finding.problem == ""
    assert finding.model.card.version == versions(home)[-1]


def damage(home):
    weights = home.paths.models / versions(home)[-1] / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")


def make_foreign(home):
    """As if it had been trained on another network's vectors."""
    change_card(home, frontend={"name": "other", "version": "9", "dimension": 200})


def make_old(home):
    card = home.paths.models / versions(home)[-1] / "model.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "format": 1}))


def change_card(home, **changes):
    card = home.paths.models / versions(home)[-1] / "model.json"
    document = json.loads(card.read_text())
    document["card"] |= changes
    card.write_text(json.dumps(document))


def move_to_another_library(home):
    """The newer model is put into the folder by hand, from a library whose tracks have the same ids."""
    registry = Registry(home.paths.models)
    model = registry.load(versions(home)[-1])
    strangers = model.arrays["library.vectors"][::-1].copy()
    created = "2031-01-01T00:00:00.000000+00:00"
    stranger = Model(replace(model.card, created=created), {**model.arrays, "library.vectors": strangers})
    registry.promote(registry.save(stranger).version)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (damage, "not those stored"),
        (make_foreign, "trained on other 9"),
        (make_old, "another version of the player"),
        (move_to_another_library, "trained on another library"),
    ],
)
def test_a_model_that_cannot_be_used_is_named_in_a_sentence_and_the_one_before_serves(home, change, sentence):
    earlier = versions(home)[0]
    change(home)
    current = Registry(home.paths.models).current()
    finding = load_served_model(home.paths, load_collection(home.database))
    assert sentence in finding.problem
    assert current in finding.problem
    assert len(finding.problem.splitlines()) == 1
    assert finding.problem.endswith(".")
    assert finding.model is not None
    assert finding.model.card.version != current
    assert finding.model.card.version >= earlier


@pytest.mark.slow
def test_the_versions_are_told_the_newest_first_with_how_often_each_was_right(home):
    newest, older = learned_models(Registry(home.paths.models))
    assert [newest.version, older.version] == versions(home)[::-1]
    assert (newest.serves, older.serves) == (True, False)
    assert 0.0 <= newest.right <= 1.0
    assert 0.0 <= newest.plain <= 1.0
    assert learned_models(Registry(home.paths.models / "none")) == ()
