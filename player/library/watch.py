"""Watching the library's folders: what changed is told in batches, also where a drive comes or goes."""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

_LOG = logging.getLogger(__name__)

TICK_MS = 1000
"""How often it is looked whether a drive came or went."""
BATCH_MS = 800
"""Changes are collected until nothing has happened for :data:`QUIET_MS`, at most so long."""
QUIET_MS = 200
MOST_PATHS = 100
"""Of more, the roots are looked through instead."""
_MOUNTS = Path("/proc/self/mounts")
_REMOTE = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "davfs", "fuse.sshfs", "fuse.rclone", "fuse.gvfs", "fuse.s3fs")
"""Kinds of file systems, by how they begin, that do not tell what others change on them."""


class FolderWatch:
    """Tells of changed paths from a thread of its own, until it is closed.

    Args:
        on_changed: called from the thread with folders (or files) that are to be looked at again.
        check_seconds: how often folders are told that cannot be watched.
    """

    def __init__(self, on_changed: Callable[[list[Path]], None], check_seconds: float) -> None:
        self._on_changed = on_changed
        self._check_ticks = max(1, round(check_seconds * 1000 / TICK_MS))
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, roots: Sequence[Path]) -> None:
        """Watch these folders from now on, and no others."""
        self.close()
        self._stop = threading.Event()
        if roots:
            arguments = (tuple(roots), self._stop)
            self._thread = threading.Thread(target=self._run, args=arguments, name="folder-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Watch nothing any more; what is being looked at is let be within ``TICK_MS``."""
        self._stop.set()

    def close(self) -> None:
        """Watch nothing any more, and wait until that is so."""
        self.stop()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=2 * TICK_MS / 1000)

    def _run(self, roots: tuple[Path, ...], stop: threading.Event) -> None:
        while not stop.is_set():
            there = _places(roots)
            local = [root for root in there if not _is_remote(root)]
            try:
                self._watch(roots, local, there, stop)
            except (OSError, RuntimeError) as error:  # no more watches to be had from the system
                _LOG.warning(
                    "The library's folders cannot be watched and are looked through now and then.", exc_info=error
                )
                self._watch(roots, [], there, stop)

    def _watch(
        self, roots: tuple[Path, ...], local: list[Path], there: dict[Path, tuple[int, int]], stop: threading.Event
    ) -> None:
        """Tell what changes, until a root comes or goes."""
        from watchfiles import watch  # noqa: PLC0415 - loaded by the thread, after the screen

        unwatched = [root for root in there if root not in local]
        ticks = 0
        batches = watch(
            *local, stop_event=stop, debounce=BATCH_MS, step=QUIET_MS, rust_timeout=TICK_MS, yield_on_timeout=True,
            ignore_permission_denied=True, raise_interrupt=False, watch_filter=None,
        )  # fmt: skip
        for batch in batches if local else _ticks(stop):
            ticks += not batch
            if paths := _folders(roots, {path for _change, path in batch}):
                self._on_changed(paths)
            if unwatched and ticks >= self._check_ticks:
                ticks = 0
                self._on_changed(unwatched)
            if (now := _places(roots)) != there:
                self._on_changed([root for root in roots if now.get(root) != there.get(root)])
                return


def _ticks(stop: threading.Event):  # noqa: ANN202 - as watchfiles' own, empty batches
    while not stop.wait(TICK_MS / 1000):
        yield set[tuple[object, str]]()


def _places(roots: Sequence[Path]) -> dict[Path, tuple[int, int]]:
    """The roots that are there, and which folder of which device each is: a drive that is mounted changes it."""
    found: dict[Path, tuple[int, int]] = {}
    for root in roots:
        try:
            status = root.stat()
        except OSError:
            continue
        found[root] = status.st_dev, status.st_ino
    return found


def _is_remote(root: Path) -> bool:
    try:
        lines = [line.split(" ") for line in _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()]
    except OSError:
        return False
    # Spaces in a mount point are written as an octal escape.
    mounts = [(fields[1].encode().decode("unicode_escape"), fields[2]) for fields in lines if len(fields) > 2]  # noqa: PLR2004
    above = [(point, kind) for point, kind in mounts if root.is_relative_to(point)]
    return bool(above) and max(above, key=lambda mount: len(mount[0]))[1].startswith(_REMOTE)


def _folders(roots: Sequence[Path], paths: set[str]) -> list[Path]:
    """The folders in which something changed, none within another; the roots themselves where those are too many."""
    visible = (path for path in paths if "/." not in path)
    # Of a path that is gone nobody knows whether it was a folder: the one above it does.
    folders = sorted({path if Path(path).is_dir() else os.path.dirname(path) for path in visible})  # noqa: PTH120 - texts
    outer: list[str] = []
    for folder in folders:
        if not outer or not folder.startswith(outer[-1] + "/"):
            outer.append(folder)
    return [Path(folder) for folder in outer] if len(outer) <= MOST_PATHS else list(roots)
