"""The comparison with other libraries: what contenders are given, what is made of their answers, and what is remembered."""

import json
import sys

import numpy as np
import pytest

from bench.training import peers
from bench.training.contenders import Contender, contenders
from bench.training.exchange import TEST, VALIDATION, Course, Exchange, Rows, Stopwatch, Task, exchange_of, together
from bench.training.material import ScoreMatrix, material_of, measure, ndcg_on_validation, with_unknown_last
from bench.training.running import Answer, ContenderError, run
from bench.training.table import comparisons, cost_of, figures, ratios
from bench.training.tuning import Cache, of, tune
from recommender.baselines import build
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.protocol import evaluate
from recommender.evaluation.query_states import MOST_ROWS, State, States
from recommender.evaluation.splits import Part
from recommender.experiments.run_config import fitting_candidates

LISTENERS, FILMS = 16, 40

ANSWERS = """
import json, sys
from pathlib import Path
import numpy as np
folder = Path(sys.argv[1])
task = json.loads((folder / "task.json").read_text())
with np.load(folder / "train.npz") as train:
    listener, track, label = train["listener"], train["track"], train["label"]
liked = np.zeros((task["listeners"], task["tracks"]))
liked[listener, track] = label
scores = task["configuration"]["sign"] * (liked @ liked.T) @ liked
np.save(folder / "scores.npy", scores.astype(np.float32))
(folder / "course.json").write_text(json.dumps({"epochs": [0.5, 1.5], "clock": [1.0, 2.0], "best_epoch": 2, "targets": 10}))
"""
"""A contender that ranks by what listeners of like taste think, or the other way round."""


@pytest.fixture
def films(tmp_path):
    """Ratings in which even listeners like even films; the first films are rated by more listeners than the last."""
    rng = np.random.default_rng(0)
    lines = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
    for listener in range(LISTENERS):
        rated = [film for film in range(FILMS) if rng.random() < 1.0 - film / (2 * FILMS)]
        for time, film in enumerate(rng.permutation(rated)):
            rating = 5 if film % 2 == listener % 2 else 1
            lines.append(f"{listener}\t{film}\t{rating}\t{1000 * listener + time}")
    path = tmp_path / "made-up.inter"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def material(films):
    return material_of(films)


@pytest.fixture
def task(films, material):
    return Task(str(films), material.listeners, material.tracks, TEST, {}, None, 0, 60.0, 1)


@pytest.fixture
def by_taste(tmp_path):
    script = tmp_path / "by_taste.py"
    script.write_text(ANSWERS)
    return Contender("by taste", (sys.executable, str(script)), ({"sign": -1}, {"sign": 1}))


def rows(*orders):
    number = np.array(orders, np.int64)
    return Rows(number % 3, number % 5, np.where(number % 2, 1, -1).astype(np.int8), number)


def test_rows_of_two_parts_come_together_in_the_order_of_the_log():
    both = together(rows(0, 4, 8), rows(2, 6))
    assert both.order.tolist() == [0, 2, 4, 6, 8]
    assert both.track.tolist() == [0, 2, 4, 1, 3]


def test_contenders_are_given_every_past_row_once_and_no_row_of_the_test(material, task, tmp_path):
    material.write(tmp_path)
    task.save(tmp_path)
    given = exchange_of(tmp_path)
    past = np.flatnonzero(material.split.is_past)
    assert given.learned.order.tolist() == past.tolist()
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == ["train.npz", "validation.npz"]
    assert given.learned.track.tolist() == material.split.log.track[past].tolist()


def test_nothing_of_the_validation_is_learned_from_while_tuning(material, task, tmp_path):
    material.write(tmp_path)
    of(task, VALIDATION, {}, None, 0).save(tmp_path)
    given = exchange_of(tmp_path)
    assert not np.isin(material.rows(Part.VALIDATION).order, given.learned.order).any()
    assert len(given.learned) == material.split.count(Part.TRAIN)


def test_peers_stop_by_each_listeners_first_validation_like(tmp_path, task):
    validation = Rows(
        listener=np.array([0, 1, 0, 1, 2]),
        track=np.arange(5),
        label=np.array([-1, 1, 1, 1, 0], np.int8),
        order=np.arange(5),
    )
    aside = Exchange(tmp_path, task, rows(), validation).first_validation_likes()
    assert aside.order.tolist() == [1, 2]


def test_scores_of_a_wrong_shape_are_refused(tmp_path, task):
    with pytest.raises(ValueError, match=r"scores are \(2, 3\), the task asks for"):
        Exchange(tmp_path, task, rows(), rows()).answer(np.zeros((2, 3)), Course())


def test_the_stopwatch_counts_what_lies_between_beginning_and_end():
    watch = Stopwatch(1e9)
    watch.begin_epoch()
    sum(number * number for number in range(100_000))
    watch.end_epoch()
    assert len(watch.epochs) == len(watch.clock) == 1
    assert watch.epochs[0] > 0.0
    assert not watch.over
    assert Stopwatch(0.0).over


def test_tracks_without_a_score_come_last_and_alike_and_a_row_without_any_is_constant():
    known = with_unknown_last(np.array([[2.0, np.nan, -3.0, np.nan], [np.nan] * 4], np.float32))
    assert known[0].tolist() == [2.0, -4.0, -3.0, -4.0]
    assert known[1].tolist() == [0.0] * 4


@pytest.mark.slow
def test_a_matrix_of_scores_measures_like_the_recommender_it_was_made_of(material):
    """Popularity scored in advance must have the figures that popularity has."""
    log, split = material.split.log, material.split
    popularity = build("popularity")
    popularity.fit(split.past)
    asked = {own.listener: own.contexts[0] for own in States(split, State.FROZEN, None, MOST_ROWS, 0)}
    answer = np.zeros((material.listeners, material.tracks), np.float32)
    for listener, context in asked.items():
        answer[listener] = popularity.score(context)
    own = measure(material, {"matrix": [answer, answer]})
    plain = evaluate([build("popularity")], split, measures=[Measure.NDCG], candidates=fitting_candidates(log))
    assert own.report.mean("matrix", Measure.NDCG) == pytest.approx(plain.report.mean("popularity", Measure.NDCG))
    assert own.report.mean("popularity", Measure.NDCG) == pytest.approx(plain.report.mean("popularity", Measure.NDCG))


def test_validation_measures_on_the_validation_rows_alone(material):
    """Scores that know the validation likes are perfect there; the same of the test rows are not."""
    log = material.split.log
    scores = {
        part: np.zeros((material.listeners, material.tracks), np.float32) for part in (Part.VALIDATION, Part.TEST)
    }
    for part, table in scores.items():
        liked = (material.split.part == part) & (log.label > 0)
        table[log.listener[liked], log.track[liked]] = 1.0 + np.arange(np.count_nonzero(liked))
    assert ndcg_on_validation(material, scores[Part.VALIDATION]) == pytest.approx(1.0)
    assert ndcg_on_validation(material, scores[Part.TEST]) < 0.9


@pytest.mark.slow
def test_a_contender_in_a_process_of_its_own_answers_and_is_weighed(material, task, by_taste):
    answer = run(by_taste, material, of(task, TEST, {"sign": 1}, None, 0))
    assert answer.scores.shape == (LISTENERS, FILMS)
    assert answer.course.epochs == [0.5, 1.5]
    assert answer.processor > 0.0
    assert answer.megabytes > 5.0


def test_a_contender_that_fails_is_named_with_what_it_said(material, task, tmp_path):
    script = tmp_path / "fails.py"
    script.write_text("raise SystemExit('there is no such option')")
    with pytest.raises(ContenderError, match=r"fails.py ended with 1: there is no such option"):
        run(Contender("failing", (sys.executable, str(script)), ({},)), material, task)


def test_a_contender_without_an_answer_is_said_to_have_left_none(material, task, tmp_path):
    script = tmp_path / "silent.py"
    script.write_text("")
    with pytest.raises(ContenderError, match="silent left no answer"):
        run(Contender("silent", (sys.executable, str(script)), ({},)), material, task)


@pytest.mark.slow
def test_the_configuration_that_ranks_best_on_validation_is_taken(material, task, by_taste):
    tuned = tune(by_taste, material, task, Cache(None), lambda who, what: run(who, material, what))
    assert tuned.best.configuration == {"sign": 1}
    assert tuned.best.epochs == 2
    assert [trial.ndcg for trial in tuned.trials] == sorted(trial.ndcg for trial in tuned.trials)


class Counting:
    """Answers by popularity, and counts how often it was asked."""

    def __init__(self, material):
        self.asked = 0
        self._scores = np.tile(
            np.bincount(material.split.past.track, minlength=material.tracks).astype(np.float32),
            (material.listeners, 1),
        )

    def __call__(self, contender, task):
        self.asked += 1
        return Answer(self._scores, Course([1.0], [1.0], 1, 1), 1.0, 1.0, 1.0)


def test_what_was_tuned_is_not_tuned_again_unless_the_question_changes(material, task, by_taste, tmp_path):
    path, counting = tmp_path / "cache.json", Counting(material)
    first = tune(by_taste, material, task, Cache(path), counting)
    assert counting.asked == 2
    assert tune(by_taste, material, task, Cache(path), counting) == first
    assert counting.asked == 2
    other = Contender(by_taste.name, by_taste.command, ({"sign": 1}, {"sign": 3}))
    tune(other, material, task, Cache(path), counting)
    assert counting.asked == 4


def test_a_damaged_cache_is_said_and_replaced(material, task, by_taste, tmp_path, capsys):
    path, counting = tmp_path / "cache.json", Counting(material)
    path.write_text('{"by taste": {"key": "x", "trials": 3}}')
    tune(by_taste, material, task, Cache(path), counting)
    assert "holds no trials that can be read" in capsys.readouterr().out
    assert Cache(path).get("by taste", json.loads(path.read_text())["by taste"]["key"]) is not None


def test_times_and_ratios_are_of_the_epochs_and_of_the_targets():
    def answer(epochs, targets, processor):
        course = Course(epochs, [2.0 * each for each in epochs], len(epochs), targets)
        return Answer(np.zeros((1, 1), np.float32), course, processor, processor, 100.0)

    ours = cost_of("esasrec", [answer([1.0, 3.0], 200, 10.0), answer([4.0, 4.0], 200, 20.0)])
    theirs = cost_of("other", [answer([6.0], 100, 30.0)])
    assert (ours.seconds_per_epoch, ours.fastest, ours.slowest, ours.clock_per_epoch) == (3.0, 2.0, 4.0, 6.0)
    (ratio,) = ratios([ours, theirs])
    assert (ratio.rival, ratio.per_epoch, ratio.per_target, ratio.total) == ("other", 0.5, 0.25, 0.5)
    assert ratios([theirs]) == []


def test_differences_are_ours_minus_theirs_in_the_same_resamples(material):
    log = material.split.log
    perfect = np.zeros((material.listeners, material.tracks), np.float32)
    liked = (material.split.part == Part.TEST) & (log.label > 0)
    perfect[log.listener[liked], log.track[liked]] = 1.0
    evaluation = measure(material, {"esasrec": [perfect], "backwards": [-perfect]})
    found = {(each["rival"], each["metric"]): each for each in comparisons(evaluation)}
    ahead = found["backwards", Measure.PAIR_AUC.key]
    assert ahead["mean"] == pytest.approx(1.0)
    assert ahead["low"] == pytest.approx(1.0)
    assert all(each["by_seed"] == [pytest.approx(each["mean"])] for each in figures(evaluation, [evaluation]))


def test_absent_environments_are_left_out_with_the_way_to_make_them(monkeypatch, capsys):
    for variable in ("RECTOOLS_PYTHON", "RECBOLE_PYTHON"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("IMPLICIT_PYTHON", "/nowhere/python")
    assert [contender.name for contender in contenders()] == ["faithful", "esasrec"]
    said = capsys.readouterr().out
    assert "RecTools SASRec: left out, RECTOOLS_PYTHON is not set." in said
    assert "IMPLICIT_PYTHON names no file (/nowhere/python)" in said


def test_peers_try_the_same_number_of_configurations(monkeypatch):
    for variable in ("RECTOOLS_PYTHON", "RECBOLE_PYTHON", "IMPLICIT_PYTHON"):
        monkeypatch.setenv(variable, sys.executable)
    tried = {len(contender.configurations) for contender in contenders() if not contender.is_ours}
    assert len(tried) == 1


@pytest.mark.slow
def test_implicit_is_tuned_trained_and_measured_and_ranks_by_taste(films, tmp_path, monkeypatch, capsys):
    """The project's own environment has implicit, so its contender runs here as it would in another."""
    monkeypatch.setenv("IMPLICIT_PYTHON", sys.executable)
    path = tmp_path / "figures.json"
    peers.main(["--dataset", str(films), "--json", str(path), "--seeds", "2", "--only", "implicit ALS"])
    found = json.loads(path.read_text())
    mean = {(row["model"], row["metric"]): row["mean"] for row in found["results"]}
    assert mean["implicit ALS", "auc"] > 0.9
    assert len(found["tuned"]["implicit ALS"]["trials"]) == 4
    assert {row["model"] for row in found["results"]} == {"implicit ALS", "like-rate", "popularity"}
    assert all(len(row["by_seed"]) == 2 for row in found["results"])
    assert "implicit ALS, seed 1" in capsys.readouterr().out


@pytest.mark.slow
def test_our_own_model_runs_as_a_contender_like_it_does_within(films, material, task):
    from recommender.training.sequential_recommender import FAITHFUL, SequentialRecommender

    ours = Contender("faithful", (sys.executable, "-m", "bench.training.contender_ours"), ({"model": "faithful"},))
    hurried = Task(str(films), material.listeners, material.tracks, TEST, {"model": "faithful"}, None, 3, 0.0, 1)
    answer = run(ours, material, hurried)
    assert len(answer.course.epochs) == 1
    within = SequentialRecommender(FAITHFUL, seed=3, should_stop=lambda: True)
    expected = evaluate([within], material.split, measures=[Measure.PAIR_AUC]).report.mean(
        within.name, Measure.PAIR_AUC
    )
    found = evaluate([ScoreMatrix("answer", answer.scores)], material.split, measures=[Measure.PAIR_AUC])
    assert found.report.mean("answer", Measure.PAIR_AUC) == pytest.approx(expected)


def test_a_file_that_is_no_ratings_is_one_sentence(tmp_path):
    path = tmp_path / "nothing.inter"
    path.write_text("user_id:token\titem_id:token\trating:float\ttimestamp:float\n")
    with pytest.raises(SystemExit, match="nothing to learn from"):
        peers.main(["--dataset", str(path)])


def test_an_unknown_contender_is_refused_with_the_names_there_are(capsys):
    with pytest.raises(SystemExit) as ended:
        peers.main(["--only", "esasrec,SASRec"])
    assert ended.value.code == 2
    assert "there is no 'SASRec'; there are faithful, esasrec, RecTools SASRec" in capsys.readouterr().err
