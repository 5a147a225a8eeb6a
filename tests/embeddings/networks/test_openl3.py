import gzip

import numpy as np
import pytest
import torch

from embeddings.errors import EmbeddingError
from embeddings.networks.openl3 import MAX_WINDOWS, VARIANTS, decibel_mel, mel_triangles
from embeddings.networks.specs import OPENL3_MEL256_FILE, OPENL3_RATE
from embeddings.registry import frontend_spec, load_frontend
from embeddings.weights.keras_h5 import read_keras_h5
from tests.support.published import SHARED_FIXTURES, TOLERANCE, furthest, layout, reference, save_openl3

pytestmark = pytest.mark.slow

h5py = pytest.importorskip("h5py", reason="OpenL3's weights are read with h5py, the extra openl3")

NAMES = {"mel256.512": "openl3", "mel256.6144": "openl3-6144"}
NAMES |= {"mel128.512": "openl3-mel128", "mel128.6144": "openl3-mel128-6144"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("openl3")
    return {bands: save_openl3(folder / f"openl3_audio_mel{bands}_music.h5", bands) for bands in (128, 256)}


@pytest.fixture(scope="module")
def load(files):
    return lambda name: load_frontend(name, files[VARIANTS[name].bands])


def replace(file, name, value):
    del file[name]
    file[name] = value


def huge(file):
    del file["conv2d/conv2d/bias:0"]
    file.create_dataset("conv2d/conv2d/bias:0", shape=(2**40,), dtype="f4", chunks=(2**10,))


def elsewhere(file):
    del file["conv2d/conv2d/bias:0"]
    file.create_dataset("conv2d/conv2d/bias:0", shape=(64,), dtype="f4", external=[("/etc/passwd", 0, 256)])


def sound_of(arrays):
    return arrays["audio_48k_int16"].reshape(-1, OPENL3_RATE).astype(np.float32) / 32768


@pytest.mark.parametrize("bands", [128, 256])
def test_the_spectrogram_equals_the_reference(bands):
    theirs = reference("openl3")
    ours = decibel_mel(sound_of(theirs), bands)
    assert ours.shape == (1, bands, 199)
    assert furthest(ours[:, :, ::8], theirs[f"mel{bands}.spectrogram"]) < TOLERANCE


@pytest.mark.parametrize("output", NAMES)
def test_from_samples_to_the_embedding_equals_the_reference(load, output):
    theirs = reference("openl3")
    embedded = load(NAMES[output]).embed(sound_of(theirs)[0])
    assert furthest(embedded.windows, theirs[output]) < TOLERANCE
    assert embedded.tags.shape == (1, 0)


@pytest.mark.shared
@pytest.mark.parametrize("output", NAMES)
def test_all_of_the_reference_is_met(load, output):
    if not SHARED_FIXTURES.is_dir():
        pytest.skip(f"needs the development data at {SHARED_FIXTURES}")
    theirs = reference("openl3", SHARED_FIXTURES)
    front, bands = load(NAMES[output]), VARIANTS[NAMES[output]].bands
    spectrograms = decibel_mel(sound_of(theirs), bands)
    assert furthest(spectrograms, theirs[f"mel{bands}.spectrogram"][..., 0]) < TOLERANCE
    assert furthest(front.run(theirs[f"mel{bands}.spectrogram"][..., 0]), theirs[output]) < TOLERANCE
    assert furthest(front.run(spectrograms), theirs[output]) < TOLERANCE


@pytest.mark.parametrize("name", NAMES.values())
def test_the_front_end_tells_what_its_spec_tells(load, name):
    spec = load(name).spec
    assert spec == frontend_spec(name)
    assert (spec.name, spec.licence, spec.channels, spec.window_samples / spec.sample_rate) == (
        name,
        "CC-BY-4.0",
        1,
        1.0,
    )


def test_a_vector_a_second_spread_over_long_tracks(load, sound):
    front = load("openl3-mel128")
    assert front.embed(sound(3.7, OPENL3_RATE)).windows.shape == (3, 512)
    minute = np.zeros(60 * OPENL3_RATE, np.float32)
    minute[-OPENL3_RATE:] = 0.5  # outside of the windows that are looked at
    windows = front.embed(minute).windows
    assert len(windows) == MAX_WINDOWS
    np.testing.assert_allclose(windows - windows[0], 0, atol=1e-5)


def test_short_audio_is_repeated_and_silence_has_a_vector(load):
    front = load("openl3-mel128")
    tick = np.zeros(48, np.float32)
    tick[0] = 1.0
    repeated = front.embed(np.tile(tick, 1000)).windows
    np.testing.assert_allclose(front.embed(tick).windows, repeated, rtol=1e-4, atol=1e-3)
    assert np.isfinite(front.embed(np.zeros(1, np.float32)).windows).all()


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.empty(0, np.float32), "the audio is empty"),
        (np.full(OPENL3_RATE, np.nan, np.float32), "no finite numbers"),
        (np.zeros((2, OPENL3_RATE), np.float32), "2 dimensions"),
    ],
)
def test_audio_that_cannot_be_embedded_is_refused_with_the_reason(load, samples, reason):
    with pytest.raises(EmbeddingError, match=reason):
        load("openl3").embed(samples)


def test_each_triangle_has_the_area_of_the_others():
    areas = mel_triangles(128).sum(axis=1) * OPENL3_RATE / 2048
    np.testing.assert_allclose(areas[60:], 1.0, rtol=0.05)


def test_the_spec_knows_the_size_of_the_parameters():
    sizes = [4 * int(np.prod(shape)) for _, shape in layout("openl3_mel256")]
    assert sum(sizes) == OPENL3_MEL256_FILE.parameter_bytes


def test_weights_for_the_other_spectrogram_are_refused_by_their_name(files):
    with pytest.raises(EmbeddingError, match="holds the weights for mel128, which openl3 does not use"):
        load_frontend("openl3", files[128])


def test_a_compressed_file_that_is_not_the_authors_own_is_refused(files, tmp_path):
    packed = tmp_path / OPENL3_MEL256_FILE.filename
    packed.write_bytes(gzip.compress(files[256].read_bytes(), 1))
    with pytest.raises(EmbeddingError, match=f"git blob SHA-1 {OPENL3_MEL256_FILE.git_blob}"):
        load_frontend("openl3", packed)


def test_a_compressed_file_reads_as_the_plain_one(files):
    plain = files[256].read_bytes()
    for packed, unpacked in zip(read_keras_h5(gzip.compress(plain, 1)), read_keras_h5(plain), strict=True):
        assert packed.name == unpacked.name
        assert packed.arrays.keys() == unpacked.arrays.keys()
        assert all((packed.arrays[leaf] == unpacked.arrays[leaf]).all() for leaf in packed.arrays)


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_has(monkeypatch):
    monkeypatch.setattr("embeddings.weights.keras_h5.MAX_FILE_BYTES", 2**20)
    with pytest.raises(EmbeddingError, match="unpack to more than 1 MiB"):
        read_keras_h5(gzip.compress(bytes(2**24)))


def test_more_numbers_than_the_network_has_are_refused_though_the_file_is_small(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number in range(50):  # 32 MB of zeros each, of which the file holds none
            file.create_dataset(f"conv2d_{number}/conv2d/kernel:0", (2**23,), "f4", chunks=(2**16,))
    contents = (tmp_path / "a.h5").read_bytes()
    assert len(contents) < 2**20
    with pytest.raises(EmbeddingError, match="more numbers than the network has"):
        read_keras_h5(contents)


def test_layers_are_in_the_order_of_their_numbers(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in ("conv2d_10", "conv2d_9", "conv2d", "conv2d_1"):
            file[f"{name}/{name}/bias:0"] = np.zeros(1, np.float32)
    names = [layer.name for layer in read_keras_h5((tmp_path / "a.h5").read_bytes())]
    assert names == ["conv2d", "conv2d_1", "conv2d_9", "conv2d_10"]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda file: file.pop("conv2d_3"), "7 convolutions and 8 batch"),
        (lambda file: file["conv2d_3/conv2d_3"].pop("bias:0"), '"conv2d_3/bias" is not a finite array'),
        (lambda file: replace(file, "conv2d/conv2d/kernel:0", np.zeros((3, 3, 1, 32), "f4")), '"conv2d/kernel" is not'),
        (
            lambda file: replace(file, "conv2d/conv2d/bias:0", np.full(64, np.nan, "f4")),
            '"conv2d/bias" is not a finite',
        ),
        (lambda file: replace(file, "conv2d/conv2d/bias:0", np.zeros(64, "i4")), "no plain array"),
        (lambda file: replace(file, "conv2d/conv2d/bias:0", h5py.Empty("f4")), "no plain array"),
        (huge, "no plain array"),
        (elsewhere, "no plain array"),
    ],
)
def test_a_file_of_another_network_is_refused_by_the_layers_name(files, tmp_path, spoil, reason):
    path = tmp_path / "spoiled.h5"
    path.write_bytes(files[256].read_bytes())
    with h5py.File(path, "a") as file:
        spoil(file)
    with pytest.raises(EmbeddingError, match=reason):
        load_frontend("openl3", path)


def test_damaged_files_are_refused_in_a_sentence(files, tmp_path):
    whole = files[128].read_bytes()
    path = tmp_path / "damaged.h5"
    for contents in (b"", b"text", whole[:5000], whole[:100] + bytes(2000) + whole[2100:]):
        path.write_bytes(contents)
        with pytest.raises(EmbeddingError) as refusal:
            load_frontend("openl3-mel128", path)
        assert "\n" not in str(refusal.value)
    with pytest.raises(EmbeddingError, match="damaged gzip"):
        read_keras_h5(gzip.compress(whole, 1)[:1000])


def test_without_h5py_the_sentence_says_what_to_install(files, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(EmbeddingError, match="pip install h5py"):
        load_frontend("openl3", files[256])
