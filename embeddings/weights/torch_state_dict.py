"""Published PyTorch checkpoints as named tensors, read as untrusted data.

A ``.pt`` or ``.ckpt`` file is a pickle, which could run any program. So torch's restricted reader is used, which makes
tensors and plain containers and nothing else; safetensors files hold numbers only by their design.
"""

import io
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from embeddings.errors import EmbeddingError
from embeddings.weights.files import MAX_FILE_BYTES

NESTED = ("state_dict", "model")
"""Names under which training programs put the parameters: Lightning, and many a hand-written loop."""
CHECKPOINT_SUFFIXES = (".pt", ".pth", ".ckpt", ".safetensors")


@dataclass(frozen=True, slots=True)
class Parameters:
    """A network's parameters by name.

    Attributes:
        tensors: everything the checkpoint holds.
        prefix: what stands before each name there ("module.", "model.encoder.", …).
        network: what to call the network in an error.
    """

    tensors: Mapping[str, Tensor]
    prefix: str
    network: str

    def tensor(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """One parameter as contiguous float32, of this shape and finite.

        Raises:
            EmbeddingError: it is missing, has another shape, or is not finite.
        """
        found = self.tensors.get(self.prefix + name)
        if found is None:
            raise EmbeddingError(f'the checkpoint has no parameter "{name}"; it is not {self.network}')
        if tuple(found.shape) != shape or not found.is_floating_point() or not bool(torch.isfinite(found).all()):
            raise EmbeddingError(f'the checkpoint\'s parameter "{name}" is not a finite array of shape {shape}')
        return found.detach().to(torch.float32).contiguous()


def read_parameters(contents: bytes, first: str, network: str) -> Parameters:
    """Read a checkpoint: ``.pt``, ``.ckpt``, safetensors, or a zip archive with one of them.

    Args:
        contents: of the file.
        first: the name of one parameter, without what a training program may have put before it.
        network: what to call the network in an error.

    Raises:
        EmbeddingError: the checkpoint is damaged, holds anything but numbers, or is another network's.
    """
    tensors = _tensors(_unpacked(contents))
    ends = [name for name in tensors if name == first or name.endswith(f".{first}")]
    if len(ends) != 1:
        found = f'{len(ends)} parameters "{first}"' if ends else f'no parameter "{first}"'
        raise EmbeddingError(f"the checkpoint has {found}; it is not {network}")
    return Parameters(tensors, ends[0].removesuffix(first), network)


def _unpacked(contents: bytes) -> bytes:
    """The checkpoint inside a zip archive, or the contents as they are (torch's own files are zip archives too)."""
    if not zipfile.is_zipfile(io.BytesIO(contents)):
        return contents
    try:
        with zipfile.ZipFile(io.BytesIO(contents)) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(CHECKPOINT_SUFFIXES)]
            if len(members) != 1:
                return contents
            if members[0].file_size > MAX_FILE_BYTES:
                raise EmbeddingError("the archive's checkpoint claims to be larger than any that is wanted")
            return archive.read(members[0])
    except (zipfile.BadZipFile, RuntimeError, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise EmbeddingError(f"the checkpoint is a damaged zip archive: {error}") from error


def _tensors(contents: bytes) -> dict[str, Tensor]:
    """All tensors by name."""
    try:
        return load_safetensors(contents)
    except SafetensorError:
        return _unpickled(contents)


def _unpickled(contents: bytes) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd pickles, which are then refused in our own words
            loaded: object = torch.load(io.BytesIO(contents), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise EmbeddingError(
            "the checkpoint holds more than numbers, or is no checkpoint at all; such a file could run any program, so it "
            "is not read: save its state dict alone, as a safetensors file, where you trust it"
        ) from error
    except Exception as error:  # a damaged file fails in torch's reader in every way there is
        raise EmbeddingError(f"the checkpoint cannot be read ({type(error).__name__}); it is damaged") from error
    for name in NESTED:
        if isinstance(loaded, dict) and isinstance(loaded.get(name), dict):
            loaded = loaded[name]
    if not isinstance(loaded, dict):
        raise EmbeddingError("the checkpoint holds no named parameters")
    return {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}
