"""The experiment on made-up listeners whose taste follows from the sound."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from recommender.datasets.opening import dataset_of
from recommender.events import EventLog, Outcome
from recommender.experiments.clep_experiment import ClepExperimentConfig, run_clep
from recommender.experiments.clep_listeners import Listener, Parts, draw_test_tracks, find_listeners
from recommender.experiments.clep_scores import (
    LIKE_RATE_PRIOR,
    MATCHED,
    ClepMetric,
    ClepModel,
    Sounds,
    _like_rate,
    _Person,
    embedding_spaces,
    measure_seed,
    rows,
)
from recommender.experiments.json_values import differences, json_object
from recommender.experiments.records import ExperimentError, configuration_as
from recommender.experiments.store import RunStore

pytestmark = pytest.mark.slow

LISTENERS, TRACKS, DIMENSION = 7, 60, 12
QUESTION = ClepExperimentConfig(dataset="csv:made-up", frontend="made-up", seeds=(0, 1))


@pytest.fixture(scope="module")
def dataset():
    rng = np.random.default_rng(4)
    content = rng.normal(size=(TRACKS, DIMENSION)).astype(np.float32)
    taste = rng.normal(size=DIMENSION) + 0.7 * rng.normal(size=(LISTENERS, DIMENSION))
    listener, track = np.divmod(rng.permutation(LISTENERS * TRACKS), TRACKS)
    liked = (content[track] * taste[listener]).sum(axis=1) > 0
    log = EventLog(
        listener=listener,
        station=np.zeros(len(track), np.int64),
        track=track,
        time=np.arange(len(track), dtype=np.float64),
        outcome=np.where(liked, Outcome.THUMB_UP, Outcome.THUMB_DOWN).astype(np.int8),
        label=np.where(liked, 1, -1).astype(np.int8),
        weight=np.ones(len(track), np.float32),
        explicit=np.ones(len(track), np.bool_),
        tracks=TRACKS,
    )
    return dataset_of(log, name="csv:made-up", content=content)


@pytest.fixture(scope="module")
def kept(tmp_path_factory, dataset):
    store = RunStore(tmp_path_factory.mktemp("runs"))
    return store, run_clep(dataset, QUESTION, store, lambda *_: None)


def values_of(dataset, seed=0):
    return measure_seed(
        find_listeners(dataset),
        Sounds.of(dataset.content, dataset.artist),
        seed,
        ablation=True,
        on_epoch=lambda *_: None,
    )


def test_the_document_is_the_one_scripts_are_promised(kept):
    results = kept[1].results
    assert results["listeners"] == LISTENERS
    assert {"frontend", "variant", "accuracy", "precision", "recall", "auroc", "fpr"} <= set(results["table2"][0])
    assert [row["variant"] for row in results["table2"]] == [str(row) for row in rows(ablation=False)]
    assert {"frontend", "metric", "chi2", "p"} <= set(results["friedman"][0])
    assert {"frontend", "metric", "pair", "p", "p_holm", "effect"} <= set(results["wilcoxon"][0])
    assert {pair["pair"] for pair in results["wilcoxon"]} == {"pn vs p", "pn vs n", "p vs n"}
    assert "NaN" not in json.dumps(results)


def test_taste_that_follows_from_the_sound_is_learned_by_all_and_best_by_best(kept):
    auroc = {row["variant"]: row["auroc"] for row in kept[1].results["table2"]}
    assert min(auroc[name] for name in ("pn", "p", "n", "logistic", "shared")) > 0.6
    assert auroc["majority"] == 0.5
    assert auroc["best"] > max(auroc["pn"], auroc["logistic"], auroc["shared"])


def test_the_advantage_of_best_is_the_difference_of_the_means(kept):
    results = kept[1].results
    mean = {row["variant"]: row["mean"] for row in results["means"] if row["metric"] == "auroc"}
    ahead = {each["over"]: each for each in results["advantage_of_best"]}
    assert set(ahead) == {"pn", "p", "n", "majority", "like-rate", "logistic", "shared"}
    for rival, difference in ahead.items():
        assert difference["mean"] == pytest.approx(mean["best"] - mean[rival])
        assert difference["low"] <= difference["mean"] <= difference["high"]


def test_the_pictures_are_pictures(kept):
    store, record = kept
    assert [figure.file for figure in record.figures] == ["table2.png", "figure3.png"]
    for figure in record.figures:
        with Image.open(store.figure_path(record, figure)) as picture:
            picture.load()
            assert min(picture.size) > 200


def test_a_repetition_agrees_to_the_last_digit(kept, dataset):
    store, record = kept
    question = configuration_as(ClepExperimentConfig, record.configuration)
    again = run_clep(dataset, question, store, lambda *_: None, resume=False, repeats=record.id)
    assert again.repeats == record.id
    assert list(differences(record.results, again.results)) == []


def test_an_interrupted_run_goes_on_with_the_seeds_that_are_left(kept, dataset, store):
    def interrupt(done, total):
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_clep(dataset, QUESTION, store, interrupt)
    seen = []
    record = run_clep(dataset, QUESTION, store, lambda done, total: seen.append(done / total))
    assert min(seen) > 0.5
    assert list(differences(record.results, kept[1].results)) == []


def test_all_matched_rows_have_the_false_positive_rate_of_n(dataset):
    values = dict(zip(rows(ablation=True), values_of(dataset), strict=True))
    for row in MATCHED:
        assert values[row][:, ClepMetric.FPR] == pytest.approx(values[ClepModel.N][:, ClepMetric.FPR], nan_ok=True)


def test_answers_about_the_test_tracks_reach_no_model_but_like_rate(dataset):
    """Turn one listener's answers round everywhere: only by the test tracks could that change another's figures."""
    rng = np.random.default_rng(0)
    listeners, sounds = find_listeners(dataset), Sounds.of(dataset.content, dataset.artist)
    test = draw_test_tracks(sounds.heard, sounds.artist, rng)  # measure_seed draws with the same generator first
    turned = tuple(
        replace(each, liked=np.where(test[each.track], ~each.liked, each.liked)) if each.name == "0" else each
        for each in listeners.everybody
    )
    other = measure_seed(
        replace(listeners, chosen=turned, everybody=turned), sounds, 0, ablation=False, on_epoch=lambda *_: None
    )
    same = measure_seed(listeners, sounds, 0, ablation=False, on_epoch=lambda *_: None)
    for row, before, after in zip(rows(ablation=False), same, other, strict=True):
        assert np.array_equal(before[1:], after[1:], equal_nan=True) == (row is not ClepModel.LIKE_RATE), row
    auroc = (
        ClepMetric.AUROC
    )  # listener 0's own scores are as before, like-rate's too, so turning the answers turns the area
    assert other[:, 0, auroc] == pytest.approx(1.0 - same[:, 0, auroc])


def test_like_rate_counts_everybody_but_the_listener_who_is_asked():
    """By hand: track 0 is liked by both others, track 1 by none; the listener's own answers say the opposite."""
    own = Listener("own", np.array([0, 1, 2]), np.array([False, True, True]), np.ones(3, np.float32))
    others = [Listener(name, np.array([0, 1]), np.array([True, False]), np.ones(2, np.float32)) for name in ("a", "b")]
    person = _Person(0, own, Parts(np.array([2]), np.empty(0, np.int64), np.array([0, 1])))
    rate = (2 + 1) / (4 + 2)  # of all the others' opinions, smoothed
    expected = [(2 + LIKE_RATE_PRIOR * rate) / (2 + LIKE_RATE_PRIOR), LIKE_RATE_PRIOR * rate / (2 + LIKE_RATE_PRIOR)]
    assert _like_rate(person, [own, *others]) == pytest.approx(expected)


def test_a_listener_with_one_kind_left_is_left_out_of_that_seed(dataset):
    listeners = find_listeners(dataset)
    one_kind = replace(listeners.chosen[0], liked=np.ones(len(listeners.chosen[0]), np.bool_))
    chosen = (one_kind, *listeners.chosen[1:])
    values = measure_seed(
        replace(listeners, chosen=chosen),
        Sounds.of(dataset.content, dataset.artist),
        0,
        ablation=False,
        on_epoch=lambda *_: None,
    )
    assert np.isnan(values[:, 0]).all()
    assert np.isfinite(values[0, 1:, ClepMetric.ACCURACY]).all()


def test_the_spaces_are_those_of_the_listener_with_most_opinions(dataset):
    listeners = find_listeners(dataset)
    shorter = tuple(
        replace(each, track=each.track[:40], liked=each.liked[:40], weight=each.weight[:40])
        for each in listeners.chosen[:-1]
    )
    chosen = (*shorter, listeners.chosen[-1])
    name, spaces = embedding_spaces(replace(listeners, chosen=chosen), Sounds.of(dataset.content, dataset.artist), 0)
    assert name == listeners.chosen[-1].name
    assert [space.row for space in spaces] == [ClepModel.PN, ClepModel.P, ClepModel.N]
    assert all(space.embedding.shape == (TRACKS, 32) for space in spaces)


def test_a_variant_draws_together_what_it_is_named_for(dataset):
    _, (_, likes, dislikes) = embedding_spaces(find_listeners(dataset), Sounds.of(dataset.content, dataset.artist), 0)

    def spread(space, chosen):
        own = space.embedding[chosen & ~space.tested]
        return np.linalg.norm(own - own.mean(axis=0), axis=1).mean()

    assert spread(likes, likes.liked) < 0.5 * spread(likes, ~likes.liked)
    assert spread(dislikes, ~dislikes.liked) < 0.5 * spread(dislikes, dislikes.liked)


def test_too_few_listeners_for_a_test_say_so_instead_of_a_figure(dataset, store):
    few = dataset.log.where(dataset.log.listener < 3)
    small = dataset_of(few, name="csv:made-up", content=dataset.content)
    results = run_clep(small, replace(QUESTION, seeds=(0,)), store, lambda *_: None).results
    assert all(test["p"] is None and "at least 6 listeners" in test["omitted"] for test in results["friedman"])
    assert results["wilcoxon"] == []
    assert {finding["holds"] for finding in results["findings"]} <= {"no", "not significant"}


def test_a_configuration_of_something_else_is_refused_in_words():
    with pytest.raises(ExperimentError, match="cannot be used"):
        configuration_as(ClepExperimentConfig, json_object({"models": ["random"]}))
