"""Walking folders for audio files."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from player.library.paths import path_to_text

EXTENSIONS = frozenset(
    {
        *("mp3", "mp2", "mp1", "mpga", "flac", "ogg", "oga", "opus", "spx", "m4a", "m4b", "m4r", "aac"),
        *("wav", "wave", "bwf", "w64", "aif", "aiff", "aifc", "wma", "asf"),
        *("ape", "wv", "mpc", "tta", "tak", "dsf", "caf", "au", "snd", "amr", "mka"),
    }
)
"""Endings worth opening. What a file is, its content says; opening all files of a folder would take too long."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that may be audio.

    Attributes:
        path: absolute, as text of :func:`path_to_text`.
        root: the scanned folder or file it was found under, likewise.
        size: bytes.
        mtime_ns: when it was last changed.
    """

    path: str
    root: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class UnreadableFolder:
    """A folder that cannot be listed; what it holds is unknown, not gone."""

    path: str
    error: str


@dataclass(slots=True)
class Walker:
    """Walks roots one after another; what two roots share is given once.

    Symbolic links are followed after everything else, each target once, so loops end and a file is always found under
    the same path. Hidden files and folders are passed over.
    """

    unreadable: list[UnreadableFolder] = field(default_factory=list[UnreadableFolder])
    _seen: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    _links: list[str] = field(default_factory=list[str])

    def walk(self, root: Path) -> Iterator[FoundFile]:
        """The files below ``root`` (or ``root`` itself, whatever its ending), in the order of their paths' names."""
        name = path_to_text(root)
        try:
            status = root.stat()
        except OSError as error:
            self._give_up(str(root), error)
            return
        if not stat.S_ISDIR(status.st_mode):
            if stat.S_ISREG(status.st_mode):
                yield FoundFile(name, name, status.st_size, status.st_mtime_ns)
            return  # a named pipe would be waited for, a device be read without end
        if self._is_new(status):
            yield from self._walk_folder(str(root), name)
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
            for entry in entries:
                if not entry.name.startswith("."):
                    yield from self._visit(entry, folders, root)

    def _visit(self, entry: os.DirEntry[str], folders: list[str], root: str) -> Iterator[FoundFile]:
        """Give a file; put a folder on the stack and a link aside."""
        try:
            if entry.is_symlink():
                self._links.append(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                if self._is_new(entry.stat(follow_symlinks=False)):
                    folders.append(entry.path)
            elif is_candidate(entry.name):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    self._seen.add((status.st_dev, status.st_ino))
                    yield FoundFile(path_to_text(entry.path), root, status.st_size, status.st_mtime_ns)
        except OSError as error:
            self._give_up(entry.path, error)

    def _follow(self, link: str, root: str) -> Iterator[FoundFile]:
        """The target of a symbolic link, when it has not been seen yet; a dangling link is nothing."""
        try:
            status = Path(link).stat()
        except OSError:
            return
        is_folder = stat.S_ISDIR(status.st_mode)
        if not is_folder and not (stat.S_ISREG(status.st_mode) and is_candidate(link)):
            return
        if not self._is_new(status):
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


def is_candidate(name: str) -> bool:
    """True where a file's ending is one of audio."""
    stem, _dot, ending = name.rpartition(".")
    return bool(stem) and ending.lower() in EXTENSIONS


def is_below(path: str, folder: str) -> bool:
    """True where ``path`` is ``folder`` or lies somewhere in it (both as text)."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
