"""An export as its files: a folder, a zip archive or a single file, read as text and never whole."""

import io
import os
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TextIO

from player.errors import PlayerError
from player.library.paths import path_to_text

_Opener = Callable[[], AbstractContextManager[IO[bytes]]]
_MOST_FILES = 100_000
"""Files looked through in a folder; an export has a few hundred at most, a mistyped path may hold millions."""

_MUCH_UNPACKED, _MOST_TIMES = 1 << 30, 100
"""An archive that unpacks to more than a GiB and a hundred times itself is a bomb: text of exports shrinks to a tenth."""


class ExportError(PlayerError):
    """An export that cannot be read; nothing was recorded."""


@dataclass(frozen=True, slots=True)
class ExportPart:
    """One file of an export.

    Attributes:
        name: its path inside the export, safe to show.
        size: bytes, unpacked.
    """

    name: str
    size: int
    _open: _Opener
    _count: Callable[[int], None]

    @property
    def basename(self) -> str:
        """The name without its folders, in small letters."""
        return self.name.rsplit("/", 1)[-1].lower()

    @property
    def is_debris(self) -> bool:
        """True for what an archiver or a file manager left beside the data, under the data's own name."""
        folders = self.name.split("/")
        return "__MACOSX" in folders or self.basename.startswith("._") or self.basename in {".ds_store", "thumbs.db"}

    @contextmanager
    def text(self) -> Generator[TextIO]:
        """The file as text; bytes that are not UTF-8 become replacement characters, which match no track.

        Raises:
            ExportError: it cannot be opened or read to its end.
        """
        with self.binary() as file:
            yield io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")

    @contextmanager
    def binary(self) -> Generator[io.BufferedReader]:
        """The file as bytes.

        Raises:
            ExportError: it cannot be opened or read to its end.
        """
        try:
            with self._open() as raw, _Counted(raw, self._count) as counted:
                yield io.BufferedReader(counted)
        except (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
            raise ExportError(
                f"{self.name} cannot be read ({_reason(error)}); nothing was recorded. Fetch the export anew."
            ) from error


class Export:
    """What the listener was handed by another service.

    Args:
        path: a folder, a zip archive or a single file.

    Raises:
        ExportError: there is nothing at ``path``, or it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shown = path_to_text(path)
        self.consumed = 0
        """Bytes read so far, of all files and all passes."""
        if not path.exists():
            raise ExportError(f"There is no file or folder {self.shown}; check the path.")
        if not (path.is_dir() or path.is_file()):
            raise ExportError(f"{self.shown} is a device or a pipe, no file; name the export itself.")
        self.single = path.is_file() and not zipfile.is_zipfile(path)
        """Whether it is one file, which then is what it was called to be."""

    def parts(self) -> list[ExportPart]:
        """Its files in the order of their names."""
        if self.single:
            return [self._file(self.path, self.path.name)]
        found = self._in_folder() if self.path.is_dir() else self._in_archive()
        return sorted((part for part in found if not part.is_debris), key=lambda part: part.name)

    def wanted(self, wants: Callable[[ExportPart], bool], what: str) -> list[ExportPart]:
        """The files that ``wants`` picks; a single file is taken for what it was called.

        Raises:
            ExportError: there is none; ``what`` says which there should be.
        """
        parts = self.parts()
        chosen = parts if self.single else [part for part in parts if wants(part)]
        if not chosen:
            raise ExportError(f"{self.shown} holds no {what}; check the path.")
        return chosen

    def _count(self, count: int) -> None:
        self.consumed += count

    def _file(self, path: Path, name: str) -> ExportPart:
        return ExportPart(path_to_text(name), path.stat().st_size, lambda: path.open("rb"), self._count)

    def _in_folder(self) -> Iterator[ExportPart]:
        seen = 0
        for folder, _, names in os.walk(self.path):
            for name in names:
                path = Path(folder, name)
                seen += 1
                if seen > _MOST_FILES:
                    raise ExportError(
                        f"{self.shown} holds more than {_MOST_FILES} files; name the export's own folder."
                    )
                if path.is_file():
                    yield self._file(path, str(path.relative_to(self.path)))

    def _in_archive(self) -> Iterator[ExportPart]:
        try:
            archive = zipfile.ZipFile(self.path)  # stays open as long as one of the parts is held
        except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise ExportError(f"{self.shown} is a damaged zip archive ({error}); fetch the export anew.") from error
        infos = [info for info in archive.infolist() if not info.is_dir()]
        unpacked = sum(info.file_size for info in infos)
        if len(infos) > _MOST_FILES or unpacked > max(_MUCH_UNPACKED, _MOST_TIMES * self.path.stat().st_size):
            raise ExportError(
                f"{self.shown} holds {len(infos):,} files of {unpacked >> 20:,} MiB, which no export does; fetch it anew."
            )
        for info in infos:
            yield ExportPart(path_to_text(info.filename), info.file_size, partial(archive.open, info), self._count)


class _Counted(io.RawIOBase):
    """A binary file that tells how much was read from it."""

    def __init__(self, raw: IO[bytes], count: Callable[[int], None]) -> None:
        self._raw = raw
        self._count = count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        self._count(len(data))
        return len(data)


def _reason(error: Exception) -> str:
    if isinstance(error, RuntimeError) and "password" in str(error):
        return "it is locked with a password; unpack it first"
    return getattr(error, "strerror", None) or str(error) or "it is damaged"
