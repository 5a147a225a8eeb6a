"""The sequential model in the form of the baselines: its names, its differences, and any number of processes."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.baselines import BASELINES, TrackFacts
from recommender.configuration import REMOVED
from recommender.experiments.json_values import json_object
from recommender.experiments.model_comparison import compare_models
from recommender.experiments.records import ExperimentError, configuration_as
from recommender.experiments.run_config import ExperimentConfig, configure
from recommender.experiments.sequential_models import BESIDE, MODERN, SEQUENTIAL, sequential_names
from recommender.experiments.store import RunStore
from recommender.training.sequential_recommender import ABLATIONS

NO_FACTS, FACTS = TrackFacts(), TrackFacts(np.eye(3, dtype=np.float32), np.arange(3))


def test_ablations_are_every_form_of_the_model_with_what_stands_beside():
    assert set(sequential_names("ablations", NO_FACTS)) == {*ABLATIONS, *BESIDE}
    assert set(sequential_names("all", FACTS)) == {*ABLATIONS, *BASELINES}
    assert {MODERN, "faithful"} <= set(ABLATIONS)


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_ablation_can_be_named_on_its_own(name):
    assert sequential_names(f"{name},like-rate", NO_FACTS) == (name, "like-rate")


def test_a_name_can_be_typed_with_a_plain_minus():
    ablation = next(name for name in ABLATIONS if "−" in name)
    assert sequential_names(ablation.replace("−", "-"), NO_FACTS) == (ablation,)


@pytest.mark.parametrize("asked", ["", "bset", "esasrec,no such model"])
def test_a_name_that_is_none_is_refused_with_those_there_are(make_ratings, asked):
    with pytest.raises(ExperimentError, match="model"):
        configure(make_ratings(), roster=SEQUENTIAL, models=asked)


@pytest.mark.slow
def test_the_modern_form_is_measured_beside_like_rate_and_its_lead_is_stated(store, make_ratings):
    dataset = make_ratings()
    question = configure(dataset, roster=SEQUENTIAL, models="esasrec,like-rate", seeds=2)
    record = compare_models(store, dataset, question, roster=SEQUENTIAL)
    assert record.kind == "sequential"
    rows = {(row["model"], row["metric"]): row["mean"] for row in record.results["results"]}
    leads = {row["metric"]: row for row in record.results["differences"]}
    assert {row["rival"] for row in leads.values()} == {"like-rate"}
    for metric in ("auc", "ndcg@10"):
        assert leads[metric]["mean"] == pytest.approx(rows[MODERN, metric] - rows["like-rate", metric], abs=1e-12)
    assert leads["auc"]["low"] <= leads["auc"]["mean"] <= leads["auc"]["high"]


@pytest.mark.slow
def test_a_record_holds_the_configurations_and_is_repeated_with_them(store, make_ratings):
    dataset = make_ratings()
    asked = configure(dataset, roster=SEQUENTIAL, models="esasrec,like-rate")
    small = replace(ABLATIONS[MODERN], epochs=1, width=16)
    record = compare_models(store, dataset, replace(asked, settings=((MODERN, small),)), roster=SEQUENTIAL)
    question = configuration_as(ExperimentConfig, record.configuration)
    assert question.settings == ((MODERN, small),)
    assert asked.settings == ((MODERN, ABLATIONS[MODERN]),)
    again = compare_models(store, dataset, question, roster=SEQUENTIAL, resume=False, repeats=record.id)
    assert again.results == record.results


@pytest.mark.slow
def test_figures_do_not_depend_on_how_many_processes_make_them(tmp_path, make_ratings):
    dataset = make_ratings()
    question = configure(dataset, models="random,like-rate,biased-mf", seeds=3)
    alone = compare_models(RunStore(tmp_path / "one"), dataset, question)
    together = compare_models(RunStore(tmp_path / "two"), dataset, question, jobs=2)
    assert alone.results == together.results


@pytest.mark.slow
def test_an_interrupted_run_in_processes_goes_on_where_it_was(store, make_ratings):
    dataset = make_ratings()
    question = configure(dataset, models="random,biased-mf", seeds=3)
    told = []

    def stop_soon(step):
        told.append(step)
        if step.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_models(store, dataset, question, jobs=2, on_progress=stop_soon)
    told.clear()
    compare_models(store, dataset, question, jobs=2, on_progress=told.append)
    assert (told[0].done, told[-1].done, told[-1].computed) == (2, 6, 4)


def test_a_record_of_more_elements_is_repeated_while_they_are_off_and_refused_while_one_is_on(make_ratings):
    question = configure(make_ratings(), roster=SEQUENTIAL, models=MODERN)
    stored = json_object(question)
    stored["settings"][0][1].update(REMOVED)
    assert configuration_as(ExperimentConfig, stored).settings == question.settings
    stored["settings"][0][1]["temperature"] = 0.1
    with pytest.raises(ExperimentError, match="does not have the element temperature"):
        configuration_as(ExperimentConfig, stored)
