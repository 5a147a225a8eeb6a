"""Front-ends as entry points: this package's own, other packages', and broken ones."""

import pkgutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from embeddings.errors import EmbeddingError
from embeddings.frontend import FrontEndModule
from embeddings.networks.specs import MUSICNN
from embeddings.pipeline import embed_file, embed_many
from embeddings.registry import (
    BUILT_IN,
    GROUP,
    BrokenFrontEnd,
    available,
    frontend_module,
    frontend_spec,
    known_frontends,
    load_frontend,
)
from embeddings.spec import FrontEndSpec, State
from embeddings.weights.files import PackageWeights, WeightsFile, check_weights, ensure_weights, fetch_weights

LOUDNESS = '''
"""A front-end of another package: how loud the left and the right half of each second is."""
from embeddings.frontend import FrontEndModule
from embeddings.spec import FrontEndSpec
from embeddings.weights.files import PackageWeights

WEIGHTS = PackageWeights("none: it is arithmetic", "https://example.org/loudness", "CC0-1.0")
SPEC = FrontEndSpec("loudness", "1", 8_000, 1, 8_000, 2, WEIGHTS)

def load(name, weights):
    import numpy as np
    from embeddings.frontend import Embedded
    from embeddings.samples import checked_mono, spread_samples

    class Loudness:
        spec = SPEC

        def embed(self, samples):
            windows = spread_samples(checked_mono(samples), SPEC.window_samples, 10)
            halves = np.abs(windows.reshape(len(windows), 2, -1)).mean(axis=2)
            return Embedded(halves, np.empty((len(halves), 0), np.float32))

    return Loudness()

FRONT_END = FrontEndModule((SPEC,), load)
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a package as pip would leave it: a module, and a folder of metadata with its entry points."""

    def install(name, source, entry_points):
        site = tmp_path / f"site-{name}"
        information = site / f"{name}-1.0.dist-info"
        information.mkdir(parents=True)
        (site / f"{name}.py").write_text(source)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[{GROUP}]\n{entry_points}\n")
        monkeypatch.syspath_prepend(site)
        installed.append(name)

    installed = []
    yield install
    for name in installed:
        sys.modules.pop(name, None)


def broken():
    return {known.name: known.reason for known in known_frontends() if isinstance(known, BrokenFrontEnd)}


def test_every_loader_of_the_table_is_there():
    for module in BUILT_IN:
        assert callable(pkgutil.resolve_name(module.loader) if isinstance(module.loader, str) else module.loader)


def test_the_built_in_ones_come_first_and_none_is_broken():
    modules = [known for known in known_frontends() if isinstance(known, FrontEndModule)]
    assert [module.specs[0].name for module in modules][: len(BUILT_IN)] == [
        module.specs[0].name for module in BUILT_IN
    ]
    assert broken() == {}


def test_no_two_front_ends_share_a_name_and_every_spec_says_all_that_the_protocol_names():
    specs = [spec for known in known_frontends() for spec in known.specs]
    assert len({spec.name for spec in specs}) == len(specs)
    for spec in specs:
        assert spec.licence
        assert spec.weights.filename
        assert spec.window_samples > 0
        assert frontend_spec(spec.name) is spec


def test_reading_the_specs_imports_neither_torch_nor_a_decoder_nor_numpy():
    code = (
        "import sys; from embeddings.registry import known_frontends; list(known_frontends());"
        "print([name for name in ('torch', 'av', 'numpy', 'scipy') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_a_built_in_one_is_found_without_a_search_through_all_that_is_installed(monkeypatch):
    monkeypatch.setattr("embeddings.registry.distributions", lambda: pytest.fail("searched"))
    assert frontend_spec("musicnn") is MUSICNN


@pytest.mark.slow
def test_another_packages_front_end_is_listed_loaded_and_embeds_files(install, tmp_path, encode, sound):
    install("acme_loudness", LOUDNESS, "loudness = acme_loudness:FRONT_END")
    listed = available(tmp_path)[-1]
    assert (listed.name, listed.dimension, listed.state, listed.licence) == ("loudness", 2, State.READY, "CC0-1.0")
    weights = ensure_weights(frontend_spec("loudness").weights, named=None, cache=tmp_path)
    path = encode(tmp_path / "a.wav", sound(3.5, 8_000)[None], 8_000)
    here = embed_file(path, load_frontend("loudness", weights))
    (there,) = embed_many([path], "loudness", weights, workers=1)
    assert here.vector.shape == (2,)
    assert (here.vector > 0).all()
    np.testing.assert_array_equal(there.embedding.vector, here.vector)


@pytest.mark.parametrize(
    ("source", "value", "reason"),
    [
        ("assert False", "acme:FRONT_END", "acme:FRONT_END failed: AssertionError"),
        ("raise RuntimeError('no\\x1b[31m luck\\nat all')", "acme:FRONT_END", "RuntimeError: no [31m luck at all"),
        ("raise SystemExit(3)", "acme:FRONT_END", "SystemExit: 3"),
        ("import absent_package_of_acme", "acme:FRONT_END", "No module named 'absent_package_of_acme'"),
        ("FRONT_END = 1", "acme:FRONT_END", "is no FrontEndModule"),
        ("FRONT_END = 1", "acme:absent", "has no attribute 'absent'"),
        ("FRONT_END = 1", "not a reference", "not a reference failed"),
        (LOUDNESS.replace('"loudness"', '"Too Loud!"'), "acme:FRONT_END", "'Too Loud!' is no name for a front-end"),
        (LOUDNESS.replace('"1", 8_000, 1,', '"1", 8_000, 6,'), "acme:FRONT_END", "wants 6 channels"),
        (LOUDNESS.replace('"loudness"', '"clmr"'), "acme:FRONT_END", "another front-end has that name already"),
    ],
)
def test_a_broken_one_is_told_in_a_sentence_and_the_others_go_on(install, tmp_path, source, value, reason):
    install("acme", source, f"acme = {value}")
    *others, last = available(tmp_path)
    assert len(others) == len(BUILT_IN)
    assert (last.dimension, last.state) == (0, State.BROKEN)
    assert "\n" not in last.fix
    assert "\x1b" not in last.fix
    assert reason in last.fix
    assert frontend_spec("clmr").dimension == 512


def test_a_broken_one_is_refused_by_name_with_its_reason(install):
    install("acme", "raise RuntimeError('no luck')", "acme = acme:FRONT_END")
    with pytest.raises(
        EmbeddingError, match=r'"acme" cannot be used: its entry point acme:FRONT_END failed: .* no luck'
    ):
        frontend_module("acme")


def test_damaged_metadata_is_told_in_a_sentence(install):
    install("acme", "", "this line is no entry point")
    assert list(broken()) == ["acme"]
    assert "cannot be read" in broken()["acme"]


def test_metadata_of_this_package_older_than_its_code_changes_nothing(install):
    install(
        "skipwise",
        "",
        "clmr = embeddings.was_here_before:CLMR\nmusicnn = embeddings.networks.specs:MUSICNN_MODULE",
    )
    assert broken() == {}


def test_a_package_that_is_on_the_path_twice_is_listed_once(install):
    for copy in ("one", "two"):
        install(f"acme_{copy}", LOUDNESS, "loudness = acme_one:FRONT_END")
    names = [known.specs[0].name for known in known_frontends()]
    assert names.count("loudness") == 1


def test_an_unknown_name_is_refused_with_those_there_are(install):
    install("acme_loudness", LOUDNESS, "loudness = acme_loudness:FRONT_END")
    with pytest.raises(EmbeddingError, match=r'no front-end "x"; choose one of: musicnn, openl3, .*, loudness$'):
        frontend_spec("x")


@pytest.mark.parametrize(
    "change", [{"name": "A"}, {"name": "-a"}, {"name": ""}, {"channels": 0}, {"dimension": 0}, {"sample_rate": -1}]
)
def test_a_spec_that_cannot_be_true_is_refused(change):
    with pytest.raises(ValueError, match=r"front-end|channels|below 1"):
        replace(MUSICNN, **change)


def test_what_a_package_keeps_by_itself_is_neither_searched_nor_fetched_nor_verified(tmp_path):
    wanted = PackageWeights("model.bin", "https://example.org", "MIT")
    assert ensure_weights(wanted, named=None, cache=tmp_path) == tmp_path
    named = tmp_path / "mine.bin"
    with pytest.raises(EmbeddingError, match="no such file"):
        check_weights(named, wanted)
    named.write_bytes(b"x")
    assert ensure_weights(wanted, named=named, cache=tmp_path) == named
    with pytest.raises(EmbeddingError, match="not fetched here"):
        fetch_weights(wanted, tmp_path)


def test_what_is_missing_on_this_machine_is_said_before_any_process_starts(install, tmp_path):
    needing = LOUDNESS.replace("2, WEIGHTS)", "2, WEIGHTS, needs=OptionalPackage('absent_acme', 'absent-acme'))")
    needing = needing.replace("import FrontEndSpec\n", "import FrontEndSpec, OptionalPackage\n")
    install("acme_loudness", needing, "loudness = acme_loudness:FRONT_END")
    assert available(tmp_path)[-1].state is State.PACKAGE_MISSING
    with pytest.raises(EmbeddingError, match="pip install absent-acme"):
        next(embed_many([tmp_path / "a.wav"], "loudness", tmp_path))


def test_the_spec_of_musicnn_agrees_with_its_network(musicnn):
    from embeddings.networks.mel import SAMPLE_RATE, samples_for
    from embeddings.networks.musicnn import WINDOW_FRAMES

    assert isinstance(MUSICNN.weights, WeightsFile)
    assert (MUSICNN.sample_rate, MUSICNN.window_samples) == (SAMPLE_RATE, samples_for(WINDOW_FRAMES))
    assert isinstance(musicnn.spec, FrontEndSpec)
