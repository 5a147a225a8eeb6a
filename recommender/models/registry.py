"""Model versions on disk: every one stays, one is current, and none is believed before it is checked.

``<root>/<version>/model.safetensors`` holds the arrays and ``model.json`` what they are; ``<root>/current`` names the
version in use. All are written beside their place, synced, and moved there in one step, so a crash leaves either the
old state or the new. Nothing is pickled.

A model keeps the ids and content vectors of some tracks of the library it was trained on, for track ids are small numbers that every library has; what they
sound like is not. A library in which those ids are missing, or mean other sounds, is another one, and to it the model's memories of tracks would be about
strangers.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from recommender.models.model_card import (
    FormatError,
    FrontEndId,
    Model,
    ModelCard,
    card_from_json,
    card_to_json,
    check_arrays,
    habits_of_today,
)

TRACK_IDS, VECTORS = "library.track_ids", "library.vectors"
SAMPLE = 32
"""Tracks kept of a library: a chance likeness of half of them is out of the question, and they take a few kilobytes."""
ALIKE = 0.99
"""Cosine, about the library's mean, from which two vectors are of one recording: another machine's rounding leaves .999."""
ENOUGH = 0.5
"""Share of the tracks that must be found and be the same: files are exchanged for better ones, but not half of them."""


@dataclass(frozen=True, slots=True)
class Library:
    """What tells a library from another.

    Attributes:
        track_ids: (n,) int64.
        vectors: (n, dim) float32 content vectors, NaN rows for tracks without one.
    """

    track_ids: NDArray[np.int64]
    vectors: NDArray[np.float32]


def sample(library: Library) -> dict[str, NDArray[np.generic]]:
    """The arrays that a model keeps of its library: some tracks with a vector, evenly spread."""
    known = np.flatnonzero(np.isfinite(library.vectors).all(axis=1))
    chosen = known[np.unique(np.linspace(0, len(known) - 1, SAMPLE).astype(np.int64))] if len(known) else known
    return {
        TRACK_IDS: library.track_ids[chosen].astype(np.int64),
        VECTORS: library.vectors[chosen].astype(np.float32),
    }


def belongs(arrays: Mapping[str, NDArray[np.generic]], library: Library) -> bool:
    """Whether a model with these arrays was trained on this library, as it was then or as it has become since."""
    ids, vectors = np.asarray(arrays[TRACK_IDS], np.int64), np.asarray(arrays[VECTORS], np.float64)
    place = {int(library.track_ids[row]): int(row) for row in np.flatnonzero(np.isin(library.track_ids, ids))}
    rows = np.array([place.get(int(track), -1) for track in ids], np.int64)
    there = np.flatnonzero(rows >= 0)
    own = library.vectors[rows[there]].astype(np.float64)
    there, own = there[np.isfinite(own).all(axis=1)], own[np.isfinite(own).all(axis=1)]
    if not len(ids):
        return True  # a library without a single vector shows nothing either way
    mean = vectors.mean(axis=0)
    same = _cosine(vectors[there] - mean, own - mean) >= ALIKE
    return bool(np.count_nonzero(same) >= ENOUGH * len(ids))


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) of rows; 1 for equal rows, also where both are 0."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    equal = np.isclose(one, other).all(axis=1)
    return np.where(equal, 1.0, np.sum(one * other, axis=1) / np.where(lengths > 0, lengths, 1.0))


WEIGHTS = "model.safetensors"
CARD = "model.json"
CURRENT = "current"
VERSION_PATTERN = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
"""What a version may be called: it becomes a folder's name."""
SECONDS_OF_ISO_8601 = 19
"""Characters of a time stamp up to its seconds."""


class ModelError(Exception):
    """A model that cannot be used; the message is one sentence that says which, why and what to do."""


class Registry:
    """The versions under one folder."""

    def __init__(self, root: Path) -> None:
        """Use ``root``, which is made when the first model is stored."""
        self.root = root

    def save(self, model: Model) -> ModelCard:
        """Store a model under a new version, durably, and return its card as stored; it is not made current.

        Raises:
            ModelError: when it cannot be written.
        """
        weights = save_arrays({name: np.ascontiguousarray(array) for name, array in model.arrays.items()})
        digest = sha256(weights).hexdigest()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            version = self._free_version(model.card.created, digest)
            card = replace(model.card, version=version, sha256=digest)
            self._write_version(card, weights)
        except OSError as error:
            raise ModelError(f"The model could not be stored in {self.root}: {_why(error)}.") from error
        return card

    def _free_version(self, created: str, digest: str) -> str:
        stem = f"{re.sub(r'[^0-9T]', '', created[:SECONDS_OF_ISO_8601])}-{digest[:6]}"
        count, version = 1, stem
        while (self.root / version).exists():
            count += 1
            version = f"{stem}-{count}"
        return version

    def _write_version(self, card: ModelCard, weights: bytes) -> None:
        temporary = Path(tempfile.mkdtemp(prefix=".storing-", dir=self.root))
        try:
            _write_synced(temporary / WEIGHTS, weights)
            _write_synced(temporary / CARD, card_to_json(card).encode())
            _sync_folder(temporary)
            temporary.chmod(0o755)
            temporary.rename(self.root / card.version)
            _sync_folder(self.root)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    def card(self, version: str) -> ModelCard:
        """The card of a stored version.

        Raises:
            ModelError: when there is no such version or its card is damaged.
        """
        path = self._folder(version) / CARD
        try:
            card = card_from_json(path.read_bytes())
        except FileNotFoundError:
            raise ModelError(f"There is no model {version}: `models` lists those there are.") from None
        except OSError as error:
            raise ModelError(f"The card of model {version} cannot be read ({path}): {_why(error)}.") from error
        except FormatError:
            raise ModelError(
                f"Model {version} was made by another version of the player and cannot be read ({path}): retrain."
            ) from None
        except (ValueError, TypeError, KeyError, RecursionError):
            raise ModelError(f"The card of model {version} is damaged ({path}): roll back or retrain.") from None
        if card.version != version:
            raise ModelError(f"The folder of model {version} holds another one, {card.version!r}: rename it back.")
        return card

    def load(self, version: str, frontend: FrontEndId | None = None, library: Library | None = None) -> Model:
        """Load a version after checking hash, shapes and, where given, that it was trained on these vectors.

        Args:
            version: which.
            frontend: of the vectors it is to be used with; any when absent.
            library: it is to be used with; any when absent.

        Raises:
            ModelError: when it is missing, damaged, or belongs to another front-end or library.
        """
        card = self.card(version)
        if frontend is not None and card.frontend != frontend:
            raise ModelError(f"Model {version} was trained on {card.frontend}, not on {frontend}: retrain.")
        path = self._folder(version) / WEIGHTS
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"The weights of model {version} cannot be read ({path}): {_why(error)}.") from error
        if sha256(content).hexdigest() != card.sha256:
            raise ModelError(f"The weights of model {version} are not those stored ({path}): roll back or retrain.")
        try:
            model = Model(card, habits_of_today(load_arrays(content)))
            check_arrays(model)
        except (SafetensorError, ValueError, TypeError, KeyError) as error:
            raise ModelError(f"The weights of model {version} do not fit its card ({error}): retrain.") from None
        if library is not None and not belongs(model.arrays, library):
            raise ModelError(f"Model {version} was trained on another library than this one: retrain.")
        return model

    def versions(self) -> list[ModelCard]:
        """The cards of all stored versions that can be read, oldest first."""
        cards: list[ModelCard] = []
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            if folder.is_dir() and VERSION_PATTERN.fullmatch(folder.name):
                try:
                    cards.append(self.card(folder.name))
                except ModelError:
                    continue
        return sorted(cards, key=lambda card: (card.created, card.version))

    def current(self) -> str | None:
        """The version in use, or None before the first promotion.

        Raises:
            ModelError: when the pointer is damaged.
        """
        path = self.root / CURRENT
        try:
            version = path.read_text(encoding="utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError):
            raise ModelError(f"The file that names the current model is damaged ({path}): promote a version.") from None
        if not VERSION_PATTERN.fullmatch(version):
            raise ModelError(f"The file that names the current model is damaged ({path}): promote a version.")
        return version

    def load_current(self, frontend: FrontEndId | None = None, library: Library | None = None) -> Model | None:
        """The model in use, or None before the first promotion.

        Raises:
            ModelError: as :meth:`current` and :meth:`load` do.
        """
        version = self.current()
        return None if version is None else self.load(version, frontend, library)

    def promote(self, version: str) -> None:
        """Make a stored version the current one, after checking that it loads.

        Raises:
            ModelError: when it does not load or the pointer cannot be written.
        """
        self.load(version)
        path = self.root / CURRENT
        temporary = path.with_name(f".{CURRENT}-{os.getpid()}")
        try:
            _write_synced(temporary, f"{version}\n".encode())
            temporary.replace(path)
            _sync_folder(self.root)
        except OSError as error:
            raise ModelError(f"Model {version} could not be made current ({path}): {_why(error)}.") from error

    def roll_back(self) -> ModelCard:
        """Make the newest promoted version older than the current one current again.

        Raises:
            ModelError: when there is none, or it does not load.
        """
        current = self.current()
        promoted = [card for card in self.versions() if card.promoted]
        names = [card.version for card in promoted]
        earlier = promoted[: names.index(current)] if current in names else promoted
        if current is None or not earlier:
            raise ModelError("There is no earlier promoted model to roll back to.")
        self.promote(earlier[-1].version)
        return earlier[-1]

    def _folder(self, version: str) -> Path:
        if not VERSION_PATTERN.fullmatch(version):
            raise ModelError(f"{version!r} is not a model version: `models` lists those there are.")
        return self.root / version


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
