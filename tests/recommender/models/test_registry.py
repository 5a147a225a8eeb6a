import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.configuration import REMOVED, ClepConfig, SequentialConfig, TrainingConfig
from recommender.models.habit_scorer import SHAPES
from recommender.models.model_card import FrontEndId, Model, card_from_json, card_to_json
from recommender.models.registry import CURRENT, Library, ModelError, Registry
from recommender.training.retraining import retrain

pytestmark = pytest.mark.slow

QUICK = TrainingConfig(
    ClepConfig(widths=(8, 8, 8, 4), head_widths=(4, 4, 1), epochs=1, head_epochs=1),
    SequentialConfig(width=8, length=8, epochs=1),
)


@pytest.fixture(scope="module")
def model(make_world):
    world = make_world()
    return retrain(world.log, world.catalogue, QUICK, None, lambda _: None, lambda: False).model


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "models")


def with_created(model, second):
    return Model(
        replace(model.card, created=f"2030-01-01T00:00:{second:02d}.000000+00:00", promoted=True), model.arrays
    )


def folder(registry, card):
    return registry.root / card.version


def test_a_stored_model_is_loaded_as_it_was(registry, model):
    card = registry.save(model)
    loaded = registry.load(card.version, model.card.frontend)
    assert loaded.card == replace(model.card, version=card.version, sha256=card.sha256)
    assert loaded.arrays.keys() == model.arrays.keys()
    assert all(np.array_equal(loaded.arrays[name], model.arrays[name]) for name in model.arrays)


def test_the_card_on_disk_says_what_the_model_is(registry, model):
    card = registry.save(model)
    document = json.loads((folder(registry, card) / "model.json").read_text())["card"]
    assert document["frontend"] == {"name": "test", "version": "1", "dimension": 12}
    assert document["configuration"]["sequential"]["p_hard"] == 0.4
    assert document["configuration"]["seed"] == 0
    assert {name for name, _ in document["libraries"]} >= {"numpy", "torch"}
    assert {metric["model"] for metric in document["metrics"]} >= {"model", "random", "untrained"}
    assert document["reason"]


def test_nothing_is_current_before_the_first_promotion(registry, model):
    assert registry.load_current() is None
    registry.save(model)
    assert registry.current() is None


def test_promotion_and_rolling_back_move_the_pointer_and_keep_every_version(registry, model):
    cards = [registry.save(with_created(model, second)) for second in range(3)]
    refused = registry.save(Model(replace(with_created(model, 9).card, promoted=False), model.arrays))
    registry.promote(cards[2].version)
    assert registry.load_current().card == cards[2]
    assert registry.roll_back() == cards[1]
    assert registry.current() == cards[1].version
    assert registry.roll_back() == cards[0]
    with pytest.raises(ModelError, match="no earlier promoted model"):
        registry.roll_back()
    assert registry.versions() == [*cards, refused]


def test_two_models_of_one_moment_get_names_of_their_own(registry, model):
    assert registry.save(model).version != registry.save(model).version


def test_a_changed_byte_in_the_weights_is_noticed(registry, model):
    card = registry.save(model)
    path = folder(registry, card) / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not those stored"):
        registry.load(card.version)
    with pytest.raises(ModelError, match="not those stored"):
        registry.promote(card.version)
    assert registry.current() is None


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_a_missing_file_is_named(registry, model, name):
    card = registry.save(model)
    (folder(registry, card) / name).unlink()
    with pytest.raises(ModelError, match=card.version):
        registry.load(card.version)


def test_a_model_of_another_front_end_is_refused(registry, model):
    card = registry.save(model)
    with pytest.raises(ModelError, match=r"trained on test 1 .*, not on other 2"):
        registry.load(card.version, FrontEndId("other", "2", 12))


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("sequence.tower", np.zeros((3, 3), np.float32)),
        ("sequence.own", np.zeros((1, 8), np.float32)),
        ("clep.head.0.weight", np.full((4, 4), np.nan, np.float32)),
        ("track_ids", np.zeros((2, 2), np.int64)),
        ("content.mean", None),
    ],
)
def test_arrays_that_do_not_fit_the_card_are_refused(registry, model, name, array):
    arrays = {key: value for key, value in model.arrays.items() if key != name}
    card = registry.save(Model(model.card, arrays if array is None else arrays | {name: array}))
    with pytest.raises(ModelError, match=name):
        registry.load(card.version)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": 2}', b"[" * 5000])
def test_a_damaged_card_is_one_sentence(registry, model, content):
    card = registry.save(model)
    (folder(registry, card) / "model.json").write_bytes(content)
    with pytest.raises(ModelError, match="is damaged"):
        registry.card(card.version)
    assert registry.versions() == []


@pytest.mark.parametrize("content", [b'{"format": 1, "card": {}}', b'{"format": 99}'])
def test_a_card_of_another_version_of_the_player_is_named_as_such(registry, model, content):
    card = registry.save(model)
    (folder(registry, card) / "model.json").write_bytes(content)
    with pytest.raises(ModelError, match="another version of the player"):
        registry.load(card.version)


def library(model_world, moved=0.0, seed=1):
    noise = np.random.default_rng(seed).normal(size=model_world.catalogue.vectors.shape)
    vectors = (model_world.catalogue.vectors + moved * noise).astype(np.float32)
    return Library(model_world.catalogue.track_ids, vectors)


def test_a_model_of_another_library_is_refused_and_of_its_own_is_not(registry, model, make_world):
    own, other = make_world(), make_world(seed=7)
    card = registry.save(model)
    assert registry.load(card.version, library=library(own)).card == card
    assert registry.load(card.version, library=library(own, moved=0.005)).card == card
    with pytest.raises(ModelError, match="trained on another library"):
        registry.load(card.version, library=library(other))


def test_a_library_that_lost_and_gained_tracks_is_still_the_models_own(registry, model, make_world):
    own = library(make_world())
    card = registry.save(model)
    few = Library(own.track_ids[::3], own.vectors[::3])
    ids = np.concatenate([own.track_ids, own.track_ids + 100_000])
    more = Library(ids, np.concatenate([own.vectors, own.vectors[::-1]]))
    assert registry.load(card.version, library=more).card == card
    with pytest.raises(ModelError, match="another library"):
        registry.load(card.version, library=few)
    with pytest.raises(ModelError, match="another library"):
        registry.load(card.version, library=Library(own.track_ids + 100_000, own.vectors))


def test_a_model_whose_habits_know_other_features_serves_without_them(registry, model):
    shorter = {name: array[:-1] if name in SHAPES else array for name, array in model.arrays.items()}
    served = registry.load(registry.save(replace(model, arrays=shorter)).version)
    assert set(model.arrays) - set(served.arrays) == set(SHAPES)
    assert set(registry.load(registry.save(model).version).arrays) == set(model.arrays)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_card_with_any_value_exchanged_is_read_or_refused_as_damaged(model, data):
    document = json.loads(card_to_json(model.card))
    key = data.draw(st.sampled_from(sorted(document["card"])))
    document["card"][key] = data.draw(
        st.one_of(st.none(), st.integers(), st.text(max_size=3), st.lists(st.none(), max_size=2))
    )
    try:
        card = card_from_json(json.dumps(document).encode())
    except ValueError:
        return
    assert json.loads(card_to_json(card))["card"][key] == document["card"][key]


@pytest.mark.parametrize("version", ["", "..", "../x", "a/b", ".hidden", "x" * 65, "a\x00"])
def test_a_version_is_never_a_path(registry, version):
    with pytest.raises(ModelError, match="not a model version"):
        registry.load(version)


def test_an_unknown_version_is_one_sentence(registry):
    with pytest.raises(ModelError, match="There is no model nowhere"):
        registry.load("nowhere")


@pytest.mark.parametrize("content", [b"", b"../../etc", b"\xff"])
def test_a_damaged_pointer_is_one_sentence(registry, model, content):
    registry.promote(registry.save(model).version)
    (registry.root / CURRENT).write_bytes(content)
    with pytest.raises(ModelError, match="names the current model is damaged"):
        registry.load_current()


def test_a_folder_left_by_a_crash_is_no_version(registry, model):
    card = registry.save(model)
    (registry.root / ".storing-abc").mkdir()
    assert registry.versions() == [card]


def test_a_crash_while_storing_leaves_nothing_behind(registry, model, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("recommender.models.registry._sync_folder", crash)
    with pytest.raises(KeyboardInterrupt):
        registry.save(model)
    assert list(registry.root.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, model):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match="could not be stored"):
        Registry(tmp_path / "file").save(model)


def test_a_swapped_folder_is_noticed(registry, model):
    first, second = registry.save(with_created(model, 1)), registry.save(with_created(model, 2))
    folder(registry, first).rename(registry.root / "elsewhere")
    folder(registry, second).rename(folder(registry, first))
    with pytest.raises(ModelError, match="holds another one"):
        registry.load(first.version)


def edited(registry, card, **elements):
    """The card on disk with fields of the sequence's configuration set otherwise."""
    path = folder(registry, card) / "model.json"
    document = json.loads(path.read_text())
    document["card"]["configuration"]["sequential"].update(elements)
    path.write_text(json.dumps(document))


def test_a_model_stored_when_there_were_more_elements_is_loaded_while_they_are_off(registry, model):
    earlier = {"sequence.quality": np.zeros(3, np.float32), "sequence.appeal": np.ones(1, np.float32)}
    card = registry.save(Model(model.card, {**model.arrays, **earlier}))
    edited(registry, card, **REMOVED)
    assert registry.load(card.version).card == card


@pytest.mark.parametrize("element", REMOVED)
def test_a_model_with_an_element_that_was_removed_is_of_another_version(registry, model, element):
    card = registry.save(model)
    edited(registry, card, **REMOVED | {element: "later" if element == "target" else 1})
    with pytest.raises(ModelError, match="another version of the player"):
        registry.load(card.version)
