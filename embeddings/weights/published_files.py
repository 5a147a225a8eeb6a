"""Weights that their authors publish as one file on the web: finding, verifying and fetching them.

A file is fetched only if its hash is published too; all others the user downloads. What has no published hash is read as
untrusted data, never as a program: every reader takes numbers only and checks each shape.
"""

import hashlib
import importlib.util
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embeddings.errors import EmbeddingError

FETCH_SECONDS = 60.0
"""Without a byte for so long, the line is dead."""
MAX_FILE_BYTES = 2 * 2**30
"""The largest file wanted holds 0.33 GB of parameters; an optimiser's state beside them makes it three times as large."""


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of weights as its authors publish it.

    Attributes:
        filename: its name there.
        address: where it, or the page that links to it, is.
        parameter_bytes: what its parameters alone take; the file's size is near it, or above where training state is kept.
        licence: SPDX identifier of the weights' licence.
        git_blob: hexadecimal SHA-1 by which git knows the file's content, where its authors keep it in git.
        other_names: names under which the same weights may lie (unpacked, for example), for which no hash is known.
        package: a Python package whose folder may hold them, if it is installed; it is never imported.
    """

    filename: str
    address: str
    parameter_bytes: int
    licence: str
    git_blob: str | None = None
    other_names: tuple[str, ...] = ()
    package: str | None = None

    @property
    def size(self) -> int:
        """Bytes, at least."""
        return self.parameter_bytes

    def __str__(self) -> str:
        """What a person needs to know to get it."""
        published = f"git blob SHA-1 {self.git_blob}" if self.git_blob else "no hash is published"
        size = f"about {self.parameter_bytes / 1e6:.0f} MB of parameters"
        return f"{self.filename} from {self.address} ({size}, licence {self.licence}, {published})"


def git_blob_id(contents: bytes) -> str:
    """The SHA-1 that git gives to a file of these contents, hexadecimal."""
    header = b"blob %d\0" % len(contents)
    return hashlib.sha1(header + contents, usedforsecurity=False).hexdigest()


def find_published(wanted: PublishedFile, folders: tuple[Path, ...]) -> Path | None:
    """The first place where ``wanted`` lies: the folders given, then that of its package; a damaged copy is passed over."""
    for folder in (*folders, *_package_folders(wanted)):
        for name in (wanted.filename, *wanted.other_names):
            place = folder / name
            if place.is_file() and _is_intact(place, wanted):
                return place
    return None


def verify_published(path: Path, wanted: PublishedFile) -> bytes:
    """The file's bytes; if it is named as published, its hash has been verified.

    A compressed file is always held against the hash: it can only be the authors' own.

    Raises:
        EmbeddingError: the file cannot be read, or is not the wanted one.
    """
    contents = _read(path)
    if _has_hash(path, wanted) and git_blob_id(contents) != wanted.git_blob:
        raise EmbeddingError(
            f"{path} is not {wanted.filename} with git blob SHA-1 {wanted.git_blob}: "
            "it is another or a damaged file; delete it, or name the right one"
        )
    return contents


def fetch_published(wanted: PublishedFile, folder: Path) -> Path:
    """Download ``wanted`` into ``folder``, where it appears only once it is complete and verified.

    Raises:
        EmbeddingError: saying which file to put where, when it cannot be had or has no published hash.
    """
    target = folder / wanted.filename
    if wanted.git_blob is None:
        raise EmbeddingError(by_hand(wanted, target, "no hash is published to verify a download by"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as scratch:
            fetched = Path(scratch, wanted.filename)
            fetched.write_bytes(_download(wanted, target))
            verify_published(fetched, wanted)
            fetched.replace(target)
    except OSError as error:
        raise EmbeddingError(f"the weights cannot be written to {folder}: {error.strerror or error}") from error
    return target


def by_hand(wanted: PublishedFile, target: Path, reason: str) -> str:
    """The sentence that says how to get the file oneself."""
    return f"the weights are not there ({reason}); download {wanted} and put it at {target}, or name it with --weights"


def _download(wanted: PublishedFile, target: Path) -> bytes:
    try:
        with urllib.request.urlopen(wanted.address, timeout=FETCH_SECONDS) as reply:  # noqa: S310 - a card's own address
            contents: bytes = reply.read(MAX_FILE_BYTES)
    except (OSError, urllib.error.URLError, ValueError) as error:
        raise EmbeddingError(by_hand(wanted, target, f"fetching failed: {_reason(error)}")) from error
    return contents


def _reason(error: Exception) -> str:
    """What went wrong, printable and on one line."""
    said = str(getattr(error, "reason", None) or error)
    return "".join(character for character in said if character.isprintable())


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        contents = path.read_bytes() if path.is_file() and 0 < size <= MAX_FILE_BYTES else b""
    except OSError as error:
        raise EmbeddingError(f"the weights {path} cannot be read: {error.strerror or error}") from error
    if not contents:
        raise EmbeddingError(f"the weights {path} are no regular file of 1 byte to {MAX_FILE_BYTES // 2**30} GiB")
    return contents


def _has_hash(path: Path, wanted: PublishedFile) -> bool:
    """Whether the file claims to be the very one whose hash is published, by being compressed as that one is."""
    return wanted.git_blob is not None and path.suffix == Path(wanted.filename).suffix


def _is_intact(path: Path, wanted: PublishedFile) -> bool:
    """Whether the hash is right, as far as there is one; a file without is judged when it is loaded."""
    if not _has_hash(path, wanted):
        return True
    try:
        verify_published(path, wanted)
    except EmbeddingError:
        return False
    return True


def _package_folders(wanted: PublishedFile) -> Iterator[Path]:
    """Where the package keeps its files, without importing it (which would start TensorFlow)."""
    if wanted.package is None:
        return
    found = importlib.util.find_spec(wanted.package)
    for folder in (found.submodule_search_locations if found else None) or ():
        yield Path(folder)
