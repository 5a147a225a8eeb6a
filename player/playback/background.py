"""What goes on beside the music: jobs in children, and other processes writing to the same data."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import func, select

from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from player.folders import Paths
from player.jobs import MINUTE, JobChild, JobProgress, JobResult
from player.learning.auto_training import AutoTraining
from player.learning.installation import can_install, missing_requirements
from player.library.loudness import any_unmeasured
from player.library.scan_roots import CHANGED, known_roots
from player.library.vectors import any_pending
from player.library.watch import FolderWatch
from player.stations.snapshot import JOB_NAMES, JobName, JobView
from player.storage.database import ChangeWatch, Database
from player.storage.key_value import read_fact
from player.storage.models import Embedding, TrackFile

if TYPE_CHECKING:
    from player.config import LibrarySettings

_LOG = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often it is looked whether another process wrote: noticed within a second."""
RELOAD_SECONDS = 10.0
"""A library that is just being embedded is read again at most this often."""
RELOAD_SHARE = 20.0
"""…and never so often that reading takes more than a twentieth of the time."""
CLOSE_SECONDS = 0.8
"""How long closing waits for the job's end: less than the player may take to leave."""
CANNOT_PAUSE = "Only the analysis can be paused; a scan or a training can be stopped (ctrl+x)."
NOTHING_TO_PAUSE = "Nothing is running that could be paused."


class Outside(Protocol):
    """Told what another process changed."""

    def __call__(self, *, library: bool) -> None:
        """Events alone, or also ``library``: tracks, vectors or the model."""
        ...


@dataclass(frozen=True, slots=True)
class _Mark:
    """What tells one state of library and models from another, cheaply."""

    changed: int
    """When a scan changed something last."""
    files: int
    missing: int
    vectors: int
    model: float


@dataclass(slots=True)
class _Look:
    """What the watching remembers from one look to the next."""

    pending: bool = False
    """The library changed and is still to be read again."""
    earliest_reload: float = 0.0
    """On the monotonic clock."""


class Background:
    """Runs jobs one at a time and watches for other writers.

    Args:
        database: the listener's data.
        paths: where models, locks and logs lie.
        on_outside: called from the watching thread.
        on_job: called from a job's reader thread when :attr:`view` changed.
        keep_place: called at every look.
        auto: says when to train without being asked; never when absent.
        library: whether folders are watched.
    """

    def __init__(
        self,
        database: Database,
        paths: Paths,
        on_outside: Outside,
        on_job: Callable[[], None],
        keep_place: Callable[[], None],
        auto: AutoTraining | None = None,
        library: "LibrarySettings | None" = None,
    ) -> None:
        self._auto = auto
        self._folders = None
        if library is not None and library.watch:
            self._folders = FolderWatch(self._take_in, library.check_minutes * MINUTE)
        self._scanner: JobChild | None = None
        """The scan of what changed in the folders; it goes on beside a job."""
        self._to_scan: set[Path] = set()
        self._quiet = False
        """The running job was begun by the player itself."""
        self._database = database
        self._paths = paths
        self._on_outside = on_outside
        self._on_job = on_job
        self._keep_place = keep_place
        self._lock = threading.Lock()
        self._child: JobChild | None = None
        self._paused = False
        """The listener wants the library left alone for now."""
        self._pausing = False
        """The running child was told to end because of that."""
        self._next: tuple[JobName, tuple[str, ...]] | None = None
        """What was asked for while it was ending."""
        self._setup_tried = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._mark = self._read_mark()
        self.view: JobView | None = None

    def start(self, music: str | None = None) -> None:
        """Begin to watch, scan the folder ``music`` if there is one, and embed what is waiting for it."""
        self._thread.start()
        self._follow_folders()
        if music is not None:
            self.run("scan", music)
        else:
            self._embed_pending()

    def close(self) -> None:
        """Stop the job and the watching; a job that takes longer than ``CLOSE_SECONDS`` keeps what it has without us."""
        if self._folders is not None:
            self._folders.stop()
        self.stop_children()
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in (self._child, self._scanner, self._thread if self._thread.is_alive() else None):
            if thread is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def stop_children(self) -> None:
        """Ask job and scan to stop for good, and start none any more."""
        self._closing.set()
        for child in (self._child, self._scanner):
            if child is not None:
                child.stop()

    def run(self, name: JobName, *arguments: str) -> None:
        """Start a job unless one is running; behind one that is being paused it waits for that one's end.

        A training that the player began by itself is taken over by the listener who asks for one.
        """
        with self._lock:
            if self._closing.is_set():
                return
            if name == "embed":
                self._paused = False
            if self._child is not None:
                self._wait_for_pause(name, arguments)
                if self._quiet and name == "retrain" and self.view is not None:
                    self._quiet, self.view = False, replace(self.view, quiet=False)
            else:
                self._start(name, arguments, quiet=False)
        self._on_job()

    def _start(self, name: JobName, arguments: tuple[str, ...], *, quiet: bool) -> None:
        """Start a job; the lock is held and none is running."""
        self._quiet = quiet
        self.view = JobView(name, f"{JOB_NAMES[name]} …", 0, 0, None, quiet=quiet)
        self._child = JobChild(
            [name, *arguments, *(() if name == "setup" else ("--data-dir", str(self._paths.data)))],
            lambda progress: self._progress(name, progress),
            lambda result: self._result(name, result, question=result.ok and "--dry-run" in arguments),
        )
        if name == "retrain" and self._auto is not None:
            self._auto.note()

    def _train_when_due(self) -> None:
        """Train without being asked once enough was told; an embedding or a scan goes first, paused or not."""
        if self._auto is None or self._child is not None or self._paused or not self._auto.due():
            return
        if missing_requirements():
            return  # a training would install first, which is not to happen unasked again and again
        with self._lock:
            if self._child is not None or self._closing.is_set():
                return
            self._start("retrain", (), quiet=True)
        self._on_job()

    def _wait_for_pause(self, name: JobName, arguments: tuple[str, ...]) -> None:
        """Start a job when the running one, if it is being paused, has ended."""
        if self._pausing:
            self._next = (name, arguments)
            if name == "embed" and self.view is not None:
                self.view = replace(self.view, paused=False)

    def pause(self) -> str:
        """Pause listening to the library, or go on with it.

        A pause ends the process once the file it is at is done (at the latest after ``player.jobs.GRACE_SECONDS``), so that it
        holds neither memory nor the lock of the trainer; scans and trainings may run meanwhile. It lasts until it is taken
        back here or by starting the job, or till the player is closed.

        Returns:
            A sentence about what cannot be paused; empty otherwise.
        """
        with self._lock:
            if self._closing.is_set():
                return ""
            going_on = self._paused and (self._child is None or self._pausing)
            if not going_on:
                if self._child is None:
                    return NOTHING_TO_PAUSE
                if self.view is None or self.view.name != "embed":
                    return CANNOT_PAUSE
                self._paused, self._pausing, self._next = True, True, None
                self.view = replace(self.view, seconds_left=None, paused=True)
                self._child.stop()
        if going_on:
            self.run("embed")
        self._on_job()
        return ""

    def stop(self) -> None:
        """Ask the job to stop and keep what it has; one that is paused is given up."""
        with self._lock:
            child, self._next = self._child, None
            if self._paused and self.view is not None and self.view.paused:
                self._paused = False
                self.view = replace(self.view, finished=True, summary="Stopped.", paused=False)
        if child is not None:
            child.stop()
        self._on_job()

    def _progress(self, name: JobName, progress: JobProgress) -> None:
        with self._lock:
            view = JobView(
                name,
                progress.stage,
                progress.done,
                progress.total,
                progress.seconds_left,
                progress.metric,
                loss=progress.loss,
                quiet=self._quiet,
            )
            paused = name == "embed" and self._paused
            self.view = replace(view, seconds_left=None, paused=True) if paused else view
        self._on_job()

    def _result(self, name: JobName, result: JobResult, *, question: bool) -> None:
        with self._lock:
            following, self._next = self._next, None
            self._child, self._pausing = None, False
            if name == "embed":
                self._paused = self._paused and self._anything_to_embed()
            summary = f"Trained by itself: {result.summary}" if self._quiet and result.ok else result.summary
            self._quiet = False
            if following is None and not (name == "embed" and self._paused):
                self.view = JobView(
                    name, JOB_NAMES[name], 0, 0, None, finished=True, summary=summary, question=question
                )
        if self._closing.is_set():
            return
        self._mark = self._read_mark()
        self._on_outside(library=True)
        self._on_job()
        if following is not None:
            name, arguments = following
            self.run(name, *arguments)
        elif name == "scan":
            self._follow_folders()
            self._embed_pending()
        elif name == "embed":
            self._install_learning()

    def _follow_folders(self) -> None:
        """Watch the folders that the library comes from."""
        if self._folders is not None:
            self._folders.follow(known_roots(self._database))

    def _take_in(self, paths: list[Path]) -> None:
        """Scan what changed, once the scan of what changed before has ended."""
        with self._lock:
            self._to_scan.update(paths)
            if self._scanner is not None or not self._to_scan or self._closing.is_set():
                return
            command = ["scan", *map(str, self._to_scan), "--changed", "--data-dir", str(self._paths.data)]
            self._to_scan = set()
            self._scanner = JobChild(command, lambda _progress: None, self._taken_in)

    def _taken_in(self, result: JobResult) -> None:
        if not result.ok:
            _LOG.warning("Changed folders were not taken in: %s", result.summary)
        self._scanner = None
        self._take_in([])
        if result.ok and self._child is None and not self._closing.is_set():
            self._embed_pending()

    def _embed_pending(self) -> None:
        """Listen to what is waiting, unless the listener wants quiet; then see to what learning needs."""
        if not self._paused and self._anything_to_embed():
            self.run("embed")
        else:
            self._install_learning()

    def _install_learning(self) -> None:
        """Install what learning needs where it is missing; once a start, since it may have failed for want of a network."""
        if self._setup_tried or not can_install() or not missing_requirements():
            return
        self._setup_tried = True
        self.run("setup")

    def _anything_to_embed(self) -> bool:
        with self._database.reader() as session:
            version = frontend_spec(DEFAULT_FRONTEND).version
            return any_pending(session, DEFAULT_FRONTEND, version) or any_unmeasured(session)

    def _watch(self) -> None:
        watch = ChangeWatch(self._database)
        look = _Look()
        logged = ""
        while not self._closing.wait(LOOK_SECONDS):
            try:
                self._keep_place()
                self._look_outside(watch.changed(), look)
                self._train_when_due()
            except Exception as error:  # noqa: BLE001 - the next look is soon, and it keeps the listener's place
                # A full disk or a locked database is told where the listener does something.
                if logged != (logged := repr(error)):
                    _LOG.warning("A look at what others wrote failed.", exc_info=error)
        watch.close()

    def _look_outside(self, changed: bool, look: _Look) -> None:  # noqa: FBT001 - what ChangeWatch said
        mark = self._read_mark() if changed or look.pending else self._mark_with_model()
        look.pending = look.pending or mark != self._mark
        if look.pending and time.monotonic() >= look.earliest_reload:
            started = time.monotonic()
            self._mark, look.pending = mark, False
            self._on_outside(library=True)
            taken = time.monotonic() - started
            look.earliest_reload = time.monotonic() + max(RELOAD_SECONDS, RELOAD_SHARE * taken)
        elif changed:
            self._on_outside(library=False)

    def _mark_with_model(self) -> _Mark:
        mark = self._mark
        return _Mark(mark.changed, mark.files, mark.missing, mark.vectors, _modified(self._paths.models / "current"))

    def _read_mark(self) -> _Mark:
        with self._database.reader() as session:
            files, missing = session.execute(select(func.count(), func.sum(TrackFile.missing))).one()
            vectors = session.execute(
                select(func.count()).select_from(Embedding).where(Embedding.vector.is_not(None))
            ).scalar_one()
            changed = read_fact(session, CHANGED) or 0
        return _Mark(changed, files, missing or 0, vectors, _modified(self._paths.models / "current"))


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
