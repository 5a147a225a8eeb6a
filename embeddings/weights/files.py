"""The weights that front-ends need: found, verified, fetched.

Weights are never part of this package. Where their authors publish a hash it pins the file and is verified every time before
the file is read, wherever it came from, and only such files are fetched; all others the user downloads. What has no
published hash is read as untrusted data, never as a program: every reader takes numbers only and checks each shape.
"""

import hashlib
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from embeddings.errors import EmbeddingError

GIGABYTE = 1e9
SHARED_FOLDER = Path("share", "skipwise")
"""Below ``sys.prefix``: where the set-up puts weights, once for everyone who uses the environment."""
PIP_SECONDS = 600.0
"""A slow line still gets 30 MB in this time; a dead one does not hold the caller for ever."""
DOWNLOAD_SECONDS = 60.0
"""Without a byte for so long, the line is dead."""
MAX_FILE_BYTES = 2 * 2**30
"""The largest file wanted holds 0.33 GB of parameters; an optimiser's state beside them makes it three times as large."""
MAX_MEMBER_BYTES = 64 * 2**20
"""A zip member that claims to unpack to more is refused: the largest one wanted is 9.5 MB."""


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A wheel of the Python package index that carries weights.

    Attributes:
        filename: its exact name.
        requirement: the pinned requirement for pip.
        sha256: hexadecimal, of the whole file.
        size: bytes.
        licence: SPDX identifier of the weights' licence.
    """

    filename: str
    requirement: str
    sha256: str
    size: int
    licence: str

    def find(self, cache: Path) -> Path | None:
        """The first intact copy: the environment's, else the cache's."""
        places = (folder / self.filename for folder in (installed_folder(), cache))
        return next((place for place in places if place.is_file() and _is_intact(place, self)), None)

    def read(self, path: Path) -> bytes:
        """The file's bytes, their hash verified: what is checked is what is read.

        Raises:
            EmbeddingError: the file cannot be read, or is not the wanted one.
        """
        try:
            # The size first, so that a wrong file is not read whole.
            contents = path.read_bytes() if path.stat().st_size == self.size else b""
        except OSError as error:
            raise EmbeddingError(f"the weights {path} cannot be read: {error.strerror or error}") from error
        if hashlib.sha256(contents).hexdigest() != self.sha256:
            raise EmbeddingError(
                f"{path} is not {self.filename} of {self.size} bytes with SHA-256 {self.sha256}: "
                "it is another or a damaged file; delete it, or name the right one"
            )
        return contents

    def fetch(self, folder: Path) -> Path:
        """Download the wheel with pip; see :func:`fetch_weights`."""
        return _fetched(self, folder, self._download)

    def _download(self, scratch: Path, target: Path) -> None:
        """Let pip download the wheel into ``scratch``; ``target`` is for the message when it cannot."""
        requirements = scratch / "requirements.txt"
        requirements.write_text(f"{self.requirement} --hash=sha256:{self.sha256}\n", encoding="ascii")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:"]
        command += ["--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(scratch)]
        command += ["-r", str(requirements)]
        try:
            run = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=PIP_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise EmbeddingError(self._by_hand(target, f"pip gave up after {PIP_SECONDS:.0f} s")) from error
        if run.returncode != 0 or not (scratch / self.filename).is_file():
            raise EmbeddingError(self._by_hand(target, _last_line(run.stderr)))

    def _by_hand(self, target: Path, reason: str) -> str:
        return (
            f"the weights {self.filename} could not be fetched ({reason}); go online and try again, or download "
            f"{self.requirement} ({self.size / 1e6:.0f} MB, SHA-256 {self.sha256}) from the Python package index "
            f"and put it at {target}"
        )


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of weights as its authors publish it on the web.

    Attributes:
        filename: its name there.
        address: of the file, or of the page that links to it.
        parameter_bytes: the size of its parameters alone; the file's is near it, or above where training state is kept.
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
        """All that a person needs to get it."""
        published = f"git blob SHA-1 {self.git_blob}" if self.git_blob else "no hash is published"
        size = f"about {self.parameter_bytes / 1e6:.0f} MB of parameters"
        return f"{self.filename} from {self.address} ({size}, licence {self.licence}, {published})"

    def find(self, cache: Path) -> Path | None:
        """The first place that holds it: the environment, the cache, its package; a damaged copy is passed over."""
        for folder in (installed_folder(), cache, *self._package_folders()):
            for name in (self.filename, *self.other_names):
                place = folder / name
                if place.is_file() and (not self._has_hash(place) or _is_intact(place, self)):
                    return place
        return None

    def read(self, path: Path) -> bytes:
        """The file's bytes; if it is named as published, its hash has been verified.

        A compressed file is always held against the hash: it can only be the authors' own.

        Raises:
            EmbeddingError: the file cannot be read, or is not the wanted one.
        """
        try:
            size = path.stat().st_size
            contents = path.read_bytes() if path.is_file() and 0 < size <= MAX_FILE_BYTES else b""
        except OSError as error:
            raise EmbeddingError(f"the weights {path} cannot be read: {error.strerror or error}") from error
        if not contents:
            raise EmbeddingError(f"the weights {path} are no regular file of 1 byte to {MAX_FILE_BYTES // 2**30} GiB")
        if self._has_hash(path) and git_blob_id(contents) != self.git_blob:
            raise EmbeddingError(
                f"{path} is not {self.filename} with git blob SHA-1 {self.git_blob}: "
                "it is another or a damaged file; delete it, or name the right one"
            )
        return contents

    def fetch(self, folder: Path) -> Path:
        """Download it from its address; see :func:`fetch_weights`."""
        if self.git_blob is None:
            raise EmbeddingError(self.by_hand(folder, "no hash is published to verify a download by"))
        return _fetched(self, folder, self._download)

    def by_hand(self, folder: Path, reason: str) -> str:
        """The sentence that says how to get the file oneself and that it belongs into ``folder``."""
        place = folder / self.filename
        return f"the weights are not there ({reason}); download {self} and put it at {place}, or name it with --weights"

    def _download(self, scratch: Path, target: Path) -> None:
        import urllib.error  # noqa: PLC0415 - only a download needs the network's modules
        import urllib.request  # noqa: PLC0415

        try:
            with urllib.request.urlopen(self.address, timeout=DOWNLOAD_SECONDS) as reply:  # noqa: S310 - a spec's own
                contents: bytes = reply.read(MAX_FILE_BYTES)
        except (OSError, urllib.error.URLError, ValueError) as error:
            said = _printable(str(getattr(error, "reason", None) or error))
            raise EmbeddingError(self.by_hand(target.parent, f"fetching failed: {said}")) from error
        (scratch / self.filename).write_bytes(contents)

    def _has_hash(self, path: Path) -> bool:
        """True where the file claims to be the very one whose hash is published, by being compressed as that one is."""
        return self.git_blob is not None and path.suffix == Path(self.filename).suffix

    def _package_folders(self) -> Iterator[Path]:
        """The folders of the package, without importing it (which would start TensorFlow)."""
        if self.package is None:
            return
        found = importlib.util.find_spec(self.package)
        for folder in (found.submodule_search_locations if found else None) or ():
            yield Path(folder)


@dataclass(frozen=True, slots=True)
class LargeFile:
    """One of the files of a :class:`WeightsFolder`.

    Attributes:
        filename: its name, in the folder and at the folder's address.
        size: bytes, about.
    """

    filename: str
    size: int


@dataclass(frozen=True, slots=True)
class WeightsFolder:
    """Several large files in one folder, which the user puts there.

    They are neither fetched nor hashed: no hash is published, and reading ten gigabytes twice helps nobody.

    Attributes:
        filename: the folder's name beside other weights.
        address: with a file's name behind it, the address of that file.
        licence: SPDX identifier of the weights' licence.
        files: the files it must hold.
        elsewhere: a folder where another program may have put them, "~" being the user's.
        demands: a sentence on what they ask of the machine, without its first capital and full stop.
    """

    filename: str
    address: str
    licence: str
    files: tuple[LargeFile, ...]
    elsewhere: str
    demands: str

    @property
    def size(self) -> int:
        """Bytes, about."""
        return sum(file.size for file in self.files)

    def find(self, cache: Path) -> Path | None:
        """The first folder that holds all the files: the environment's, the cache's, or elsewhere."""
        places = (installed_folder() / self.filename, cache / self.filename, Path(self.elsewhere).expanduser())
        return next((place for place in places if not self._missing(place)), None)

    def check(self, folder: Path) -> None:
        """Make sure that all the files are there.

        Raises:
            EmbeddingError: one is not; the message says which, and how to get it.
        """
        if missing := self._missing(folder):
            raise EmbeddingError(f"{folder} holds no readable {' and no '.join(missing)}; {self._sentence(folder)}")

    def fetch(self, folder: Path) -> Path:
        """Refuse, saying how to get it: see :func:`fetch_weights`."""
        raise EmbeddingError(self.how_to_get(folder))

    def how_to_get(self, cache: Path) -> str:
        """All that a person needs to know before getting them: size, licence, from, into, and the machine it takes."""
        return f"the weights are not there: {self._sentence(cache / self.filename)}"

    def _sentence(self, folder: Path) -> str:
        wanted = " and ".join(f"{self.address}/{file.filename}" for file in self.files)
        return (
            f"download {wanted} (about {self.size / GIGABYTE:.0f} GB, licence {self.licence}, no hash is published, so they are "
            f"not fetched) into {folder}, or name their folder with --weights; {self.demands}"
        )

    def _missing(self, folder: Path) -> list[str]:
        places = [folder / file.filename for file in self.files]
        return [place.name for place in places if not (place.is_file() and os.access(place, os.R_OK))]


@dataclass(frozen=True, slots=True)
class PackageWeights:
    """Weights that a front-end's own package brings along, or looks for and fetches by itself.

    Nothing is searched, fetched or verified here: the front-end is given the folder for fetched things (or the path that
    the user named) and sees to the rest, hashes included.

    Attributes:
        filename: their name in the list of front-ends.
        address: their origin.
        licence: SPDX identifier of the weights' licence.
        sha256: hexadecimal, where one is known for the whole.
    """

    filename: str
    address: str
    licence: str
    sha256: str | None = None

    def find(self, cache: Path) -> Path | None:
        """The folder for fetched things, as far as is known here."""
        return cache

    def fetch(self, folder: Path) -> Path:
        """Refuse: see :func:`fetch_weights`."""
        del folder
        raise EmbeddingError(f"{self.filename} ({self.address}) is not fetched here: its package does so itself")


Weights: TypeAlias = WeightsFile | PublishedFile | WeightsFolder | PackageWeights


MUSICNN_WHEEL = WeightsFile(
    filename="musicnn-0.1.0-py3-none-any.whl",
    requirement="musicnn==0.1.0",
    sha256="f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
    size=29_292_476,
    licence="ISC",
)


def installed_folder() -> Path:
    """The folder of the Python environment where the set-up puts weights."""
    return Path(sys.prefix) / SHARED_FOLDER


def find_weights(wanted: Weights, *, named: Path | None, cache: Path) -> Path | None:
    """The place of ``wanted``: the file the user ``named``, else the environment's, else the cache's copy.

    A damaged copy in the environment or the cache is passed over, as if it were missing.

    Raises:
        EmbeddingError: the file the user named is missing or not the wanted one.
    """
    if named is None:
        return wanted.find(cache)
    check_weights(named, wanted)
    return named


def ensure_weights(wanted: Weights, *, named: Path | None, cache: Path) -> Path:
    """The place of ``wanted``, fetching it from the package index into ``cache`` when it is nowhere yet.

    Files from elsewhere on the web are not fetched unasked: :func:`fetch_weights` does when told to.

    Raises:
        EmbeddingError: the file the user named is not the wanted one, or it is not there, saying how to get it.
    """
    found = find_weights(wanted, named=named, cache=cache)
    if found is None and isinstance(wanted, PublishedFile):
        reason = "--fetch downloads them" if wanted.git_blob else "they cannot be fetched by hash"
        raise EmbeddingError(wanted.by_hand(cache, reason))
    if isinstance(wanted, PackageWeights) and named is None:
        try:
            cache.mkdir(parents=True, exist_ok=True)  # on a fresh machine it is not there yet
        except OSError as error:
            raise EmbeddingError(f"the folder {cache} cannot be made: {error.strerror or error}") from error
    return found or fetch_weights(wanted, cache)


def fetch_weights(wanted: Weights, folder: Path) -> Path:
    """Fetch ``wanted`` by hash into ``folder``: with pip from the package index it is set up for, or from its address.

    The file appears under its name only once it is complete and verified.

    Raises:
        EmbeddingError: saying which file to put where, when it cannot be had or the folder cannot be written.
    """
    return wanted.fetch(folder)


def check_weights(path: Path, wanted: Weights) -> None:
    """Make sure of a file before work is planned around it.

    Raises:
        EmbeddingError: it cannot be read, or is not the wanted one.
    """
    if isinstance(wanted, WeightsFolder):
        wanted.check(path)
    elif not isinstance(wanted, PackageWeights):
        wanted.read(path)
    elif not path.exists():
        raise EmbeddingError(f"the weights {path} cannot be read: there is no such file or folder")


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


def git_blob_id(contents: bytes) -> str:
    """The SHA-1 that git gives to a file of these contents, hexadecimal."""
    header = b"blob %d\0" % len(contents)
    return hashlib.sha1(header + contents, usedforsecurity=False).hexdigest()


def _fetched(wanted: WeightsFile | PublishedFile, folder: Path, download: Callable[[Path, Path], None]) -> Path:
    """The file that ``download`` puts under its name into a scratch folder, verified and moved into ``folder``."""
    target = folder / wanted.filename
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as scratch:
            download(Path(scratch), target)
            fetched = Path(scratch, wanted.filename)
            wanted.read(fetched)
            fetched.replace(target)
    except OSError as error:
        raise EmbeddingError(f"the weights cannot be written to {folder}: {error.strerror or error}") from error
    return target


def _is_intact(path: Path, wanted: WeightsFile | PublishedFile) -> bool:
    try:
        wanted.read(path)
    except EmbeddingError:
        return False
    return True


def _last_line(stderr: str) -> str:
    """The conclusion of pip, printable."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip().startswith("ERROR:")]
    return _printable(lines[-1].removeprefix("ERROR:").strip() if lines else "pip failed")


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
