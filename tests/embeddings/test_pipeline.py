import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.errors import EmbeddingError
from embeddings.excerpts import decode_excerpts
from embeddings.pipeline import embed_file, embed_many
from embeddings.registry import frontend_module

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def music(tmp_path_factory, encode, sound):
    """Three files that can be embedded."""
    folder = tmp_path_factory.mktemp("music")
    kinds = (("a.flac", 300.0), ("b.mp3", 600.0), ("c.ogg", 900.0))
    return [encode(folder / name, np.stack([sound(7.0, 44_100, hertz)] * 2), 44_100) for name, hertz in kinds]


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    (folder / "text.mp3").write_text("no music\n" * 100)
    return [folder / "text.mp3", folder / "absent.flac"]


def children():
    return [child for child in multiprocessing.active_children() if child.name == "embedder"]


def alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def change_musicnn(monkeypatch, **changes):
    """Give musicnn another patience, or another number of workers."""
    monkeypatch.setattr("embeddings.registry.BUILT_IN", (replace(frontend_module("musicnn"), **changes),))


def test_a_file_becomes_the_mean_of_its_windows(musicnn, tmp_path, encode, sound):
    samples = sound(7.0, 16_000)
    pooled = embed_file(encode(tmp_path / "a.w64", samples[None], 16_000), musicnn)
    windows = musicnn.embed(samples)
    np.testing.assert_allclose(pooled.vector, windows.windows.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(pooled.tags, windows.tags.mean(axis=0), atol=1e-6)


def test_a_long_file_is_heard_in_pieces(musicnn, tmp_path, encode, sound):
    path = encode(tmp_path / "long.mp3", np.stack([sound(90.0, 44_100)] * 2), 44_100)
    pieces = decode_excerpts(path, musicnn.spec.sample_rate, musicnn.excerpts)
    assert len(pieces) == musicnn.excerpts.count
    np.testing.assert_array_equal(
        embed_file(path, musicnn).vector,
        musicnn.embed_excerpts(pieces).windows.mean(axis=0, dtype=np.float64).astype("f4"),
    )


def test_good_and_bad_files_each_get_their_own_result(musicnn, weights, music, bad):
    paths = [music[0], bad[0], music[1], bad[1], music[2]]
    results = sorted(embed_many(paths, "musicnn", weights, workers=2), key=lambda result: result.index)
    assert [result.path for result in results] == paths
    assert [result.error is None for result in results] == [True, False, True, False, True]
    assert "cannot be decoded" in results[1].error
    assert "No such file" in results[3].error
    for result in (results[0], results[2], results[4]):
        here = embed_file(result.path, musicnn)
        # Not to the last bit: a worker has one thread, this process as many as whatever loaded numpy first left it, and with
        # another number OpenBLAS splits the product that makes the mel spectrogram otherwise.
        np.testing.assert_allclose(result.embedding.vector, here.vector, atol=1e-5)
        np.testing.assert_allclose(result.embedding.tags, here.tags, atol=1e-6)
    assert children() == []


def test_a_crash_is_the_error_of_its_file_and_the_next_is_embedded(weights, music):
    run = embed_many(music, "musicnn", weights, workers=1)
    results = [next(run)]
    os.kill(children()[0].pid, signal.SIGSEGV)  # dies before, or while, it is given the second file
    results += run
    assert [result.index for result in results] == [0, 1, 2]
    assert results[1].error == "the file crashed the process that was embedding it (exit code -11)"
    assert results[0].embedding is not None
    assert results[2].embedding is not None


def test_a_file_that_hangs_its_worker_is_given_up(weights, music, monkeypatch):
    change_musicnn(monkeypatch, patience_seconds=4.0)
    monkeypatch.setattr("embeddings.pipeline.CLOCK_FACTOR", 1.5)
    run = embed_many(music[:2], "musicnn", weights, workers=1)
    assert next(run).embedding is not None
    os.kill(children()[0].pid, signal.SIGSTOP)
    assert [(result.error, result.may_succeed) for result in run] == [("the file took too long and was given up", True)]
    assert children() == []


SLOW_PACKAGE = '''
"""A front-end that embeds by waiting, by computing, or by failing: the file's name says which."""
import time
from embeddings.frontend import FrontEndModule
from embeddings.spec import FrontEndSpec
from embeddings.weights.files import PackageWeights

SPEC = FrontEndSpec("slow", "1", 8_000, 1, 8_000, 2, PackageWeights("none", "https://example.org", "CC0-1.0"))

def load(name, weights):
    import numpy as np
    from embeddings.samples import untagged

    class Slow:
        spec = SPEC

        def embed(self, samples):
            kind = round(len(samples) / 8_000)
            if kind == 1:
                time.sleep(3.0)
            elif kind == 2:
                while True:
                    pass
            elif kind == 3:
                raise KeyError("nobody foresaw this")
            return untagged(np.ones((1, 2), np.float32))

    return Slow()

FRONT_END = FrontEndModule((SPEC,), load, patience_seconds=PATIENCE)
'''
WAITS, COMPUTES, FAILS, WELL = 1.0, 2.0, 3.0, 4.0
"""Seconds of sound that make the front-end above do so."""


@pytest.fixture
def slow(tmp_path, monkeypatch, encode, sound):
    """Embeds sounds of those lengths with that front-end, and so much patience."""

    def slow(patience, *seconds):
        site = tmp_path / "site"
        (site / "slow-1.0.dist-info").mkdir(parents=True)
        (site / "slow_frontend.py").write_text(SLOW_PACKAGE.replace("PATIENCE", str(patience)))
        (site / "slow-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
        entry = "[player.frontends]\nslow = slow_frontend:FRONT_END\n"
        (site / "slow-1.0.dist-info" / "entry_points.txt").write_text(entry)
        monkeypatch.syspath_prepend(site)
        paths = [encode(tmp_path / f"{length}.wav", sound(length, 8_000)[None], 8_000) for length in seconds]
        return list(embed_many(paths, "slow", tmp_path, workers=1))

    yield slow
    sys.modules.pop("slow_frontend", None)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="other systems do not tell a child's processor time")
def test_a_worker_that_has_to_wait_for_a_busy_machine_is_not_given_up(slow):
    """Three seconds by the clock are more patience than there is, but none of them is the worker's own."""
    (result,) = slow(2.0, WAITS)
    assert result.error is None


def test_a_file_that_takes_too_much_processor_time_is_given_up_for_this_run(slow):
    took_long, embedded = slow(2.0, COMPUTES, WELL)
    assert (took_long.error, took_long.may_succeed) == ("the file took too long and was given up", True)
    assert embedded.error is None


def test_what_nobody_foresaw_is_the_error_of_its_file_and_its_traceback_goes_to_the_log(slow, caplog, capfd):
    failed, embedded = slow(60.0, FAILS, WELL)
    assert failed.error == "embedding the file failed unexpectedly (KeyError: 'nobody foresaw this')"
    assert not failed.may_succeed
    assert embedded.error is None
    assert "Traceback" in caplog.text
    assert 'raise KeyError("nobody foresaw this")' in caplog.text
    assert capfd.readouterr().err == ""


def test_closing_the_generator_ends_the_workers_at_once(weights, music):
    run = embed_many(music * 10, "musicnn", weights, workers=2, niceness=7)
    next(run)
    workers = children()
    assert {os.getpriority(os.PRIO_PROCESS, worker.pid) for worker in workers} == {
        os.getpriority(os.PRIO_PROCESS, os.getpid()) + 7
    }
    start = time.monotonic()
    run.close()
    assert time.monotonic() - start < 10
    assert not any(alive(worker.pid) for worker in workers)


def test_no_more_workers_are_started_than_the_front_end_bears(weights, music, monkeypatch):
    change_musicnn(monkeypatch, most_workers=1)
    run = embed_many(music, "musicnn", weights, workers=2)
    next(run)
    assert len(children()) == 1
    run.close()


def test_no_more_workers_are_started_than_there_are_files(weights, bad):
    run = embed_many(bad[:1], "musicnn", weights, workers=8)
    next(run)
    assert len(children()) == 1
    assert list(run) == []


def test_nothing_to_embed_starts_nothing(weights):
    assert list(embed_many([], "musicnn", weights)) == []


def test_paths_are_read_as_they_are_needed(weights, bad):
    def endless():
        while True:
            taken.append(bad[0])
            yield bad[0]

    taken: list[Path] = []
    run = embed_many(endless(), "musicnn", weights, workers=1)
    assert next(run).error is not None
    run.close()
    assert len(taken) <= 3


def test_wrong_weights_are_refused_before_anything_is_started(tmp_path, music):
    with pytest.raises(EmbeddingError, match="cannot be read"):
        next(embed_many(music, "musicnn", tmp_path / "absent.whl"))
    with pytest.raises(EmbeddingError, match='no front-end "x"'):
        next(embed_many(music, "x", tmp_path / "absent.whl"))
    assert children() == []


def test_no_workers_are_refused(weights, music):
    with pytest.raises(EmbeddingError, match="0 worker processes"):
        next(embed_many(music, "musicnn", weights, workers=0))


PARENT = """
import multiprocessing, sys
from pathlib import Path
from embeddings.pipeline import embed_many
if __name__ == "__main__":
    run = embed_many([Path(sys.argv[2])] * 1000, "musicnn", Path(sys.argv[1]), workers=1)
    next(run)
    print(multiprocessing.active_children()[0].pid, flush=True)
    for result in run:
        pass
"""


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT])
def test_workers_die_with_their_parent_however_it_ends(tmp_path, weights, music, signal_number):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen(
        [sys.executable, str(script), str(weights), str(music[0])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        pid = int(parent.stdout.readline())
        assert alive(pid)
        if signal_number == signal.SIGINT:
            os.killpg(parent.pid, signal_number)  # as the terminal does: to the workers too
        else:
            parent.kill()
        errors = parent.communicate(timeout=20)[1]
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(pid)
    scripts_own = 1 if signal_number == signal.SIGINT else 0
    assert errors.count("Traceback") == scripts_own


def test_nothing_imports_torch_until_a_network_runs():
    modules = "embeddings, embeddings.registry, embeddings.pipeline, embeddings.weights.files, embeddings.pooling"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_a_worker_sets_its_threads_before_numpy_is_loaded():
    code = "import sys, embeddings.pipeline; print('numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


@pytest.mark.shared
def test_real_tracks_of_a_kind_are_nearer_to_each_other(musicnn, shared_music):
    """Two harpsichord-and-strings albums against two rock ones: the vector hears what people hear."""
    picked = {
        "classical": ["Ivan Ilic", "Daniel Ben Pienaar", "American Baroque"],
        "rock": ["Big Bad Sun", "Arthur Yoria", "AntiGuru"],
    }
    vectors = []
    for artists in picked.values():
        for artist in artists:
            first = min(path for path in (shared_music / artist).rglob("*") if path.is_file())
            vector = embed_file(first, musicnn).vector
            vectors.append(vector / np.linalg.norm(vector))
    likeness = np.array(vectors) @ np.array(vectors).T
    within = np.r_[likeness[:3, :3][np.triu_indices(3, 1)], likeness[3:, 3:][np.triu_indices(3, 1)]]
    assert within.mean() > likeness[:3, 3:].mean() + 0.05
