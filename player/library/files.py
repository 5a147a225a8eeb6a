"""Walking folders for files that may be audio."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from zlib import crc32

from player.library.paths import path_to_text

EXTENSIONS = frozenset(
    {
        *("mp3", "mp2", "mp1", "mpga", "flac", "ogg", "oga", "opus", "spx", "m4a", "m4b", "m4r", "aac"),
        *("wav", "wave", "bwf", "w64", "aif", "aiff", "aifc", "wma", "asf"),
        *("ape", "wv", "mpc", "tta", "tak", "dsf", "dff", "caf", "au", "snd", "amr", "mka", "ac3", "eac3", "dts"),
    }
)
"""Endings of audio. What a file is, its content says; these say that it is a failure if it turns out to be something else."""
ART_NAMES = ("cover", "folder", "front", "album", "artwork", "albumart")
ART_ENDINGS = frozenset({"jpg", "jpeg", "png", "gif", "webp"})
"""Pictures of an album by the names that other players look for, the best first."""
LYRICS_BESIDE, ART_BESIDE, SHEETS_BESIDE = 1, 2, 4
"""Bits of ``FoundFile.beside``; from the last on it holds the stamp of cue sheets."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that may be audio.

    Attributes:
        path: absolute, as text of :func:`path_to_text`.
        root: the scanned folder or file it was found under, likewise.
        size: bytes.
        mtime_ns: when it was last changed.
        beside: bits for lyrics of its name and a picture of its folder that lie beside it, and behind them the stamp of
            the folder's cue sheets.
    """

    path: str
    root: str
    size: int
    mtime_ns: int
    beside: int = 0

    @property
    def sheets(self) -> int:
        """What tells the cue sheets beside it from what they were before; 0 without any."""
        return sheets_in(self.beside)


def sheets_in(beside: int) -> int:
    """The stamp of cue sheets in the bits of what lies beside a file."""
    return beside // SHEETS_BESIDE


@dataclass(frozen=True, slots=True)
class UnreadableFolder:
    """A folder that cannot be listed; what it holds is unknown, not gone."""

    path: str
    error: str


@dataclass(frozen=True, slots=True)
class Patterns:
    """Which files and folders below a root are looked at.

    A pattern without a slash is compared with every name on the way ("*.mp4", "Samples"), one with a slash with the whole
    path below the root ("Audiobooks/*"); case does not matter.

    Attributes:
        include: files that match none of these are passed over, unless there are none.
        exclude: files and folders that match one of these are.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def allow_folder(self, below: str) -> bool:
        """True unless the folder at the path ``below`` its root is excluded."""
        return not _matches(below, self.exclude)

    def allow(self, below: str) -> bool:
        """True where the file at the path ``below`` its root is to be looked at."""
        return not _matches(below, self.exclude) and (not self.include or _matches(below, self.include))


def _matches(below: str, patterns: Sequence[str]) -> bool:
    name = below.rpartition("/")[2].lower()
    return any(fnmatchcase(below.lower() if "/" in pattern else name, pattern.lower()) for pattern in patterns)


@dataclass(slots=True)
class Walker:
    """Walks roots one after another; what two roots share is given once.

    Symbolic links are followed after everything else, each target once, so loops end and a file is always found under
    the same path. Hidden files and folders are passed over, and what the patterns leave out.
    """

    patterns: Patterns = field(default_factory=Patterns)
    unreadable: list[UnreadableFolder] = field(default_factory=list[UnreadableFolder])
    _seen: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    _links: list[str] = field(default_factory=list[str])

    def walk(self, start: Path, root: str | None = None) -> Iterator[FoundFile]:
        """The files below ``start`` (or ``start`` itself), in the order of their paths' names.

        Args:
            start: a folder or file.
            root: the scanned folder that it lies in; itself by default.
        """
        name = path_to_text(start) if root is None else root
        try:
            status = start.stat()
        except OSError as error:
            self._give_up(str(start), error)
            return
        if not stat.S_ISDIR(status.st_mode):
            if stat.S_ISREG(status.st_mode):
                with os.scandir(start.parent) as listing:
                    beside = _Beside.among(list(listing)).of(start.name)
                yield FoundFile(path_to_text(start), name, status.st_size, status.st_mtime_ns, beside)
            return  # a named pipe would be waited for, a device be read without end
        if self._is_new(status):
            yield from self._walk_folder(str(start), name)
        while self._links:
            links, self._links = self._links, []
            for link in sorted(links):
                yield from self._follow(link, name)

    def _walk_folder(self, start: str, root: str) -> Iterator[FoundFile]:
        folders = [start]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name, reverse=True)
            except OSError as error:
                self._give_up(folder, error)
                continue
            beside = _Beside.among(entries)
            for entry in entries:
                if not entry.name.startswith(".") and not is_sheet(entry.name):
                    yield from self._visit(entry, folders, root, beside)

    def _visit(self, entry: os.DirEntry[str], folders: list[str], root: str, beside: "_Beside") -> Iterator[FoundFile]:
        """Give a file; put a folder on the stack and a link aside."""
        try:
            if entry.is_symlink():
                self._links.append(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                allowed = self.patterns.allow_folder(_below(entry.path, root))
                if allowed and self._is_new(entry.stat(follow_symlinks=False)):
                    folders.append(entry.path)
            elif self.patterns == _ALL or self.patterns.allow(_below(entry.path, root)):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    self._seen.add((status.st_dev, status.st_ino))
                    bits = beside.of(entry.name)
                    yield FoundFile(path_to_text(entry.path), root, status.st_size, status.st_mtime_ns, bits)
        except OSError as error:
            self._give_up(entry.path, error)

    def _follow(self, link: str, root: str) -> Iterator[FoundFile]:
        """The target of a symbolic link, when it has not been seen yet; a dangling link is nothing."""
        try:
            status = Path(link).stat()
        except OSError:
            return
        is_folder = stat.S_ISDIR(status.st_mode)
        below = _below(link, root)
        allowed = self.patterns.allow_folder(below) if is_folder else self.patterns.allow(below)
        if not allowed or not (is_folder or stat.S_ISREG(status.st_mode)) or not self._is_new(status):
            return
        if is_folder:
            yield from self._walk_folder(link, root)
        else:
            yield FoundFile(path_to_text(link), root, status.st_size, status.st_mtime_ns)

    def _is_new(self, status: os.stat_result) -> bool:
        """True where this inode is met for the first time."""
        key = status.st_dev, status.st_ino
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _give_up(self, folder: str, error: OSError) -> None:
        self.unreadable.append(UnreadableFolder(path_to_text(folder), error.strerror or str(error)))


_ALL = Patterns()


def _below(path: str, root: str) -> str:
    """The path below the root, which is given as text."""
    return path_to_text(path).removeprefix(root.rstrip("/") + "/")


@dataclass(frozen=True, slots=True)
class _Beside:
    """What lies in a folder beside its music: names with lyrics, without their ending, and whether a cover does."""

    lyrics: frozenset[str]
    cover: bool
    sheets: int

    @classmethod
    def among(cls, entries: Sequence[os.DirEntry[str]]) -> "_Beside":
        """What is among the entries of a folder."""
        parts = [entry.name.lower().rpartition(".") for entry in entries if "." in entry.name]
        return cls(
            frozenset(stem for stem, _, ending in parts if ending == "lrc"),
            any(stem in ART_NAMES and ending in ART_ENDINGS for stem, _, ending in parts),
            _stamp([entry for entry in entries if is_sheet(entry.name)]),
        )

    def of(self, name: str) -> int:
        """The bits of ``FoundFile.beside`` for the file of that name."""
        has_lyrics = bool(self.lyrics) and name.lower().rpartition(".")[0] in self.lyrics
        return LYRICS_BESIDE * has_lyrics | ART_BESIDE * self.cover | SHEETS_BESIDE * self.sheets


def _stamp(sheets: Sequence[os.DirEntry[str]]) -> int:
    """32 bits that change with the names, sizes and times of a folder's cue sheets."""
    told: list[str] = []
    for sheet in sheets:
        with suppress(OSError):
            status = sheet.stat()
            told.append(f"{sheet.name} {status.st_size} {status.st_mtime_ns}")
    return crc32("\n".join(sorted(told)).encode("utf-8", "surrogateescape"))


def is_sheet(name: str) -> bool:
    """True for the name of a cue sheet."""
    return name.lower().endswith(".cue")


def is_candidate(name: str) -> bool:
    """True where a file's ending is one of audio."""
    stem, _dot, ending = name.rpartition(".")
    return bool(stem) and ending.lower() in EXTENSIONS


def is_below(path: str, folder: str) -> bool:
    """True where ``path`` is ``folder`` or lies somewhere in it (both as text)."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
