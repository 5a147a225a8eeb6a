"""The map: places, colours, and a page that no tag can break."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from player.errors import PlayerError
from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.insight.library_map import (
    DOWN,
    FEWEST_FOR_TSNE,
    MIXED,
    OTHER,
    UNTAGGED,
    UNTHUMBED,
    UP,
    Colouring,
    LibraryMap,
    colour_by_genre,
    colour_by_thumb,
    draw_map,
    project,
)
from player.library.tracks import TrackRow
from player.library.vectors import store_embedding
from player.reports.map import SCALE, map_page, paint, save_picture
from player.stations.collection import load_collection
from tests.support.library import CARD

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "<!--<script>",
    "@SCRIPT@ @DATA@ \\g<1>",
    "line\u2028separator\u2029\x00\x1b[31m",
    "a lone surrogate \udcff",
    "$\\frac{1}{$ _leading",
    "音楽 🎵 \u202etxet",
]


def quiet(_stage, _done, _total):
    return


def groups(count: int, each: int, seed=0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((count, 40))
    return (np.repeat(centres, each, axis=0) + 0.2 * rng.standard_normal((count * each, 40))).astype(np.float32)


def track(number: int, title="Title", genre="Folk") -> TrackRow:
    return TrackRow(number, f"/m/{number}", title, f"Artist {title}", f"Album {title}", genre, None, 60.0, False)


def hostile_map() -> LibraryMap:
    tracks = [track(number, text, text) for number, text in enumerate(HOSTILE)]
    places = np.random.default_rng(0).uniform(-1, 1, (len(tracks), 2))
    return LibraryMap(tuple(tracks), places, "PCA", colour_by_genre(tracks), 0)


class Page(HTMLParser):
    """The elements of a page and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] == "script" and data.strip():
            self.scripts.append(data)


# --- places


@pytest.mark.slow
def test_tracks_that_sound_alike_lie_side_by_side():
    projection = project(groups(4, 15), quiet)
    group = np.repeat(np.arange(4), 15)
    gaps = np.linalg.norm(projection.places[:, None] - projection.places[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    assert projection.method == "t-SNE"
    assert (group[gaps.argmin(axis=1)] == group).mean() > 0.95
    assert np.abs(projection.places).max() == pytest.approx(1)


@pytest.mark.slow
def test_the_same_vectors_give_the_same_map():
    vectors = groups(3, 10)
    assert np.array_equal(project(vectors, quiet).places, project(vectors.copy(), quiet).places)


@pytest.mark.slow
def test_the_work_is_told_and_nothing_is_printed(capsys):
    told = []
    project(groups(4, 10), lambda *step: told.append(step))
    assert len(told) > 3
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("count", [1, 2, 3, FEWEST_FOR_TSNE - 1])
def test_a_few_tracks_are_placed_by_their_principal_components(count):
    vectors = groups(count, 1)
    projection = project(vectors, quiet)
    assert projection.method == "PCA"
    assert np.isfinite(projection.places).all()
    if count > 2:
        unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(float)
        scores = np.linalg.svd(unit - unit.mean(0), full_matrices=False)
        slow = scores[0][:, :2] * scores[1][:2]
        gaps = np.linalg.norm(slow[:, None] - slow[None], axis=2)
        drawn = np.linalg.norm(projection.places[:, None] - projection.places[None], axis=2)
        assert drawn / drawn.max() == pytest.approx(gaps / gaps.max(), abs=1e-6)


def test_tracks_that_all_sound_the_same_are_in_one_place():
    projection = project(np.ones((30, 8), np.float32), quiet)
    assert np.abs(projection.places).max() < 1e-6 or np.ptp(projection.places, axis=0).max() < 1e-6


def test_vectors_of_one_dimension_and_of_no_length_are_placed():
    vectors = np.array([[1.0], [0.0], [-2.0], *[[0.5]] * 20], np.float32)
    assert np.isfinite(project(vectors, quiet).places).all()


# --- what is on it


def test_every_playable_track_that_was_listened_to_is_on_it(demo):
    unheard = demo.track_ids[3]
    with demo.database.session() as session:
        store_embedding(session, unheard, CARD.name, CARD.version, vector=None, tags=None, error="it is damaged")
    drawn = draw_map(demo.database, demo.paths, load_collection(demo.database), "genre", None, quiet)
    assert [row.id for row in drawn.tracks] == [track for track in demo.track_ids if track != unheard]
    assert (drawn.left_out, len(drawn.places)) == (1, 23)


def test_genres_are_grouped_whatever_their_case_and_the_small_ones_together():
    genres = ["Rock", "rock", "Rock; Pop", "", *[f"Genre {n}" for n in range(9) for _ in range(2)]]
    colouring = colour_by_genre([track(n, genre=genre) for n, genre in enumerate(genres)])
    assert colouring.groups[:4] == ("Rock", "Rock", "Rock", UNTAGGED)
    assert colouring.order == ("Rock", *(f"Genre {n}" for n in range(7)), OTHER, UNTAGGED)
    assert set(colouring.groups) == set(colouring.order)
    legend = paint(colouring).legend
    assert sum(entry.count for entry in legend) == len(genres)
    assert len({entry.colour for entry in legend}) == len(legend)


def test_thumbs_are_those_of_one_station_or_of_all(demo):
    one, two = demo.station("One"), demo.station("Two")
    up, down, mixed, none, *_ = demo.rows
    log = EventStore(demo.database, "cli")
    told = [("up", up, one), ("down", down, two), ("up", mixed, one), ("down", mixed, two)]
    log.append_all([NewEvent(event, row.id, station.id) for event, row, station in told])
    rows = [up, down, mixed, none]
    history = load_history(demo.database, demo.rows)
    assert colour_by_thumb(rows, history, None).groups == (UP, DOWN, MIXED, UNTHUMBED)
    assert colour_by_thumb(rows, history, one).groups == (UP, UNTHUMBED, UP, UNTHUMBED)
    assert colour_by_thumb(rows, history, demo.station("Three")).groups == (UNTHUMBED,) * 4


def test_scores_are_those_of_the_station_and_colour_a_scale(demo):
    seed = demo.rows[0]
    station = demo.station("Near", f"track:{seed.id}")
    drawn = draw_map(demo.database, demo.paths, load_collection(demo.database), "score", station.name, quiet)
    values = drawn.colouring.values
    assert drawn.tracks[int(np.argmax(values))].id == seed.id
    colours = paint(drawn.colouring)
    assert colours.colours[int(np.argmax(values))] == SCALE[-1]
    assert colours.colours[int(np.argmin(values))] == SCALE[0]


def test_a_score_without_a_station_to_ask_is_told(demo):
    collection = load_collection(demo.database)
    with pytest.raises(PlayerError, match="station create"):
        draw_map(demo.database, demo.paths, collection, "score", None, quiet)
    demo.station("One")
    assert draw_map(demo.database, demo.paths, collection, "score", None, quiet).colouring.title == "score on One"
    demo.station("Two")
    with pytest.raises(PlayerError, match="--station: One, Two"):
        draw_map(demo.database, demo.paths, collection, "score", None, quiet)


# --- the page and the picture


def test_no_tag_can_leave_the_data_of_the_page():
    drawn = hostile_map()
    text = map_page(drawn)
    page = Page(text)
    assert [tag for tag, _ in page.elements].count("script") == 2
    assert not {"img", "svg"} & {tag for tag, _ in page.elements}
    data = json.loads(page.scripts[0])
    for shown, row in zip(data["tracks"], drawn.tracks, strict=True):
        assert shown["title"] == row.title.replace("\udcff", "?")
    assert "</" not in page.scripts[0]


def test_the_page_asks_for_nothing_and_lets_only_its_own_script_run():
    text = map_page(hostile_map())
    page = Page(text)
    assert not [attrs for tag, attrs in page.elements if tag in {"link", "iframe", "img"} or "src" in attrs]
    assert not re.search(
        r"fetch\(|XMLHttpRequest|import\(|url\(|@import", page.scripts[1] + text[: text.index("<body")]
    )
    (policy,) = [attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv")]
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="needs the browser chromium")
def test_a_browser_draws_the_legend_and_runs_nothing_else(tmp_path):
    (tmp_path / "map.html").write_text(map_page(hostile_map()), "utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [*command, "--enable-logging=stderr", "--dump-dom", (tmp_path / "map.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    page = Page(done.stdout)
    assert [attrs.get("aria-pressed") for tag, attrs in page.elements if tag == "button"].count("true") == len(HOSTILE)
    assert not {"img", "svg"} & {tag for tag, _ in page.elements}
    assert "CONSOLE" not in done.stderr, done.stderr


def test_a_picture_is_drawn_whatever_the_names(tmp_path):
    path = tmp_path / "map.png"
    save_picture(hostile_map(), path)
    assert path.read_bytes().startswith(PNG_SIGNATURE)


@pytest.mark.slow
def test_a_picture_of_scores_differs_from_one_of_genres(tmp_path):
    drawn = hostile_map()
    scores = Colouring("score on $x$", values=tuple(float(n) for n in range(len(HOSTILE))))
    save_picture(drawn, tmp_path / "genre.png")
    save_picture(replace(drawn, colouring=scores), tmp_path / "score.png")
    assert (tmp_path / "genre.png").read_bytes() != (tmp_path / "score.png").read_bytes()


def test_a_scale_of_equal_scores_has_a_colour():
    assert set(paint(Colouring("score", values=(1.0, 1.0))).colours) == {SCALE[0]}
