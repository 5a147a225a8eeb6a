"""Folders that may hold music, as somebody looks for theirs: the usual places, or what goes on from what was typed."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from player.folders import music_folder
from player.library.files import is_candidate

MOST = 12
"""As many as are read at a glance."""
COUNT_SECONDS = 0.1
"""So long the files of one folder are counted: enough for thousands on a disk, and a network folder keeps nobody waiting."""


@dataclass(frozen=True, slots=True)
class FolderOffer:
    """A folder, and how much music was seen in it.

    Attributes:
        files: audio files by their endings.
        more: the count was cut short.
    """

    path: str
    files: int
    more: bool


def offered_folders(text: str) -> list[FolderOffer]:
    """The usual places that are there, for no text; else the folder of that path and those whose path goes on so."""
    found: Iterable[Path]
    if text:
        typed = Path(os.path.expanduser(text))  # noqa: PTH111 - Path's own raises where "~name" is nobody
        there = _is_folder(typed)
        inside = text.endswith("/") or there
        found = [
            *([typed] if there else []),
            *_folders(typed if inside else typed.parent, "" if inside else typed.name),
        ]
    else:
        mounts = [Path("/mnt"), *_folders(Path("/media")), *_folders(Path("/run/media"))]
        found = [music_folder(), *(folder for mount in mounts for folder in _folders(mount)), Path.home()]
    offered = dict.fromkeys(folder for folder in found if _is_folder(folder))
    return [_counted(folder) for folder in list(offered)[:MOST]]


def offered_files(text: str) -> list[FolderOffer]:
    """What is downloaded, for no text; else the files and folders whose path goes on so."""
    typed = Path(os.path.expanduser(text)) if text else Path.home() / "Downloads"  # noqa: PTH111 - as above
    inside = not text or text.endswith("/") or _is_folder(typed)
    parent, beginning = (typed, "") if inside else (typed.parent, typed.name.casefold())
    paths = [typed] if text and typed.exists() else []
    with suppress(OSError):
        paths += sorted(
            path for path in parent.iterdir() if path.name.casefold().startswith(beginning) and path.name[0] != "."
        )
    return [FolderOffer(str(path), 0, more=True) for path in list(dict.fromkeys(paths))[:MOST]]


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path's own raises where a folder above it may not be looked into


def _folders(parent: Path, beginning: str = "") -> list[Path]:
    """The folders in another whose names begin so, hidden ones only where that was typed."""
    with suppress(OSError):
        return sorted(
            Path(entry.path)
            for entry in os.scandir(parent)
            if entry.name.casefold().startswith(beginning.casefold())
            and (beginning.startswith(".") or not entry.name.startswith("."))
            and entry.is_dir()
        )
    return []


def _counted(folder: Path) -> FolderOffer:
    files, until = 0, time.monotonic() + COUNT_SECONDS
    for _, _, names in os.walk(folder):
        files += sum(map(is_candidate, names))
        if time.monotonic() > until:
            return FolderOffer(str(folder), files, more=True)
    return FolderOffer(str(folder), files, more=False)
