"""Jukebox: what is said before anything large is touched, and the package's own small networks with numbers by a rule.

The real weights are ten gigabytes; a network is wired right or not whatever its size and numbers are.
"""

import importlib.util
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from embeddings.errors import EmbeddingError
from embeddings.networks.jukebox import (
    FIVE_BILLION,
    MAX_WINDOWS,
    Jukebox,
    JukeboxLayout,
    available_memory,
    build,
    check_gpu_memory,
    check_memory,
    fill,
    full_scale,
    load_jukebox,
    load_network,
)
from embeddings.networks.specs import JUKEBOX, JUKEBOX_WEIGHTS, PRIOR_FILE, VQVAE_FILE
from embeddings.pooling import pool
from embeddings.registry import available, frontend_spec
from embeddings.spec import State

INSTALLED = importlib.util.find_spec("jukebox_infer") is not None
needs_package = pytest.mark.skipif(not INSTALLED, reason="needs the optional package jukebox-infer")

VQVAE = {"emb_width": 8, "l_bins": 32, "width": 4, "depth": 1, "hvqvae_multipliers": (1, 1, 1)}
PRIOR = {"n_ctx": 64, "prior_width": 16, "prior_depth": 6, "heads": 2, "blocks": 8}
TINY = JukeboxLayout(layer=4, context=64, window_samples=70 * 128, vqvae=VQVAE, prior=PRIOR)
WHOLE = JukeboxLayout(layer=6, context=64, window_samples=70 * 128, vqvae=VQVAE, prior=PRIOR)
TOP_CODES = "bottleneck.level_blocks.2.k"

REFERENCE = """
import sys, numpy, torch
from jukebox_infer.hparams import setup_hparams
from jukebox_infer.make_models import make_prior, make_vqvae
folder, layer, vqvae_settings, prior_settings = sys.argv[1], int(sys.argv[2]), eval(sys.argv[3]), eval(sys.argv[4])
vqvae = make_vqvae(
    setup_hparams("vqvae", {**vqvae_settings, "sample_length": 64 * 128, "restore_vqvae": f"{folder}/vqvae.pth.tar"}), "cpu"
)
prior = make_prior(
    setup_hparams("prior_5b", {**prior_settings, "restore_prior": f"{folder}/prior_level_2.pth.tar"}), vqvae, "cpu"
)
heard = []
prior.prior.transformer._attn_mods[layer - 1].register_forward_hook(lambda module, given, out: heard.append(out))
prior.prior.only_encode = True
length = 62 * 44100 // 128 * 128
song = dict(artist="unknown", genre="unknown", lyrics="any", total_length=length, offset=0)
with torch.no_grad():
    codes = vqvae.encode(torch.from_numpy(numpy.load(f"{folder}/window.npy"))[None, :, None])[-1][:, :64]
    x_cond, y_cond, _ = prior.get_cond(None, prior.get_y(prior.labeller.get_batch_labels([song]), 0))
    prior.prior(codes, x_cond=x_cond, y_cond=y_cond, encoder_kv=None, fp16=False)
numpy.savez(f"{folder}/reference.npz", codes=codes.numpy(), activations=heard[0][0].float().numpy())
"""
"""The package's own methods, which insist on a GPU by assertions; run with -O, so without them."""


class Loudness:
    """Stands for ten gigabytes: hears how loud a window is, and remembers how long it was."""

    def __init__(self):
        self.lengths = []

    def mean_activation(self, window):
        self.lengths.append(len(window))
        return torch.full((JUKEBOX.dimension,), float(window.abs().mean()))


@pytest.fixture(scope="module")
def music():
    return (0.1 * np.random.default_rng(1).standard_normal(300 * 128)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, music):
    """Both checkpoints as they are published: the old format, nested, one of them with a prefix."""
    folder = tmp_path_factory.mktemp("jukebox")
    vqvae, prior = build(WHOLE)
    state = by_rule(vqvae)
    save(folder / VQVAE_FILE.filename, state)
    save(folder / PRIOR_FILE.filename, by_rule(prior), prefix="module.")
    fill(vqvae, folder / VQVAE_FILE.filename)
    encoded = vqvae.encoders[2](torch.from_numpy(music)[None, None])[-1][0].T
    state[TOP_CODES] = encoded[::9][:32].detach().clone()  # codes that this music uses
    save(folder / VQVAE_FILE.filename, state)
    return folder


def by_rule(network):
    """Numbers that depend on the name alone."""
    return {name: numbers(name, wanted) for name, wanted in network.state_dict().items()}


def numbers(name, wanted):
    drawn = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(tuple(wanted.shape)).astype(np.float32)
    return torch.from_numpy(0.4 * drawn).to(wanted.dtype)


def save(path, state, prefix="", **others):
    contents = {"model": {prefix + name: tensor for name, tensor in state.items()}, "step": 100, "hps": {"lr": 1e-3}}
    torch.save({**contents, **others}, path, _use_new_zipfile_serialization=False)


# --- Without the package ------------------------------------------------------------------------------------------


def test_the_spec_says_what_the_papers_say():
    assert frontend_spec("jukebox") is JUKEBOX
    assert (JUKEBOX.dimension, JUKEBOX.sample_rate, JUKEBOX.channels) == (4800, 44_100, 1)
    assert (FIVE_BILLION.layer, FIVE_BILLION.context) == (36, 8192)
    assert JUKEBOX.window_samples >= FIVE_BILLION.context * 128


def test_the_folder_that_lacks_a_checkpoint_is_told_with_size_licence_address_and_demands(tmp_path):
    (tmp_path / VQVAE_FILE.filename).write_bytes(b"x")
    with pytest.raises(EmbeddingError) as refusal:
        load_jukebox("jukebox", tmp_path)
    said = str(refusal.value)
    assert f"{tmp_path} holds no readable prior_level_2.pth.tar;" in said
    for fact in (
        "about 10 GB",
        "Noncommercial",
        "no hash",
        "/5b/prior_level_2.pth.tar",
        "GB of free memory",
        "GPU",
        "hour",
    ):
        assert fact in said


def test_the_folder_is_found_in_the_cache_before_that_of_the_package(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert JUKEBOX_WEIGHTS.find(tmp_path) is None
    theirs = tmp_path / ".cache" / "jukebox" / "models" / "5b"
    ours = tmp_path / JUKEBOX_WEIGHTS.filename
    for place in (theirs, ours):
        place.mkdir(parents=True)
        (place / VQVAE_FILE.filename).write_bytes(b"x")
        assert JUKEBOX_WEIGHTS.find(tmp_path) == (theirs if place == ours else None)
        (place / PRIOR_FILE.filename).write_bytes(b"x")
        assert JUKEBOX_WEIGHTS.find(tmp_path) == place


def test_it_is_listed_with_what_it_lacks(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (listed,) = (one for one in available(tmp_path) if one.name == "jukebox")
    assert (listed.dimension, listed.licence) == (4800, "LicenseRef-Jukebox-Noncommercial")
    assert listed.state is State.WEIGHTS_MISSING
    folder = tmp_path / JUKEBOX_WEIGHTS.filename
    folder.mkdir()
    for file in JUKEBOX_WEIGHTS.files:
        (folder / file.filename).write_bytes(b"x")
    (listed,) = (one for one in available(tmp_path) if one.name == "jukebox")
    assert listed.state is (State.READY if INSTALLED else State.PACKAGE_MISSING)
    assert listed.weights == str(folder)


@pytest.mark.skipif(INSTALLED, reason="tells what is said without jukebox-infer, which is installed")
def test_without_the_package_the_error_says_what_to_install(tmp_path):
    for file in JUKEBOX_WEIGHTS.files:
        (tmp_path / file.filename).write_bytes(b"x")
    with pytest.raises(EmbeddingError, match="pip install jukebox-infer"):
        load_jukebox("jukebox", tmp_path)


def test_too_little_memory_is_told_before_anything_is_read():
    check_memory("the file", 11_000_000_000, 11_000_000_000)
    check_memory("the file", 11_000_000_000, None)
    with pytest.raises(EmbeddingError, match=r"reading the file takes 11\.3 GB of memory and 3\.0 GB are free"):
        check_memory("the file", 11_300_000_000, 3_000_000_000)
    check_gpu_memory("Jukebox", 7_000_000_000, 8_000_000_000)
    with pytest.raises(EmbeddingError, match=r"Jukebox takes 7\.0 GB on the GPU and 4\.0 GB are free there"):
        check_gpu_memory("Jukebox", 7_000_000_000, 4_000_000_000)


@pytest.mark.parametrize(
    ("text", "free"),
    [
        ("MemTotal: 9 kB\nMemAvailable:    2048 kB\n", 2048 * 1024),
        ("MemTotal: 9 kB\n", None),
        ("MemAvailable: much kB\n", None),
        ("MemAvailable:", None),
    ],
)
def test_free_memory_is_what_the_system_says_or_unknown(tmp_path, text, free):
    (tmp_path / "meminfo").write_text(text)
    assert available_memory(tmp_path / "meminfo") == free
    assert available_memory(tmp_path / "absent") is None


def test_long_audio_is_heard_in_three_spread_windows_and_short_audio_is_repeated(sound):
    network = Loudness()
    frontend = Jukebox(network)
    windows = np.repeat(np.float32([0.1, 0.2, 0.4, 0.6, 0.8]), JUKEBOX.window_samples)
    heard = frontend.embed(windows).windows
    assert heard.shape == (MAX_WINDOWS, 4800)
    np.testing.assert_allclose(heard[:, 0], np.float32([0.1, 0.4, 0.8]) / 0.8, rtol=1e-5)
    assert frontend.embed(sound(0.5, 44_100)).windows.shape == (1, 4800)
    assert set(network.lengths) == {JUKEBOX.window_samples}
    np.testing.assert_allclose(pool(frontend.embed(windows)).vector[0], (0.1 + 0.4 + 0.8) / 0.8 / 3, rtol=1e-5)


def test_the_loudest_sample_is_full_scale_and_silence_stays_silent():
    np.testing.assert_allclose(full_scale(np.float32([0.0, -0.25, 0.125])), [0.0, -1.0, 0.5])
    np.testing.assert_array_equal(full_scale(np.zeros(3, np.float32)), np.zeros(3))
    assert np.isfinite(full_scale(np.float32([1e-42, 0.0]))).all()


@pytest.mark.parametrize("bad", [np.empty(0), np.array([np.nan]), np.array([np.inf]), np.zeros((2, 9))])
def test_audio_that_is_none_is_refused(bad):
    with pytest.raises(EmbeddingError):
        Jukebox(Loudness()).embed(bad.astype(np.float32))


# --- With the package ---------------------------------------------------------------------------------------------


@needs_package
def test_the_real_network_has_the_size_that_is_announced():
    vqvae, prior = build(FIVE_BILLION)
    assert all(parameter.is_meta for parameter in prior.parameters())
    assert len(prior.prior.transformer._attn_mods) == 36
    kept = sum(parameter.nbytes for parameter in prior.parameters())
    assert 5.2e9 < kept < 5.4e9
    layer = sum(parameter.nbytes for parameter in prior.prior.transformer._attn_mods[0].parameters())
    assert abs(kept + 36 * layer - PRIOR_FILE.size) < 0.01 * PRIOR_FILE.size
    assert (prior.n_ctx, prior.raw_to_tokens, prior.prior.width) == (8192, 128, 4800)
    assert prior.prior.add_cond_after_transformer is False
    assert abs(sum(tensor.nbytes for tensor in vqvae.state_dict().values()) - VQVAE_FILE.size) < 0.5e6


@needs_package
def test_the_activations_are_those_that_the_packages_own_methods_give(folder, music):
    window = music[: TINY.window_samples]
    np.save(folder / "window.npy", window)
    command = [sys.executable, "-O", "-c", REFERENCE, str(folder), str(TINY.layer), repr(VQVAE), repr(PRIOR)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    network = load_network(folder, TINY)
    with np.load(folder / "reference.npz") as theirs, torch.inference_mode():
        codes = network.codes(torch.from_numpy(window))
        np.testing.assert_array_equal(codes.numpy(), theirs["codes"])
        assert len(np.unique(theirs["codes"])) > 8
        activations = network.activations(codes).numpy()
        np.testing.assert_allclose(activations, theirs["activations"], rtol=1e-4, atol=1e-4 * activations.std())
        mean = network.mean_activation(torch.from_numpy(window)).numpy()
        np.testing.assert_allclose(mean, theirs["activations"].mean(axis=0), rtol=1e-4, atol=1e-4)


@needs_package
def test_a_track_becomes_vectors_that_differ_with_the_music(folder, music):
    frontend = load_jukebox("jukebox", folder, TINY)
    here = frontend.embed(music)
    assert here.windows.shape == (3, 16)
    assert here.windows.dtype == np.float32
    assert np.isfinite(here.windows).all()
    assert not np.allclose(here.windows[0], here.windows[1])
    np.testing.assert_array_equal(frontend.embed(music).windows, here.windows)
    np.testing.assert_allclose(frontend.embed(0.5 * music).windows, here.windows, rtol=1e-4, atol=1e-4)


@needs_package
def test_nothing_is_printed_where_answers_go(folder, capfd):
    load_jukebox("jukebox", folder, TINY)
    assert capfd.readouterr().out == ""


@needs_package
@pytest.mark.parametrize("new_format", [False, True])
def test_both_of_torchs_formats_are_read(folder, tmp_path, music, new_format):
    for file in JUKEBOX_WEIGHTS.files:
        contents = torch.load(folder / file.filename, weights_only=True)
        torch.save(contents, tmp_path / file.filename, _use_new_zipfile_serialization=new_format)
    window = torch.from_numpy(music[: TINY.window_samples])
    torch.testing.assert_close(
        load_network(tmp_path, TINY).mean_activation(window), load_network(folder, TINY).mean_activation(window)
    )


@needs_package
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda state: state.pop("prior.x_emb.weight"), 'has no parameter "prior.x_emb.weight"'),
        (lambda state: state.update({"prior.x_emb.weight": torch.zeros(3)}), r"not a finite array of shape \(32, 16\)"),
        (lambda state: state["prior.pos_emb.pos_emb"].fill_(float("nan")), "not a finite array"),
        (lambda state: state.update({"prior.x_emb.weight": torch.zeros(32, 16, dtype=int)}), "not a finite array"),
    ],
)
def test_another_networks_parameters_are_refused(tmp_path, change, reason):
    _, prior = build(TINY)
    state = by_rule(prior)
    change(state)
    save(tmp_path / "prior.tar", state)
    with pytest.raises(EmbeddingError, match=reason):
        fill(prior, tmp_path / "prior.tar")


@needs_package
@pytest.mark.parametrize("new_format", [False, True])
def test_a_truncated_download_is_told(folder, tmp_path, new_format):
    whole = torch.load(folder / VQVAE_FILE.filename, weights_only=True)
    torch.save(whole, tmp_path / "a.tar", _use_new_zipfile_serialization=new_format)
    contents = (tmp_path / "a.tar").read_bytes()
    vqvae, _ = build(TINY)
    for share in (0.0, 0.1, 0.5, 0.99):
        (tmp_path / "b.tar").write_bytes(contents[: int(share * len(contents))])
        with pytest.raises(EmbeddingError, match=r"b\.tar (cannot be read|holds more than numbers)"):
            fill(vqvae, tmp_path / "b.tar")


@needs_package
def test_a_checkpoint_that_would_run_a_program_is_not_read(tmp_path):
    class Program:
        def __reduce__(self):
            return Path.touch, (tmp_path / "was-run",)

    vqvae, _ = build(TINY)
    save(tmp_path / "a.tar", by_rule(vqvae), hps=Program())
    with pytest.raises(EmbeddingError, match="holds more than numbers"):
        fill(vqvae, tmp_path / "a.tar")
    assert not (tmp_path / "was-run").exists()


@needs_package
@pytest.mark.parametrize("contents", [[1, 2], {"weights": {}}, {"model": 3}])
def test_a_file_that_is_no_checkpoint_of_jukebox_is_told(tmp_path, contents):
    vqvae, _ = build(TINY)
    torch.save(contents, tmp_path / "a.tar")
    with pytest.raises(EmbeddingError, match='no "model" inside'):
        fill(vqvae, tmp_path / "a.tar")


@needs_package
def test_a_file_larger_than_the_free_memory_is_not_begun(folder, monkeypatch):
    monkeypatch.setattr("embeddings.networks.jukebox.available_memory", lambda: 1000)
    with pytest.raises(EmbeddingError, match=r"vqvae\.pth\.tar takes .* GB of memory"):
        load_jukebox("jukebox", folder, TINY)
