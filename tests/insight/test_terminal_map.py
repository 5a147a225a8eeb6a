"""The map for the screen: made in a child, kept on disk, and never an obstacle."""

import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from player.errors import PlayerError
from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.insight import terminal_map
from player.insight.library_map import UNTHUMBED, UP, project
from player.insight.terminal_map import (
    MAP_FILE,
    MapMaker,
    MapView,
    colour_map,
    load_map,
    map_key,
    placed_tracks,
    save_map,
)
from player.library.vectors import store_embedding
from player.playback.controller import Controller
from player.stations.collection import load_collection
from tests.support.library import CARD, copy_home, settings

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 240.0


class Watched:
    """A map maker and every view it showed."""

    def __init__(self, home) -> None:
        self.home = home
        self.views: list[MapView] = []
        self.done = threading.Event()
        self.maker = MapMaker(home.paths.data, self._changed)

    def _changed(self) -> None:
        view = self.maker.view
        self.views.append(view)
        if view.share is None:
            self.done.set()

    def make(self, collection) -> MapView:
        self.done.clear()
        self.maker.ask(collection)
        assert self.done.wait(PATIENCE_SECONDS)
        return self.maker.view


@pytest.fixture
def watched(demo):
    watched = Watched(demo)
    yield watched
    watched.maker.close()


@pytest.fixture(scope="module")
def mapped_template(demo_template, tmp_path_factory):
    """The demo library with its map."""
    home = copy_home(demo_template, tmp_path_factory.mktemp("template") / "mapped")
    watched = Watched(home)
    watched.make(load_collection(home.database))
    home.close()
    return home.paths.data


@pytest.fixture
def mapped(mapped_template, tmp_path):
    """The demo library with its map, in a data folder of its own."""
    home = copy_home(mapped_template, tmp_path / "mapped")
    yield home
    home.close()


@pytest.fixture
def no_child(monkeypatch):
    def refuse(*_arguments, **_named):
        pytest.fail("no child was to be started")

    return lambda: monkeypatch.setattr(terminal_map.subprocess, "Popen", refuse)


def test_the_child_places_the_tracks_as_player_map_does(demo, watched, caplog):
    collection = load_collection(demo.database)
    view = watched.make(collection)
    rows = sorted(np.flatnonzero(collection.vectors.present), key=lambda row: collection.rows[row].id)
    expected = project(collection.vectors.vectors[rows], lambda *_: None)
    assert view.problem == ""
    assert view.placed.method == expected.method == "t-SNE"
    assert [track.id for track in view.placed.tracks] == [collection.rows[row].id for row in rows]
    assert np.abs(view.placed.places - expected.places).max() < 1e-4
    assert view.placed.left_out == 0
    shares = [view.share for view in watched.views[:-1]]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert max(shares) > 0.5
    assert watched.views[-1].share is None
    assert watched.maker._child.wait(10) == 0, "it does not outlive its work"
    assert "player.map" not in caplog.text, "and has nothing to complain of"


def test_the_same_library_is_not_placed_twice(mapped, no_child):
    no_child()
    watched = Watched(mapped)
    view = watched.make(load_collection(mapped.database))
    assert len(view.placed.tracks) == len(mapped.rows)
    assert len(watched.views) == 1


def test_another_vector_makes_another_map_and_the_old_one_is_shown_meanwhile(mapped):
    before = load_map(mapped.paths.data / MAP_FILE)
    embed(mapped, np.full(CARD.dimension, 0.5, "<f4"))
    watched = Watched(mapped)
    after = watched.make(load_collection(mapped.database)).placed
    assert watched.views[0].share == 0
    assert (watched.views[0].placed.places == before.places).all()
    assert not (after.places == before.places).all()
    assert (load_map(mapped.paths.data / MAP_FILE).places == after.places).all()


def test_the_key_knows_tracks_vectors_and_front_end(demo):
    collection = load_collection(demo.database)
    rows = np.argsort(collection.catalogue.ids)
    key = map_key(collection, rows)
    assert map_key(load_collection(demo.database), rows) == key
    assert map_key(collection, rows[1:]) != key
    newer = replace(collection, frontend=replace(collection.frontend, version="newer"))
    assert map_key(newer, rows) != key
    shuffled = collection.vectors.vectors[::-1].copy()
    assert map_key(replace(collection, vectors=replace(collection.vectors, vectors=shuffled)), rows) != key


def test_a_track_whose_file_is_missing_is_left_out_without_a_new_map(mapped, no_child):
    no_child()
    collection = load_collection(mapped.database)
    playable = collection.playable.copy()
    playable[3] = False
    view = Watched(mapped).make(replace(collection, playable=playable))
    assert collection.rows[3] not in view.placed.tracks
    assert len(view.placed.tracks) == len(view.placed.places) == len(collection) - 1


def test_a_track_without_a_place_is_counted(mapped):
    collection = load_collection(mapped.database)
    kept = load_map(mapped.paths.data / MAP_FILE)
    fewer = replace(kept, ids=kept.ids[2:], places=kept.places[2:])
    assert placed_tracks(collection, fewer).left_out == 2
    assert len(placed_tracks(collection, fewer).tracks) == len(collection) - 2


def test_a_library_that_nobody_listened_to_gets_a_sentence(demo, watched, no_child):
    no_child()
    collection = load_collection(demo.database)
    vectors = replace(collection.vectors, vectors=np.full_like(collection.vectors.vectors, np.nan))
    view = watched.make(replace(collection, vectors=vectors))
    assert view.placed is None
    assert "No track was analysed yet" in view.problem


@pytest.mark.parametrize(
    "damage", [b"", b"PK\x03\x04 not an archive", bytes(range(256)) * 4], ids=["empty", "cut", "else"]
)
def test_a_damaged_file_is_no_map(tmp_path, damage):
    file = tmp_path / MAP_FILE
    assert load_map(file) is None
    file.write_bytes(damage)
    assert load_map(file) is None


def test_a_file_that_does_not_hold_together_is_not_used(mapped):
    file = mapped.paths.data / MAP_FILE
    kept = load_map(file)
    for wrong in (replace(kept, places=kept.places[1:]), replace(kept, places=kept.places * np.float32("nan"))):
        save_map(wrong, file)
        assert load_map(file) is None


def test_a_map_that_cannot_be_kept_is_shown_all_the_same(demo):
    watched = Watched(demo)
    (demo.paths.data / MAP_FILE).mkdir()
    assert watched.make(load_collection(demo.database)).placed is not None
    assert watched.maker.view.problem == ""
    assert [path.name for path in demo.paths.data.glob("*.new")] == []


def test_a_child_that_dies_is_told(demo, watched, monkeypatch):
    started = subprocess.Popen
    monkeypatch.setattr(
        terminal_map.subprocess,
        "Popen",
        lambda _command, **named: started([sys.executable, "-c", "import os; os.abort()"], **named),
    )
    view = watched.make(load_collection(demo.database))
    assert view.placed is None
    assert "player.log says" in view.problem


def test_closing_ends_the_child_at_once(demo, watched):
    watched.maker.ask(load_collection(demo.database))
    wait_for(lambda: watched.maker._child is not None)
    began = time.monotonic()
    watched.maker.close()
    assert watched.maker._child.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 5
    watched.maker.ask(load_collection(demo.database))
    assert not (demo.paths.data / MAP_FILE).exists()


def test_the_child_ends_when_the_screen_is_killed(demo):
    code = (
        "import sys, time; from tests.support.library import open_home; from pathlib import Path;"
        "from player.stations.collection import load_collection;"
        "from player.insight.terminal_map import MapMaker;"
        f"home = open_home(Path({str(demo.paths.data)!r}));"
        "maker = MapMaker(home.paths.data, lambda: None); maker.ask(load_collection(home.database));"
        "[time.sleep(0.02) for _ in range(500) if maker._child is None];"
        "print(maker._child.pid, flush=True); time.sleep(60)"
    )
    screen = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with screen:
        child = int(screen.stdout.readline())
        screen.kill()
    wait_for(lambda: not running(child))
    assert not (demo.paths.data / MAP_FILE).exists()


def test_the_process_of_the_screen_imports_neither_scikit_learn_nor_torch(demo):
    code = (
        "import json, sys, time; from tests.support.library import open_home, settings; from pathlib import Path;"
        "from player.playback.controller import Controller;"
        f"home = open_home(Path({str(demo.paths.data)!r}));"
        "player = Controller(home.database, home.paths, settings(), origin='tui'); player.make_map();"
        "[time.sleep(0.05) for _ in range(1000) if player.map_view().placed is None];"
        "player.map_colours(player.map_view().placed.tracks, 'genre');"
        "print(json.dumps([len(player.map_view().placed.tracks), *({'sklearn', 'torch'} & set(sys.modules))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [24]


def test_the_controller_tells_when_the_map_has_changed(mapped):
    controller = Controller(mapped.database, mapped.paths, settings(), origin="tui")
    revisions = []
    controller.subscribe(lambda: revisions.append(controller.snapshot().revision))
    controller.make_map()
    wait_for(lambda: controller.map_view().placed is not None)
    assert len(revisions) >= 1
    track = controller.map_view().placed.tracks[0]
    similar = controller.similar(track.id, 5)
    assert len(similar) == 5
    assert track.id not in {found.track.id for found in similar}
    with pytest.raises(PlayerError, match="choose one first"):
        controller.map_colours([track], "score")
    controller.close()


def test_thumbs_and_scores_are_those_of_the_station_that_is_on(demo):
    evening, morning = demo.station("Evening"), demo.station("Morning")
    tracks = demo.rows
    log = EventStore(demo.database, "tui")
    log.append(NewEvent("up", tracks[0].id, evening.id))
    log.append(NewEvent("up", tracks[1].id, morning.id))
    controller = Controller(demo.database, demo.paths, settings(), origin="tui")
    controller.start()
    controller.open_station(evening.id)
    try:
        thumbs = controller.map_colours(tracks, "thumb")
        assert [thumbs.groups[place] for place in (0, 1, 2)] == [UP, UNTHUMBED, UNTHUMBED]
        scores = controller.map_colours(tracks[::-1], "score")
        assert scores.title == "score on Evening"
        assert np.isfinite(scores.values).all()
        assert scores.values[-1] == controller.map_colours(tracks[:1], "score").values[0]
    finally:
        controller.close()
    collection = load_collection(demo.database)
    everywhere = colour_map(collection, load_history(demo.database, collection.rows), None, None, tracks, "thumb")
    assert everywhere.groups[:3] == (UP, UP, UNTHUMBED)


def embed(home, vector) -> None:
    """Give the first track another vector."""
    with home.database.session() as session:
        stored = vector.tobytes()
        store_embedding(session, home.track_ids[0], CARD.name, CARD.version, vector=stored, tags=None, error=None)


def running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(true) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
