import io
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from embeddings import excerpts
from embeddings.errors import EmbeddingError
from embeddings.networks.clmr import MAX_WINDOWS
from embeddings.networks.specs import CLMR, CLMR_FILE
from embeddings.pipeline import embed_file
from embeddings.registry import load_frontend
from embeddings.samples import spread_samples
from tests.support.published import TOLERANCE, furthest, layout, published_weights, reference, save_checkpoint


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch.set_num_threads(1)
    return save_checkpoint(tmp_path_factory.mktemp("clmr") / "clmr.pt", "clmr", "encoder.")


@pytest.fixture(scope="module")
def clmr(checkpoint):
    return load_frontend("clmr", checkpoint)


@pytest.fixture(scope="module")
def windows():
    return (np.random.default_rng(1).standard_normal((2, 1, CLMR.window_samples)) * 0.1).astype(np.float32)[:, 0]


@pytest.mark.slow
def test_the_network_equals_the_reference(clmr, windows):
    assert furthest(clmr.run(windows), reference("clmr")["embedding"]) < TOLERANCE


def test_embedding_samples_equals_the_reference_window_by_window(clmr, windows):
    embedded = clmr.embed(windows.reshape(-1))
    assert furthest(embedded.windows, reference("clmr")["embedding"]) < TOLERANCE
    assert embedded.tags.shape == (2, 0)


def test_the_spec_tells_the_truth(clmr):
    assert clmr.spec is CLMR
    assert (CLMR.name, CLMR.dimension, CLMR.licence) == ("clmr", 512, "MIT")
    assert CLMR.window_samples / CLMR.sample_rate == pytest.approx(2.678, abs=1e-3)
    assert sum(4 * int(np.prod(shape)) for _, shape in layout("clmr")) == CLMR_FILE.parameter_bytes


@pytest.mark.slow
def test_of_a_long_file_little_more_than_the_windows_is_decoded(clmr, tmp_path, encode, sound, monkeypatch):
    path = encode(tmp_path / "long.mp3", np.stack([sound(120.0, 44_100)] * 2), 44_100)
    seconds = 0.0

    def counted(stream, packet, decode=excerpts.decoded):
        nonlocal seconds
        for frame in decode(stream, packet):
            seconds += frame.samples / frame.sample_rate
            yield frame

    monkeypatch.setattr(excerpts, "decoded", counted)
    pieces = excerpts.decode_excerpts(path, CLMR.sample_rate, clmr.excerpts)
    assert len(pieces) == MAX_WINDOWS
    assert seconds < 1.2 * MAX_WINDOWS * CLMR.window_samples / CLMR.sample_rate
    windows = clmr.run(np.stack(pieces))
    np.testing.assert_allclose(embed_file(path, clmr).vector, windows.mean(axis=0), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_real_file_becomes_a_vector(clmr, tmp_path, encode, sound):
    pooled = embed_file(encode(tmp_path / "a.flac", sound(6.0, 44_100)[None], 44_100), clmr)
    assert pooled.vector.shape == (512,)
    assert pooled.tags.shape == (0,)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prefix", "nested"),
    [("", None), ("encoder.", "state_dict"), ("model.encoder.", "state_dict"), ("module.encoder.", "model")],
)
def test_whatever_a_training_program_put_around_the_names_is_passed_over(clmr, windows, tmp_path, prefix, nested):
    other = load_frontend("clmr", save_checkpoint(tmp_path / "other.ckpt", "clmr", prefix, nested))
    np.testing.assert_array_equal(other.run(windows[:1]), clmr.run(windows[:1]))


@pytest.mark.slow
def test_safetensors_and_the_published_zip_archive_are_read_too(clmr, checkpoint, windows, tmp_path):
    safe = tmp_path / "clmr.safetensors"
    save_file({name: torch.from_numpy(value) for name, value in published_weights("clmr").items()}, safe)
    with zipfile.ZipFile(tmp_path / "clmr.zip", "w") as archive:
        archive.write(checkpoint, "folder/clmr.pt")
    for path in (safe, tmp_path / "clmr.zip"):
        np.testing.assert_array_equal(load_frontend("clmr", path).run(windows[:1]), clmr.run(windows[:1]))


class Program:
    """What a hostile checkpoint holds: unpickling it would run a program."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return open, (str(self.trace), "w")


@pytest.mark.parametrize("write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_a_checkpoint_with_a_program_in_it_is_refused_and_not_run(tmp_path, write):
    trace = tmp_path / "was_here"
    write({"sequential.0.0.weight": torch.zeros(1), "program": Program(trace)}, tmp_path / "bad.pt")
    with pytest.raises(EmbeddingError, match="more than numbers"):
        load_frontend("clmr", tmp_path / "bad.pt")
    assert not trace.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda state: state.pop("sequential.0.0.weight"), 'no parameter "sequential.0.0.weight"; it is not CLMR'),
        (lambda state: state.pop("sequential.7.1.running_var"), 'no parameter "sequential.7.1.running_var"'),
        (lambda state: state.update({"sequential.3.0.bias": torch.zeros(3)}), 'bias" is not a finite array of shape'),
        (lambda state: state.update({"sequential.3.0.bias": torch.full((256,), np.nan)}), "not a finite array"),
        (lambda state: state.update({"sequential.3.0.bias": torch.zeros(256, dtype=torch.int64)}), "not a finite"),
        (lambda state: state.update({"b.sequential.0.0.weight": torch.zeros(1)}), "2 parameters"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused_by_the_parameters_name(tmp_path, change, reason):
    state = {name: torch.from_numpy(value) for name, value in published_weights("clmr").items()}
    change(state)
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(EmbeddingError, match=reason):
        load_frontend("clmr", tmp_path / "other.pt")


def test_damaged_files_are_refused_in_a_sentence(checkpoint, tmp_path):
    whole, path = checkpoint.read_bytes(), tmp_path / "damaged.pt"
    nothing = io.BytesIO()
    torch.save([1, 2], nothing)
    middle = len(whole) // 2
    for contents in (b"", b"text", whole[:1000], whole[:200] + b"junk" * 50 + whole[400:], nothing.getvalue()):
        path.write_bytes(contents)
        with pytest.raises(EmbeddingError) as refusal:
            load_frontend("clmr", path)
        assert "\n" not in str(refusal.value)
    path.write_bytes(whole[:middle])
    with pytest.raises(EmbeddingError):
        load_frontend("clmr", path)


@pytest.mark.parametrize(("total", "expected"), [(3, [0]), (10, [0]), (25, [0, 10]), (1000, None)])
def test_windows_of_samples_are_in_order_and_spread(total, expected):
    starts = spread_samples(np.arange(total, dtype=np.float32), 10, 20)[:, 0]
    if expected is not None:
        assert list(starts) == expected
    else:
        assert len(starts) == 20
        assert starts[0] <= 30
        assert 1000 - starts[-1] <= 40
        assert (np.diff(starts) >= 10).all()


def test_short_samples_are_repeated_on_every_channel():
    both = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    np.testing.assert_array_equal(spread_samples(both, 5, 9), [[[1, 2, 3, 1, 2], [4, 5, 6, 4, 5]]])
