"""``player evaluate``: the conclusion, the document for scripts, the page, and logs of every kind."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from recommender.training.history_evaluation import ONE_LISTENER

pytestmark = pytest.mark.slow

KEYS = {"split", "results", "by_positive_share", "conclusion"}
OLD_KEYS = {"model_version", "positives", "negatives", "pairs", "metrics", "baselines", "omitted", "missing"}
ROW = {"model", "metric", "mean", "low", "high"}


def tell(home, player, folder, events, like=0.5, seed=5):
    """So many finished and skipped tracks over weeks, six an evening; likes follow the genre, or come ``like`` of the time."""
    rng = np.random.default_rng(seed)
    liked = set(sorted({row.genre for row in home.rows})[::2])
    start = datetime(2026, 3, 1, 20, tzinfo=UTC)
    lines = []
    for number in range(events):
        row = home.rows[rng.integers(len(home.rows))]
        pleased = rng.random() < like if like in (0.0, 1.0) else (row.genre in liked) == (rng.random() < 0.9)
        at = start + timedelta(days=number // 6, minutes=4 * (number % 6))
        event = {"event": "finish" if pleased else "skip", "track_id": row.id, "station": "Evening"}
        lines.append({**event, "position": None if pleased else 6.0, "at": at.isoformat()})
    file = folder / "taste.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    assert player("feedback", "--from", file).code == 0


def test_the_document_has_what_scripts_expect(demo, player, tmp_path):
    tell(demo, player, tmp_path, 300)
    answer = player("evaluate", "--json")
    document = answer.document
    assert answer.code == 0
    assert set(document) >= KEYS | OLD_KEYS
    assert all(set(row) == ROW for row in document["results"])
    assert {row["model"] for row in document["results"]} == {*ONE_LISTENER, "artists", "untrained"}
    assert {
        "auc",
        "mrr_positive",
        "ndcg@10",
        "hr@10_repeat",
        "gini",
        "coverage",
        "entropy",
        "novelty",
        "ece",
        "brier",
    } <= {row["metric"] for row in document["results"]}
    assert document["split"]["state"] == "walking"
    assert document["split"]["ordered"]
    assert (
        document["split"]["train"] + document["split"]["validation"] + document["split"]["test"]
        == document["log"]["events"]
    )
    assert datetime.fromisoformat(document["split"]["test_from"]) > datetime.fromisoformat(document["log"]["first"])
    assert document["conclusion"].startswith("The untrained player orders a liked above a disliked track in ")
    assert {each["baseline"] for each in document["comparisons"]} == {*ONE_LISTENER, "artists"}
    assert all(0 < each["p"] <= each["p_holm"] <= 1 for each in document["comparisons"])
    assert (
        sum(entry["rows"] for entry in document["calibration"][0]["bins"])
        == document["positives"] + document["negatives"]
    )
    assert document["by_positive_share"]
    assert document["html"] is None


@pytest.mark.parametrize("events", [0, 5])
def test_too_little_feedback_is_no_failure_and_says_what_it_takes(demo, player, tmp_path, events):
    tell(demo, player, tmp_path, events) if events else None
    answer = player("evaluate", "--json")
    assert answer.code == 0
    assert "othing can be concluded" in answer.document["conclusion"]
    assert answer.document["log"]["events"] == events
    said = player("evaluate")
    assert (said.code, "othing can be concluded" in said.out) == (0, True)


@pytest.mark.parametrize(("like", "missing"), [(1.0, "dislike"), (0.0, "like")])
def test_a_one_sided_log_asks_for_the_other_side(demo, player, tmp_path, like, missing):
    tell(demo, player, tmp_path, 60, like)
    document = player("evaluate", "--json").document
    assert f"without any {missing} there is nothing to compare" in document["conclusion"]
    assert document["pairs"] == 0
    assert any("pair AUC" in sentence for sentence in document["omitted"])


def test_people_read_the_conclusion_first_and_every_baseline_after(demo, player, tmp_path, monkeypatch):
    tell(demo, player, tmp_path, 300)
    for columns in ("80", "120"):
        monkeypatch.setenv("COLUMNS", columns)
        said = player("evaluate")
        assert said.code == 0
        lines = [line for line in said.out.splitlines() if line.strip()]
        assert lines[0].startswith("The untrained player orders")
        assert all(name in said.out for name in ONE_LISTENER)
        assert all(len(line) <= int(columns) for line in lines)
        for section in ("against each baseline", "P(like)", "Your feedback so far", "How it was measured", "Left out"):
            assert section in said.out


def test_the_page_is_written_where_it_was_asked_for(demo, player, tmp_path):
    tell(demo, player, tmp_path, 120)
    page = tmp_path / "report.html"
    document = player("evaluate", "--html", page, "--json").document
    assert document["html"] == str(page)
    assert document["conclusion"] in page.read_text("utf-8")
    assert "report.html" in player("evaluate", "--html", page).out.replace("\n", "")


def test_a_page_that_cannot_be_written_is_one_sentence(demo, player, tmp_path):
    assert "There is no folder" in player("evaluate", "--html", tmp_path / "nowhere" / "a.html").sentence
    assert "is a folder" in player("evaluate", "--html", tmp_path).sentence
