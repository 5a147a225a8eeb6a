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
from embeddings.networks.musicnn_spec import MUSICNN_MODULE
from embeddings.pipeline import embed_file, embed_many


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


def test_a_file_becomes_the_mean_of_its_windows(musicnn, tmp_path, encode, sound):
    samples = sound(7.0, 16_000)
    pooled = embed_file(encode(tmp_path / "a.w64", samples[None], 16_000), musicnn)
    windows = musicnn.embed(samples)
    np.testing.assert_allclose(pooled.vector, windows.windows.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(pooled.tags, windows.tags.mean(axis=0), atol=1e-6)


@pytest.mark.slow
def test_a_long_file_is_heard_in_pieces(musicnn, tmp_path, encode, sound):
    path = encode(tmp_path / "long.mp3", np.stack([sound(90.0, 44_100)] * 2), 44_100)
    pieces = decode_excerpts(path, musicnn.card.sample_rate, musicnn.excerpts)
    assert len(pieces) == musicnn.excerpts.count
    np.testing.assert_array_equal(
        embed_file(path, musicnn).vector,
        musicnn.embed_excerpts(pieces).windows.mean(axis=0, dtype=np.float64).astype("f4"),
    )


@pytest.mark.slow
def test_good_and_bad_files_each_get_their_own_result(musicnn, weights, music, bad):
    paths = [music[0], bad[0], music[1], bad[1], music[2]]
    results = sorted(embed_many(paths, "musicnn", weights, workers=2), key=lambda result: result.index)
    assert [result.path for result in results] == paths
    assert [result.error is None for result in results] == [True, False, True, False, True]
    assert "cannot be decoded" in results[1].error
    assert "No such file" in results[3].error
    for result in (results[0], results[2], results[4]):
        here = embed_file(result.path, musicnn)
        # What else this process has computed may have torch choose another order of summing.
        np.testing.assert_allclose(result.embedding.vector, here.vector, rtol=0, atol=1e-5)
        np.testing.assert_allclose(result.embedding.tags, here.tags, rtol=0, atol=1e-6)
    assert children() == []


@pytest.mark.slow
def test_a_crash_is_the_error_of_its_file_and_the_next_is_embedded(weights, music):
    run = embed_many(music, "musicnn", weights, workers=1)
    results = [next(run)]
    os.kill(children()[0].pid, signal.SIGSEGV)  # dies before, or while, it is given the second file
    results += run
    assert [result.index for result in results] == [0, 1, 2]
    assert results[1].error == "the file crashed the process that was embedding it (exit code -11)"
    assert results[0].embedding is not None
    assert results[2].embedding is not None


@pytest.mark.slow
def test_a_file_that_hangs_its_worker_is_given_up(weights, music, monkeypatch):
    impatient = replace(MUSICNN_MODULE, patience_seconds=6.0)
    monkeypatch.setattr("embeddings.networks.musicnn_spec.MUSICNN_MODULE", impatient)
    run = embed_many(music[:2], "musicnn", weights, workers=1)
    assert next(run).embedding is not None
    os.kill(children()[0].pid, signal.SIGSTOP)
    assert [result.error for result in run] == ["the file took too long and was given up"]
    assert children() == []


@pytest.mark.slow
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


@pytest.mark.slow
def test_no_more_workers_are_started_than_the_front_end_bears(weights, music, monkeypatch):
    monkeypatch.setattr("embeddings.networks.musicnn_spec.MUSICNN_MODULE", replace(MUSICNN_MODULE, most_workers=1))
    run = embed_many(music, "musicnn", weights, workers=2)
    next(run)
    assert len(children()) == 1
    run.close()


@pytest.mark.slow
def test_no_more_workers_are_started_than_there_are_files(weights, bad):
    run = embed_many(bad[:1], "musicnn", weights, workers=8)
    next(run)
    assert len(children()) == 1
    assert list(run) == []


def test_nothing_to_embed_starts_nothing(weights):
    assert list(embed_many([], "musicnn", weights)) == []


@pytest.mark.slow
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


@pytest.mark.slow
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
    modules = "embeddings, embeddings.frontend, embeddings.pipeline, embeddings.weights.weight_files, embeddings.pooling, embeddings.worker"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_a_worker_sets_its_threads_before_numpy_is_loaded():
    code = "import sys, embeddings.worker; print('numpy' in sys.modules)"
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
