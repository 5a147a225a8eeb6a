"""The page of an evaluation: complete, alone, well-formed, and not to be broken by any text."""

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from player.learning.retraining import Evaluated, load_material
from player.reports import evaluation_view as view
from player.reports.evaluation_charts import SHARES, Mark, bars, difference_scale, forest, reliability_diagram
from player.reports.evaluation_page import evaluation_page
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.metrics import Bin
from recommender.events import EventLog, Outcome, empty_log
from recommender.training.history_evaluation import evaluate_listener

EVENTS = 300
HOSTILE = "</style></title><script>alert(1)</script><img src=//evil.example/x onerror=alert(1)> @STYLE@ \\g<1> \udcff \x1b[31m"
VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Collects tags, and checks that every element that is opened is closed in its turn."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], set(), [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def material(demo_template):
    from tests.support.library import open_home

    home = open_home(demo_template)
    yield load_material(home.database)
    home.close()


def taste(material, events=EVENTS):
    """A listener who likes the first half of the demo library."""
    rng = np.random.default_rng(3)
    tracks = len(material.collection.index)
    track = rng.integers(tracks, size=events)
    liked = (track < tracks // 2) == (rng.random(events) < 0.85)
    return EventLog(
        listener=np.zeros(events, np.int64),
        station=np.zeros(events, np.int64),
        track=track,
        time=1.7e9 + np.cumsum(rng.exponential(3000.0, size=events)),
        outcome=np.where(liked, Outcome.FINISH, Outcome.SKIP_EARLY).astype(np.int8),
        label=np.where(liked, 1, -1).astype(np.int8),
        weight=np.ones(events, np.float32),
        explicit=np.zeros(events, np.bool_),
        tracks=tracks,
    )


@pytest.fixture(scope="module")
def evaluated(material):
    artist = material.collection.catalogue.artist
    return Evaluated(evaluate_listener(None, taste(material), material.catalogue, artist), None, "")


@pytest.fixture(scope="module")
def nothing(material):
    log = empty_log(len(material.collection.index))
    return Evaluated(evaluate_listener(None, log, material.catalogue), None, "")


def test_the_page_says_the_conclusion_and_shows_every_recommender(evaluated):
    reader = Reader(evaluation_page(evaluated))
    said = " ".join(reader.text)
    assert evaluated.report.conclusion.sentence in said
    for detail in evaluated.report.conclusion.details:
        assert detail in said
    for model in evaluated.report.evaluation.models:
        assert model in said
    for heading in (
        "plain rules",
        "Known or new",
        "come true",
        "varied",
        "Your feedback so far",
        "How it was measured",
    ):
        assert heading in said
    assert reader.open == []


def test_the_page_needs_no_script_and_fetches_nothing(evaluated):
    page = evaluation_page(evaluated)
    reader = Reader(page)
    assert not reader.tags & {"script", "img", "link", "iframe", "object", "embed", "a", "form"}
    assert not [name for name, _ in reader.attributes if name in {"src", "href", "action"} or name.startswith("on")]
    assert not re.search(r"url\(|@import|https?:", page)
    assert "default-src 'none'" in page
    assert "@" not in re.sub(r"@media|@10", "", page)  # every place of the template was filled


def test_the_page_has_no_number_that_is_not_finite(evaluated, nothing):
    for each in (evaluated, nothing):
        said = " ".join(Reader(evaluation_page(each)).text).casefold().split()
        assert not {"nan", "inf", "-inf", "null"} & {word.strip(".,()") for word in said}


def test_all_pictures_are_well_formed_and_within_their_frame(evaluated):
    pictures = re.findall(r"<svg.*?</svg>", evaluation_page(evaluated), re.DOTALL)
    assert len(pictures) == 4  # order, differences, reliability, events
    for picture in pictures:
        root = ET.fromstring(picture)
        _, _, width, height = map(float, root.get("viewBox").split())
        assert root.get("aria-label")
        for shape in root.iter("circle"):
            assert 0 <= float(shape.get("cx")) <= width
            assert 0 <= float(shape.get("cy")) <= height
        for shape in root.iter("line"):
            assert 0 <= float(shape.get("x1")) <= float(shape.get("x2")) <= width


def test_an_empty_log_makes_a_page_with_the_sentence_and_no_tables_of_figures(nothing):
    page = evaluation_page(nothing)
    assert nothing.report.conclusion.sentence in " ".join(Reader(page).text)
    assert "All figures" not in page
    assert "<svg" not in page


def test_no_text_breaks_the_page(evaluated):
    conclusion = replace(evaluated.report.conclusion, sentence=HOSTILE, details=(HOSTILE,))
    hostile = Evaluated(replace(evaluated.report, conclusion=conclusion, left_out=HOSTILE), HOSTILE, HOSTILE)
    page = evaluation_page(hostile)
    reader = Reader(page)
    page.encode("utf-8")
    assert not reader.tags & {"script", "img"}
    assert reader.open == []
    assert " ".join(reader.text).count("<script>alert(1)</script>") == 5


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs the browser chromium")
def test_a_browser_shows_the_conclusion(evaluated, tmp_path):
    file = tmp_path / "evaluation.html"
    file.write_text(evaluation_page(evaluated), "utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [*command, "--dump-dom", file.as_uri()], capture_output=True, text=True, timeout=60, check=False
    )
    assert evaluated.report.conclusion.sentence in done.stdout


def test_labels_in_pictures_are_escaped():
    picture = forest("<b>", [Mark("<i>&", 0.5, 0.4, 0.6, "own")], SHARES)
    assert "&lt;i&gt;&amp;" in picture
    assert ET.fromstring(picture).find("title").text == "<b>"
    assert ET.fromstring(bars("a", [("<x>", 3, "plus")])).find("text").text == "<x>"


def test_marks_lie_where_their_figures_are():
    root = ET.fromstring(forest("a", [Mark("half", 0.5, 0.25, 0.75, "own")], SHARES))
    dot = root.find("circle")
    span = next(line for line in root.iter("line") if line.get("class") == "own")
    assert float(dot.get("cx")) == pytest.approx(SHARES.x(0.5), abs=0.1)
    assert float(span.get("x1")) == pytest.approx(SHARES.x(0.25), abs=0.1)
    assert float(dot.get("cx")) == pytest.approx((float(span.get("x1")) + float(span.get("x2"))) / 2, abs=0.1)


@pytest.mark.parametrize("reach", [0.0, 0.03, 0.11, 0.4, 1.0])
def test_the_scale_of_differences_holds_every_bound_and_has_few_ticks(reach):
    scale = difference_scale([Mark("a", 0.0, -reach, reach, "other")])
    assert scale.low <= -reach <= reach <= scale.high
    assert 3 <= len(scale.ticks) <= 9
    assert scale.name(0.0) == "0.00"


def test_a_promise_that_is_kept_lies_on_the_diagonal():
    root = ET.fromstring(reliability_diagram("a", [Bin(0.2, 0.3, 4, 0.25, 0.25), Bin(0.7, 0.8, 8, 0.75, 0.75)]))
    diagonal = next(line for line in root.iter("line") if line.get("class") == "mark")
    slope = (float(diagonal.get("y2")) - float(diagonal.get("y1"))) / (
        float(diagonal.get("x2")) - float(diagonal.get("x1"))
    )
    for dot in root.iter("circle"):
        on_line = float(diagonal.get("y1")) + slope * (float(dot.get("cx")) - float(diagonal.get("x1")))
        assert float(dot.get("cy")) == pytest.approx(on_line, abs=0.2)


def test_tables_are_rectangular_and_every_measure_shown_has_its_meaning(evaluated):
    listener = evaluated.report
    report = listener.evaluation.report
    tables = [
        view.comparison_table(listener),
        view.profile_table(listener),
        view.main_table(report, listener.subject),
        view.calibration_table(report, listener.subject),
        view.reliability_table(report, listener.subject),
        view.share_table(report, view.shown_models(listener)),
        view.log_table(listener.facts),
    ]
    for table in tables:
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}
    assert all(row[-1] for row in view.profile_table(listener).rows)
    assert set(view.MAIN + view.REPEATS + view.DIVERSITY + view.CALIBRATION) <= set(view.MEANINGS)
    assert set(Outcome) - {Outcome.PADDING} == set(view.OUTCOMES)


def test_figures_that_nobody_has_are_no_column(evaluated):
    report = evaluated.report.evaluation.report
    gone = replace(report, rows=tuple(row for row in report.rows if row.metric is not Measure.NDCG))
    assert "NDCG@10" not in view.main_table(gone, "").columns
    assert view.figures_table(gone, "", [Measure.NDCG], "").rows == ()
