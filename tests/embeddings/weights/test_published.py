import gzip
import hashlib
import http.server
import subprocess
import sys
import threading

import pytest

from embeddings.errors import EmbeddingError
from embeddings.networks.specs import CLMR_FILE, MEE_FILE, OPENL3_MEL128_FILE, OPENL3_MEL256_FILE
from embeddings.registry import available
from embeddings.spec import State
from embeddings.weights.files import (
    PublishedFile,
    ensure_weights,
    fetch_weights,
    find_weights,
    git_blob_id,
    installed_folder,
)

CONTENTS = gzip.compress(b"weights" * 1000)


@pytest.fixture
def server(tmp_path):
    """A real web server with one file."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "w.h5.gz").write_bytes(CONTENTS)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, directory=str(folder), **options)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}/w.h5.gz"
        serving.shutdown()
        thread.join()


def spec(address, **changes):
    fields = {
        "filename": "w.h5.gz",
        "address": address,
        "parameter_bytes": 7_000_000,
        "licence": "CC-BY-4.0",
        "git_blob": git_blob_id(CONTENTS),
        "other_names": ("w.h5",),
    }
    return PublishedFile(**(fields | changes))


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def prefix(tmp_path, monkeypatch):
    """An environment without weights."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))


def test_the_hash_is_the_one_that_git_gives(tmp_path):
    (tmp_path / "file").write_bytes(CONTENTS)
    try:
        said = subprocess.run(["git", "hash-object", tmp_path / "file"], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("needs git")
    assert git_blob_id(CONTENTS) == said.stdout.strip()


@pytest.mark.slow
def test_a_file_is_fetched_verified_and_found(server, cache):
    wanted = spec(server)
    assert find_weights(wanted, named=None, cache=cache) is None
    path = fetch_weights(wanted, cache)
    assert path == cache / "w.h5.gz"
    assert list(cache.iterdir()) == [path]
    assert ensure_weights(wanted, named=None, cache=cache) == path
    assert wanted.read(path) == CONTENTS


@pytest.mark.slow
def test_a_file_with_another_hash_never_reaches_the_cache(server, cache):
    wanted = spec(server, git_blob=hashlib.sha1(b"other").hexdigest())
    with pytest.raises(EmbeddingError, match="another or a damaged file"):
        fetch_weights(wanted, cache)
    assert list(cache.iterdir()) == []


def test_what_to_do_by_hand_is_said_when_the_web_is_out_of_reach(cache):
    wanted = spec("http://127.0.0.1:9/w.h5.gz")  # nothing listens there
    with pytest.raises(EmbeddingError) as refusal:
        fetch_weights(wanted, cache)
    for part in ("w.h5.gz", wanted.address, "7 MB", wanted.git_blob, "CC-BY-4.0", str(cache / "w.h5.gz"), "--weights"):
        assert part in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.slow
def test_a_missing_page_is_said_too(server, cache):
    with pytest.raises(EmbeddingError, match="fetching failed"):
        fetch_weights(spec(server + ".absent"), cache)


@pytest.mark.slow
def test_nothing_is_fetched_unasked(server, cache):
    with pytest.raises(EmbeddingError, match="--fetch downloads them"):
        ensure_weights(spec(server), named=None, cache=cache)
    assert not cache.exists()


@pytest.mark.parametrize("wanted", [CLMR_FILE, MEE_FILE])
def test_what_has_no_published_hash_is_not_fetched_but_explained(wanted, cache):
    for attempt in (lambda: fetch_weights(wanted, cache), lambda: ensure_weights(wanted, named=None, cache=cache)):
        with pytest.raises(EmbeddingError) as refusal:
            attempt()
        for part in (wanted.filename, "github.com", "no hash is published", "licence MIT", str(cache)):
            assert part in str(refusal.value)


def test_an_unpacked_file_is_found_under_its_other_name(cache):
    installed_folder().mkdir(parents=True)
    place = installed_folder() / "w.h5"
    place.write_bytes(b"\x89HDF")
    assert find_weights(spec("http://127.0.0.1:9/"), named=None, cache=cache) == place


def test_a_damaged_copy_is_passed_over_and_a_damaged_named_file_refused(cache):
    cache.mkdir()
    (cache / "w.h5.gz").write_bytes(CONTENTS[:-1])
    wanted = spec("http://127.0.0.1:9/")
    assert find_weights(wanted, named=None, cache=cache) is None
    with pytest.raises(EmbeddingError, match="another or a damaged file"):
        find_weights(wanted, named=cache / "w.h5.gz", cache=cache)


def test_files_that_cannot_be_read_are_said(tmp_path):
    wanted = spec("http://127.0.0.1:9/")
    with pytest.raises(EmbeddingError, match="cannot be read: No such file"):
        wanted.read(tmp_path / "absent.h5")
    with pytest.raises(EmbeddingError, match="no regular file"):
        wanted.read(tmp_path)


def test_the_folder_of_an_installed_package_is_searched_without_importing_it(tmp_path, monkeypatch, cache):
    package = tmp_path / "site" / "openl3"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    weights = package / "openl3_audio_mel256_music.h5"
    weights.write_bytes(b"\x89HDF")
    monkeypatch.syspath_prepend(package.parent)
    assert find_weights(OPENL3_MEL256_FILE, named=None, cache=cache) == weights
    assert find_weights(OPENL3_MEL128_FILE, named=None, cache=cache) is None
    assert "openl3" not in sys.modules


def test_every_front_end_is_listed_with_what_it_lacks(cache):
    listed = {one.name: one for one in available(cache)}
    assert list(listed) == ["musicnn", "openl3", "clmr", "mee", "jukebox", "mule"]
    assert [one.dimension for one in listed.values()] == [200, 512, 512, 2048, 4800, 1728]
    assert {listed[name].state for name in ("musicnn", "openl3", "clmr", "mee")} == {State.WEIGHTS_MISSING}
    assert listed["openl3"].fix == "player embed --frontend openl3 --fetch"
    assert CLMR_FILE.address in listed["clmr"].fix


def test_a_front_end_is_ready_when_its_weights_and_its_package_are_there(cache, monkeypatch):
    cache.mkdir()
    weights = cache / "openl3_audio_mel256_music.h5"
    weights.write_bytes(b"\x89HDF")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name == "h5py" else None)
    ready = available(cache)[1]
    assert (ready.state, ready.weights, ready.fix) == (State.READY, str(weights), "")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert available(cache)[1].state is State.PACKAGE_MISSING
    assert "pip install h5py" in available(cache)[1].fix
