"""``player retrain``, ``evaluate`` and ``models``: too little, enough, and what is kept."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

pytestmark = pytest.mark.slow

EVENTS = 160
METRICS = {"auc", "mrr_positive", "mrr_negative", "gini", "coverage"}


def tell_a_taste(home, player, folder):
    """A listener who likes half of the genres: so many events over two months, as a batch file."""
    rng = np.random.default_rng(5)
    genres = sorted({row.genre for row in home.rows})
    liked = set(genres[::2])
    start = datetime(2026, 3, 1, tzinfo=UTC)
    lines = []
    for number in range(EVENTS):
        row = home.rows[rng.integers(len(home.rows))]
        pleased = (row.genre in liked) == (rng.random() < 0.9)
        kinds = ["finish", "finish", "up"] if pleased else ["skip", "skip", "down"]
        lines.append(
            {
                "event": kinds[rng.integers(3)],
                "track_id": row.id,
                "station": "Evening",
                "position": None if pleased else 6.0,
                "at": (start + timedelta(hours=9 * number)).isoformat(),
            }
        )
    file = folder / "taste.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    assert player("feedback", "--from", file).code == 0


def test_with_too_little_history_retraining_says_what_is_missing_and_succeeds(demo, player):
    player("feedback", "finish", demo.track_ids[0])
    answer = player("retrain", "--json")
    assert answer.code == 0
    assert (answer.document["promoted"], answer.document["version"]) == (False, None)
    assert len(answer.document["missing"]) >= 2
    said = player("retrain")
    assert said.code == 0
    assert "Missing" in said.out


@pytest.mark.parametrize("library", [True, False])
def test_with_no_history_evaluation_says_what_is_missing_and_succeeds(request, player, library):
    if library:
        request.getfixturevalue("demo")
    answer = player("evaluate", "--json")
    assert answer.code == 0
    assert answer.document["model_version"] is None
    assert any("player retrain" in missing for missing in answer.document["missing"])
    assert player("evaluate").code == 0


def test_without_versions_there_is_none_to_list_or_choose(demo, player):
    assert player("models", "--json").document == []
    assert player("models", "list", "--json").document == []
    assert "no model" in player("models", "promote", "20260101T000000-abcdef").sentence
    assert "not a model version" in player("models", "promote", "../../etc").sentence
    assert "no earlier" in player("models", "rollback").sentence


def test_from_a_taste_to_a_model_that_serves(demo, player, tmp_path):
    tell_a_taste(demo, player, tmp_path)
    trained = player("retrain", "--epochs", 2, "--seed", 3, "--json").document
    assert trained["missing"] == []
    assert trained["version"]
    assert trained["positives"] + trained["negatives"] > EVENTS / 2
    assert set(trained["metrics"]) >= METRICS
    for name in ("random", "popularity"):
        assert any(name in baseline for baseline in trained["baselines"]), trained["baselines"].keys()
    for figure in trained["metrics"].values():
        assert figure["low"] is None or figure["low"] <= figure["mean"] <= figure["high"]

    (listed,) = player("models", "--json").document
    assert (listed["version"], listed["promoted"], listed["current"]) == (
        trained["version"], trained["promoted"], trained["promoted"],
    )  # fmt: skip
    assert (demo.paths.models / trained["version"] / "model.safetensors").is_file()
    assert not list(demo.paths.models.rglob("*.pkl"))

    assert player("models", "promote", trained["version"]).code == 0
    measured = player("evaluate", "--json").document
    assert measured["model_version"] == trained["version"]
    assert all({"model", "metric", "mean", "low", "high"} == set(row) for row in measured["results"])
    for name in ("random", "popularity"):
        assert any(name in baseline for baseline in measured["baselines"]), measured["baselines"].keys()

    served = player("next", "--station", "Evening", "--json").document
    assert served["model_version"] == trained["version"]
    assert all(np.isfinite(item["score"]) for item in served["items"])
    player("feedback", "up", served["items"][0]["track_id"], "--station", "Evening")
    assert player("history", "-n", 1, "--json").document[0]["model_version"] == trained["version"]

    weights = demo.paths.models / trained["version"] / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert "not those stored" in player("models", "promote", trained["version"]).sentence
    after = player("next", "--station", "Evening", "--json")
    assert (after.code, after.document["model_version"]) == (0, "content")
    assert "not those stored" in after.err
    assert "not those stored" in player("evaluate", "--json").err


def test_the_table_for_people_has_the_model_and_its_baselines(demo, player, tmp_path):
    tell_a_taste(demo, player, tmp_path)
    said = player("retrain", "--epochs", 1, "--clep", "n", "--p-hard", 0)
    assert said.code == 0
    assert "What counts for you" in said.out
    assert "pair AUC" in said.out
    assert "random" in said.out
    assert "Version" in said.out


def test_a_version_is_shown_whole_and_two_are_told_apart(demo, player, tmp_path):
    tell_a_taste(demo, player, tmp_path)
    one, other = (
        player("retrain", "--epochs", 1, "--clep", clep, "--p-hard", share, "--json").document
        for clep, share in (("best", 0.4), ("p", 0))
    )
    shown = player("models", "show", one["version"], "--json").document
    assert shown["version"] == one["version"]
    assert shown["metrics"] == one["metrics"]
    assert shown["baselines"] == one["baselines"]
    assert shown["configuration"]["clep.mode"] == "best"
    assert shown["configuration"]["sequential.p_hard"] == 0.4
    assert len(shown["sha256"]) == 64
    told = player("models", "show", one["version"])
    assert one["reason"] in told.out
    assert "untrained" in told.out

    differing = player("models", "diff", one["version"], other["version"], "--json").document["differences"]
    settings = {change["name"]: (change["first"], change["second"]) for change in differing["configuration"]}
    assert settings["clep.mode"] == ("best", "faithful")
    assert settings["sequential.p_hard"] == (0.4, 0.0)
    assert "sequential.width" not in settings
    assert "sequential.p_hard  0.400 → 0.000" in player("models", "diff", one["version"], other["version"]).out
    assert "no difference" in player("models", "diff", one["version"], one["version"]).out
    shared = player("models", "show", one["version"][:4])
    assert shared.code == 1
    assert "2 versions begin with" in shared.sentence
    assert player("models", "show", "nothing").code == 1


def test_one_training_at_a_time(demo, player):
    from player.jobs import trainer_lock

    with trainer_lock(demo.paths.trainer_lock):
        assert "Another embedding or training is running" in player("retrain").sentence
