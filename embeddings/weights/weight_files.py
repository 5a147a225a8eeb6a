"""Finding, verifying and fetching the weights that front-ends need.

Weights are never part of this package. Each file is pinned by its hash, where one is published, which is verified every
time before the file is read, wherever it came from. ``python -m embeddings.weights.weight_files --into DIR`` fetches them ahead of time.
"""

import argparse
import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from embeddings.errors import EmbeddingError
from embeddings.weights.published_files import PublishedFile, by_hand, fetch_published, find_published, verify_published
from embeddings.weights.weights_folder import WeightsFolder


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A wheel of the Python package index that carries weights.

    Attributes:
        filename: its exact name.
        requirement: what to ask pip for.
        sha256: hexadecimal, of the whole file.
        size: bytes.
        licence: SPDX identifier of the weights' licence.
    """

    filename: str
    requirement: str
    sha256: str
    size: int
    licence: str


@dataclass(frozen=True, slots=True)
class PackageWeights:
    """Weights that a front-end's own package brings along, or looks for and fetches by itself.

    Nothing is searched, fetched or verified here: the front-end is given the folder for fetched things (or the path that
    the user named) and sees to the rest, hashes included.

    Attributes:
        filename: what they are called, for the list of front-ends.
        address: where they come from.
        licence: SPDX identifier of the weights' licence.
        sha256: hexadecimal, where one is known for the whole.
    """

    filename: str
    address: str
    licence: str
    sha256: str | None = None


Weights: TypeAlias = WeightsFile | PublishedFile | WeightsFolder | PackageWeights


MUSICNN_WHEEL = WeightsFile(
    filename="musicnn-0.1.0-py3-none-any.whl",
    requirement="musicnn==0.1.0",
    sha256="f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
    size=29_292_476,
    licence="ISC",
)

SHARED_FOLDER = Path("share", "skipwise")
"""Below ``sys.prefix``: where the set-up puts weights, once for everyone who uses the environment."""

PIP_SECONDS = 600.0
"""A slow line still gets 30 MB in this time; a dead one does not hold the caller for ever."""
MAX_MEMBER_BYTES = 64 * 2**20
"""A zip member that claims to unpack to more is refused: the largest one wanted is 9.5 MB."""


def installed_folder() -> Path:
    """The folder of the Python environment where the set-up puts weights."""
    return Path(sys.prefix) / SHARED_FOLDER


def find_weights(wanted: Weights, *, named: Path | None, cache: Path) -> Path | None:
    """Where ``wanted`` lies already: the file the user ``named``, else the environment's, else the cache's copy.

    A damaged copy in the environment or the cache is passed over, as if it were missing. What a package keeps by itself
    lies in ``cache``, as far as is known here.

    Raises:
        EmbeddingError: the file the user named is missing or not the wanted one.
    """
    if named is not None:
        check_weights(named, wanted)
        return named
    if isinstance(wanted, PackageWeights):
        return cache
    if isinstance(wanted, WeightsFolder):
        return wanted.find((installed_folder(), cache))
    if isinstance(wanted, PublishedFile):
        return find_published(wanted, (installed_folder(), cache))
    places = (installed_folder() / wanted.filename, cache / wanted.filename)
    return next((place for place in places if place.is_file() and _is_intact(place, wanted)), None)


def ensure_weights(wanted: Weights, *, named: Path | None, cache: Path) -> Path:
    """Where ``wanted`` lies, fetching it from the package index into ``cache`` when it is nowhere yet.

    Files from elsewhere on the web are not fetched unasked: :func:`fetch_weights` does when told to.

    Raises:
        EmbeddingError: the file the user named is not the wanted one, or it is not there, saying how to get it.
    """
    found = find_weights(wanted, named=named, cache=cache)
    if found is None and isinstance(wanted, PublishedFile):
        reason = "--fetch downloads them" if wanted.git_blob else "they cannot be fetched by hash"
        raise EmbeddingError(by_hand(wanted, cache / wanted.filename, reason))
    if isinstance(wanted, PackageWeights) and named is None:
        _make(cache)
    return found or fetch_weights(wanted, cache)


def _make(folder: Path) -> None:
    """The folder for fetched things, which on a fresh machine is not there yet."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddingError(f"the folder {folder} cannot be made: {error.strerror or error}") from error


def fetch_weights(wanted: Weights, folder: Path) -> Path:
    """Fetch ``wanted`` by hash into ``folder``: with pip from the package index it is set up for, or from its address.

    The file appears under its name only once it is complete and verified.

    Raises:
        EmbeddingError: saying which file to put where, when it cannot be had or the folder cannot be written.
    """
    if isinstance(wanted, PublishedFile):
        return fetch_published(wanted, folder)
    if isinstance(wanted, PackageWeights):
        raise EmbeddingError(f"{wanted.filename} ({wanted.address}) is not fetched here: its package does so itself")
    if isinstance(wanted, WeightsFolder):
        raise EmbeddingError(wanted.how_to_get(folder))
    target = folder / wanted.filename
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as scratch:
            fetched = _download(wanted, Path(scratch), target)
            verified(fetched, wanted)
            fetched.replace(target)
    except OSError as error:
        raise EmbeddingError(f"the weights cannot be written to {folder}: {error.strerror or error}") from error
    return target


def check_weights(path: Path, wanted: Weights) -> None:
    """Make sure of a file before work is planned around it.

    Raises:
        EmbeddingError: it cannot be read, or is not the wanted one.
    """
    if isinstance(wanted, WeightsFolder):
        wanted.check(path)
    elif not isinstance(wanted, PackageWeights):
        verified(path, wanted)
    elif not path.exists():
        raise EmbeddingError(f"the weights {path} cannot be read: there is no such file or folder")


def verified(path: Path, wanted: WeightsFile | PublishedFile) -> bytes:
    """The file's bytes, after its hash has been verified: what is checked is what is read.

    Raises:
        EmbeddingError: the file cannot be read, or is not the wanted one.
    """
    if isinstance(wanted, PublishedFile):
        return verify_published(path, wanted)
    try:
        # The size first, so that a wrong file is not read whole.
        contents = path.read_bytes() if path.stat().st_size == wanted.size else b""
    except OSError as error:
        raise EmbeddingError(f"the weights {path} cannot be read: {error.strerror or error}") from error
    if hashlib.sha256(contents).hexdigest() != wanted.sha256:
        raise EmbeddingError(
            f"{path} is not {wanted.filename} of {wanted.size} bytes with SHA-256 {wanted.sha256}: "
            "it is another or a damaged file; delete it, or name the right one"
        )
    return contents


def read_member(wheel: bytes, member: str) -> bytes:
    """One file out of a wheel (a zip archive) in memory.

    Raises:
        EmbeddingError: there is no such member, it is implausibly large, or the archive is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            if archive.getinfo(member).file_size > MAX_MEMBER_BYTES:
                raise EmbeddingError(f"the wheel's {member} claims to be larger than {MAX_MEMBER_BYTES} bytes")
            return archive.read(member)
    except KeyError as error:
        raise EmbeddingError(f"the wheel holds no {member}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise EmbeddingError(f"the wheel is a damaged zip archive: {error}") from error


def _is_intact(path: Path, wanted: WeightsFile) -> bool:
    try:
        verified(path, wanted)
    except EmbeddingError:
        return False
    return True


def _download(wanted: WeightsFile, scratch: Path, target: Path) -> Path:
    """Let pip download the wheel into ``scratch``; ``target`` is for the message when it cannot."""
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{wanted.requirement} --hash=sha256:{wanted.sha256}\n", encoding="ascii")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(scratch), "-r", str(requirements)]
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PIP_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise EmbeddingError(_by_hand(wanted, target, f"pip gave up after {PIP_SECONDS:.0f} s")) from error
    fetched = scratch / wanted.filename
    if run.returncode != 0 or not fetched.is_file():
        raise EmbeddingError(_by_hand(wanted, target, _last_line(run.stderr)))
    return fetched


def _by_hand(wanted: WeightsFile, target: Path, reason: str) -> str:
    return (
        f"the weights {wanted.filename} could not be fetched ({reason}); go online and try again, or download "
        f"{wanted.requirement} ({wanted.size / 1e6:.0f} MB, SHA-256 {wanted.sha256}) from the Python package index "
        f"and put it at {target}"
    )


def _last_line(stderr: str) -> str:
    """What pip concluded, printable."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip().startswith("ERROR:")]
    last = lines[-1].removeprefix("ERROR:").strip() if lines else "pip failed"
    return "".join(character for character in last if character.isprintable())


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m embeddings.weights.weight_files --into DIR``: fetch all weights into DIR unless they are there; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m embeddings.weights.weight_files", description="Fetch the weights of the front-ends."
    )
    parser.add_argument("--into", type=Path, default=installed_folder(), metavar="DIR", help="default: %(default)s")
    folder: Path = parser.parse_args(arguments).into
    for wanted in (MUSICNN_WHEEL,):
        place = folder / wanted.filename
        try:
            path = place if place.is_file() and _is_intact(place, wanted) else fetch_weights(wanted, folder)
        except EmbeddingError as error:
            sys.stderr.write(f"{error}\n")
            return os.EX_UNAVAILABLE
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
