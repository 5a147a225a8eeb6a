"""Weights made by a rule instead of training, in the files in which the real ones are published."""

import json
import re
import zlib
from pathlib import Path

import numpy as np
import torch

DATA = Path(__file__).parents[1] / "embeddings" / "data"
SHARED_FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"
TOLERANCE = 1e-4
"""Of the output's standard deviation."""


def reference(name: str, folder: Path = DATA) -> dict[str, np.ndarray]:
    """What the reference implementation gave."""
    with np.load(folder / f"{name}_reference.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def layout(name: str) -> list[tuple[str, tuple[int, ...]]]:
    """The parameters' names and shapes in the order of the model."""
    read = json.loads((DATA / f"{name}_layout.json").read_text())
    entries = read if isinstance(read, list) else read.get("order") or read["parameters"]
    return [(parameter, tuple(shape)) for parameter, shape in entries]


def published_weights(name: str) -> dict[str, np.ndarray]:
    """All parameters of a layout: normal numbers that depend on the name alone, scaled as its last part asks."""
    return {parameter: _by_rule(parameter, shape) for parameter, shape in layout(name)}


def _by_rule(name: str, shape: tuple[int, ...]) -> np.ndarray:
    n = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)
    kind = re.split(r"[./]", name)[-1]
    if kind in {"running_var", "moving_variance"}:
        return 1 + 0.1 * np.abs(n)
    if kind in {"running_mean", "moving_mean", "bias", "beta"}:
        return 0.1 * n
    if kind == "gamma" or (kind == "weight" and len(shape) == 1):
        return 1 + 0.1 * n
    fan_in = np.prod(shape[:-1] if kind == "kernel" else shape[1:])
    return (n * np.sqrt(2 / fan_in)).astype(np.float32)


def save_checkpoint(path: Path, name: str, prefix: str, nested: str | None = None) -> Path:
    """A ``.pt`` file as training programs write it: names with a prefix, perhaps below another key."""
    tensors = {prefix + key: torch.from_numpy(value) for key, value in published_weights(name).items()}
    torch.save({nested: tensors, "epoch": 1000} if nested else tensors, path)
    return path


def save_openl3(path: Path, bands: int) -> Path:
    """An ``.h5`` file with the data sets that the reference's own weights file has."""
    import h5py

    name = f"openl3_mel{bands}"
    ordered = published_weights(name)
    paths = [entry[0] for entry in json.loads((DATA / f"{name}_layout.json").read_text())["h5"]]
    with h5py.File(path, "w") as file:
        for dataset in paths:
            file[dataset] = ordered[_entry_of(dataset, paths, ordered)]
    return path


def _entry_of(dataset: str, paths: list[str], ordered: dict[str, np.ndarray]) -> str:
    """Which entry of the model's order a data set holds: both count the layers of a kind from the first to the last."""
    layer, leaf = dataset.partition("/")[0], dataset.rpartition("/")[2].removesuffix(":0")
    entries = [entry for entry in ordered if entry.endswith(f"/{leaf}")]
    if layer == "audio_embedding_layer":
        return entries[-1]
    of_kind = {path.partition("/")[0] for path in paths if path.endswith(f"/{leaf}:0")} - {"audio_embedding_layer"}
    same_name = {other for other in of_kind if other.startswith(layer.partition("_")[0])}
    return entries[_number(layer) - min(map(_number, same_name))]


def _number(layer: str) -> int:
    """The number at the end of a Keras layer's name; the first has none."""
    found = re.search(r"_(\d+)$", layer)
    return int(found[1]) if found else 0


def furthest(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference, in standard deviations of the reference's output."""
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    return float(np.abs(ours - theirs).max() / theirs.std())
