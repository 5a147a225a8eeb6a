"""The page of an evaluation: complete, alone, well-formed, and not to be broken by any text."""

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure

from player.learning.retraining import Evaluated, load_material
from player.reports import evaluation as view
from player.reports.charts import COLOURS, Mark, around_zero, bars, forest, reliability_diagram, svg
from player.reports.evaluation import evaluation_page
from player.reports.page import asset
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.metrics import Bin
from recommender.events import EventLog, Outcome, empty_log
from recommender.training.history_evaluation import evaluate_listener

pytestmark = pytest.mark.slow

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
def material(demo_template, tmp_path_factory):
    from tests.support.library import copy_home

    home = copy_home(demo_template, tmp_path_factory.mktemp("material") / "home")
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
    assert not [name for name, _ in reader.attributes if name in {"src", "action"} or name.startswith("on")]
    # Within a picture its own parts are referred to.
    assert all(value.startswith("#") for name, value in reader.attributes if name == "href")
    assert not re.search(r"url\((?!#)|@import|https?:", page)
    assert "default-src 'none'" in page
    assert "@" not in re.sub(r"@media|@10", "", page)  # every place of the template was filled


def test_the_page_has_no_number_that_is_not_finite(evaluated, nothing):
    for each in (evaluated, nothing):
        said = " ".join(Reader(evaluation_page(each)).text).casefold().split()
        assert not {"nan", "inf", "-inf", "null"} & {word.strip(".,()") for word in said}


def test_all_pictures_are_well_formed_and_follow_light_and_dark(evaluated):
    pictures = re.findall(r"<svg.*?</svg>", evaluation_page(evaluated), re.DOTALL)
    assert len(pictures) == 4  # order, differences, reliability, events
    for picture in pictures:
        root = ET.fromstring(picture)
        assert root.get("aria-label")
        assert root.get("viewBox")
        assert not re.search(r"#[0-9a-f]{6}\b", picture)
        assert set(re.findall(r"var\(--(\w+)\)", picture)) <= COLOURS.keys()


def test_the_colours_of_pictures_are_those_of_the_dark_page():
    dark = asset("colours.css").partition("prefers-color-scheme: dark")[2]
    assert COLOURS.items() <= dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", dark)).items()


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


@pytest.fixture
def axes():
    return Figure().add_subplot()


@pytest.mark.parametrize(
    "draw",
    [
        lambda axes: forest(axes, [Mark(HOSTILE[:20], 0.5, 0.4, 0.6, "accent"), Mark("$x$", 0.5, None, None, "rival")], (0, 1), 0.5),
        lambda axes: bars(axes, [(HOSTILE[:20], 3, "plus"), ("$x$", 0, "none")]),
    ],
)  # fmt: skip
def test_labels_in_pictures_are_text(draw):
    picture = svg("<b>", 8.0, 1.0, draw)
    said = [text.text for text in ET.fromstring(picture).iter("text")]
    assert HOSTILE[:20] in said
    assert "$x$" in said
    assert ET.fromstring(picture).find("title").text == "<b>"
    assert Reader(picture).open == []


def test_marks_lie_where_their_figures_are(axes):
    forest(axes, [Mark("half", 0.5, 0.25, 0.75, "accent"), Mark("alone", 0.3, None, None, "rival")], (0, 1), 0.5)
    chance, span, dot, alone = (line.get_xydata().tolist() for line in axes.lines)
    assert [x for x, _ in chance] == [0.5, 0.5]
    assert (span, dot, alone) == ([[0.25, 0], [0.75, 0]], [[0.5, 0]], [[0.3, 1]])
    assert axes.get_xlim() == (0, 1)


@pytest.mark.parametrize("reach", [0.0, 0.03, 0.11, 0.4, 1.0])
def test_the_scale_of_differences_holds_every_bound(reach):
    low, high = around_zero([Mark("a", 0.0, -reach, reach, "rival")])
    assert low < -reach <= reach < high
    assert low == -high


def test_a_promise_that_is_kept_lies_on_the_diagonal(axes):
    reliability_diagram(axes, [Bin(0.2, 0.3, 4, 0.25, 0.25), Bin(0.7, 0.8, 8, 0.75, 0.75)])
    diagonal, kept = (line.get_xydata() for line in axes.lines)
    assert diagonal.tolist() == [[0, 0], [1, 1]]
    assert kept.tolist() == [[0.25, 0.25], [0.75, 0.75]]
    smaller, larger = axes.collections[0].get_sizes()
    assert larger == pytest.approx(2 * smaller)


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
