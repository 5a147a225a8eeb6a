"""``player experiment`` on people's histories: each measured, compared over persons, kept, and refused in a sentence."""

import pytest

from tests.support.histories import extended, listening, packed


@pytest.fixture
def folder(tmp_path):
    """Three people, one of whom only scrobbles, and a file that is none."""
    home = tmp_path / "people"
    home.mkdir()
    for seed, name in enumerate(("ann", "bob")):
        packed(home / f"{name}.zip", "endsong_0.json", extended(listening(seed=seed, sessions=80)))
    packed(home / "eve.zip", "endsong_0.json", extended(listening(sessions=40, taste=0.0).until(30)))
    (home / "readme.txt").write_text("no export")
    return home


@pytest.mark.slow
def test_people_are_measured_each_and_over_all(player, folder):
    document = player("experiment", "people", "--dataset", f"spotify:{folder}", "--json").document
    assert [person["name"] for person in document["people"]] == ["ann", "bob"]
    assert all(person["plays"] > 500 and person["sessions"] == 80 for person in document["people"])
    assert len(document["left_out"]) == 1
    assert "eve" in document["left_out"][0]
    summary = {(row["model"], row["metric"]): row for row in document["summary"]}
    player, rate = summary["player", "auc_session"], summary["track-rate", "auc_session"]
    assert player["median"] > 0.65 > summary["last-five", "auc_session"]["median"]
    assert player["wilcoxon_p"] is None
    assert 0 < rate["wilcoxon_p"] <= 1
    assert rate["low"] <= rate["median"] <= rate["high"]


@pytest.mark.slow
def test_one_person_s_baselines_are_kept_shown_and_repeated(player, folder):
    asked = (
        "--dataset",
        f"spotify:{folder / 'ann.zip'}",
        "--models",
        "track-rate,artist-rate,last-five,player",
        "--json",
    )
    document = player("experiment", "baselines", *asked).document
    metrics = {row["metric"] for row in document["results"] if row["model"] == "player"}
    assert metrics == {"auc", "auc_session", "auc_first", "auc_repeat"}
    assert "in a session" in player("experiment", "show", document["id"]).out
    assert player("experiment", "repeat", document["id"]).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("people", "--dataset", "movielens:x"), "KIND:FOLDER"),
        (("people", "--dataset", "spotify:nowhere"), "no file or folder"),
        (("baselines", "--dataset", "spotify:{}/ann.zip", "--models", "magic"), "no model 'magic'"),
        (("baselines", "--dataset", "spotify:{}/ann.zip", "--split", "random"), "--split"),
        (("baselines", "--dataset", "spotify:{}/eve.zip"), "longer history"),
        (("baselines", "--dataset", "spotify:{}/readme.txt"), "it is no play"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_sentence(player, folder, arguments, said):
    answer = player("experiment", *(argument.format(folder) for argument in arguments))
    assert answer.code in {1, 2}
    assert said in answer.err
    assert "Traceback" not in answer.err
