"""``player ab`` and ``evaluate --policy``: from a model to a trial with its control, to a verdict or a refusal."""

from dataclasses import replace

import numpy as np
import pytest

from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent, now_us
from player.folders import locate
from player.learning.retraining import retrain
from player.stations.trial_arms import controls
from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.models.blend import Component
from recommender.models.registry import Registry
from recommender.training.tuning import with_blend
from tests.support.library import copy_home

pytestmark = pytest.mark.slow

NINE_HOURS = 9 * 3600 * 1_000_000
"""Microseconds."""


def tell_a_taste(home, station, events=140):
    """Plays of a listener of every other genre, heard to the end or skipped at once, one every nine hours."""
    rng = np.random.default_rng(1)
    liked = set(sorted({row.genre for row in home.rows})[::2])
    log = EventStore(home.database, "cli")
    begun = now_us() - (events + 1) * NINE_HOURS
    told = []
    for number in range(events):
        row = home.rows[rng.integers(len(home.rows))]
        pleased = (row.genre in liked) == (rng.random() < 0.9)
        kind, position, action = ("finish", None, None) if pleased else ("skip", 6.0, "next")
        at = begun + number * NINE_HOURS
        told.append(NewEvent(kind, row.id, station.id, position, action, at_us=at))
    log.append_all(told)


def listen(home, player, plays, finish):
    """Play what comes next, finished where ``finish`` says so."""
    station = next(one for one in player("station", "list", "--json").document if one["name"] == "Evening")["id"]
    for number in range(plays):
        item = player("next", "--station", "Evening", "-n", 1, "--json").document["items"][0]
        kind = "finish" if finish(number, item) else "skip"
        position = None if kind == "finish" else 3.0
        EventStore(home.database, "cli").append(
            NewEvent(kind, item["track_id"], station, position, None if kind == "finish" else "next")
        )


@pytest.fixture(scope="module")
def trained_template(demo_template, tmp_path_factory):
    """A listener with two trained versions, of which the first serves."""
    folder = tmp_path_factory.mktemp("trained") / "data"
    home = copy_home(demo_template, folder)
    tell_a_taste(home, home.station("Evening"))
    registry = Registry(home.paths.models)
    for seed in (1, 2):
        config = TrainingConfig(ClepConfig.best(), SequentialConfig(epochs=1), seed)
        made = retrain(home.database, home.paths, config, lambda _progress: None, lambda: False)
        # In an epoch the sequence learns little; that it has some weight is what makes a control worth a trial.
        weights = list(made.result.model.card.blend.weights)
        weights[Component.SEQUENCE] = 0.5
        card = registry.save(
            with_blend(made.result.model, replace(made.result.model.card.blend, weights=tuple(weights)))
        )
        if seed == 1:
            registry.promote(card.version)
    home.close()
    return folder


@pytest.fixture
def versions(trained_template, tmp_path):
    """Such a listener's data folder; the version that serves and the other."""
    home = copy_home(trained_template, tmp_path / "data")
    registry = Registry(home.paths.models)
    serving = registry.current()
    yield home, serving, registry.versions()[-1].version
    home.close()


def test_plain_rules_take_turns_too_and_what_came_of_it_can_be_put_together(player, versions, tmp_path):
    demo, _, _ = versions
    begun = player("ab", "start", "--arms", "artists,shuffle", "--station", "Evening", "--pairs", 30, "--json")
    assert [arm["version"] for arm in begun.document["arms"]] == ["artists", "shuffle"]
    listen(demo, player, 6, lambda number, _item: number % 2 == 0)
    report = player("ab", "status", "--json")
    assert report.document[0]["plays"] == [3, 3]
    files = [tmp_path / name for name in ("one.json", "two.json")]
    for file in files:
        file.write_text(report.out)
    together = player("ab", "together", *files, "--json").document
    assert together["listeners"] == 2
    assert together["e_value"] == pytest.approx(report.document[0]["test"]["e_value"] ** 2)


def test_a_trial_of_the_live_model_against_its_control_from_start_to_stop(player, versions):
    demo, trained, _ = versions
    begun = player("ab", "start", "--station", "Evening", "--pairs", 30, "--json")
    assert begun.code == 0, begun.err
    arms = begun.document["arms"]
    assert [arm["name"] for arm in arms] == ["live", "without-negatives"]
    assert arms[0]["version"] == trained
    control = arms[1]["version"]
    listen(demo, player, 6, lambda number, _item: number % 2 == 0)
    report = player("ab", "status", "--json").document[0]
    assert report["plays"] == [3, 3]
    assert report["pairs"] == 3
    assert set(report["measures"]) == {"thumb_up_rate", "completed", "skipped", "gini", "liking"}
    assert report["ended"] is None
    said = player("ab", "status").out
    assert "completed plays" in said
    assert "Gini of artists" in said
    assert "3 of at most 30 pairs" in said
    assert player("ab", "stop").out.startswith("Stopped by you after 3 pairs")
    assert "Stopped by you" in player("ab", "list").out
    assert player("ab", "list", "--json").document[0]["conclusion"].startswith("Stopped by you")
    # The control never serves alone: it is in no list of versions.
    assert control not in player("models", "--json").out
    assert "There is no" in player("models", "promote", control).sentence


def test_the_control_is_the_live_model_but_for_its_sequence_and_its_weights(player, versions):
    _, trained, _ = versions
    assert player("ab", "start", "--station", "Evening").code == 0
    paths = locate()
    control = controls(paths).versions()[0]
    live = Registry(paths.models).load(trained)
    made = controls(paths).load(control.version)
    assert made.card.configuration.sequential.p_hard == 0.0
    assert made.card.configuration.clep == live.card.configuration.clep
    assert made.card.seen_until == live.card.seen_until
    assert not made.card.promoted
    assert "without negative feedback" in made.card.reason
    same = {name: np.array_equal(live.arrays[name], made.arrays[name]) for name in live.arrays if "clep" in name}
    assert same
    assert all(same.values())
    assert any(
        not np.array_equal(live.arrays[name], made.arrays[name]) for name in live.arrays if name.startswith("sequence.")
    )


def test_a_trial_in_which_one_arm_is_always_skipped_ends_itself_and_the_winner_serves(player, versions):
    demo, _, second = versions
    assert player("ab", "start", "--arms", f"live,{second}", "--station", "Evening").code == 0
    ended = ""
    for _ in range(40):
        item = player("next", "--station", "Evening", "-n", 1, "--json")
        if "won against" in item.err:
            ended = item.err
            break
        with demo.database.reader() as session:
            arm = session.connection().exec_driver_sql("SELECT arm FROM decision ORDER BY id DESC LIMIT 1").scalar()
        track = item.document["items"][0]["track_id"]
        kind, position = ("finish", None) if arm == second else ("skip", 2.0)
        EventStore(demo.database, "cli").append(
            NewEvent(kind, track, 1, position, None if kind == "finish" else "next")
        )
    assert f"“{second}” won against “live”" in ended
    assert "It serves from now on." in ended
    assert Registry(locate().models).current() == second
    assert "won against" in player("ab", "status").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--arms", "live"), "two names"),
        (("--arms", "live,"), "two names"),
        (("--arms", "live,untrained,random"), "two names"),
    ],
)
def test_wrong_arms_are_a_usage_error(demo, player, arguments, words):
    answer = player("ab", "start", *arguments)
    assert answer.code == 2
    assert words in answer.err


def test_what_cannot_be_compared_is_one_sentence(demo, player):
    assert "No trained model serves yet" in player("ab", "start").sentence
    assert "the same version" in player("ab", "start", "--arms", "live,untrained").sentence
    assert "names no version" in player("ab", "start", "--arms", "untrained,2099").sentence
    assert "no station" in player("ab", "start", "--arms", "live,untrained", "--station", "Noon").sentence
    assert "No trial is running" in player("ab", "stop").sentence
    nothing = player("ab", "status")
    assert (nothing.code, nothing.out) == (0, "")
    assert "no trial yet" in nothing.err
    assert player("ab", "list", "--json").document == []


def test_a_policy_that_is_what_served_is_worth_what_was_served(demo, player):
    listen(demo, player, 12, lambda number, _item: number % 3 > 0)
    report = player("evaluate", "--policy", "untrained", "--json").document
    assert report["decisions"] == 12
    assert report["effective"] == pytest.approx(12, rel=1e-4)
    assert report["snips"]["mean"] == pytest.approx(report["logged"]["mean"], rel=1e-4)
    assert report["verdict"].startswith("No verdict: of 12 decisions only 12.0 effective ones")


def test_chance_is_weighed_by_one_over_what_was_eligible(demo, player):
    listen(demo, player, 8, lambda number, _item: number % 2 == 0)
    report = player("evaluate", "--policy", "random", "--json").document
    with demo.database.reader() as session:
        rows = session.connection().exec_driver_sql("SELECT propensity, eligible_count FROM decision").all()
    weights = np.array([1 / count / propensity for propensity, count in rows])
    assert report["largest_weight"] == pytest.approx(weights.max(), rel=1e-4)
    assert report["effective"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum(), rel=1e-3)


def test_a_policy_is_told_for_people_and_an_unknown_one_is_refused(demo, player, tmp_path):
    listen(demo, player, 5, lambda _number, _item: True)
    said = player("evaluate", "--policy", "popularity").out
    assert "SNIPS" in said
    assert "doubly robust" in said
    assert "No verdict" in said
    assert "names no version" in player("evaluate", "--policy", "nobody").sentence
    assert "No trained model serves yet" in player("evaluate", "--policy", "live").sentence
    assert player("evaluate", "--policy", "random", "--html", tmp_path / "x.html").code == 2


def test_a_model_is_asked_only_about_what_it_has_not_seen(player, versions):
    demo, trained, _ = versions
    before = player("evaluate", "--policy", "live", "--json").document
    assert before["version"] == trained
    listen(demo, player, 4, lambda _number, _item: True)
    after = player("evaluate", "--policy", "live", "--json").document
    assert after["decisions"] == before["decisions"] + 4
    assert after["since"] == before["since"]
    assert after["effective"] == pytest.approx(4, rel=1e-3)
